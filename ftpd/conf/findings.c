/*
 * findings: the list of mistakes of one configuration.
 * Runs in: master.
 */
#include "ftpd/conf/reader.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "ftpd/conf/policy_table.h"

#include "common/base.h"

/* Findings without a line are about overrides and come last. */
static uint32_t
rank(const struct conf_finding *finding)
{
	return finding->line - 1;
}

static void add(struct conf *conf, const char *file, uint32_t line, const char *format,
                va_list arguments) __attribute__((format(printf, 4, 0)));

static void
add(struct conf *conf, const char *file, uint32_t line, const char *format,
    va_list arguments)
{
	struct conf_finding finding = {.line = line};
	char text[2 * CONF_FINDING_TEXT_MAX];
	size_t at = conf->finding_count++;

	if (at >= CONF_FINDINGS_MAX) {
		return;
	}
	/* option_quote() marks the cut */
	(void)vsnprintf(text, sizeof(text), format, arguments);
	option_quote(text, strlen(text), finding.text, sizeof(finding.text));
	option_quote(file, strlen(file), finding.file, sizeof(finding.file));
	while (at > 0 && rank(&conf->findings[at - 1]) > rank(&finding)) {
		conf->findings[at] = conf->findings[at - 1];
		at--;
	}
	conf->findings[at] = finding;
}

void
reader_report(struct conf *conf, uint32_t line, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	add(conf, conf->name, line, format, arguments);
	va_end(arguments);
}

void
reader_report_override(struct conf *conf, const char *override, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	add(conf, override, 0, format, arguments);
	va_end(arguments);
}

struct reader_origin *
reader_origin(struct conf *conf, const struct option_row *row)
{
	size_t count;

	return &conf->origins[row - option_table(&count)];
}

void
conf_findings_add(struct conf *conf, const char *key, const char *format, ...)
{
	static const struct reader_origin nowhere;
	const struct option_row *row = option_find_dotted(key);
	const struct reader_origin *origin = &nowhere;
	va_list arguments;

	if (row != NULL) {
		origin = reader_origin(conf, row);
	}
	va_start(arguments, format);
	if (origin->override[0] != '\0') {
		add(conf, origin->override, 0, format, arguments);
	} else {
		add(conf, conf->name, origin->line, format, arguments);
	}
	va_end(arguments);
}

void
conf_findings_add_titled(struct conf *conf, const struct policy_override *override,
                         enum policy_key key, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	add(conf, conf->name, override->key_line[key], format, arguments);
	va_end(arguments);
}

bool
conf_is_set(const struct conf *conf, const char *key)
{
	const struct option_row *row = option_find_dotted(key);
	const struct reader_origin *origin;
	size_t count;

	if (row == NULL) {
		return false;
	}
	origin = &conf->origins[row - option_table(&count)];
	return origin->line != 0 || origin->override[0] != '\0';
}

void
conf_where(const struct conf *conf, const char *key, char *ret_text, size_t cap)
{
	const struct option_row *row = option_find_dotted(key);
	const struct reader_origin *origin = NULL;
	size_t count;

	if (row != NULL) {
		origin = &conf->origins[row - option_table(&count)];
	}
	if (origin != NULL && origin->override[0] != '\0') {
		(void)snprintf(ret_text, cap, "%s", origin->override);
	} else if (origin != NULL && origin->line != 0) {
		(void)snprintf(ret_text, cap, "%s:%" PRIu32, conf->name, origin->line);
	} else {
		(void)snprintf(ret_text, cap, "default");
	}
}

void
conf_where_titled(const struct conf *conf, const struct policy_override *override,
                  enum policy_key key, char *ret_text, size_t cap)
{
	(void)snprintf(ret_text, cap, "%s:%" PRIu32 ", %s \"%s\"", conf->name,
	               override->key_line[key], policy_scope_name(override->scope),
	               override->title);
}

size_t
conf_findings_count(const struct conf *conf)
{
	return conf->finding_count;
}

const struct conf_finding *
conf_finding_get(const struct conf *conf, size_t index)
{
	if (index >= conf->finding_count || index >= CONF_FINDINGS_MAX) {
		return NULL;
	}
	return &conf->findings[index];
}

void
conf_findings_print(const struct conf *conf, FILE *stream)
{
	const struct conf_finding *finding;

	for (size_t i = 0; (finding = conf_finding_get(conf, i)) != NULL; i++) {
		if (finding->line != 0) {
			fprintf(stream, "%s:%" PRIu32 ": %s\n", finding->file,
			        finding->line, finding->text);
		} else {
			fprintf(stream, "%s: %s\n", finding->file, finding->text);
		}
	}
	if (conf->finding_count > CONF_FINDINGS_MAX) {
		fprintf(stream, "%s: %zu more mistakes; mend these first\n", conf->name,
		        conf->finding_count - CONF_FINDINGS_MAX);
	}
}
