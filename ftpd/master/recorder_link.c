/*
 * recorder_link: starts the recorder, passes it the logs and the workers' channels, and
 * starts it again when it dies.
 * Runs in: master.
 */
#include "ftpd/master/recorder_link.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "common/clock.h"
#include "common/fd.h"
#include "ftpd/master/generation.h"
#include "ftpd/master/program.h"
#include "ftpd/master/session_record.h"
#include "ftpd/master/worker_link.h"
#include "common/base.h"

enum {
	/*
	 * A recorder that lived so long is replaced at once; others after a pause that
	 * doubles.
	 */
	SETTLED_MS = 10000,
	PAUSE_FIRST_MS = 250,
	PAUSE_MAX_MS = 30000,
	MESSAGE_CAP = 256,
};

void
recorder_init(struct master *master)
{
	struct recorder_link *recorder = &master->recorder;

	recorder->source.fd = -1;
	recorder->sender.fd = -1;
	recorder->transfer_log_fd = -1;
	recorder->event_log_fd = -1;
	recorder->master = master;
	TAILQ_INIT(&recorder->untold);
}

/* Returns: true if the record left. */
static bool
pass(struct recorder_link *recorder, const struct record *record, int fd)
{
	uint8_t bytes[MESSAGE_CAP];
	size_t len = record_encode(record, bytes, sizeof(bytes));

	if (channel_send(recorder->source.fd, bytes, len, fd) != 0) {
		/*
		 * Its queue is full: it goes on when there is room. If it is gone, the
		 * channel tells.
		 */
		(void)loop_change(&recorder->master->loop, &recorder->source,
		                  EPOLLIN | EPOLLOUT);
		return false;
	}
	recorder->is_in_flight = recorder->is_in_flight || fd >= 0;
	return true;
}

/* Returns: true if one left. */
static bool
pass_logs(struct recorder_link *recorder)
{
	const struct record transfers = {.type = RECORD_TRANSFER_LOG};
	const struct record events = {.type = RECORD_EVENT_LOG};

	/* The event log first: events that follow find it there. */
	if (recorder->has_event_log) {
		if (!pass(recorder, &events, recorder->event_log_fd)) {
			return false;
		}
		recorder->has_event_log = false;
		fd_close(&recorder->event_log_fd);
		return true;
	}
	if (recorder->transfer_log_fd < 0 ||
	    !pass(recorder, &transfers, recorder->transfer_log_fd)) {
		return false;
	}
	fd_close(&recorder->transfer_log_fd);
	return true;
}

/*
 * The list begins with the newest, and those that wait are near its beginning. Returns:
 * the oldest one, or it would wait for ever while others are started; NULL if none waits.
 */
static struct worker *
find_waiting(const struct recorder_link *recorder)
{
	struct worker *oldest = NULL;
	struct worker *worker;
	size_t left = recorder->worker_ends;

	LIST_FOREACH(worker, &recorder->master->workers, entry) {
		if (left == 0) {
			break;
		}
		if (worker->recorder_end_fd >= 0) {
			oldest = worker;
			left--;
		}
	}
	return oldest;
}

static bool
pass_worker(struct recorder_link *recorder)
{
	struct worker *worker = find_waiting(recorder);
	struct record record = {.type = RECORD_WORKER};

	if (worker == NULL) {
		return false;
	}
	record.worker = worker->number;
	if (!pass(recorder, &record, worker->recorder_end_fd)) {
		return false;
	}
	fd_close(&worker->recorder_end_fd);
	recorder->worker_ends--;
	return true;
}

bool
recorder_tell(struct master *master, const struct record *record)
{
	return master->recorder.is_ready && pass(&master->recorder, record, -1);
}

static void
pump(struct recorder_link *recorder)
{
	if (recorder->is_ready) {
		session_record_pump(recorder->master);
		if (!record_flush(&recorder->sender)) {
			(void)loop_change(&recorder->master->loop, &recorder->source,
			                  EPOLLIN | EPOLLOUT);
		}
	}
	while (recorder->is_ready && !recorder->is_in_flight) {
		if (!pass_logs(recorder) && !pass_worker(recorder)) {
			return;
		}
	}
}

static void
forget_channel(struct master *master)
{
	struct recorder_link *recorder = &master->recorder;
	int fd = recorder->source.fd;

	recorder->is_ready = false;
	recorder->is_in_flight = false;
	recorder->sender.fd = -1;
	loop_forget(&master->loop, &recorder->source);
	fd_close(&fd);
}

static void
start_again(struct master *master, void *owner)
{
	char mistake[LOGS_MISTAKE_MAX];
	struct logs logs;

	(void)owner;
	if (master->is_stopping || master->current == NULL || master->recorder.pid != 0) {
		return;
	}
	if (!logs_open(&master->current->options.log, &logs, mistake)) {
		master_complain("%s", mistake);
		logs = (struct logs){.transfers_fd = -1, .events_fd = -1};
	}
	if (recorder_start(master, &master->current->options, &master->current->users,
	                   &logs) != 0) {
		master_set_deadline(master, &master->recorder_retry.deadline,
		                    PAUSE_MAX_MS, start_again, master);
	}
}

