/*
 * test_master_share: rates are divided equally among those who move, each is told once,
 * and nobody who has ended is told anything.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

#include "ftpd/master/share.h"
#include "common/base.h"

enum {
	MEMBERS = 5,
	ROUNDS = 5000,
	GROUPS = 3,
};

struct scene {
	struct share_board board;
	struct share_group users[GROUPS];
	struct share_group addresses[GROUPS];
	struct share_member members[MEMBERS];
	uint64_t told[MEMBERS][SHARE_DIRECTION_COUNT];
	bool is_moving[MEMBERS];
	enum share_direction direction[MEMBERS];
	size_t user_of[MEMBERS];
	size_t address_of[MEMBERS];
	unsigned words; /* since the last time they were counted */
};

static void
set_up(struct scene *scene)
{
	memset(scene, 0, sizeof(*scene));
	share_board_init(&scene->board);
	for (size_t i = 0; i < GROUPS; i++) {
		share_group_init(&scene->users[i]);
		share_group_init(&scene->addresses[i]);
	}
}

static void
set_rates(struct scene *scene, struct share_group *group, uint64_t down, uint64_t up)
{
	const uint64_t rates[SHARE_DIRECTION_COUNT] = {down, up};

	share_set_rates(&scene->board, group, rates);
}

static void
begin(struct scene *scene, size_t member, enum share_direction direction, size_t user,
      size_t address)
{
	struct share_group *groups[SHARE_KIND_COUNT] = {
	    [SHARE_OF_USER] = user < GROUPS ? &scene->users[user] : NULL,
	    [SHARE_OF_ADDRESS] = address < GROUPS ? &scene->addresses[address] : NULL};

	share_begin(&scene->board, &scene->members[member], direction, groups);
	scene->is_moving[member] = true;
	scene->direction[member] = direction;
	scene->user_of[member] = user;
	scene->address_of[member] = address;
}

static void
end(struct scene *scene, size_t member)
{
	share_end(&scene->board, &scene->members[member]);
	scene->is_moving[member] = false;
}

static void
listen(struct scene *scene)
{
	uint64_t rates[SHARE_DIRECTION_COUNT];
	bool is_told[MEMBERS] = {false};
	struct share_member *member;

	scene->words = 0;
	while ((member = share_next(&scene->board, rates)) != NULL) {
		size_t at = (size_t)(member - scene->members);

		assert_true(at < MEMBERS);
		assert_true(scene->is_moving[at]);
		assert_false(is_told[at]);
		is_told[at] = true;
		memcpy(scene->told[at], rates, sizeof(rates));
		scene->words++;
	}
}

static void
test_equal_parts(void **state)
{
	struct scene scene;

	(void)state;
	set_up(&scene);
	set_rates(&scene, &scene.users[0], 900, 0);
	begin(&scene, 0, SHARE_DOWN, 0, GROUPS);
	listen(&scene);
	assert_int_equal(scene.told[0][SHARE_DOWN], 900);
	assert_int_equal(scene.told[0][SHARE_UP], 0);
	begin(&scene, 1, SHARE_DOWN, 0, GROUPS);
	begin(&scene, 2, SHARE_DOWN, 0, GROUPS);
	listen(&scene);
	/* One word each, though two have come. */
	assert_int_equal(scene.words, 3);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(scene.told[i][SHARE_DOWN], 300);
	}
	listen(&scene);
	assert_int_equal(scene.words, 0);
	end(&scene, 0);
	end(&scene, 1);
	listen(&scene);
	assert_int_equal(scene.words, 1);
	assert_int_equal(scene.told[2][SHARE_DOWN], 900);
	end(&scene, 2);
	listen(&scene);
	assert_int_equal(scene.words, 0);
}

static void
test_directions_are_apart(void **state)
{
	struct scene scene;

	(void)state;
	set_up(&scene);
	set_rates(&scene, &scene.users[0], 1000, 100);
	begin(&scene, 0, SHARE_DOWN, 0, GROUPS);
	begin(&scene, 1, SHARE_UP, 0, GROUPS);
	listen(&scene);
	assert_int_equal(scene.told[0][SHARE_DOWN], 1000);
	assert_int_equal(scene.told[1][SHARE_UP], 100);
	/* What each would get in the other direction. */
	assert_int_equal(scene.told[0][SHARE_UP], 50);
	assert_int_equal(scene.told[1][SHARE_DOWN], 500);
}

static void
test_smallest_part_holds(void **state)
{
	struct scene scene;

	(void)state;
	set_up(&scene);
	set_rates(&scene, &scene.users[0], 1000, 1000);
	set_rates(&scene, &scene.addresses[0], 900, 0);
	begin(&scene, 0, SHARE_DOWN, 0, 0);
	listen(&scene);
	assert_int_equal(scene.told[0][SHARE_DOWN], 900);
	begin(&scene, 1, SHARE_DOWN, 1, 0);
	listen(&scene);
	assert_int_equal(scene.told[0][SHARE_DOWN], 450);
	assert_int_equal(scene.told[1][SHARE_DOWN], 450);
	begin(&scene, 2, SHARE_DOWN, 0, GROUPS);
	begin(&scene, 3, SHARE_DOWN, 0, GROUPS);
	listen(&scene);
	assert_int_equal(scene.told[0][SHARE_DOWN], 333);
	assert_int_equal(scene.told[1][SHARE_DOWN], 450);
}

