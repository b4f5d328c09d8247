/*
 * test_loop: events reach their handler; a source that is forgotten, by whomever, hears
 * nothing more.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/loop.h"
#include "common/base.h"

/* A watched end of a pair that reads one byte at a time, and may forget others. */
struct ear {
	struct loop_source source; /* first */
	struct loop *loop;
	struct ear *forgets;
	int ends[2];
	unsigned heard;
	uint32_t last_events;
};

static void
hear(struct loop_source *source, uint32_t events)
{
	struct ear *ear = (struct ear *)source;
	char byte;

	ear->heard++;
	ear->last_events = events;
	if (ear->forgets != NULL) {
		loop_forget(ear->loop, &ear->forgets->source);
	} else if (read(ear->ends[0], &byte, 1) <= 0) {
		loop_forget(ear->loop, source);
	}
}

static void
open_ear(struct ear *ear, struct loop *loop)
{
	*ear = (struct ear){.source = {.fd = -1, .handle = hear}, .loop = loop};
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ear->ends),
	                 0);
	assert_int_equal(loop_watch(loop, &ear->source, ear->ends[0], EPOLLIN), 0);
}

static void
close_ear(struct ear *ear)
{
	loop_forget(ear->loop, &ear->source);
	(void)close(ear->ends[0]);
	(void)close(ear->ends[1]);
}

static void
speak(const struct ear *ear)
{
	assert_int_equal(write(ear->ends[1], "x", 1), 1);
}

static void
events_arrive(void **state)
{
	static struct loop loop;
	struct ear a;
	struct ear b;

	(void)state;
	assert_int_equal(loop_init(&loop), 0);
	open_ear(&a, &loop);
	open_ear(&b, &loop);
	assert_int_equal(loop_turn(&loop, 0), 0);
	assert_int_equal(a.heard + b.heard, 0);
	speak(&b);
	assert_int_equal(loop_turn(&loop, 1000), 0);
	assert_int_equal(a.heard, 0);
	assert_int_equal(b.heard, 1);
	/* Level-triggered: what was not read is told again. */
	speak(&a);
	speak(&a);
	assert_int_equal(loop_turn(&loop, 1000), 0);
	assert_int_equal(loop_turn(&loop, 1000), 0);
	assert_int_equal(a.heard, 2);
	close_ear(&a);
	close_ear(&b);
	(void)close(loop.epoll_fd);
}

static void
changes_take_effect(void **state)
{
	static struct loop loop;
	struct ear a;

	(void)state;
	assert_int_equal(loop_init(&loop), 0);
	open_ear(&a, &loop);
	speak(&a);
	assert_int_equal(loop_change(&loop, &a.source, EPOLLOUT), 0);
	assert_int_equal(loop_change(&loop, &a.source, EPOLLOUT), 0);
	assert_int_equal(loop_turn(&loop, 1000), 0);
	assert_int_equal(a.last_events, EPOLLOUT);
	speak(&a);
	assert_int_equal(loop_change(&loop, &a.source, 0), 0);
	assert_int_equal(loop_turn(&loop, 0), 0);
	assert_int_equal(a.heard, 1);
	/* The end is told whatever is watched. */
	assert_int_equal(shutdown(a.ends[1], SHUT_RDWR), 0);
	assert_int_equal(loop_turn(&loop, 1000), 0);
	assert_true((a.last_events & EPOLLHUP) != 0);
	close_ear(&a);
	assert_int_equal(loop_change(&loop, &a.source, EPOLLIN), 0);
	(void)close(loop.epoll_fd);
}

static void
forgotten_in_the_same_batch(void **state)
{
	static struct loop loop;
	struct ear ears[3];

	(void)state;
	assert_int_equal(loop_init(&loop), 0);
	for (size_t i = 0; i < ARRAY_COUNT(ears); i++) {
		open_ear(&ears[i], &loop);
	}
	/* Whichever comes first forgets the next one: all three are ready at once. */
	for (size_t i = 0; i < ARRAY_COUNT(ears); i++) {
		ears[i].forgets = &ears[(i + 1) % ARRAY_COUNT(ears)];
		speak(&ears[i]);
	}
	assert_int_equal(loop_turn(&loop, 1000), 0);
	assert_int_equal(ears[0].heard + ears[1].heard + ears[2].heard, 2);
	for (size_t i = 0; i < ARRAY_COUNT(ears); i++) {
		close_ear(&ears[i]);
		assert_int_equal(ears[i].source.fd, -1);
	}
	(void)close(loop.epoll_fd);
}