static void
exited(struct master *master, void *owner, pid_t pid, int status)
{
	struct recorder_link *recorder = owner;
	struct retry *retry = &master->recorder_retry;
	uint64_t age_ms = clock_monotonic_ms() - recorder->started_ms;
	char text[64];

	recorder->pid = 0;
	forget_channel(master);
	if (master->is_stopping) {
		return;
	}
	master_complain("the recorder (pid %d) ended by %s", (int)pid,
	                children_describe(status, text));
	if (age_ms >= SETTLED_MS) {
		retry->pause_ms = 0;
		start_again(master, NULL);
		return;
	}
	retry->pause_ms = retry->pause_ms == 0             ? PAUSE_FIRST_MS
	                  : retry->pause_ms < PAUSE_MAX_MS ? retry->pause_ms * 2
	                                                   : PAUSE_MAX_MS;
	master_set_deadline(master, &retry->deadline, retry->pause_ms, start_again,
	                    master);
}

static void
take_ready(struct recorder_link *recorder, const struct record *record)
{
	struct worker_list *workers = &recorder->master->workers;
	struct worker *next;

	recorder->is_ready = true;
	session_record_all(recorder->master);
	recorder->layers = (uint8_t)record->value;
	/*
	 * Workers that outlived the recorder before this one: their channels to it are
	 * dead.
	 */
	for (struct worker *worker = LIST_FIRST(workers); worker != NULL; worker = next) {
		next = LIST_NEXT(worker, entry);
		if (worker->state == WORKER_READY) {
			worker_give_recorder(worker);
		}
		if (next != NULL && next->state == WORKER_GONE) {
			next = LIST_FIRST(
			    workers); /* sending has ended others: begin again */
		}
	}
}

/* Returns: false when it said something that it may not. */
static bool
take_message(struct recorder_link *recorder, const uint8_t *bytes, size_t len)
{
	struct record record;

	if (!record_decode(bytes, len, &record)) {
		return false;
	}
	if (record.type == RECORD_READY && !recorder->is_ready) {
		take_ready(recorder, &record);
		return true;
	}
	if (record.type == RECORD_TAKEN && recorder->is_in_flight) {
		recorder->is_in_flight = false;
		return true;
	}
	return false;
}

static void
handle(struct loop_source *source, uint32_t events)
{
	struct recorder_link *recorder =
	    (struct recorder_link *)source; /* its first member */
	struct master *master = recorder->master;
	uint8_t bytes[MESSAGE_CAP];
	ssize_t len;

	(void)events;
	(void)loop_change(&master->loop, source, EPOLLIN);
	while ((len = channel_recv_plain(source->fd, bytes, sizeof(bytes),
	                                 MSG_DONTWAIT)) > 0) {
		if (!take_message(recorder, bytes, (size_t)len)) {
			master_complain("the recorder broke the protocol; it is ended");
			children_kill(recorder->pid, 0);
			forget_channel(master);
			return;
		}
	}
	if (len == 0 || len == -ECONNRESET || len == -EMSGSIZE) {
		forget_channel(
		    master); /* it ends by that; its exit status starts the next */
		return;
	}
	pump(recorder);
}

static void
set_logs(struct recorder_link *recorder, struct logs *logs)
{
	fd_close(&recorder->transfer_log_fd);
	fd_close(&recorder->event_log_fd);
	recorder->transfer_log_fd = logs->transfers_fd;
	recorder->event_log_fd = logs->events_fd;
	recorder->has_event_log = true;
}

void
recorder_pass_logs(struct master *master, struct logs *logs)
{
	set_logs(&master->recorder, logs);
	pump(&master->recorder);
}

/* fds: our end and the recorder's. */
static int
start_program(struct master *master, const struct options *options,
              const struct users *users, const int fds[2])
{
	struct recorder_link *recorder = &master->recorder;
	struct program_order order = {.kind = PROGRAM_RECORDER,
	                              .channel_fd = fds[1],
	                              .options_fd = -1,
	                              .tls_fd = -1,
	                              .identity = &users->recorder,
	                              .ended = exited,
	                              .owner = recorder};
	int result = conf_seal(options, NULL, &order.options_fd);

	if (result != 0) {
		return result;
	}
	recorder->source.handle = handle;
	result = loop_watch(&master->loop, &recorder->source, fds[0], EPOLLIN);
	if (result == 0) {
		result = program_start(master, &order, &recorder->pid);
	}
	if (result != 0) {
		loop_forget(&master->loop, &recorder->source);
	}
	fd_close(&order.options_fd);
	return result;
}

int
recorder_start(struct master *master, const struct options *options,
               const struct users *users, struct logs *logs)
{
	struct recorder_link *recorder = &master->recorder;
	int fds[2];
	int result = channel_pair(fds);

	set_logs(recorder, logs);
	if (result != 0) {
		return result;
	}
	result = start_program(master, options, users, fds);
	fd_close(&fds[1]);
	if (result != 0) {
		fd_close(&fds[0]);
		return result;
	}
	recorder->sender.fd = fds[0];
	recorder->started_ms = clock_monotonic_ms();
	return 0;
}

void
recorder_pass_worker(struct master *master)
{
	pump(&master->recorder);
}

void
recorder_end(struct master *master)
{
	forget_channel(master);
	fd_close(&master->recorder.transfer_log_fd);
	fd_close(&master->recorder.event_log_fd);
}
