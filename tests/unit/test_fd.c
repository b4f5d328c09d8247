/*
 * test_fd: one message, at most one descriptor; whatever else is sent, none stays open.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/fd.h"
#include "common/base.h"

static size_t
open_descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	size_t count = 0;

	assert_non_null(dir);
	while (readdir(dir) != NULL) {
		count++;
	}
	(void)closedir(dir);
	return count;
}

/* Send a message with so many descriptors, as channel_send would never do. */
static void
send_many(int channel_fd, const void *bytes, size_t len, size_t count)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(8 * sizeof(int))];
	} control = {0};
	char copy[64];
	struct iovec part = {.iov_base = copy, .iov_len = len};
	struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
	struct cmsghdr *header;
	const int fd = STDERR_FILENO;

	memcpy(copy, bytes, len);
	message.msg_control = control.bytes;
	message.msg_controllen = CMSG_SPACE(count * sizeof(int));
	header = CMSG_FIRSTHDR(&message);
	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(count * sizeof(int));
	for (size_t i = 0; i < count; i++) {
		memcpy(CMSG_DATA(header) + i * sizeof(int), &fd, sizeof(fd));
	}
	assert_int_equal(sendmsg(channel_fd, &message, 0), (ssize_t)len);
}

static void
messages_keep_their_bounds(void **state)
{
	char bytes[16];
	int ends[2];
	int fd = 77;

	(void)state;
	assert_int_equal(channel_pair(ends), 0);
	assert_int_equal(channel_recv(ends[1], bytes, sizeof(bytes), MSG_DONTWAIT, &fd),
	                 -EAGAIN);
	assert_int_equal(fd, 77);
	assert_int_equal(channel_send(ends[0], "one", 3, -1), 0);
	assert_int_equal(channel_send(ends[0], "three", 5, -1), 0);
	assert_int_equal(channel_recv(ends[1], bytes, sizeof(bytes), 0, &fd), 3);
	assert_int_equal(fd, -1);
	assert_memory_equal(bytes, "one", 3);
	assert_int_equal(channel_recv_plain(ends[1], bytes, sizeof(bytes), 0), 5);
	fd_close(&ends[0]);
	assert_int_equal(channel_recv(ends[1], bytes, sizeof(bytes), 0, &fd), 0);
	assert_int_equal(channel_recv_plain(ends[1], bytes, sizeof(bytes), 0), 0);
	assert_int_equal(channel_send(ends[1], "x", 1, -1), -EPIPE); /* and no signal */
	fd_close(&ends[1]);
	assert_int_equal(ends[1], -1);
}

static void
pairs_are_made_for_a_loop_and_a_child(void **state)
{
	int ends[2];

	(void)state;
	assert_int_equal(channel_pair(ends), 0);
	assert_true((fcntl(ends[0], F_GETFL) & O_NONBLOCK) != 0);
	assert_true((fcntl(ends[1], F_GETFL) & O_NONBLOCK) == 0);
	assert_true((fcntl(ends[0], F_GETFD) & FD_CLOEXEC) != 0);
	assert_true((fcntl(ends[1], F_GETFD) & FD_CLOEXEC) != 0);
	assert_int_equal(fd_set_nonblocking(ends[0], false), 0);
	assert_true((fcntl(ends[0], F_GETFL) & O_NONBLOCK) == 0);
	fd_close(&ends[0]);
	assert_int_equal(fd_set_nonblocking(ends[0], true), -EBADF);
	fd_close(&ends[1]);
}

static void
sending_never_waits(void **state)
{
	char bytes[1024] = {0};
	int ends[2];
	int result = 0;

	(void)state;
	assert_int_equal(channel_pair(ends), 0);
	/* The blocking end. */
	for (int i = 0; i < 100000 && result == 0; i++) {
		result = channel_send(ends[1], bytes, sizeof(bytes), -1);
	}
	assert_int_equal(result, -EAGAIN);
	fd_close(&ends[0]);
	fd_close(&ends[1]);
}

