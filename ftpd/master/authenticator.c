/*
 * authenticator: one process of deftpd-auth: it is given one try, tells its verdict, and
 * ends or becomes the user's agent.
 * Runs in: master.
 */
#include "ftpd/master/authenticator.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "common/clock.h"
#include "common/fd.h"
#include "ftpd/master/authenticator_end.h"
#include "ftpd/master/login_desk.h"
#include "ftpd/master/master.h"
#include "ftpd/master/worker_link.h"
#include "common/base.h"

enum {
	MESSAGE_CAP = 1024,
	/* From its order to READY. */
	START_MS = 10000,
};

static void set_clock(struct authenticator *authenticator);

/* The time of the present state goes where it belongs. */
static void
charge(struct authenticator *authenticator)
{
	uint64_t now_ms = clock_monotonic_ms();
	uint64_t passed_ms = now_ms - authenticator->since_ms;

	if (authenticator->is_asking) {
		authenticator->asked_ms += passed_ms;
	} else {
		authenticator->spent_ms += passed_ms;
	}
	authenticator->since_ms = now_ms;
}

static void
begin_to_wait(struct authenticator *authenticator)
{
	struct login_desk *desk = &authenticator->master->desk;

	desk->computing--;
	desk->waiting_count++;
	TAILQ_INSERT_TAIL(&desk->waiting, authenticator, in_waiting);
	authenticator->state = AUTHENTICATOR_WAITING;
	set_clock(authenticator);
	authenticator_end_surplus(authenticator->master);
	login_desk_pump(authenticator->master);
}

static void
begin_to_compute(struct authenticator *authenticator)
{
	struct login_desk *desk = &authenticator->master->desk;

	if (authenticator->state == AUTHENTICATOR_WAITING) {
		TAILQ_REMOVE(&desk->waiting, authenticator, in_waiting);
		desk->waiting_count--;
	}
	desk->computing++;
	authenticator->state = AUTHENTICATOR_COMPUTING;
	set_clock(authenticator);
}

static void
time_is_over(struct master *master, void *owner)
{
	struct authenticator *authenticator = owner;

	(void)master;
	charge(authenticator);
	if (authenticator->is_asking) {
		authenticator_kill(authenticator, "nobody has answered its question");
	} else if (authenticator->spent_ms >= AUTHENTICATOR_PATIENCE_MS) {
		authenticator_kill(authenticator, "it takes too long");
	} else if (authenticator->state == AUTHENTICATOR_COMPUTING) {
		begin_to_wait(authenticator); /* nobody computes so long */
	} else {
		set_clock(authenticator);
	}
}

/* Returns: what is left of a time. */
static uint64_t
left_of(uint64_t all_ms, uint64_t gone_ms)
{
	return all_ms > gone_ms ? all_ms - gone_ms : 0;
}

/* When time_is_over() is called next. */
static void
set_clock(struct authenticator *authenticator)
{
	const struct options *options = &authenticator->generation->options;
	uint64_t left_ms = left_of(AUTHENTICATOR_PATIENCE_MS, authenticator->spent_ms);

	if (authenticator->is_asking) {
		left_ms = left_of(UINT64_C(1000) * options->login_timeout_s,
		                  authenticator->asked_ms);
	} else if (authenticator->state == AUTHENTICATOR_COMPUTING &&
	           left_ms > AUTHENTICATOR_STALL_MS) {
		left_ms = AUTHENTICATOR_STALL_MS;
	}
	master_set_deadline(authenticator->master, &authenticator->deadline, left_ms,
	                    time_is_over, authenticator);
}

static void
take_ready(struct authenticator *authenticator)
{
	timer_clear(&authenticator->master->wheel, &authenticator->deadline.timer);
	authenticator->state = AUTHENTICATOR_IDLE;
	auth_pool_ready(authenticator);
}

static void
take_asking(struct authenticator *authenticator, bool is_asking)
{
	charge(authenticator);
	authenticator->is_asking = is_asking;
	if (!is_asking) {
		begin_to_compute(authenticator);
	} else if (authenticator->state == AUTHENTICATOR_COMPUTING) {
		begin_to_wait(authenticator);
	} else {
		set_clock(authenticator);
	}
}

static bool
has_try(const struct authenticator *authenticator)
{
	return authenticator->state == AUTHENTICATOR_COMPUTING ||
	       authenticator->state == AUTHENTICATOR_WAITING;
}

/* Returns: true if the message may come now. */
static bool
is_in_phase(const struct authenticator *authenticator, const struct ma_message *message)
{
	bool is_at_it = has_try(authenticator) && authenticator->is_taken &&
	                !authenticator->has_verdict;

	switch (message->type) {
	case MA_READY: return authenticator->state == AUTHENTICATOR_ORDERED;
	case MA_TAKEN: return has_try(authenticator) && !authenticator->is_taken;
	case MA_ASKING: return is_at_it && message->is_asking != authenticator->is_asking;
	/* Also after MA_GO: the session of PAM may fail to open. */
	case MA_REFUSED:
		return is_at_it || authenticator->awaits_go || authenticator->is_admitted;
	case MA_ACCEPTED: return is_at_it && !authenticator->is_asking;
	case MA_TRY:
	case MA_GO:
	case MA_COUNT: return false;
	}
	return false;
}

