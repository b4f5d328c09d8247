/*
 * start: the order of everything between the command line and the first client, and the
 * life after it.
 * Runs in: master.
 */
#include "ftpd/master/start.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "common/clock.h"
#include "common/fd.h"
#include "common/sandbox.h"
#include "ftpd/master/check.h"
#include "ftpd/master/check_users.h"
#include "ftpd/master/data_active.h"
#include "ftpd/master/fs_protection.h"
#include "ftpd/master/generation.h"
#include "ftpd/master/layers.h"
#include "ftpd/master/limits.h"
#include "ftpd/master/listen.h"
#include "ftpd/master/logs.h"
#include "ftpd/master/notify.h"
#include "ftpd/master/program.h"
#include "ftpd/master/recorder_link.h"
#include "ftpd/master/reload.h"
#include "ftpd/master/renew.h"
#include "ftpd/master/selftest.h"
#include "ftpd/master/signals.h"
#include "ftpd/master/stop.h"
#include "ftpd/master/tls_check.h"
#include "ftpd/master/urls.h"
#include "common/base.h"

enum {
	RECORDER_PATIENCE_MS = 5000,
};

static void
complain_text(void *context, const char *text)
{
	(void)context;
	master_complain("warning: %s", text);
}

static int
init(struct master *master)
{
	uint64_t seed;
	int result = loop_init(&master->loop);

	if (result != 0) {
		return result;
	}
	if (getrandom(&seed, sizeof(seed), 0) != (ssize_t)sizeof(seed)) {
		return -EIO;
	}
	timer_wheel_init(&master->wheel, clock_monotonic_ms());
	admit_init(&master->admit, seed);
	login_desk_init(master, seed);
	moving_init(master, seed);
	TAILQ_INIT(&master->waiting_shared);
	TAILQ_INIT(&master->waiting_private);
	recorder_init(master);
	master->reserve_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	return signals_begin(master);
}

static bool
is_recorder_settled(const struct master *master)
{
	return master->recorder.is_ready && !master->recorder.is_in_flight &&
	       !master->recorder.has_event_log && master->recorder.transfer_log_fd < 0;
}

static void
ignore(struct master *master, void *owner)
{
	(void)master;
	(void)owner;
}

static bool
start_recorder(struct master *master, const struct options *options,
               const struct users *users)
{
	uint64_t until_ms = clock_monotonic_ms() + RECORDER_PATIENCE_MS;
	char mistake[LOGS_MISTAKE_MAX];
	struct deadline wake = {0};
	struct logs logs;
	int result;

	if (!logs_open(&options->log, &logs, mistake)) {
		master_complain("%s", mistake);
		return false;
	}
	result = recorder_start(master, options, users, &logs);
	if (result != 0) {
		master_complain("the recorder cannot be started: %s", strerror(-result));
		return false;
	}
	master_set_deadline(master, &wake, 2 * (uint64_t)RECORDER_PATIENCE_MS, ignore,
	                    NULL);
	while (!is_recorder_settled(master) && master->recorder.pid != 0 &&
	       clock_monotonic_ms() < until_ms && !master->is_stopping &&
	       master_turn(master) == 0) {
	}
	timer_clear(&master->wheel, &wake.timer);
	if (!is_recorder_settled(master) && !master->is_stopping) {
		master_complain("the recorder does not become ready");
		return false;
	}
	return true;
}

/* A layer that is missing is one too many when sandbox is require. */
static bool
has_required_layers(struct master *master, const struct options *options)
{
	char text[LAYERS_TEXT_MAX];

	if (options->sandbox != OPTIONS_SANDBOX_REQUIRE ||
	    master->current->server.layers == SPAWN_LAYER_ALL) {
		return true;
	}
	master_complain("sandbox is require, and the workers are confined by %s",
	                layers_describe(master->current->server.layers, text));
	return false;
}

static bool
start_workers(struct master *master, const struct generation_setup *setup)
{
	int result = renew_begin(master, setup, NULL, true);

	if (result != 0) {
		master_complain("the forkserver cannot be started: %s",
		                strerror(-result));
		return false;
	}
	while (master->current == NULL && master->failures == 0 && !master->is_stopping &&
	       master_turn(master) == 0) {
	}
	if (master->is_stopping) {
		return true;
	}
	if (master->current == NULL) {
		master_complain(
		    "no worker becomes ready; what they wrote here before says why");
		return false;
	}
	return has_required_layers(master, setup->options);
}

