/*
 * outlet: where lines leave the recorder. Putting one in never blocks; a thread of its
 * own writes them, several at a time, and may wait for ever.
 * Runs in: recorder.
 */
#include "ftpd/recorder/outlet.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/fd.h"
#include "common/base.h"

enum {
	MS_PER_S = 1000,
	NS_PER_MS = 1000000,
	/*
	 * How long lines may wait for others: waking the thread and writing cost more
	 * than a line does.
	 */
	GATHER_MS = 50,
};

/* What the thread has taken out of the ring: whole lines, or one datagram. */
struct batch {
	enum outlet_kind kind;
	size_t len;
	uint64_t pieces;
	int line_fd;
	int journal_fd;
};

static void
close_owned(int *fd)
{
	if (*fd > STDERR_FILENO) {
		fd_close(fd);
	}
	*fd = -1;
}

/* Under the lock: the descriptor that is to be used now. */
static void
adopt_next(struct outlet *outlet)
{
	if (outlet->next_line_fd >= 0) {
		close_owned(&outlet->line_fd);
		outlet->line_fd = outlet->next_line_fd;
		outlet->next_line_fd = -1;
	}
}

/* Under the lock: as many lines as fit, or one datagram. */
static void
fill_batch(struct outlet *outlet, struct batch *ret_batch)
{
	struct batch batch = {.line_fd = outlet->line_fd,
	                      .journal_fd = outlet->journal_fd};
	uint8_t kind;
	size_t len;

	while (
	    ring_peek(&outlet->ring, &kind, &len) &&
	    len <= OUTLET_BATCH_BYTES - batch.len &&
	    (batch.pieces == 0 || (kind == OUTLET_LINE && batch.kind == OUTLET_LINE))) {
		ring_take(&outlet->ring, outlet->batch + batch.len);
		batch.kind = kind;
		batch.len += len;
		batch.pieces++;
	}
	*ret_batch = batch;
}

/*
 * Wait until the descriptor takes something.
 * Returns: false if the descriptor is to be replaced.
 */
static bool
wait_for_room(struct outlet *outlet, int fd)
{
	struct pollfd fds[] = {{.fd = fd, .events = POLLOUT},
	                       {.fd = outlet->wake_fd, .events = POLLIN}};
	eventfd_t ignored;

	while (poll(fds, ARRAY_COUNT(fds), -1) < 0 && errno == EINTR) {
	}
	if (fds[1].revents != 0) {
		(void)eventfd_read(outlet->wake_fd, &ignored); /* only resets it */
		return false;
	}
	return true;
}

/* A pipe that has room takes PIPE_BUF bytes without blocking; a file takes all. */
static size_t
chunk_size(int fd, size_t len)
{
	struct stat info;

	if (len > PIPE_BUF && (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode))) {
		return PIPE_BUF;
	}
	return len;
}

/*
 * What was written of a line that went to the old descriptor is written again to the new
 * one.
 */
static size_t
line_start(const char *bytes, size_t at)
{
	while (at > 0 && bytes[at - 1] != '\n') {
		at--;
	}
	return at;
}

static int
take_replacement(struct outlet *outlet)
{
	int fd;

	(void)pthread_mutex_lock(&outlet->lock); /* a plain mutex: cannot fail */
	adopt_next(outlet);
	fd = outlet->line_fd;
	(void)pthread_mutex_unlock(&outlet->lock);
	return fd;
}

/* Returns: 0 or an errno; *ret_written: how many bytes of whole lines are out. */
static int
write_lines(struct outlet *outlet, struct batch *batch, size_t *ret_written)
{
	size_t at = 0;

	while (at < batch->len) {
		ssize_t len;

		if (!wait_for_room(outlet, batch->line_fd)) {
			at = line_start(outlet->batch, at);
			batch->line_fd = take_replacement(outlet);
			continue;
		}
		len = write(batch->line_fd, outlet->batch + at,
		            chunk_size(batch->line_fd, batch->len - at));
		if (len < 0 && errno != EAGAIN && errno != EINTR) {
			*ret_written = line_start(outlet->batch, at);
			return errno;
		}
		at += len > 0 ? (size_t)len : 0;
	}
	*ret_written = at;
	return 0;
}