static void
one_descriptor_passes(void **state)
{
	size_t before = open_descriptors();
	char bytes[16];
	int ends[2];
	int file_fd = memfd_create("passed", 0);
	int fd = -1;

	(void)state;
	assert_int_equal(channel_pair(ends), 0);
	assert_int_equal(channel_send(ends[0], "x", 1, file_fd), 0);
	assert_int_equal(channel_recv(ends[1], bytes, sizeof(bytes), 0, &fd), 1);
	assert_true(fd >= 0 && fd != file_fd);
	assert_true((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
	fd_close(&fd);
	/* recv drops it. */
	assert_int_equal(channel_send(ends[0], "x", 1, file_fd), 0);
	assert_int_equal(channel_recv_plain(ends[1], bytes, sizeof(bytes), 0), 1);
	fd_close(&file_fd);
	fd_close(&ends[0]);
	fd_close(&ends[1]);
	assert_int_equal(open_descriptors(), before);
}

static void
surplus_descriptors_are_refused(void **state)
{
	size_t before = open_descriptors();
	char bytes[16];
	int ends[2];

	(void)state;
	assert_int_equal(channel_pair(ends), 0);
	for (size_t count = 2; count <= 8; count++) {
		int fd = 77;

		send_many(ends[0], "x", 1, count);
		assert_int_equal(channel_recv(ends[1], bytes, sizeof(bytes), 0, &fd),
		                 -EPROTO);
		assert_int_equal(fd, 77);
		send_many(ends[0], "x", 1, count);
		assert_int_equal(channel_recv_plain(ends[1], bytes, sizeof(bytes), 0), 1);
	}
	fd_close(&ends[0]);
	fd_close(&ends[1]);
	assert_int_equal(open_descriptors(), before);
}

static void
long_and_empty_messages_leave_no_descriptor(void **state)
{
	size_t before = open_descriptors();
	char bytes[4];
	int ends[2];
	int fd = -1;

	(void)state;
	assert_int_equal(channel_pair(ends), 0);
	assert_int_equal(channel_send(ends[0], "12345", 5, STDERR_FILENO), 0);
	assert_int_equal(channel_recv(ends[1], bytes, sizeof(bytes), 0, &fd), -EMSGSIZE);
	assert_int_equal(channel_send(ends[0], "12345", 5, -1), 0);
	assert_int_equal(channel_recv_plain(ends[1], bytes, sizeof(bytes), 0), -EMSGSIZE);
	assert_int_equal(channel_send(ends[0], "1234", 4, -1), 0);
	assert_int_equal(channel_recv(ends[1], bytes, sizeof(bytes), 0, &fd), 4);
	send_many(ends[0], "", 0, 1);
	assert_int_equal(channel_recv(ends[1], bytes, sizeof(bytes), 0, &fd), 0);
	assert_int_equal(fd, -1);
	fd_close(&ends[0]);
	fd_close(&ends[1]);
	assert_int_equal(open_descriptors(), before);
}

static void
everything_above_is_closed(void **state)
{
	int status;
	pid_t pid = fork();

	(void)state;
	if (pid == 0) {
		int high_fd = fcntl(STDERR_FILENO, F_DUPFD, 500);
		bool is_right = high_fd >= 500 && fd_close_from(3) == 0 &&
		                fcntl(high_fd, F_GETFD) < 0 && fcntl(3, F_GETFD) < 0 &&
		                fcntl(2, F_GETFD) >= 0;

		_exit(is_right ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void
closing_keeps_errno(void **state)
{
	int fd = 9999;

	(void)state;
	errno = ENOSPC;
	fd_close(&fd);
	assert_int_equal(errno, ENOSPC);
	assert_int_equal(fd, -1);
	fd_close(&fd);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(messages_keep_their_bounds),
	    cmocka_unit_test(pairs_are_made_for_a_loop_and_a_child),
	    cmocka_unit_test(sending_never_waits),
	    cmocka_unit_test(one_descriptor_passes),
	    cmocka_unit_test(surplus_descriptors_are_refused),
	    cmocka_unit_test(long_and_empty_messages_leave_no_descriptor),
	    cmocka_unit_test(everything_above_is_closed),
	    cmocka_unit_test(closing_keeps_errno),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
