/*
 * test_tls_stream_kernel: whether the kernel encrypts is found out for each connection,
 * and each no leads back to where nothing is different. The kernel is played: it says
 * that it has TLS and takes keys, and lets what it should encrypt pass.
 * Source: SECURITY.md T12.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <linux/tls.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tests/unit/tls_harness.h"
#include "common/base.h"

enum kernel {
	KERNEL_WITHOUT, /* it has no TLS */
	KERNEL_REFUSES, /* it has, but not for these keys */
	KERNEL_TAKES,
};

/* NOLINTBEGIN(cppcoreguidelines-avoid-non-const-global-variables): see play_option */
static enum kernel kernel;
static int kernel_error;
static unsigned questions;
static unsigned keys_to_send;
static unsigned keys_to_receive;
/* NOLINTEND(cppcoreguidelines-avoid-non-const-global-variables) */

enum {
	BIG = 400 * 1000,
	FILE_BYTES = 8192,
	OFFSET = 100,
	TEXT_MAX = 1024,
};

/* In place of the C library's setsockopt, for OpenSSL, too. */
int play_option(int fd, int level, int name, const void *value,
                socklen_t len) __asm__("setsockopt");

int
play_option(int fd, int level, int name, const void *value, socklen_t len)
{
	if (level == IPPROTO_TCP && name == TCP_ULP) {
		questions++;
		errno = kernel_error;
		return kernel == KERNEL_WITHOUT ? -1 : 0;
	}
	if (level == SOL_TLS) {
		keys_to_send += name == TLS_TX;
		keys_to_receive += name == TLS_RX;
		errno = EINVAL;
		return kernel == KERNEL_TAKES ? 0 : -1;
	}
	return (int)syscall(SYS_setsockopt, fd, level, name, value, len);
}

static void
play(enum kernel wanted)
{
	kernel = wanted;
	kernel_error = ENOENT;
	questions = 0;
	keys_to_send = 0;
	keys_to_receive = 0;
}

/* Data goes both ways, encrypted here. */
static void
assert_speaks(struct duo *duo)
{
	static uint8_t bytes[BIG];
	static char heard[BIG + 1];
	char text[TEXT_MAX];
	size_t written = 0;
	size_t got = 0;

	memset(bytes, 'x', sizeof(bytes));
	duo_say(duo, "hello");
	assert_int_equal(tls_stream_read(duo->stream, text, sizeof(text)), 5);
	while (got < BIG) {
		ssize_t taken =
		    written < BIG
			? tls_stream_write(duo->stream, bytes + written, BIG - written)
			: 0;

		written += taken > 0 ? (size_t)taken : 0;
		(void)tls_stream_flush(duo->stream);
		got += duo_hear(duo, heard + got, sizeof(heard) - got);
	}
	assert_memory_equal(heard, bytes, BIG);
	assert_int_equal(tls_stream_send_file(duo->stream, 0, 0, 1), -EINVAL);
	assert_int_equal(tls_stream_close(duo->stream), 0);
	assert_int_equal(duo_hear(duo, text, sizeof(text)), 0);
	assert_int_equal(SSL_get_shutdown(duo->client) & SSL_RECEIVED_SHUTDOWN,
	                 SSL_RECEIVED_SHUTDOWN);
}