static int
send_datagram(struct outlet *outlet, const struct batch *batch)
{
	while (send(batch->journal_fd, outlet->batch, batch->len,
	            MSG_NOSIGNAL | MSG_DONTWAIT) < 0) {
		if (errno == EAGAIN) {
			/* a replaced file is no matter here */
			(void)wait_for_room(outlet, batch->journal_fd);
		} else if (errno != EINTR) {
			return errno;
		}
	}
	return 0;
}

static uint64_t
count_lines(const char *bytes, size_t len)
{
	uint64_t count = 0;

	for (size_t i = 0; i < len; i++) {
		count += bytes[i] == '\n';
	}
	return count;
}

static void
write_batch(struct outlet *outlet, struct batch *batch)
{
	size_t written = 0;
	uint64_t lost = 0;
	int error;

	if (batch->kind == OUTLET_LINE) {
		error = write_lines(outlet, batch, &written);
		lost = count_lines(outlet->batch + written, batch->len - written);
	} else {
		error = send_datagram(outlet, batch);
		lost = error != 0;
	}
	(void)pthread_mutex_lock(&outlet->lock); /* a plain mutex: cannot fail */
	outlet->last_error = error;
	if (error != 0) {
		outlet->loss.count += lost;
		outlet->loss.error = error;
	}
	(void)pthread_mutex_unlock(&outlet->lock);
}

static struct timespec
monotonic_in(unsigned ms)
{
	struct timespec time;

	(void)clock_gettime(CLOCK_MONOTONIC, &time); /* cannot fail for this clock */
	time.tv_nsec += (long)(ms % MS_PER_S) * NS_PER_MS;
	time.tv_sec += ms / MS_PER_S + time.tv_nsec / (MS_PER_S * NS_PER_MS);
	time.tv_nsec %= MS_PER_S * NS_PER_MS;
	return time;
}

/* Under the lock: wake the thread, once, if there is as much as it waits for. */
static void
wake_if_due(struct outlet *outlet)
{
	if (outlet->ring.used >= outlet->wake_at) {
		outlet->wake_at = SIZE_MAX;
		(void)pthread_cond_signal(&outlet->has_work);
	}
}

/*
 * Under the lock, all being written: rest a while, so that lines gather, then until there
 * is one.
 */
static void
wait_for_work(struct outlet *outlet)
{
	struct timespec until = monotonic_in(GATHER_MS);

	(void)pthread_cond_broadcast(&outlet->is_idle);
	outlet->wake_at = OUTLET_BATCH_BYTES;
	while (outlet->wake_at != SIZE_MAX && outlet->next_line_fd < 0 &&
	       pthread_cond_timedwait(&outlet->has_work, &outlet->lock, &until) == 0) {
	}
	outlet->wake_at = 1;
	adopt_next(outlet);
	while (outlet->ring.used == 0) {
		(void)pthread_cond_wait(&outlet->has_work, &outlet->lock);
		adopt_next(outlet);
	}
	outlet->wake_at = SIZE_MAX;
}

__attribute__((noreturn)) static void *
run(void *context)
{
	struct outlet *outlet = context;
	struct batch batch;

	for (;;) {
		(void)pthread_mutex_lock(&outlet->lock); /* a plain mutex: cannot fail */
		outlet->is_writing = false;
		adopt_next(outlet);
		if (outlet->ring.used == 0) {
			wait_for_work(outlet);
		}
		fill_batch(outlet, &batch);
		outlet->is_writing = true;
		(void)pthread_mutex_unlock(&outlet->lock);
		write_batch(outlet, &batch);
	}
}

