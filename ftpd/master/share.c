/*
 * share: divides the rates that sessions of one user, or of one address, share: equally
 * among those that move data in that direction at the moment.
 * Runs in: master.
 */
#include "ftpd/master/share.h"

#include <string.h>

#include "common/base.h"

void
share_board_init(struct share_board *board)
{
	TAILQ_INIT(&board->groups);
	TAILQ_INIT(&board->members);
}

void
share_group_init(struct share_group *group)
{
	memset(group, 0, sizeof(*group));
	LIST_INIT(&group->links);
}

static void
mark_group(struct share_board *board, struct share_group *group)
{
	/* Nobody is there who could be told. */
	if (LIST_EMPTY(&group->links)) {
		if (group->is_changed) {
			group->is_changed = false;
			TAILQ_REMOVE(&board->groups, group, in_changed);
		}
		return;
	}
	if (!group->is_changed) {
		group->is_changed = true;
		TAILQ_INSERT_TAIL(&board->groups, group, in_changed);
	}
}

static void
mark_member(struct share_board *board, struct share_member *member)
{
	if (!member->is_changed) {
		member->is_changed = true;
		TAILQ_INSERT_TAIL(&board->members, member, in_changed);
	}
}

void
share_set_rates(struct share_board *board, struct share_group *group,
                const uint64_t rates[SHARE_DIRECTION_COUNT])
{
	if (memcmp(group->rates, rates, sizeof(group->rates)) != 0) {
		memcpy(group->rates, rates, sizeof(group->rates));
		mark_group(board, group);
	}
}

void
share_begin(struct share_board *board, struct share_member *member,
            enum share_direction direction,
            struct share_group *const groups[SHARE_KIND_COUNT])
{
	member->is_moving = true;
	member->direction = direction;
	for (size_t i = 0; i < SHARE_KIND_COUNT; i++) {
		struct share_link *link = &member->links[i];

		link->group = groups[i];
		if (link->group != NULL) {
			link->member = member;
			LIST_INSERT_HEAD(&link->group->links, link, next);
			link->group->moving[direction]++;
			mark_group(board, link->group);
		}
	}
	mark_member(board, member); /* it may have left a limit behind */
}

void
share_leave(struct share_board *board, struct share_member *member, enum share_kind kind)
{
	struct share_link *link = &member->links[kind];
	struct share_group *group = link->group;

	if (group == NULL) {
		return;
	}
	LIST_REMOVE(link, next);
	link->group = NULL;
	group->moving[member->direction]--;
	mark_group(board, group);
	mark_member(board, member);
}

void
share_end(struct share_board *board, struct share_member *member)
{
	if (!member->is_moving) {
		return;
	}
	for (size_t i = 0; i < SHARE_KIND_COUNT; i++) {
		share_leave(board, member, (enum share_kind)i);
	}
	member->is_moving = false;
	if (member->is_changed) {
		member->is_changed = false;
		TAILQ_REMOVE(&board->members, member, in_changed);
	}
}

/* The part of a group's rate for one; a byte a second at least, as 0 is no limit. */
static uint64_t
part_of(const struct share_group *group, const struct share_member *member,
        enum share_direction direction)
{
	uint32_t others = member->direction == direction ? 1 : 0;
	uint64_t part = group->rates[direction] / (group->moving[direction] + 1 - others);

	return group->rates[direction] > 0 && part == 0 ? 1 : part;
}

static uint64_t
rate_of(const struct share_member *member, enum share_direction direction)
{
	uint64_t least = 0;

	for (size_t i = 0; i < SHARE_KIND_COUNT; i++) {
		const struct share_group *group = member->links[i].group;
		uint64_t part = group != NULL ? part_of(group, member, direction) : 0;

		if (part > 0 && (least == 0 || part < least)) {
			least = part;
		}
	}
	return least;
}

/* Every member of a changed group may have another share now. */
static void
spread(struct share_board *board)
{
	struct share_group *group;
	struct share_link *link;

	while ((group = TAILQ_FIRST(&board->groups)) != NULL) {
		TAILQ_REMOVE(&board->groups, group, in_changed);
		group->is_changed = false;
		LIST_FOREACH(link, &group->links, next) {
			mark_member(board, link->member);
		}
	}
}

/* Returns: true if the member must be told. */
static bool
has_news(struct share_member *member, uint64_t rates[SHARE_DIRECTION_COUNT])
{
	bool is_same;

	rates[SHARE_DOWN] = rate_of(member, SHARE_DOWN);
	rates[SHARE_UP] = rate_of(member, SHARE_UP);
	/* Before the first word there is no limit. */
	is_same = member->told[member->direction] == rates[member->direction];
	if (is_same) {
		return false;
	}
	memcpy(member->told, rates, sizeof(member->told));
	return true;
}

struct share_member *
share_next(struct share_board *board, uint64_t ret_rates[SHARE_DIRECTION_COUNT])
{
	struct share_member *member;

	spread(board);
	while ((member = TAILQ_FIRST(&board->members)) != NULL) {
		TAILQ_REMOVE(&board->members, member, in_changed);
		member->is_changed = false;
		if (has_news(member, ret_rates)) {
			return member;
		}
	}
	return NULL;
}
