/*
 * share: divides the rates that sessions of one user, or of one address, share: equally
 * among those that move data in that direction at the moment.
 * Runs in: master.
 * Source: rates in deftpd.conf(5).
 * Not here: keeping to a rate, which workers do; who tells them; see moving.h. No system
 * call is made here.
 *
 * A member belongs to several groups at once and gets the smallest of their shares.
 * Changes are gathered: share_next() tells each member once, however many others came and
 * went since.
 */
#ifndef FTPD_MASTER_SHARE_H
#define FTPD_MASTER_SHARE_H

#include <sys/queue.h>

#include "common/base.h"

enum share_direction {
	SHARE_DOWN,
	SHARE_UP,
	SHARE_DIRECTION_COUNT,
};

enum share_kind {
	SHARE_OF_USER,
	SHARE_OF_ADDRESS,
	SHARE_KIND_COUNT,
};

struct share_group;
struct share_member;

/* A member's place in one group. */
struct share_link {
	LIST_ENTRY(share_link) next;
	struct share_group *group; /* NULL: in none of this kind */
	struct share_member *member;
};

/* All whose data move under one limit. */
struct share_group {
	uint64_t rates[SHARE_DIRECTION_COUNT]; /* bytes per second, 0: no limit */
	uint32_t moving[SHARE_DIRECTION_COUNT];
	LIST_HEAD(, share_link) links; /* of the members that move */
	TAILQ_ENTRY(share_group) in_changed;
	bool is_changed;
};

/* One session. Zeroed memory is one that does not move. */
struct share_member {
	struct share_link links[SHARE_KIND_COUNT];
	enum share_direction direction;
	bool is_moving;
	uint64_t told[SHARE_DIRECTION_COUNT]; /* bytes per second, 0: no limit */
	TAILQ_ENTRY(share_member) in_changed;
	bool is_changed;
};

/* What has changed since the last share_next(). */
struct share_board {
	TAILQ_HEAD(, share_group) groups;
	TAILQ_HEAD(, share_member) members;
};

void share_board_init(struct share_board *board);

void share_group_init(struct share_group *group);

/* Set or change the limits of a group. */
void share_set_rates(struct share_board *board, struct share_group *group,
                     const uint64_t rates[SHARE_DIRECTION_COUNT]);

/*
 * The member begins to move data.
 * In:      groups: one of each kind, or NULL. They stay where they are until share_end().
 */
void share_begin(struct share_board *board, struct share_member *member,
                 enum share_direction direction,
                 struct share_group *const groups[SHARE_KIND_COUNT]);

/* It has ceased to; harmless when it does not move. */
void share_end(struct share_board *board, struct share_member *member);

/* It leaves the group of this kind, which is about to be freed, and moves on. */
void share_leave(struct share_board *board, struct share_member *member,
                 enum share_kind kind);

/*
 * Take one member that moves and whose share has changed.
 * Out:     ret_rates: its shares, bytes per second, 0: no limit. That of the direction in
 *          which it does not move is what it would get.
 * Returns: it, or NULL when all know their shares.
 */
struct share_member *share_next(struct share_board *board,
                                uint64_t ret_rates[SHARE_DIRECTION_COUNT]);

#endif