static void
tell_ready(struct master *master, const struct options *options)
{
	char text[LAYERS_TEXT_MAX];
	char off[FS_PROTECTION_TEXT_MAX];

	master->is_started = true;
	master_log(master, RECORD_INFO, "deftpd %s is ready; workers are confined by %s",
	           DEFTPD_VERSION, layers_describe(master->current->server.layers, text));
	if (master->current->auth.server.state == FORKSERVER_RUNNING) {
		master_log(master, RECORD_INFO,
		           "up to %u passwords are checked at the same time",
		           (unsigned)auth_pool_limit(options));
	}
	if (options->active_port != 0 && !master->may_use_low_ports) {
		master_log(
		    master, RECORD_WARNING,
		    "port %u may not be used by this user; active data connections come "
		    "from any port",
		    (unsigned)options->active_port);
	}
	if (fs_protection_describe(FS_PROTECTION_DIRECTORY, off)[0] != '\0') {
		master_log(master, RECORD_WARNING, "%s", off);
	}
	if (master->invocation.is_serving_directory) {
		(void)printf(
		    "deftpd serves %s, %s, to anybody who can reach this machine%s. "
		    "Ctrl-C stops it.\n",
		    options->anonymous.root,
		    options->anonymous.read_only ? "read-only" : "writable",
		    options->anonymous.read_only
			? ""
			: ", who may change and delete what is in it");
		if (master->invocation.pair != NULL) {
			(void)printf(
			    "Clients that ask for TLS get it, with a certificate made "
			    "for now, which nobody vouches for.\n");
		}
		urls_print(&options->listen);
	}
	tls_watch_remind(master);
	notify(NOTIFY_READY);
}

/*
 * Everything that can fail at the start, cheapest first. Each part has said why if it
 * fails.
 */
static bool
bring_up(struct master *master, const struct generation_setup *setup)
{
	const struct options *options = setup->options;
	char mistake[LISTEN_MISTAKE_MAX];

	if (!listen_prepare(master, options, mistake)) {
		master_complain("%s", mistake);
		return false;
	}
	master->may_use_low_ports = data_active_may_bind(options->active_port);
	return start_recorder(master, options, setup->users) &&
	       selftest(master, options, setup->users) &&
	       (master->is_stopping || start_workers(master, setup));
}

static int
live(struct master *master, const struct generation_setup *setup)
{
	bool is_up = bring_up(master, setup);
	int result = 0;

	if (is_up && !master->is_stopping) {
		tell_ready(master, setup->options);
		while (!master->is_stopping && result == 0) {
			result = master_turn(master);
		}
	}
	if (result != 0) {
		master_log(master, RECORD_ERROR, "the event loop failed: %s",
		           strerror(-result));
	}
	stop_run(master);
	return is_up && result == 0 ? 0 : 1;
}

static int
run(struct master *master, const struct generation_setup *setup)
{
	int result;

	users_tell_missing(setup->users, setup->options, complain_text, NULL);
	check_users_lines(setup->options, setup->overrides, complain_text, NULL);
	if (!program_find(master->program_dir)) {
		return 1;
	}
	limits_raise(setup->options->max_sessions);
	result = limits_drop_capabilities();
	if (result == 0) {
		result = init(master);
	}
	if (result != 0) {
		master_complain("cannot start: %s", strerror(-result));
		return 1;
	}
	return live(master, setup);
}

/* Everything that can be wrong with the configuration is told before anything starts. */
static int
check_and_run(struct master *master, struct conf *conf)
{
	struct users users;
	struct generation_setup setup = {.options = conf_options(conf),
	                                 .overrides = conf_overrides(conf),
	                                 .users = &users,
	                                 .tls_fd = -1};
	struct tls_load *load;

	check_system(conf, &users);
	load =
	    tls_check_files(conf, &users, master->invocation.pair, complain_text, NULL);
	conf_findings_print(conf, stderr);
	if (conf_findings_count(conf) > 0) {
		return 1;
	}
	if (load != NULL) {
		setup.tls_fd = load->files_fd;
	}
	tls_watch_offer(master, load);
	return run(master, &setup);
}

int
start_run(const struct invocation *invocation)
{
	struct conf *conf = reload_read(invocation);
	struct master *master = calloc(1, sizeof(*master));
	int status = 1;

	if (conf == NULL || master == NULL) {
		master_complain("out of memory");
	} else {
		master->invocation = *invocation;
		status = check_and_run(master, conf);
		tls_watch_offer(master, NULL); /* if it was never taken over */
	}
	conf_free(conf);
	free(master);
	return status;
}
