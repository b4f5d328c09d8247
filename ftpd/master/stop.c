/*
 * stop: ends everything in good order: clients get their 421, workers end, the recorder
 * writes the last line.
 * Runs in: master.
 */
#include "ftpd/master/stop.h"

#include "common/clock.h"
#include "common/fd.h"
#include "ftpd/master/assign.h"
#include "ftpd/master/authenticator_end.h"
#include "ftpd/master/generation.h"
#include "ftpd/master/listen.h"
#include "ftpd/master/notify.h"
#include "ftpd/master/recorder_link.h"
#include "ftpd/master/refuse.h"
#include "ftpd/master/worker_end.h"
#include "common/base.h"

enum {
	KILLED_MS = 1000,
};

static void
ignore(struct master *master, void *owner)
{
	(void)master;
	(void)owner;
}

/* Turn the loop until no more than `left` processes are there, or the time is over. */
static void
wait_for_children(struct master *master, size_t left, uint64_t until_ms)
{
	struct deadline wake = {0};

	/* So that the loop does not sleep for ever. */
	master_set_deadline(master, &wake, UINT32_MAX, ignore, NULL);
	while (master->children.count > left && clock_monotonic_ms() < until_ms &&
	       !master->is_hurried) {
		if (master_turn(master) != 0) {
			break;
		}
	}
	timer_clear(&master->wheel, &wake.timer);
}

static void
close_workers(struct master *master)
{
	struct worker *worker;
	struct generation *generation;

	while ((worker = LIST_FIRST(&master->workers)) != NULL) {
		worker_gone(worker);
	}
	master->next = NULL;
	LIST_FOREACH(generation, &master->generations, entry) {
		generation_retire(generation);
	}
}

static void
kill_all(struct master *master, bool spares_keepers)
{
	const struct child *child;

	for (size_t i = 0; i < CHILDREN_BUCKETS; i++) {
		LIST_FOREACH(child, &master->children.buckets[i], next) {
			const struct forkserver_link *server = child->server;

			if (spares_keepers && authenticator_is_keeper(child)) {
				continue;
			}
			/* A module's helper would outlive us. */
			children_kill_tree(child->pid, server != NULL ? server->pid : 0);
		}
	}
}

static void
kill_children(struct master *master, bool spares_keepers)
{
	if (master->children.count > 0) {
		kill_all(master, spares_keepers);
		master->is_hurried = false;
		wait_for_children(master, 0, clock_monotonic_ms() + KILLED_MS);
	}
}

void
stop_run(struct master *master)
{
	uint64_t now_ms = clock_monotonic_ms();

	master->is_stopping = true;
	notify(NOTIFY_STOPPING);
	if (master->is_started) {
		master_log(master, RECORD_INFO, "stopping");
	}
	listen_end(master);
	assign_refuse_waiting(master);
	tls_watch_end(master);
	close_workers(master);
	authenticator_close_all(master);
	wait_for_children(master, master->recorder.pid != 0 ? 1 : 0,
	                  now_ms + STOP_OTHERS_MS);
	recorder_end(master);
	wait_for_children(master, 0, now_ms + STOP_ALL_MS);
	/* Agents end with their workers, and a session of PAM takes its time to close. */
	kill_children(master, true);
	kill_children(master, false);
	/* None is the current one any more: each is freed whose processes have ended. */
	master->current = NULL;
	generation_sweep(master);
	refuse_end(master);
	session_table_end(&master->sessions);
	login_desk_end(master);
	admit_end(&master->admit);
	fd_close(&master->reserve_fd);
}
