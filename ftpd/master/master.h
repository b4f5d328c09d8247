/*
 * master: the state of the process that listens, admits, assigns and supervises. It is
 * made once and passed down.
 * Runs in: master (root, or the caller without root).
 * Source: DESIGN.md sections 1 to 3.
 * Not here: any work; each file beside this one has one duty.
 */
#ifndef FTPD_MASTER_MASTER_H
#define FTPD_MASTER_MASTER_H

#include <sys/queue.h>

#include "common/loop.h"
#include "common/timer.h"
#include "ftpd/ipc/record.h"
#include "ftpd/master/admit.h"
#include "ftpd/master/children.h"
#include "ftpd/master/deadline.h"
#include "ftpd/master/invocation.h"
#include "ftpd/master/login_desk.h"
#include "ftpd/master/moving.h"
#include "ftpd/master/session_table.h"
#include "ftpd/master/tls_watch.h"
#include "common/base.h"

struct generation;
struct listener;
struct worker;

enum {
	MASTER_PATH_MAX = 4096,
	MASTER_REFUSED_MAX = 64, /* refused clients whose socket is not closed yet */
};

LIST_HEAD(generation_list, generation);
LIST_HEAD(worker_list, worker);
LIST_HEAD(listener_list, listener);
TAILQ_HEAD(session_queue, session);

/* Refused clients: closed a moment later, as with unread bytes it would be a reset. */
struct refused {
	struct deadline deadline;
	int fds[MASTER_REFUSED_MAX];
	size_t count;
	uint32_t untold; /* since the last log line about it */
	uint64_t told_ms;
};

/* The channel to the recorder. Descriptors wait for TAKEN. */
struct recorder_link {
	struct loop_source source; /* first */
	struct master *master;
	struct record_sender sender;
	pid_t pid;
	bool is_ready;
	bool is_in_flight;
	uint8_t layers;
	int transfer_log_fd; /* to be passed; -1: passed, or none */
	int event_log_fd;
	bool has_event_log;          /* to be passed; with event_log_fd -1: the journal */
	unsigned worker_ends;        /* workers whose recorder end waits in them */
	struct session_queue untold; /* see session_record.h */
	uint64_t started_ms;
};

/* The recorder is started again after a pause that grows when it dies at once. */
struct retry {
	struct deadline deadline;
	uint32_t pause_ms;
};

struct master {
	struct loop_source signals; /* first */
	struct loop loop;
	struct timer_wheel wheel;
	uint64_t now_ms;
	struct invocation invocation;
	char program_dir[MASTER_PATH_MAX];
	int reserve_fd; /* given up when descriptors have run out */

	struct generation_list generations; /* all of them */
	struct generation *current; /* gets the clients; NULL until the first is ready */
	struct generation *next;    /* is starting and will become current */
	struct deadline next_deadline; /* by which it must be usable */
	struct worker_list workers;    /* but those that are gone */
	struct worker_list gone;       /* until their processes have been waited for */
	uint32_t last_worker;
	struct retry renew;
	uint64_t renewed_ms;

	struct listener_list listeners;
	struct deadline accept_pause;
	bool is_crowded; /* clients wait until a shared worker has room */
	struct refused refused;
	struct early_drop early_drop;

	struct admit_table admit;
	struct session_table sessions;
	struct session_queue waiting_shared;
	struct session_queue waiting_private;
	struct login_desk desk;
	struct rates rates;
	struct recorder_link recorder;
	struct retry recorder_retry;
	struct child_table children;
	struct tls_watch tls;

	bool is_filter_off;     /* the self-test failed under the filter */
	bool may_use_low_ports; /* the active port can be bound */
	bool is_started;        /* READY has been told */
	bool is_stopping;
	bool is_hurried;   /* asked twice to stop */
	unsigned failures; /* generations that were given up */
};

/*
 * Log one line: to the recorder when it runs, else to standard error.
 * In:      format: printf's; the text is cut at RECORD_TEXT_MAX.
 */
void master_log(struct master *master, enum record_level level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/*
 * Log one line about somebody.
 * In:      record: level, session and peer; the rest is set here. format: as for
 *          master_log().
 */
void master_log_of(struct master *master, const struct record *record, const char *format,
                   ...) __attribute__((format(printf, 3, 4)));

/*
 * Tell the person who starts the daemon, on standard error, why it does not start or what
 * it warns of.
 */
void master_complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

/*
 * Arrange for fire(master, owner) to be called after delay_ms, at most a tick of the
 * wheel later.
 */
void master_set_deadline(struct master *master, struct deadline *deadline,
                         uint64_t delay_ms, deadline_fire *fire, void *owner);

/*
 * Wait for events once and handle them, then fire the deadlines that have passed.
 * Returns: 0 or negative errno.
 */
int master_turn(struct master *master);

#endif
