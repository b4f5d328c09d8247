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
	                          .expires = report->expires};
	(void)snprintf(fact->text, sizeof(fact->text), "%s", report->text);
	return 0;
}

const char *
tls_load_path(const struct tls_load *load, const struct tls_fact *fact)
{
	const struct tls_source_file *file =
	    tls_source_find(&load->source, fact->kind, fact->host, fact->index);

	return file != NULL ? file->path : "a file";
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
