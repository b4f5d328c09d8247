/*
 * test_master_listen: listeners of both kinds come, change their kind and go; who is
 * refused by one of implicit TLS reads nothing.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/fd.h"
#include "common/sockaddr.h"
#include "ftpd/master/listen.h"
#include "ftpd/master/refuse.h"
#include "common/base.h"

enum {
	PORTS = 2,
};

struct run {
	struct master *master;
	struct options options;
	struct addr addr[PORTS]; /* free when the test began */
};

/* Returns: an address of this machine with a port that nobody uses. */
static struct addr
find_free(void)
{
	const struct addr loopback = {.family = ADDR_IPV4, .bytes = {127, 0, 0, 1}};
	struct sockaddr_storage sockaddr;
	socklen_t len = sockaddr_from_addr(&loopback, &sockaddr);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&sockaddr, len), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&sockaddr, &len), 0);
	fd_close(&fd);
	return sockaddr_to_addr(&sockaddr);
}

static int
set_up(void **state)
{
	struct run *run = calloc(1, sizeof(*run));

	assert_non_null(run);
	run->master = calloc(1, sizeof(*run->master));
	assert_non_null(run->master);
	assert_int_equal(loop_init(&run->master->loop), 0);
	timer_wheel_init(&run->master->wheel, clock_monotonic_ms());
	options_set_defaults(&run->options);
	run->options.tls.certificate.count = 1;
	for (int i = 0; i < PORTS; i++) {
		run->addr[i] = find_free();
	}
	*state = run;
	return 0;
}

static int
tear_down(void **state)
{
	struct run *run = *state;

	listen_end(run->master);
	refuse_end(run->master);
	(void)close(run->master->loop.epoll_fd);
	free(run->master);
	free(run);
	return 0;
}

/* Which of the addresses is in which list: masks. */
static void
set_lists(struct run *run, unsigned plain, unsigned implicit)
{
	struct options *options = &run->options;

	options->listen.count = 0;
	options->listen_implicit_tls.count = 0;
	for (unsigned i = 0; i < PORTS; i++) {
		if ((plain & 1U << i) != 0) {
			options->listen.entry[options->listen.count++] = run->addr[i];
		}
		if ((implicit & 1U << i) != 0) {
			struct options_listen_list *list = &options->listen_implicit_tls;

			list->entry[list->count++] = run->addr[i];
		}
	}
}

static const struct listener *
find(const struct run *run, unsigned at)
{
	const struct listener *listener;

	LIST_FOREACH(listener, &run->master->listeners, entry) {
		if (listener->addr.port == run->addr[at].port) {
			return listener;
		}
	}
	return NULL;
}

/* Returns: the socket, or -1. */
static int
fd_of(const struct run *run, unsigned at)
{
	const struct listener *listener = find(run, at);

	return listener != NULL ? listener->fd : -1;
}

/* Returns: true if somebody listens there, and the kind is this. */
static bool
is_kind(const struct run *run, unsigned at, bool is_implicit_tls)
{
	const struct listener *listener = find(run, at);

	return listener != NULL && listener->fd >= 0 &&
	       listener->is_implicit_tls == is_implicit_tls;
}

static void
prepare(struct run *run, unsigned plain, unsigned implicit)
{
	char mistake[LISTEN_MISTAKE_MAX];

	set_lists(run, plain, implicit);
	assert_true(listen_prepare(run->master, &run->options, mistake));
}

static void
listeners_change_their_kind(void **state)
{
	struct run *run = *state;
	int fd;

	prepare(run, 1, 2);
	listen_commit(run->master);
	assert_true(is_kind(run, 0, false));
	assert_true(is_kind(run, 1, true));
	fd = fd_of(run, 0);
	/* What comes holds when it has come; the socket and who waits in it stay. */
	prepare(run, 2, 1);
	assert_true(is_kind(run, 0, false));
	assert_true(is_kind(run, 1, true));
	listen_abandon(run->master);
	assert_true(is_kind(run, 0, false));
	prepare(run, 2, 1);
	listen_commit(run->master);
	assert_true(is_kind(run, 0, true));
	assert_true(is_kind(run, 1, false));
	assert_int_equal(fd_of(run, 0), fd);
	prepare(run, 3, 0);
	listen_commit(run->master);
	assert_true(is_kind(run, 0, false));
	assert_true(is_kind(run, 1, false));
}

static void
one_address_has_one_kind(void **state)
{
	struct run *run = *state;
	char mistake[LISTEN_MISTAKE_MAX];

	set_lists(run, 1, 1);
	assert_false(listen_prepare(run->master, &run->options, mistake));
	assert_non_null(strstr(mistake, "listen_implicit_tls"));
	assert_null(find(run, 0));
	prepare(run, 1, 2);
	listen_commit(run->master);
	set_lists(run, 3, 2);
	assert_false(listen_prepare(run->master, &run->options, mistake));
	assert_true(is_kind(run, 0, false));
	assert_true(is_kind(run, 1, true));
}

static void
without_tls_nobody_listens_for_it(void **state)
{
	struct run *run = *state;

	run->options.tls.certificate.count = 0;
	prepare(run, 1, 2);
	listen_commit(run->master);
	assert_true(is_kind(run, 0, false));
	assert_null(find(run, 1));
	run->options.tls.certificate.count = 1;
	prepare(run, 1, 2);
	listen_commit(run->master);
	assert_true(is_kind(run, 1, true));
	run->options.tls.policy = OPTIONS_TLS_OFF;
	prepare(run, 1, 2);
	listen_commit(run->master);
	assert_null(find(run, 1));
}

static void
the_refused_of_implicit_tls_read_nothing(void **state)
{
	static const struct {
		bool is_implicit_tls;
		const char *text;
	} rows[] = {
	    {false, "421 Too many clients are connected, please try again later.\r\n"},
	    {true, ""}};
	struct run *run = *state;

	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		char text[256] = "";
		int fds[2];

		assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds),
		                 0);
		refuse_unadmitted(run->master, fds[0], ADMIT_FULL,
		                  rows[i].is_implicit_tls);
		assert_int_equal(recv(fds[1], text, sizeof(text) - 1, MSG_DONTWAIT),
		                 strlen(rows[i].text));
		assert_string_equal(text, rows[i].text);
		/* The end of the stream, at once. */
		assert_int_equal(recv(fds[1], text, sizeof(text), MSG_DONTWAIT), 0);
		fd_close(&fds[1]);
	}
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(listeners_change_their_kind),
	    TEST(one_address_has_one_kind),
	    TEST(without_tls_nobody_listens_for_it),
	    TEST(the_refused_of_implicit_tls_read_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
