/*
 * recorder: the process that keeps the logs: reads records from the master and every
 * worker, and never lets them wait.
 * Runs in: recorder.
 */
#include "ftpd/recorder/recorder.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "common/clock.h"
#include "common/fd.h"
#include "common/base.h"

enum {
	ANSWER_MAX = 128,
};

static bool
answer_master(struct recorder *recorder, enum record_type type, uint64_t value)
{
	struct record record = {.type = type, .value = value, .user = "", .text = ""};
	uint8_t bytes[ANSWER_MAX];
	size_t len = record_encode(&record, bytes, sizeof(bytes));

	/*
	 * The master reads at all times, and has at most one answer outstanding: a full
	 * channel is as bad as a closed one.
	 */
	return channel_send(recorder->master.fd, bytes, len, -1) == 0;
}

static void
begin_visit(struct recorder *recorder, const struct record *record)
{
	if (visit_begin(&recorder->visits, record, clock_wall_s()) == NULL) {
		report_say(&recorder->report, RECORD_ERROR,
		           "out of memory: session %u will be logged without its address",
		           record->session);
	}
}

static void
end_visit(struct recorder *recorder, const struct record *record)
{
	struct visit *visit = visit_find(&recorder->visits, record->session);

	if (visit != NULL) {
		visit_mark_over(&recorder->visits, visit);
	}
}

static void
open_channel(struct recorder *recorder, uint32_t worker, int fd)
{
	int result = channel_open(recorder, worker, fd);

	if (result != 0) {
		report_say(&recorder->report, RECORD_ERROR,
		           "worker %u cannot be listened to: %s", worker,
		           strerror(-result));
	}
}

/*
 * Obey a message that came with a descriptor, or EVENT_LOG without one. The descriptor is
 * taken or closed.
 */
static void
obey_with_fd(struct recorder *recorder, const struct record *record, int fd)
{
	if (record->type == RECORD_WORKER && fd >= 0) {
		open_channel(recorder, record->worker, fd);
	} else if (record->type == RECORD_TRANSFER_LOG && fd >= 0) {
		outlet_replace(&recorder->report.transfers, fd);
	} else if (record->type == RECORD_EVENT_LOG) {
		report_choose_events(&recorder->report, fd);
	} else {
		fd_close(&fd);
		recorder->has_failed = true;
	}
}

static void
obey(struct recorder *recorder, const struct record *record)
{
	const struct visit *visit = NULL;

	switch (record->type) {
	case RECORD_SESSION_BEGIN: begin_visit(recorder, record); break;
	case RECORD_SESSION_END: end_visit(recorder, record); break;
	case RECORD_EVENT:
		if (record->session != 0) {
			visit = visit_find(&recorder->visits, record->session);
		}
		report_event(&recorder->report, visit, record);
		break;
	case RECORD_DENIED_CALL: report_denied_call(&recorder->report, record); break;
	case RECORD_DROPPED: report_dropped(&recorder->report, 0, record->value); break;
	case RECORD_EVENT_LOG: obey_with_fd(recorder, record, -1); break;
	case RECORD_WORKER:
	case RECORD_TRANSFER_LOG:
	case RECORD_TRANSFER:
	case RECORD_LOGIN:
	case RECORD_READY:
	case RECORD_TAKEN:
	case RECORD_COUNT: recorder->has_failed = true; break;
	}
}

/*
 * Descriptors ran out, and the one that was passed is lost: the log says so, and the
 * master may go on.
 */
static bool
miss_descriptor(struct recorder *recorder)
{
	report_say(
	    &recorder->report, RECORD_ERROR,
	    "a descriptor of the master's was lost: the limit of open files is too low");
	return answer_master(recorder, RECORD_TAKEN, 0);
}

/* Returns: true if there may be more. */
static bool
read_master_once(struct recorder *recorder)
{
	struct record record;
	int fd = -1;
	ssize_t len = channel_recv(recorder->master.fd, recorder->master_bytes,
	                           sizeof(recorder->master_bytes), MSG_DONTWAIT, &fd);

	if (len == -EAGAIN) {
		return false;
	}
	if (len == -ECONNRESET || (len == -EPROTO && miss_descriptor(recorder))) {
		/* a reset is told once: what was sent before it can still be read */
		return true;
	}
	if (len <= 0) {
		/* the end, or a reset: the master is gone */
		loop_forget(&recorder->loop, &recorder->master);
		return false;
	}
	if (!record_decode(recorder->master_bytes, (size_t)len, &record)) {
		fd_close(&fd);
		recorder->has_failed = true;
	} else if (fd >= 0) {
		obey_with_fd(recorder, &record, fd);
		/* a master that is gone has its end behind what it has sent */
		(void)answer_master(recorder, RECORD_TAKEN, 0);
	} else {
		obey(recorder, &record);
		recorder->has_heard = true;
	}
	return !recorder->has_failed;
}

