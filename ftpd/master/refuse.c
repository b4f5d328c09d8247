/*
 * refuse: sends a client away with one line and an orderly close.
 * Runs in: master.
 */
#include "ftpd/master/refuse.h"

#include <string.h>
#include <sys/socket.h>

#include "common/clock.h"
#include "common/fd.h"
#include "common/base.h"

enum {
	LINGER_MS = 1000,
	/* A flood of refused clients writes one line in so many. */
	TELL_EVERY_MS = 10000,
};

void
refuse_end(struct master *master)
{
	struct refused *refused = &master->refused;

	while (refused->count > 0) {
		fd_close(&refused->fds[--refused->count]);
	}
	timer_clear(&master->wheel, &refused->deadline.timer);
}

static void
linger_is_over(struct master *master, void *owner)
{
	(void)owner;
	refuse_end(master);
}

/*
 * Everybody in the list has at least this long when the timer fires; a full list is
 * closed at once.
 */
static void
linger_add(struct master *master, int fd)
{
	struct refused *refused = &master->refused;

	if (refused->count == MASTER_REFUSED_MAX) {
		refuse_end(master);
	}
	refused->fds[refused->count++] = fd;
	master_set_deadline(master, &refused->deadline, LINGER_MS, linger_is_over, NULL);
}

void
refuse_client(struct master *master, int fd, const char *text)
{
	if (text != NULL) {
		/* A client that does not take one line at once will not be waited for. */
		(void)send(fd, text, strlen(text), MSG_DONTWAIT | MSG_NOSIGNAL);
	}
	(void)shutdown(fd, SHUT_WR); /* fails if the client is gone: then all is done */
	linger_add(master, fd);
}

static const char *
reason(enum admit_result why)
{
	switch (why) {
	case ADMIT_FULL: return "max_sessions is reached";
	case ADMIT_ADDRESS_FULL: return "max_sessions_per_address is reached";
	case ADMIT_NO_MEMORY:
	case ADMIT_OK: break;
	}
	return "memory or descriptors have run out";
}

static const char *
sentence(enum admit_result why)
{
	switch (why) {
	case ADMIT_FULL:
		return "421 Too many clients are connected, please try again later.\r\n";
	case ADMIT_ADDRESS_FULL:
		return "421 Too many clients are connected from your address.\r\n";
	case ADMIT_NO_MEMORY:
	case ADMIT_OK: break;
	}
	return "421 The server is busy, please try again later.\r\n";
}

void
refuse_unadmitted(struct master *master, int fd, enum admit_result why,
                  bool is_implicit_tls)
{
	struct refused *refused = &master->refused;
	uint64_t now_ms = clock_monotonic_ms();

	refuse_client(master, fd, is_implicit_tls ? NULL : sentence(why));
	refused->untold++;
	if (refused->told_ms == 0 || now_ms - refused->told_ms >= TELL_EVERY_MS) {
		master_log(master, RECORD_WARNING,
		           "clients refused since the last line: %u; %s",
		           (unsigned)refused->untold, reason(why));
		refused->untold = 0;
		refused->told_ms = now_ms;
	}
}