int
outlet_start(struct outlet *outlet, int line_fd, int journal_fd)
{
	char *bytes = malloc(OUTLET_RING_BYTES); /* touched page by page, as lines wait */
	char *batch = malloc(OUTLET_BATCH_BYTES);
	pthread_condattr_t monotonic;
	int result;

	*outlet = (struct outlet){.line_fd = line_fd,
	                          .journal_fd = journal_fd,
	                          .next_line_fd = -1,
	                          .wake_at = SIZE_MAX,
	                          .batch = batch};
	outlet->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (bytes == NULL || batch == NULL || outlet->wake_fd < 0) {
		free(bytes);
		free(batch);
		fd_close(&outlet->wake_fd);
		return -ENOMEM;
	}
	ring_init(&outlet->ring, bytes, OUTLET_RING_BYTES);
	(void)pthread_mutex_init(&outlet->lock, NULL); /* these cannot fail on Linux */
	(void)pthread_condattr_init(&monotonic);
	(void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&outlet->has_work, &monotonic);
	(void)pthread_cond_init(&outlet->is_idle, &monotonic);
	result = pthread_create(&outlet->thread, NULL, run, outlet);
	return -result;
}

void
outlet_put(struct outlet *outlet, enum outlet_kind kind, const char *bytes, size_t len)
{
	(void)pthread_mutex_lock(&outlet->lock); /* a plain mutex: cannot fail */
	if ((kind == OUTLET_LINE && outlet->line_fd < 0 && outlet->next_line_fd < 0) ||
	    (kind == OUTLET_JOURNAL && outlet->journal_fd < 0)) {
		/* Nobody asked for this log. */
	} else if (len > OUTLET_BATCH_BYTES ||
	           !ring_put(&outlet->ring, (uint8_t)kind, bytes, len)) {
		outlet->loss.count++;
	}
	wake_if_due(outlet);
	(void)pthread_mutex_unlock(&outlet->lock);
}

void
outlet_replace(struct outlet *outlet, int line_fd)
{
	(void)pthread_mutex_lock(&outlet->lock); /* a plain mutex: cannot fail */
	close_owned(&outlet->next_line_fd);
	outlet->next_line_fd = line_fd;
	if (outlet->is_writing) {
		(void)eventfd_write(outlet->wake_fd, 1); /* full means that it is awake */
	} else {
		/* the old one is closed at once */
		(void)pthread_cond_signal(&outlet->has_work);
	}
	(void)pthread_mutex_unlock(&outlet->lock);
}

bool
outlet_take_loss(struct outlet *outlet, struct outlet_loss *ret_loss)
{
	bool is_due;

	(void)pthread_mutex_lock(&outlet->lock); /* a plain mutex: cannot fail */
	is_due = outlet->loss.count > 0 && outlet->last_error == 0 &&
	         outlet->ring.used < outlet->ring.cap / 2;
	if (is_due) {
		*ret_loss = outlet->loss;
		outlet->loss = (struct outlet_loss){0};
	}
	(void)pthread_mutex_unlock(&outlet->lock);
	return is_due;
}

int
outlet_last_error(struct outlet *outlet)
{
	int error;

	(void)pthread_mutex_lock(&outlet->lock); /* a plain mutex: cannot fail */
	error = outlet->last_error;
	(void)pthread_mutex_unlock(&outlet->lock);
	return error;
}

bool
outlet_flush(struct outlet *outlet, unsigned timeout_ms)
{
	struct timespec until = monotonic_in(timeout_ms);
	int result = 0;
	bool is_empty;

	(void)pthread_mutex_lock(&outlet->lock); /* a plain mutex: cannot fail */
	if (outlet->ring.used > 0) {
		outlet->wake_at = 1;
		wake_if_due(outlet);
	}
	while (result == 0 && (outlet->ring.used > 0 || outlet->is_writing)) {
		result = pthread_cond_timedwait(&outlet->is_idle, &outlet->lock, &until);
	}
	is_empty = outlet->ring.used == 0 && !outlet->is_writing;
	(void)pthread_mutex_unlock(&outlet->lock);
	return is_empty;
}
