/*
 * tls_load: certificates, keys and what belongs to them, as they were read and found
 * right.
 * Runs in: master.
 */
#include "ftpd/master/tls_load.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/fd.h"
#include "common/base.h"

struct tls_load *
tls_load_new(const struct options *options, const struct overrides *overrides)
{
	struct tls_load *load = calloc(1, sizeof(*load));

	if (load == NULL) {
		return NULL;
	}
	load->files_fd = -1;
	if (tls_source_list(options, overrides, &load->source) != 0) {
		tls_load_free(load);
		return NULL;
	}
	(void)tls_source_look(&load->source); /* the first look tells of no change */
	return load;
}

int
tls_load_add_fact(struct tls_load *load, const struct tls_report *report)
{
	struct tls_fact *facts =
	    realloc(load->fact, (load->fact_count + 1) * sizeof(*facts));
	struct tls_fact *fact;

	if (facts == NULL) {
		return -ENOMEM;
	}
	load->fact = facts;
	fact = &facts[load->fact_count++];
	*fact = (struct tls_fact){.kind = report->kind,
	                          .host = report->host,
	                          .index = report->index,
	                          .begins = report->begins,
	                          .expires = report->expires};
	(void)snprintf(fact->text, sizeof(fact->text), "%s", report->text);
	return 0;
}

/* A key may be in the file of its certificate. */
static const char *
path_of(const struct tls_load *load, enum tls_file_kind kind, uint16_t host,
        uint16_t index)
{
	const struct tls_source_file *file =
	    tls_source_find(&load->source, kind, host, index);

	if (file == NULL && kind == TLS_FILE_KEY) {
		file = tls_source_find(&load->source, TLS_FILE_CERTIFICATE, host, index);
	}
	return file != NULL ? file->path : NULL;
}

const char *
tls_load_describe(const struct tls_load *load, const struct tls_report *report,
                  char text[TLS_TEXT_MAX])
{
	const char *path = path_of(load, report->kind, report->host, report->index);

	if (path == NULL || strncmp(report->text, "tls.", strlen("tls.")) == 0) {
		(void)snprintf(text, TLS_TEXT_MAX, "%s", report->text);
	} else {
		(void)snprintf(text, TLS_TEXT_MAX, "%s: %s", path, report->text);
	}
	return text;
}

const char *
tls_load_path(const struct tls_load *load, const struct tls_fact *fact)
{
	const char *path = path_of(load, fact->kind, fact->host, fact->index);

	return path != NULL ? path : "a file";
}

const char *
tls_load_date(int64_t seconds, char text[TLS_DATE_MAX])
{
	time_t when = (time_t)seconds;
	struct tm parts;

	if (gmtime_r(&when, &parts) == NULL ||
	    strftime(text, TLS_DATE_MAX, "%Y-%m-%d %H:%M:%S UTC", &parts) == 0) {
		(void)snprintf(text, TLS_DATE_MAX, "%" PRId64 " s after 1970", seconds);
	}
	return text;
}

void
tls_load_free(struct tls_load *load)
{
	if (load != NULL) {
		tls_source_free(&load->source);
		fd_close(&load->files_fd);
		free(load->fact);
		free(load);
	}
}