static void
take_message(struct authenticator *authenticator, const struct ma_message *message)
{
	if (!is_in_phase(authenticator, message)) {
		authenticator_kill(authenticator, "it broke the protocol");
		return;
	}
	switch (message->type) {
	case MA_READY: take_ready(authenticator); return;
	case MA_TAKEN: authenticator->is_taken = true; return;
	case MA_ASKING: take_asking(authenticator, message->is_asking); return;
	case MA_REFUSED:
		authenticator->has_verdict = true;
		authenticator->awaits_go = false;
		authenticator->is_admitted = false;
		set_clock(authenticator);
		login_desk_refused(authenticator, message);
		return;
	case MA_ACCEPTED:
		authenticator->has_verdict = true;
		authenticator->awaits_go = true;
		login_desk_accepted(authenticator, message);
		return;
	case MA_TRY:
	case MA_GO:
	case MA_COUNT: return;
	}
}

void
authenticator_receive(struct authenticator *authenticator)
{
	uint8_t bytes[MESSAGE_CAP];
	struct ma_message message;

	while (authenticator->state != AUTHENTICATOR_GONE) {
		ssize_t len = channel_recv_plain(authenticator->source.fd, bytes,
		                                 sizeof(bytes), MSG_DONTWAIT);

		if (len == -EAGAIN) {
			return;
		}
		if (len <= 0 && len != -EMSGSIZE) {
			authenticator_gone(authenticator);
		} else if (len < 0 || !ma_decode(bytes, (size_t)len, &message)) {
			authenticator_kill(authenticator, "it broke the protocol");
		} else {
			take_message(authenticator, &message);
		}
	}
}

static void
handle(struct loop_source *source, uint32_t events)
{
	(void)events;
	authenticator_receive((struct authenticator *)source); /* its first member */
}

static void
start_is_over(struct master *master, void *owner)
{
	(void)master;
	authenticator_kill(owner, "it does not become ready");
}

static bool
create(struct authenticator *authenticator)
{
	struct master *master = authenticator->master;
	int fds[2];

	if (channel_pair(fds) != 0) {
		return false;
	}
	if (loop_watch(&master->loop, &authenticator->source, fds[0], EPOLLIN) != 0) {
		fd_close(&fds[0]);
		fd_close(&fds[1]);
		return false;
	}
	authenticator->order.child_fd = fds[1];
	LIST_INSERT_HEAD(&master->desk.authenticators, authenticator, entry);
	authenticator->generation->auth.count++;
	authenticator->generation->auth.coming_count++;
	master_set_deadline(master, &authenticator->deadline, START_MS, start_is_over,
	                    authenticator);
	return true;
}

bool
authenticator_order(struct generation *generation)
{
	struct authenticator *authenticator = calloc(1, sizeof(*authenticator));

	if (authenticator == NULL) {
		return false;
	}
	authenticator->master = generation->master;
	authenticator->generation = generation;
	authenticator->source.handle = handle;
	authenticator->order.owner = authenticator;
	authenticator->order.number = ++generation->master->desk.last_number;
	if (!create(authenticator)) {
		free(authenticator);
		return false;
	}
	forkserver_order(&generation->auth.server, &authenticator->order);
	return true;
}

/* Returns: true if the message left: the queue has room for the two that there are. */
static bool
tell(struct authenticator *authenticator, const struct ma_message *message, int fd)
{
	uint8_t bytes[MESSAGE_CAP];
	size_t len = ma_encode(message, bytes, sizeof(bytes));

	return channel_send(authenticator->source.fd, bytes, len, fd) == 0;
}

bool
authenticator_try(struct authenticator *authenticator, struct session *session, int fd)
{
	const struct ma_message message = {
	    .type = MA_TRY, .session = session->id, .peer = session->peer};

	if (!tell(authenticator, &message, fd)) {
		authenticator_kill(authenticator, "it does not take its try");
		return false;
	}
	authenticator->session = session;
	authenticator->session_id = session->id;
	authenticator->peer = session->peer;
	authenticator->number = session->login_number;
	authenticator->since_ms = clock_monotonic_ms();
	LIST_INSERT_HEAD(&session->logins, authenticator, of_session);
	auth_pool_taken(authenticator);
	begin_to_compute(authenticator);
	return true;
}

void
authenticator_go(struct authenticator *authenticator, bool is_admitted)
{
	const struct ma_message message = {.type = MA_GO, .is_admitted = is_admitted};

	authenticator->awaits_go = false;
	authenticator->is_admitted = is_admitted;
	set_clock(authenticator);
	if (!tell(authenticator, &message, -1)) {
		authenticator->is_admitted = false;
		authenticator_kill(authenticator, "it does not take the answer");
	}
}

void
authenticator_leave_session(struct authenticator *authenticator)
{
	LIST_REMOVE(authenticator, of_session);
	authenticator->session = NULL;
	login_desk_release(authenticator);
}