void
recorder_read_master(struct recorder *recorder)
{
	for (int i = 0;
	     i < CHANNEL_EMPTY && recorder->master.fd >= 0 && read_master_once(recorder);
	     i++) {
	}
}

/* Hear the end of what was said before a session moved or ended. */
static void
settle_visits(struct recorder *recorder)
{
	struct visit *visit;

	while ((visit = TAILQ_FIRST(&recorder->visits.unsettled)) != NULL) {
		uint32_t id = visit->id;
		uint32_t former = visit->former;
		uint32_t worker = visit->is_over ? visit->worker : 0;

		channel_empty(recorder, former);
		channel_empty(recorder, worker);
		/*
		 * What was read may have ended the session, or the master may have moved
		 * it again.
		 */
		visit = visit_find(&recorder->visits, id);
		if (visit == NULL || !visit->is_unsettled || visit->former != former ||
		    (visit->is_over && worker == 0)) {
			continue;
		}
		visit_settle(&recorder->visits, visit);
		if (visit->is_over) {
			report_session_end(&recorder->report, visit);
			visit_end(&recorder->visits, visit);
		}
	}
}

static void
handle_master(struct loop_source *source, uint32_t events)
{
	struct recorder *recorder =
	    (struct recorder *)((char *)source - offsetof(struct recorder, master));

	(void)events; /* whatever it is, reading tells */
	for (int i = 0;
	     i < CHANNEL_BATCH && recorder->master.fd >= 0 && read_master_once(recorder);
	     i++) {
	}
}

struct recorder *
recorder_new(void)
{
	struct recorder *recorder = calloc(1, sizeof(*recorder));

	if (recorder == NULL) {
		return NULL;
	}
	recorder->master = (struct loop_source){.fd = -1, .handle = handle_master};
	visit_table_init(&recorder->visits);
	if (loop_init(&recorder->loop) != 0) {
		free(recorder);
		return NULL;
	}
	return recorder;
}

/* Returns: 0 or negative errno. */
static int
turn(struct recorder *recorder)
{
	int result;
	uint64_t now_ms;

	if (recorder->has_heard && !recorder->is_behind) {
		(void)poll(NULL, 0, RECORDER_GATHER_MS); /* a pause; may be cut short */
	}
	recorder->has_heard = false;
	recorder->is_behind = false;
	result = loop_turn(&recorder->loop, RECORDER_TICK_MS);
	now_ms = clock_monotonic_ms();
	settle_visits(recorder);
	if (now_ms - recorder->ticked_ms >= RECORDER_TICK_MS) {
		recorder->ticked_ms = now_ms;
		report_tick(&recorder->report);
	}
	return result;
}

/* The master has gone, and the workers are about to: hear them out. */
static int
finish(struct recorder *recorder)
{
	uint64_t until_ms = clock_monotonic_ms() + RECORDER_END_MS;
	int result = 0;

	while (result == 0 && recorder->channels.count > 0 &&
	       clock_monotonic_ms() < until_ms) {
		result = turn(recorder);
	}
	channel_close_all(recorder);
	report_tick(&recorder->report);
	/* what is left then, nobody reads */
	(void)report_flush(&recorder->report, RECORDER_END_MS);
	return result == 0 && !recorder->has_failed ? 0 : 1;
}

int
recorder_run(struct recorder *recorder, int master_fd, unsigned layers, int journal_fd)
{
	int result = report_start(&recorder->report, journal_fd);

	if (result == 0) {
		result =
		    loop_watch(&recorder->loop, &recorder->master, master_fd, EPOLLIN);
	}
	if (result != 0 || !answer_master(recorder, RECORD_READY, layers)) {
		return 1;
	}
	while (result == 0 && recorder->master.fd >= 0 && !recorder->has_failed) {
		result = turn(recorder);
	}
	if (recorder->has_failed) {
		report_say(&recorder->report, RECORD_ERROR,
		           "the master broke the wire format; the recorder ends");
	}
	return finish(recorder);
}
