/*
 * loop: an event loop over epoll. A source is a struct inside the object that owns the
 * descriptor.
 * Runs in: master, worker, recorder.
 */
#include "common/loop.h"

#include <errno.h>
#include <string.h>

#include "common/clock.h"
#include "common/base.h"

int
loop_init(struct loop *loop)
{
	memset(loop, 0, sizeof(*loop));
	loop->now_ms = clock_monotonic_ms();
	loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	return loop->epoll_fd >= 0 ? 0 : -errno;
}

static int
control(struct loop *loop, int operation, struct loop_source *source)
{
	struct epoll_event event = {.events = source->events, .data = {.ptr = source}};

	return epoll_ctl(loop->epoll_fd, operation, source->fd, &event) == 0 ? 0 : -errno;
}

int
loop_watch(struct loop *loop, struct loop_source *source, int fd, uint32_t events)
{
	int result;

	source->fd = fd;
	source->events = events;
	result = control(loop, EPOLL_CTL_ADD, source);
	if (result != 0) {
		source->fd = -1;
	}
	return result;
}

int
loop_change(struct loop *loop, struct loop_source *source, uint32_t events)
{
	if (source->fd < 0 || source->events == events) {
		return 0;
	}
	source->events = events;
	return control(loop, EPOLL_CTL_MOD, source);
}

void
loop_forget(struct loop *loop, struct loop_source *source)
{
	if (source->fd < 0) {
		return;
	}
	(void)control(loop, EPOLL_CTL_DEL, source); /* fails only if it was never there */
	loop_forget_closing(loop, source);
}

void
loop_forget_closing(struct loop *loop, struct loop_source *source)
{
	source->fd = -1;
	for (int i = loop->batch_at; i < loop->batch_count; i++) {
		if (loop->batch[i].data.ptr == source) {
			loop->batch[i].data.ptr = NULL;
		}
	}
}

int
loop_move(struct loop *loop, struct loop_source *from, struct loop_source *to,
          uint32_t events)
{
	int result;

	to->fd = from->fd;
	to->events = events;
	loop_forget_closing(loop, from);
	result = to->fd >= 0 ? control(loop, EPOLL_CTL_MOD, to) : -EBADF;
	if (result != 0) {
		to->fd = -1;
	}
	return result;
}

int
loop_turn(struct loop *loop, int timeout_ms)
{
	return loop_turn_few(loop, timeout_ms, LOOP_BATCH);
}

int
loop_turn_few(struct loop *loop, int timeout_ms, int count_max)
{
	int count = epoll_wait(loop->epoll_fd, loop->batch, count_max, timeout_ms);

	if (count < 0) {
		return errno == EINTR ? 0 : -errno;
	}
	loop->now_ms = clock_monotonic_ms();
	loop->batch_count = count;
	for (loop->batch_at = 0; loop->batch_at < loop->batch_count;) {
		struct epoll_event event = loop->batch[loop->batch_at++];
		struct loop_source *source = event.data.ptr;

		if (source != NULL) {
			source->handle(source, event.events);
		}
	}
	loop->batch_count = 0;
	return 0;
}
