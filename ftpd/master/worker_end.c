/*
 * worker_end: how a worker ends: its channel, its sessions, its process.
 * Runs in: master.
 */
#include "ftpd/master/worker_end.h"

#include <stdlib.h>

#include "common/fd.h"
#include "ftpd/master/assign.h"
#include "ftpd/master/master.h"
#include "ftpd/master/pool.h"
#include "ftpd/master/renew.h"
#include "ftpd/master/session_record.h"
#include "common/base.h"

enum {
	/*
	 * A process ends at the end of its channel. One that is still there then does not
	 * mean to.
	 */
	REAPER_MS = 3000,
};

static void
exited(struct master *master, void *owner, pid_t pid, int status)
{
	struct worker *worker = owner;
	char text[64];

	if (worker->state != WORKER_GONE) {
		worker_receive(worker); /* its last words */
		worker_gone(worker);
	}
	worker->pid = 0;
	timer_clear(&master->wheel, &worker->later.timer);
	if (status == 0 || master->is_stopping) {
		return;
	}
	if (!worker->is_condemned) {
		master_log(master, RECORD_WARNING,
		           "%s worker %u (pid %d) ended by %s, sessions lost: %u",
		           worker_kind_name(worker->kind), (unsigned)worker->number,
		           (int)pid, children_describe(status, text),
		           (unsigned)worker->lost_sessions);
	}
	renew_after_crash(worker->generation);
}

void
worker_forked(struct worker *worker, pid_t pid)
{
	struct master *master = worker->master;

	if (pid == 0) {
		worker_gone(worker);
		return;
	}
	if (children_add(&master->children, pid, exited, worker,
	                 &worker->generation->server) != 0) {
		/* nobody would look after it */
		children_kill(pid, worker->generation->server.pid);
		worker_gone(worker);
		return;
	}
	worker->pid = pid;
	if (worker->is_condemned) {
		worker_kill(worker);
	}
}

void
worker_kill(struct worker *worker)
{
	if (worker->pid > 0) {
		children_kill(worker->pid, worker->generation->server.pid);
	}
}

static void
reap_by_force(struct master *master, void *owner)
{
	struct worker *worker = owner;

	children_reap(master);
	if (worker->pid > 0) {
		master_log(master, RECORD_WARNING,
		           "worker %u (pid %d) does not end; it is killed",
		           (unsigned)worker->number, (int)worker->pid);
		worker_kill(worker);
	}
}

/* Clients whose ASSIGN had not left yet have lost nothing. */
static void
rescue_clients(struct worker *worker)
{
	struct master *master = worker->master;
	struct mw_message message;
	struct session *session;
	int fd;

	while (outbox_pop(&worker->outbox, &message, &fd)) {
		session = message.type == MW_ASSIGN
		              ? session_table_find(&master->sessions, message.session)
		              : NULL;
		if (session == NULL || master->is_stopping ||
		    worker->generation->is_test) {
			fd_close(&fd);
			continue;
		}
		worker_release(worker, session);
		assign_session(master, session, fd);
	}
}

static void
end_sessions(struct worker *worker)
{
	struct session *session;

	worker->lost_sessions = worker->session_count;
	while ((session = LIST_FIRST(&worker->sessions)) != NULL) {
		session_record_end(worker->master, session);
		assign_end_session(worker->master, session);
	}
}

void
worker_gone(struct worker *worker)
{
	struct master *master = worker->master;
	int fd = worker->source.fd;

	if (worker->state == WORKER_GONE) {
		return;
	}
	pool_worker_leaves(worker);
	worker->state = WORKER_GONE;
	loop_forget(&master->loop, &worker->source);
	fd_close(&fd);
	if (worker->recorder_end_fd >= 0) {
		fd_close(&worker->recorder_end_fd);
		master->recorder.worker_ends--;
	}
	timer_clear(&master->wheel, &worker->agent_pause.timer);
	timer_clear(&master->wheel, &worker->later.timer);
	LIST_REMOVE(worker, entry);
	LIST_INSERT_HEAD(&master->gone, worker, entry);
	if (worker->pid > 0) {
		master_set_deadline(master, &worker->later, REAPER_MS, reap_by_force,
		                    worker);
	}
	rescue_clients(worker);
	end_sessions(worker);
	pool_top_up(worker->generation);
}

void
worker_sweep(struct master *master)
{
	struct worker *worker = LIST_FIRST(&master->gone);

	while (worker != NULL) {
		struct worker *next = LIST_NEXT(worker, entry);

		if (worker->pid == 0 && worker->agents == 0 &&
		    worker->order.stage != FORK_ASKED) {
			timer_clear(&master->wheel, &worker->later.timer);
			LIST_REMOVE(worker, entry);
			worker->generation->workers--;
			free(worker);
		}
		worker = next;
	}
}
