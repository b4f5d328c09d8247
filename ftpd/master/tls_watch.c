/*
 * tls_watch: the certificates in use, and what becomes of their files.
 * Runs in: master.
 */
#include "ftpd/master/tls_watch.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/clock.h"
#include "ftpd/master/generation.h"
#include "ftpd/master/master.h"
#include "ftpd/master/renew.h"
#include "common/base.h"

enum {
	/* After a check that failed for no reason of the files'. */
	AGAIN_MS = 60000,
	REMIND_MS = 24 * 3600 * 1000,
	DAY_S = 24 * 3600,
	COMPARE_BYTES = 4096,
};

static void look(struct master *master, void *owner);

static void
look_later(struct master *master, uint64_t delay_ms)
{
	master_set_deadline(master, &master->tls.look, delay_ms, look, NULL);
}

static bool
is_watching(const struct tls_watch *watch)
{
	return watch->used != NULL && !watch->used->is_in_memory;
}

static void
drop_found(struct tls_watch *watch)
{
	tls_load_free(watch->found);
	watch->found = NULL;
}

/* Returns: true if the file of a fact of `load` is not the one that is in use. */
static bool
is_other_file(const struct tls_watch *watch, const struct tls_load *load,
              const struct tls_fact *fact)
{
	const struct tls_source_file *old =
	    tls_source_find(&watch->used->source, fact->kind, fact->host, fact->index);
	const struct tls_source_file *new =
	    tls_source_find(&load->source, fact->kind, fact->host, fact->index);

	return old == NULL || new == NULL || !tls_stamp_is_same(&old->stamp, &new->stamp);
}

/* Returns: true if it may be used now. If only the time is wrong, it is noted when. */
static bool
is_in_time(struct master *master, const struct tls_fact *fact)
{
	struct tls_watch *watch = &master->tls;
	const char *path = tls_load_path(watch->found, fact);
	int64_t now = (int64_t)time(NULL);
	char date[TLS_DATE_MAX];

	if (fact->expires <= now) {
		master_log(master, RECORD_ERROR,
		           "%s: the new certificate has expired on %s; put one that is "
		           "valid in its place",
		           path, tls_load_date(fact->expires, date));
		return false;
	}
	if (fact->begins > now) {
		master_log(master, RECORD_ERROR,
		           "%s: the new certificate is not valid before %s; it is tried "
		           "again then",
		           path, tls_load_date(fact->begins, date));
		if (watch->valid_s < fact->begins) {
			watch->valid_s = fact->begins;
		}
		return false;
	}
	return true;
}

/*
 * At the start a certificate with wrong dates is better than none, and the clock may be
 * wrong; in place of another it is not.
 */
static void
refuse_untimely(struct master *master)
{
	struct tls_watch *watch = &master->tls;

	for (size_t i = 0; i < watch->found->fact_count; i++) {
		const struct tls_fact *fact = &watch->found->fact[i];

		if (is_other_file(watch, watch->found, fact) &&
		    !is_in_time(master, fact)) {
			watch->has_mistake = true;
		}
	}
}

static void
refuse(struct master *master)
{
	struct tls_watch *watch = &master->tls;

	drop_found(watch);
	watch->is_refused = true;
	master_log(master, RECORD_ERROR,
	           "the files of section tls have changed and cannot be used; the "
	           "certificates of before stay in use");
}

/* Returns: true if both hold the same bytes. */
static bool
is_same_content(int fd, int other_fd)
{
	uint8_t bytes[COMPARE_BYTES];
	uint8_t other[COMPARE_BYTES];
	struct stat info;
	struct stat other_info;
	off_t at = 0;
	bool is_same = fstat(fd, &info) == 0 && fstat(other_fd, &other_info) == 0 &&
	               info.st_size == other_info.st_size;

	while (is_same && at < info.st_size) {
		ssize_t len = pread(fd, bytes, sizeof(bytes), at);

		is_same = len > 0 && pread(other_fd, other, (size_t)len, at) == len &&
		          memcmp(bytes, other, (size_t)len) == 0;
		at += len > 0 ? len : 0;
	}
	explicit_bzero(bytes, sizeof(bytes));
	explicit_bzero(other, sizeof(other));
	return is_same;
}

/* Returns: true if `load` has a certificate that is not in use. */
static bool
mark_new(const struct tls_watch *watch, struct tls_load *load)
{
	bool has_new = false;

	for (size_t i = 0; i < load->fact_count; i++) {
		struct tls_fact *fact = &load->fact[i];

		fact->is_new = is_other_file(watch, load, fact);
		has_new = has_new || fact->is_new;
	}
	return has_new;
}

