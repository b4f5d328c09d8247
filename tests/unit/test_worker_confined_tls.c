/*
 * test_worker_confined_tls: OpenSSL finds all it needs behind the worker's filter: every
 * kind of handshake and transfer, and nothing was denied.
 * Source: DESIGN.md section 3, rules 2 and 11.
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
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/sandbox.h"
#include "ftpd/worker/sandbox.h"
#include "tests/unit/tls_harness.h"
#include "common/base.h"

enum {
	OTHER_USER = 65534,
	BIG = 1024 * 1024,
	/* how a child has ended */
	FINE = 0,
	UNCONFINED = 1,
	FAILED = 2,
	DENIED = 100, /* and the number of the system call, up to what a status can say */
	STATUS_MAX = 255,
};

static bool
confine(void)
{
	static struct options options; /* too large for a stack */
	static const struct identity identity = {.uid = OTHER_USER, .gid = OTHER_USER};
	struct confinement confinement;
	const char *failed;

	options_set_defaults(&options);
	return sandbox_confine_forkserver(&identity, &options, &confinement, &failed) ==
	           0 &&
	       sandbox_confine_worker(&confinement) == 0;
}

/* Both ways, then the end. */
static bool
speak(struct duo *duo)
{
	char *bytes = calloc(1, BIG);
	ssize_t taken = 0;
	size_t heard = 0;

	if (bytes == NULL) {
		return false;
	}
	duo_say(duo, "hello");
	if (tls_stream_read(duo->stream, bytes, BIG) != 5) {
		free(bytes);
		return false;
	}
	taken = tls_stream_write(duo->stream, bytes, BIG);
	while (taken > 0 && heard < (size_t)taken) {
		(void)tls_stream_flush(duo->stream);
		heard += duo_hear(duo, bytes, BIG);
	}
	(void)tls_stream_close(duo->stream);
	free(bytes);
	return taken > 0;
}

static int
run(struct lab *lab, const int (*sockets)[2])
{
	int denied = -1;

	if (!confine()) {
		return UNCONFINED;
	}
	if (tls_context_seed(lab->context) != 0) {
		return FAILED;
	}
	for (size_t i = 0; i < 2 * ARRAY_COUNT(duo_versions); i++) {
		struct duo_order order = {.version = duo_versions[i / 2],
		                          .side = i % 2 == 0 ? TLS_CONTROL : TLS_DATA,
		                          .sockets = sockets[i]};
		struct duo duo;

		duo_open(&duo, lab, &order);
		if (!speak(&duo)) {
			return FAILED;
		}
		duo_end(&duo);
	}
	denied = sandbox_take_denied();
	return denied < 0                     ? FINE
	       : DENIED + denied < STATUS_MAX ? DENIED + denied
	                                      : STATUS_MAX;
}

static void
in_child(int (*action)(struct lab *, const int (*)[2]))
{
	struct lab lab;
	int sockets[2 * ARRAY_COUNT(duo_versions)][2];
	int status = 0;
	pid_t pid;

	if (!sandbox_is_built()) {
		skip();
	}
	duo_lab(&lab, "");
	for (size_t i = 0; i < ARRAY_COUNT(sockets); i++) {
		duo_connect(true, sockets[i]);
	}
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		_exit(action(&lab, (const int(*)[2])sockets));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	for (size_t i = 0; i < ARRAY_COUNT(sockets); i++) {
		(void)close(sockets[i][0]);
		(void)close(sockets[i][1]);
	}
	lab_end(&lab);
}

static void
nothing_that_tls_needs_is_denied(void **state)
{
	(void)state;
	in_child(run);
}

/* The kernel's TLS may be asked for sending; for receiving it may not. */
static int
ask_the_kernel(struct lab *lab, const int (*sockets)[2])
{
	struct tls12_crypto_info_aes_gcm_256 keys = {
	    .info = {TLS_1_3_VERSION, TLS_CIPHER_AES_GCM_256}};
	int fd = sockets[0][0];

	(void)lab;
	if (!confine()) {
		return UNCONFINED;
	}
	if (setsockopt(fd, IPPROTO_TCP, TCP_ULP, "tls", sizeof("tls")) != 0 &&
	    errno == ENOSYS) {
		return FAILED;
	}
	if (setsockopt(fd, SOL_TLS, TLS_TX, &keys, sizeof(keys)) != 0 &&
	    errno == ENOSYS) {
		return FAILED;
	}
	if (sandbox_take_denied() >= 0) {
		return DENIED;
	}
	return setsockopt(fd, SOL_TLS, TLS_RX, &keys, sizeof(keys)) != 0 &&
	               errno == ENOSYS && sandbox_take_denied() >= 0
	           ? FINE
	           : FAILED;
}

static void
the_kernel_may_be_asked_to_encrypt(void **state)
{
	(void)state;
	in_child(ask_the_kernel);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(nothing_that_tls_needs_is_denied),
	    cmocka_unit_test(the_kernel_may_be_asked_to_encrypt),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
