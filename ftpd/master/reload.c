/*
 * reload: reads the configuration anew at SIGHUP. A wrong one changes nothing and says
 * why.
 * Runs in: master.
 */
#include "ftpd/master/reload.h"

#include <string.h>

#include "ftpd/master/check.h"
#include "ftpd/master/check_users.h"
#include "ftpd/master/limits.h"
#include "ftpd/master/listen.h"
#include "ftpd/master/logs.h"
#include "ftpd/master/notify.h"
#include "ftpd/master/recorder_link.h"
#include "ftpd/master/renew.h"
#include "ftpd/master/tls_check.h"
#include "common/base.h"

struct conf *
reload_read(const struct invocation *invocation)
{
	return conf_read(invocation->conf_path, invocation->overrides,
	                 invocation->override_count);
}

static void
log_warning(void *context, const char *text)
{
	master_log(context, RECORD_WARNING, "%s", text);
}

static void
log_findings(struct master *master, const struct conf *conf)
{
	size_t count = conf_findings_count(conf);
	const struct conf_finding *finding;

	for (size_t i = 0; i < count && (finding = conf_finding_get(conf, i)) != NULL;
	     i++) {
		if (finding->line > 0) {
			master_log(master, RECORD_ERROR, "%s:%u: %s", finding->file,
			           (unsigned)finding->line, finding->text);
		} else {
			master_log(master, RECORD_ERROR, "%s: %s", finding->file,
			           finding->text);
		}
	}
	master_log(master, RECORD_ERROR,
	           "the configuration has %zu mistakes; the old one stays in force",
	           count);
}

/*
 * Returns: true if all that can fail at once has succeeded and a new generation is
 *          starting.
 */
static bool
apply(struct master *master, const struct generation_setup *setup)
{
	const struct options *options = setup->options;
	char listen_mistake[LISTEN_MISTAKE_MAX];
	char logs_mistake[LOGS_MISTAKE_MAX];
	struct logs logs;
	int result;

	if (!listen_prepare(master, options, listen_mistake)) {
		master_log(master, RECORD_ERROR, "%s", listen_mistake);
		return false;
	}
	if (!logs_open(&options->log, &logs, logs_mistake)) {
		master_log(master, RECORD_ERROR, "%s", logs_mistake);
		listen_abandon(master);
		return false;
	}
	result = renew_begin(master, setup, NULL, true);
	if (result != 0) {
		master_log(master, RECORD_ERROR, "a forkserver cannot be started: %s",
		           strerror(-result));
		listen_abandon(master);
		logs_close(&logs);
		return false;
	}
	recorder_pass_logs(master, &logs);
	return true;
}

void
reload_begin(struct master *master)
{
	struct conf *conf = reload_read(&master->invocation);
	struct tls_load *load;
	struct users users;
	bool is_applied = false;

	notify(NOTIFY_RELOADING);
	if (conf == NULL) {
		master_log(master, RECORD_ERROR,
		           "the configuration cannot be read: out of memory");
		reload_failed(master);
		return;
	}
	check_system(conf, &users);
	load =
	    tls_check_files(conf, &users, master->invocation.pair, log_warning, master);
	if (conf_findings_count(conf) > 0) {
		log_findings(master, conf);
	} else {
		const struct generation_setup setup = {
		    .options = conf_options(conf),
		    .overrides = conf_overrides(conf),
		    .users = &users,
		    .tls_fd = load != NULL ? load->files_fd : -1};

		/* Whatever is still under way is overtaken by this. */
		renew_cancel(master);
		users_tell_missing(&users, conf_options(conf), log_warning, master);
		check_users_lines(conf_options(conf), conf_overrides(conf), log_warning,
		                  master);
		limits_raise(conf_options(conf)->max_sessions);
		tls_watch_offer(master, load);
		is_applied = apply(master, &setup);
		if (!is_applied) {
			tls_watch_abandon(master);
		}
	}
	conf_free(conf);
	if (!is_applied) {
		reload_failed(master);
	}
}

void
reload_done(struct master *master)
{
	tls_watch_accept(master);
	if (master->is_started) {
		master_log(master, RECORD_INFO, "the configuration has been read anew");
		notify(NOTIFY_READY);
	}
}

void
reload_failed(struct master *master)
{
	if (master->is_started) {
		notify(NOTIFY_READY); /* as before */
	}
}