/* What was found is right: the next generation has it. */
static void
take_over(struct master *master)
{
	const struct generation *current = master->current;
	struct tls_watch *watch = &master->tls;
	const struct generation_setup setup = {.options = &current->options,
	                                       .overrides = &current->overrides,
	                                       .users = &current->users,
	                                       .tls_fd = watch->found->files_fd};
	int result;

	(void)mark_new(watch, watch->found); /* it may be another file that is new */
	tls_load_free(watch->used);
	watch->used = watch->found;
	watch->found = NULL;
	watch->is_untold = true;
	watch->is_refused = false;
	result = renew_begin(master, &setup, &current->passive_address, false);
	if (result != 0) {
		master_log(master, RECORD_ERROR,
		           "a forkserver for the new certificates cannot be started: %s",
		           strerror(-result));
		renew_request(master);
	}
}

/* A configuration without TLS brings no files. */
static bool
is_reloading(const struct master *master)
{
	return master->tls.coming != NULL ||
	       (master->next != NULL && master->next->is_reload);
}

static void
checked(void *listener, bool is_complete, const char *why)
{
	struct master *master = listener;
	struct tls_watch *watch = &master->tls;

	if (is_reloading(master) || master->current == NULL || master->is_stopping) {
		/* It brings its own. If it fails, these are read once more. */
		drop_found(watch);
		watch->has_changed = true;
		return;
	}
	if (!is_complete) {
		master_log(master, RECORD_ERROR,
		           "the new files of section tls could not be checked: %s; the "
		           "certificates of before stay in use for now",
		           why);
		drop_found(watch);
		watch->has_changed = true;
		look_later(master, AGAIN_MS);
		return;
	}
	refuse_untimely(master);
	if (watch->has_mistake) {
		refuse(master);
	} else {
		take_over(master);
	}
}

static void
take_report(void *listener, const struct tls_report *report)
{
	struct master *master = listener;
	struct tls_watch *watch = &master->tls;
	char text[TLS_TEXT_MAX];

	switch (report->type) {
	case TLS_REPORT_MISTAKE:
		watch->has_mistake = true;
		master_log(master, RECORD_ERROR, "%s",
		           tls_load_describe(watch->found, report, text));
		return;
	case TLS_REPORT_WARNING:
		master_log(master, RECORD_WARNING, "%s",
		           tls_load_describe(watch->found, report, text));
		return;
	case TLS_REPORT_FACT:
		/* Without memory it is missing in warnings to come, nothing else. */
		(void)tls_load_add_fact(watch->found, report);
		return;
	case TLS_REPORT_CERTIFICATE:
	case TLS_REPORT_KEY:
	case TLS_REPORT_END:
	case TLS_REPORT_COUNT: return;
	}
}

/* Returns: 0 or negative errno. */
static int
begin_check(struct master *master)
{
	const struct generation *current = master->current;
	struct tls_watch *watch = &master->tls;
	const struct tls_program_setup setup = {.dir = master->program_dir,
	                                        .identity = &current->users.worker,
	                                        .options_fd = current->options_fd,
	                                        .files_fd = watch->found->files_fd};

	watch->program.tell = take_report;
	watch->program.done = checked;
	watch->program.listener = master;
	return tls_program_begin(&watch->program, master, &setup);
}

/* The files are what they were before something else was tried. */
static void
stay(struct master *master)
{
	struct tls_watch *watch = &master->tls;

	tls_source_free(&watch->used->source); /* the stamps are others */
	watch->used->source = watch->found->source;
	watch->found->source = (struct tls_source){0};
	drop_found(watch);
	if (watch->is_refused) {
		watch->is_refused = false;
		master_log(master, RECORD_INFO,
		           "the files of section tls are again those in use");
	}
}

/* The change is complete, as it seems. */
static void
read_files(struct master *master)
{
	const struct generation *current = master->current;
	struct tls_watch *watch = &master->tls;
	int result = -ENOMEM;

	watch->has_mistake = false;
	watch->valid_s = 0;
	watch->found = tls_load_new(&current->options, &current->overrides);
	if (watch->found != NULL) {
		result = tls_source_seal(&watch->found->source, NULL, take_report, master,
		                         &watch->found->files_fd);
	}
	if (watch->has_mistake) {
		refuse(master);
		return;
	}
	if (result == 0 &&
	    is_same_content(watch->found->files_fd, watch->used->files_fd)) {
		stay(master);
		return;
	}
	if (result == 0) {
		result = begin_check(master);
	}
	if (result != 0) {
		checked(master, false, strerror(-result));
	}
}

static void
remind_daily(struct master *master)
{
	if (clock_monotonic_ms() - master->tls.reminded_ms >= REMIND_MS) {
		tls_watch_remind(master);
	}
}