static void
more_than_a_batch(void **state)
{
	static struct loop loop;
	static struct ear ears[3 * LOOP_BATCH];
	unsigned heard = 0;

	(void)state;
	assert_int_equal(loop_init(&loop), 0);
	for (size_t i = 0; i < ARRAY_COUNT(ears); i++) {
		open_ear(&ears[i], &loop);
		speak(&ears[i]);
	}
	for (int i = 0; i < 3; i++) {
		assert_int_equal(loop_turn(&loop, 1000), 0);
	}
	for (size_t i = 0; i < ARRAY_COUNT(ears); i++) {
		heard += ears[i].heard;
		assert_int_equal(ears[i].heard, 1);
		close_ear(&ears[i]);
	}
	assert_int_equal(heard, ARRAY_COUNT(ears));
	(void)close(loop.epoll_fd);
}

/* A loop inside another one: the outer one tells that the inner one has something. */
static void
a_few_at_a_time(void **state)
{
	static struct loop outer;
	static struct loop inner;
	static struct ear ears[8];
	struct loop_source source;
	struct epoll_event event;

	(void)state;
	assert_int_equal(loop_init(&outer), 0);
	assert_int_equal(loop_init(&inner), 0);
	assert_int_equal(loop_watch(&outer, &source, inner.epoll_fd, EPOLLIN), 0);
	for (size_t i = 0; i < ARRAY_COUNT(ears); i++) {
		open_ear(&ears[i], &inner);
		speak(&ears[i]);
	}
	for (size_t turn = 1; turn <= ARRAY_COUNT(ears) / 2; turn++) {
		unsigned heard = 0;

		assert_int_equal(epoll_wait(outer.epoll_fd, &event, 1, 0), 1);
		assert_int_equal(loop_turn_few(&inner, 0, 2), 0);
		for (size_t i = 0; i < ARRAY_COUNT(ears); i++) {
			assert_true(ears[i].heard <= 1);
			heard += ears[i].heard;
		}
		assert_int_equal(heard, 2 * turn);
	}
	assert_int_equal(epoll_wait(outer.epoll_fd, &event, 1, 0), 0);
	for (size_t i = 0; i < ARRAY_COUNT(ears); i++) {
		close_ear(&ears[i]);
	}
	(void)close(inner.epoll_fd);
	(void)close(outer.epoll_fd);
}

static void
what_cannot_be_watched_is_told(void **state)
{
	static struct loop loop;
	struct loop_source source = {.fd = -1, .handle = hear};

	(void)state;
	assert_int_equal(loop_init(&loop), 0);
	assert_int_equal(loop_watch(&loop, &source, 9999, EPOLLIN), -EBADF);
	assert_int_equal(source.fd, -1);
	loop_forget(&loop, &source);
	(void)close(loop.epoll_fd);
	assert_int_equal(loop_turn(&loop, 0), -EBADF);
}

/* Another source takes over: the first one hears nothing more, not even what had come. */
static void
a_descriptor_changes_hands(void **state)
{
	static struct loop loop;
	struct ear first;
	struct ear heir;

	(void)state;
	assert_int_equal(loop_init(&loop), 0);
	open_ear(&first, &loop);
	heir = first;
	heir.source.fd = -1;
	assert_int_equal(loop_move(&loop, &first.source, &heir.source, EPOLLIN), 0);
	assert_int_equal(first.source.fd, -1);
	assert_int_equal(heir.source.fd, first.ends[0]);
	speak(&first);
	assert_int_equal(loop_turn(&loop, 1000), 0);
	assert_int_equal(first.heard, 0);
	assert_int_equal(heir.heard, 1);
	/* nothing can be had from who watches nothing */
	assert_int_equal(loop_move(&loop, &first.source, &heir.source, EPOLLIN), -EBADF);
	assert_int_equal(heir.source.fd, -1);
	close_ear(&first);
	(void)close(loop.epoll_fd);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(events_arrive),
	    cmocka_unit_test(changes_take_effect),
	    cmocka_unit_test(forgotten_in_the_same_batch),
	    cmocka_unit_test(more_than_a_batch),
	    cmocka_unit_test(a_few_at_a_time),
	    cmocka_unit_test(what_cannot_be_watched_is_told),
	    cmocka_unit_test(a_descriptor_changes_hands),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
