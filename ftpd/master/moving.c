/*
 * moving: which sessions move data under a limit that they share, and how fast each may.
 * Runs in: master.
 */
#include "ftpd/master/moving.h"

#include "ftpd/master/generation.h"
#include "ftpd/master/master.h"
#include "ftpd/master/worker_link.h"
#include "common/base.h"

void
moving_init(struct master *master, uint64_t seed)
{
	share_board_init(&master->rates.board);
	master->rates.addresses.seed = seed;
}

/*
 * Returns: the row of the session's address, with the limits of today; NULL without
 *          memory.
 */
static struct limit_row *
hold_address(struct master *master, const struct session *session)
{
	const struct options_rates *options = &master->current->options.rates;
	const uint64_t rates[SHARE_DIRECTION_COUNT] = {
	    [SHARE_DOWN] = options->address_down, [SHARE_UP] = options->address_up};
	struct addr address = addr_for_limit(&session->peer);
	struct limit_row *row =
	    limit_hold(&master->rates.addresses, &address, sizeof(address));

	if (row != NULL) {
		share_set_rates(&master->rates.board, &row->share, rates);
	}
	return row;
}

static void
begin(struct master *master, struct session *session, enum share_direction direction)
{
	struct share_group *groups[SHARE_KIND_COUNT] = {NULL};

	if (master->current != NULL) {
		session->address = hold_address(master, session);
	}
	if (session->address != NULL) {
		groups[SHARE_OF_ADDRESS] = &session->address->share;
	}
	if (session->user != NULL) {
		groups[SHARE_OF_USER] = &session->user->share;
	}
	share_begin(&master->rates.board, &session->share, direction, groups);
}

static void
end(struct master *master, struct session *session)
{
	share_end(&master->rates.board, &session->share);
	if (session->address != NULL) {
		limit_release(&master->rates.addresses, session->address);
		session->address = NULL;
	}
}

void
moving_take(struct worker *worker, struct session *session,
            const struct mw_message *message)
{
	if (message->is_moving == session->share.is_moving) {
		worker_violates(worker, "said twice that data move, or do not");
		return;
	}
	if (message->is_moving) {
		begin(worker->master, session,
		      message->is_upload ? SHARE_UP : SHARE_DOWN);
	} else {
		end(worker->master, session);
	}
}

void
moving_end(struct master *master, struct session *session)
{
	end(master, session);
	session->user = NULL;
}

void
moving_set_user(struct master *master, struct session *session, struct limit_row *user)
{
	/* Whose data move now has begun under the limits of before; only they end. */
	share_leave(&master->rates.board, &session->share, SHARE_OF_USER);
	session->user = user;
}

static struct session *
session_of(struct share_member *member)
{
	return (struct session *)((unsigned char *)member -
	                          offsetof(struct session, share));
}

void
moving_tell(struct master *master)
{
	uint64_t rates[SHARE_DIRECTION_COUNT];
	struct share_member *member;

	while ((member = share_next(&master->rates.board, rates)) != NULL) {
		struct session *session = session_of(member);
		const struct mw_message message = {.type = MW_SHARE,
		                                   .session = session->id,
		                                   .rate_down = rates[SHARE_DOWN],
		                                   .rate_up = rates[SHARE_UP]};

		worker_send(session->worker, &message, -1);
	}
}