/* Returns: true if what was refused as too early is valid now. */
static bool
is_time(const struct tls_watch *watch)
{
	return watch->valid_s != 0 && watch->valid_s <= (int64_t)time(NULL);
}

static void
look(struct master *master, void *owner)
{
	struct tls_watch *watch = &master->tls;

	(void)owner;
	if (!is_watching(watch) || master->is_stopping) {
		return;
	}
	look_later(master, TLS_WATCH_LOOK_MS);
	remind_daily(master);
	if (watch->program.is_running || watch->coming != NULL ||
	    master->current == NULL || master->next != NULL) {
		return; /* a change will still be seen afterwards */
	}
	if (tls_source_look(&watch->seen)) {
		watch->has_changed = true;
	} else if (watch->has_changed || is_time(watch)) {
		watch->has_changed = false;
		read_files(master);
	}
}

void
tls_watch_offer(struct master *master, struct tls_load *load)
{
	tls_load_free(master->tls.coming);
	master->tls.coming = load;
}

void
tls_watch_accept(struct master *master)
{
	struct tls_watch *watch = &master->tls;

	tls_program_cancel(&watch->program);
	drop_found(watch);
	watch->is_untold = watch->used != NULL && watch->coming != NULL &&
	                   mark_new(watch, watch->coming);
	tls_load_free(watch->used);
	tls_source_free(&watch->seen);
	watch->used = watch->coming;
	watch->coming = NULL;
	watch->has_changed = false;
	watch->valid_s = 0;
	watch->is_refused = false;
	watch->reminded_ms = clock_monotonic_ms();
	timer_clear(&master->wheel, &watch->look.timer);
	if (!is_watching(watch)) {
		return;
	}
	if (tls_source_copy(&watch->used->source, &watch->seen) != 0) {
		master_log(master, RECORD_ERROR,
		           "out of memory: new certificates will not be noticed");
		return;
	}
	look_later(master, TLS_WATCH_LOOK_MS);
}

void
tls_watch_abandon(struct master *master)
{
	tls_watch_offer(master, NULL);
	if (master->tls.is_untold) {
		renew_request(master);
	}
}

int
tls_watch_fd(const struct master *master)
{
	return master->tls.used != NULL ? master->tls.used->files_fd : -1;
}

bool
tls_watch_is_waiting(const struct master *master)
{
	return master->tls.is_untold;
}

void
tls_watch_serving(struct master *master)
{
	struct tls_watch *watch = &master->tls;
	bool is_told = false;
	char date[TLS_DATE_MAX];

	if (!watch->is_untold) {
		return;
	}
	watch->is_untold = false;
	for (size_t i = 0; i < watch->used->fact_count; i++) {
		const struct tls_fact *fact = &watch->used->fact[i];

		if (fact->is_new) {
			master_log(master, RECORD_INFO,
			           "new certificate in use: %s: %s, valid until %s",
			           tls_load_path(watch->used, fact), fact->text,
			           tls_load_date(fact->expires, date));
			is_told = true;
		}
	}
	if (!is_told) {
		master_log(master, RECORD_INFO, "new files of section tls are in use");
	}
}

static void
warn_of_dates(struct master *master, const struct tls_fact *fact)
{
	const char *path = tls_load_path(master->tls.used, fact);
	int64_t now = (int64_t)time(NULL);
	char date[TLS_DATE_MAX];

	if (fact->begins > now) {
		master_log(master, RECORD_WARNING,
		           "%s: the certificate is not valid before %s; set the clock "
		           "right if it is wrong",
		           path, tls_load_date(fact->begins, date));
	} else if (fact->expires <= now + (int64_t)TLS_WATCH_REMIND_DAYS * DAY_S) {
		master_log(
		    master, RECORD_WARNING,
		    "%s: the certificate %s on %s; renew it, which needs no restart",
		    path, fact->expires <= now ? "has expired" : "expires",
		    tls_load_date(fact->expires, date));
	}
}

void
tls_watch_remind(struct master *master)
{
	struct tls_watch *watch = &master->tls;

	watch->reminded_ms = clock_monotonic_ms();
	if (watch->is_refused) {
		master_log(master, RECORD_ERROR,
		           "the files of section tls have changed and still cannot be "
		           "used; deftpd --check says why");
	}
	for (size_t i = 0; watch->used != NULL && i < watch->used->fact_count; i++) {
		warn_of_dates(master, &watch->used->fact[i]);
	}
}

void
tls_watch_end(struct master *master)
{
	struct tls_watch *watch = &master->tls;

	tls_program_cancel(&watch->program);
	timer_clear(&master->wheel, &watch->look.timer);
	drop_found(watch);
	tls_watch_offer(master, NULL);
	tls_load_free(watch->used);
	watch->used = NULL;
	tls_source_free(&watch->seen);
}
