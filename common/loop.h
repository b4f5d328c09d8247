/*
 * loop: an event loop over epoll. A source is a struct inside the object that owns the
 * descriptor.
 * Runs in: master, worker, recorder.
 * Source: epoll(7).
 * Not here: timers (timer.h) and what an event means.
 */
#ifndef COMMON_LOOP_H
#define COMMON_LOOP_H

#include <sys/epoll.h>

#include "common/base.h"

enum {
	LOOP_BATCH = 64, /* events taken per system call */
};

/*
 * One watched descriptor. `fd` is -1 while it is not watched. The handler may forget this
 * or any other source.
 */
struct loop_source {
	int fd;
	uint32_t events;
	void (*handle)(struct loop_source *source, uint32_t events);
};

struct loop {
	int epoll_fd;
	uint64_t now_ms; /* the monotonic clock when the present events came */
	int batch_count;
	int batch_at;
	struct epoll_event batch[LOOP_BATCH];
};

/*
 * Make the epoll descriptor.
 * Returns: 0 or negative errno.
 */
int loop_init(struct loop *loop);

/*
 * Start watching fd for events (EPOLLIN, ...; level-triggered).
 * Returns: 0 or negative errno. The descriptor stays the caller's.
 */
int loop_watch(struct loop *loop, struct loop_source *source, int fd, uint32_t events);

/*
 * Change the events of a watched source; nothing happens when they are the same.
 * Returns: 0 or negative errno.
 */
int loop_change(struct loop *loop, struct loop_source *source, uint32_t events);

/*
 * Stop watching, before the descriptor is closed. Events already fetched for it are
 * dropped. Harmless when not watched.
 */
void loop_forget(struct loop *loop, struct loop_source *source);

/*
 * As loop_forget, without a system call, for a descriptor that is closed next and that no
 * other process has a copy of: the kernel forgets it by itself then.
 */
void loop_forget_closing(struct loop *loop, struct loop_source *source);

/*
 * Let another source watch the descriptor of the first one, which then watches none: in
 * one system call, and what was fetched for the first is dropped.
 * Returns: 0 or negative errno: neither watches then.
 */
int loop_move(struct loop *loop, struct loop_source *from, struct loop_source *to,
              uint32_t events);

/*
 * Wait once and call the handlers.
 * In:      timeout_ms: -1 for no limit.
 * Returns: 0 or negative errno (never -EINTR).
 */
int loop_turn(struct loop *loop, int timeout_ms);

/*
 * As loop_turn, but for so many events at most; others have to wait for the next turn. A
 * loop inside another one, which watches its epoll_fd, gives way to that one by this.
 * In:      count_max: 1 to LOOP_BATCH.
 * Returns: as loop_turn.
 */
int loop_turn_few(struct loop *loop, int timeout_ms, int count_max);

#endif