static void
each_no_leads_back(void **state)
{
	static const struct {
		const char *options;
		enum tls_side side;
		bool is_upload;
		enum kernel kernel;
		enum tls_kernel found;
		unsigned keys;
	} cases[] = {
	    {"", TLS_DATA, false, KERNEL_WITHOUT, TLS_KERNEL_MISSING, 0},
	    {"", TLS_DATA, false, KERNEL_REFUSES, TLS_KERNEL_NOT_THIS, 1},
	    {"", TLS_CONTROL, false, KERNEL_TAKES, TLS_KERNEL_UNASKED, 0},
	    {"", TLS_DATA, true, KERNEL_TAKES, TLS_KERNEL_UNASKED, 0},
	    {"kernel = off", TLS_DATA, false, KERNEL_TAKES, TLS_KERNEL_OFF, 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		struct lab lab;

		duo_lab(&lab, cases[i].options);
		for (size_t j = 0; j < ARRAY_COUNT(duo_versions); j++) {
			struct duo_order order = {.version = duo_versions[j],
			                          .side = cases[i].side,
			                          .is_upload = cases[i].is_upload,
			                          .is_tcp = true};
			struct duo duo;

			play(cases[i].kernel);
			duo_open(&duo, &lab, &order);
			assert_int_equal(tls_stream_kernel(duo.stream), cases[i].found);
			assert_int_equal(keys_to_send, cases[i].keys);
			assert_int_equal(keys_to_receive, 0);
			assert_speaks(&duo);
			duo_end(&duo);
		}
		lab_end(&lab);
	}
}

/* The kernel that has no TLS is asked once; other errors are one connection's. */
static void
a_kernel_without_is_asked_once(void **state)
{
	static const struct {
		int error;
		unsigned questions;
	} cases[] = {{ENOENT, 1}, {ENOTCONN, 3}};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		struct duo_order order = {.side = TLS_DATA, .is_tcp = true};
		struct lab lab;

		duo_lab(&lab, "");
		play(KERNEL_WITHOUT);
		kernel_error = cases[i].error;
		for (int n = 0; n < 3; n++) {
			struct duo duo;

			duo_open(&duo, &lab, &order);
			assert_int_equal(tls_stream_kernel(duo.stream),
			                 TLS_KERNEL_MISSING);
			duo_end(&duo);
		}
		assert_int_equal(questions, cases[i].questions);
		lab_end(&lab);
	}
}

/* What OpenSSL would not hand to any kernel: its block ciphers. */
static void
not_every_cipher_is_for_the_kernel(void **state)
{
	struct duo_order order = {.version = TLS1_2_VERSION,
	                          .side = TLS_DATA,
	                          .is_tcp = true,
	                          .ciphers = "ECDHE-ECDSA-AES128-SHA256"};
	struct lab lab;
	struct duo duo;

	(void)state;
	duo_lab(&lab, "ciphers = \"ECDHE-ECDSA-AES128-SHA256\"");
	play(KERNEL_TAKES);
	duo_open(&duo, &lab, &order);
	assert_int_equal(tls_stream_kernel(duo.stream), TLS_KERNEL_NOT_THIS);
	assert_int_equal(keys_to_send, 0);
	assert_speaks(&duo);
	duo_end(&duo);
	lab_end(&lab);
}

/* Where the kernel has the keys, it gets what shall be encrypted, and nobody else. */
static void
the_kernel_gets_what_it_shall_encrypt(void **state)
{
	static const uint8_t close_notify[] = {1, 0};
	/* in TLS 1.2 the handshake's last message, too, would pass in clear here */
	struct duo_order order = {.side = TLS_DATA, .is_tcp = true};
	struct lab lab;
	struct duo duo;
	int file = memfd_create("file", MFD_CLOEXEC);
	char bytes[FILE_BYTES];
	char got[FILE_BYTES];

	(void)state;
	memset(bytes, 'y', sizeof(bytes));
	bytes[OFFSET] = 'z';
	assert_true(file >= 0);
	assert_int_equal(write(file, bytes, sizeof(bytes)), sizeof(bytes));
	duo_lab(&lab, "");
	play(KERNEL_TAKES);
	duo_open(&duo, &lab, &order);
	assert_int_equal(tls_stream_kernel(duo.stream), TLS_KERNEL_USED);
	assert_int_equal(keys_to_send, 1);
	assert_int_equal(keys_to_receive, 0);
	assert_int_equal(tls_stream_write(duo.stream, "clear", 5), 5);
	assert_int_equal(tls_stream_flush(duo.stream), 0);
	assert_int_equal(recv(duo.client_fd, got, sizeof(got), 0), 5);
	assert_memory_equal(got, "clear", 5);
	assert_int_equal(tls_stream_send_file(duo.stream, file, OFFSET, TEXT_MAX),
	                 TEXT_MAX);
	assert_int_equal(recv(duo.client_fd, got, sizeof(got), 0), TEXT_MAX);
	assert_memory_equal(got, bytes + OFFSET, TEXT_MAX);
	/* receiving is ours as before */
	duo_say(&duo, "hello");
	assert_int_equal(tls_stream_read(duo.stream, got, sizeof(got)), 5);
	/* new keys of the client's are taken; for ours the kernel cannot be asked */
	assert_int_equal(SSL_key_update(duo.client, SSL_KEY_UPDATE_REQUESTED), 1);
	duo_say(&duo, "again");
	assert_int_equal(tls_stream_read(duo.stream, got, sizeof(got)), 5);
	assert_int_equal(tls_stream_write(duo.stream, "clear", 5), 5);
	assert_int_equal(recv(duo.client_fd, got, sizeof(got), 0), 5);
	/* an alert goes by a message that names its type; here it passes, too */
	assert_int_equal(tls_stream_close(duo.stream), 0);
	assert_int_equal(recv(duo.client_fd, got, sizeof(got), 0), 2);
	assert_memory_equal(got, close_notify, 2);
	duo_end(&duo);
	lab_end(&lab);
	(void)close(file);
}