static void
test_no_limit_needs_no_word(void **state)
{
	struct scene scene;

	(void)state;
	set_up(&scene);
	begin(&scene, 0, SHARE_DOWN, 0, 0);
	begin(&scene, 1, SHARE_UP, GROUPS, GROUPS);
	listen(&scene);
	assert_int_equal(scene.words, 0);
	/* Until there is one, which is changed and lifted while data move. */
	set_rates(&scene, &scene.users[0], 10, 0);
	listen(&scene);
	assert_int_equal(scene.told[0][SHARE_DOWN], 10);
	set_rates(&scene, &scene.users[0], 20, 0);
	listen(&scene);
	assert_int_equal(scene.told[0][SHARE_DOWN], 20);
	set_rates(&scene, &scene.users[0], 0, 0);
	listen(&scene);
	assert_int_equal(scene.words, 1);
	assert_int_equal(scene.told[0][SHARE_DOWN], 0);
}

/* A limit of a few bytes for many is never "no limit". */
static void
test_tiny_rates(void **state)
{
	struct scene scene;

	(void)state;
	set_up(&scene);
	set_rates(&scene, &scene.users[0], 1, 1);
	for (size_t i = 0; i < MEMBERS; i++) {
		begin(&scene, i, SHARE_UP, 0, GROUPS);
	}
	listen(&scene);
	for (size_t i = 0; i < MEMBERS; i++) {
		assert_int_equal(scene.told[i][SHARE_UP], 1);
	}
}

static void
test_leaving_a_group(void **state)
{
	struct scene scene;

	(void)state;
	set_up(&scene);
	set_rates(&scene, &scene.users[0], 100, 0);
	set_rates(&scene, &scene.addresses[0], 300, 0);
	begin(&scene, 0, SHARE_DOWN, 0, 0);
	begin(&scene, 1, SHARE_DOWN, 0, GROUPS);
	listen(&scene);
	assert_int_equal(scene.told[0][SHARE_DOWN], 50);
	share_leave(&scene.board, &scene.members[0], SHARE_OF_USER);
	share_leave(&scene.board, &scene.members[0], SHARE_OF_USER);
	listen(&scene);
	assert_int_equal(scene.told[0][SHARE_DOWN], 300);
	assert_int_equal(scene.told[1][SHARE_DOWN], 100);
	end(&scene, 0);
	end(&scene, 0);
	end(&scene, 1);
	listen(&scene);
	assert_int_equal(scene.words, 0);
}

/* What a member should have been told, counted anew. */
static uint64_t
expected_of(const struct scene *scene, size_t member)
{
	enum share_direction direction = scene->direction[member];
	uint64_t limits[] = {
	    scene->user_of[member] < GROUPS
		? scene->users[scene->user_of[member]].rates[direction]
		: 0,
	    scene->address_of[member] < GROUPS
		? scene->addresses[scene->address_of[member]].rates[direction]
		: 0};
	unsigned counts[] = {0, 0};
	uint64_t least = 0;

	for (size_t i = 0; i < MEMBERS; i++) {
		if (scene->is_moving[i] && scene->direction[i] == direction) {
			counts[0] += scene->user_of[i] == scene->user_of[member];
			counts[1] += scene->address_of[i] == scene->address_of[member];
		}
	}
	for (size_t i = 0; i < ARRAY_COUNT(limits); i++) {
		uint64_t part = limits[i] / counts[i];

		if (limits[i] > 0 && (least == 0 || part < least)) {
			least = part;
		}
	}
	return least;
}

static void
test_against_plain_count(void **state)
{
	struct scene scene;
	uint32_t random = 1;

	(void)state;
	set_up(&scene);
	set_rates(&scene, &scene.users[0], 1000, 2000);
	set_rates(&scene, &scene.users[1], 700, 0);
	set_rates(&scene, &scene.addresses[0], 900, 500);
	for (int round = 0; round < ROUNDS; round++) {
		size_t member;

		random = random * 1664525 + 1013904223;
		member = (random >> 8) % MEMBERS;
		if (scene.is_moving[member]) {
			end(&scene, member);
		} else {
			begin(&scene, member, (random >> 30) & 1, (random >> 26) % 4,
			      (random >> 20) % 4);
		}
		if ((random >> 16) % 3 != 0) {
			continue;
		}
		listen(&scene);
		for (size_t i = 0; i < MEMBERS; i++) {
			if (scene.is_moving[i]) {
				assert_int_equal(scene.told[i][scene.direction[i]],
				                 expected_of(&scene, i));
			}
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_equal_parts),
	    cmocka_unit_test(test_directions_are_apart),
	    cmocka_unit_test(test_smallest_part_holds),
	    cmocka_unit_test(test_no_limit_needs_no_word),
	    cmocka_unit_test(test_tiny_rates),
	    cmocka_unit_test(test_leaving_a_group),
	    cmocka_unit_test(test_against_plain_count),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