static void
a_full_socket_is_waited_for(void **state)
{
	struct duo_order order = {.side = TLS_DATA, .is_tcp = true};
	static char bytes[BIG];
	struct lab lab;
	struct duo duo;
	ssize_t taken = 1;

	(void)state;
	duo_lab(&lab, "");
	play(KERNEL_TAKES);
	duo_open(&duo, &lab, &order);
	while (taken > 0) {
		taken = tls_stream_write(duo.stream, bytes, sizeof(bytes));
	}
	assert_int_equal(taken, -EAGAIN);
	assert_false(tls_stream_has_output(duo.stream));
	/* the end has to wait, too, and then is told once */
	assert_int_equal(tls_stream_close(duo.stream), -EAGAIN);
	(void)duo_receive(&duo);
	assert_int_equal(tls_stream_close(duo.stream), 0);
	assert_int_equal(tls_stream_close(duo.stream), 0);
	assert_int_equal(duo_receive(&duo), 2);
	duo_end(&duo);
	lab_end(&lab);
}

/* The handshake itself finds no room, before anybody knows whom the keys are for. */
static void
a_handshake_waits_for_room(void **state)
{
	static const enum kernel kernels[] = {KERNEL_WITHOUT, KERNEL_REFUSES};
	struct lab lab;

	(void)state;
	for (size_t i = 0; i < 2 * ARRAY_COUNT(kernels); i++) {
		/* no more fits into these when it is said that they are full */
		struct duo_order order = {.version = duo_versions[i % 2],
		                          .side = TLS_DATA};
		static char filler[BIG];
		size_t filled = 0;
		ssize_t len = 0;
		struct duo duo;

		duo_lab(&lab, "");
		play(kernels[i / 2]);
		duo_begin(&duo, &lab, &order);
		while ((len = send(duo.server_fd, filler, sizeof(filler), 0)) > 0) {
			filled += (size_t)len;
		}
		(void)SSL_do_handshake(duo.client);
		(void)duo_send(&duo, SIZE_MAX);
		for (int n = 0; n < 3; n++) {
			assert_int_equal(tls_stream_handshake(duo.stream),
			                 TLS_WANTS_WRITE);
			assert_int_equal(tls_stream_wants(duo.stream), EPOLLOUT);
		}
		while (filled > 0) {
			len = recv(duo.client_fd, filler,
			           filled < sizeof(filler) ? filled : sizeof(filler), 0);
			filled -= len > 0 ? (size_t)len : 0;
		}
		assert_int_equal(duo_shake(&duo), TLS_READY);
		assert_speaks(&duo);
		duo_end(&duo);
		lab_end(&lab);
	}
}

static void
the_state_has_words(void **state)
{
	static const enum tls_kernel all[] = {TLS_KERNEL_USED, TLS_KERNEL_OFF,
	                                      TLS_KERNEL_UNASKED, TLS_KERNEL_MISSING,
	                                      TLS_KERNEL_NOT_THIS};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(all); i++) {
		assert_non_null(strstr(tls_kernel_text(all[i]), "by the kernel"));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_no_leads_back),
	    cmocka_unit_test(a_kernel_without_is_asked_once),
	    cmocka_unit_test(not_every_cipher_is_for_the_kernel),
	    cmocka_unit_test(the_kernel_gets_what_it_shall_encrypt),
	    cmocka_unit_test(a_full_socket_is_waited_for),
	    cmocka_unit_test(a_handshake_waits_for_room),
	    cmocka_unit_test(the_state_has_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
