/*
 * test_worker_check: deftpd-worker as the master starts it: to check certificates, to
 * make one, and to serve with them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/fd.h"
#include "common/forkserver.h"
#include "ftpd/conf/conf.h"
#include "ftpd/ipc/message.h"
#include "ftpd/ipc/tls_report.h"
#include "ftpd/tls/self_signed.h"
#include "common/base.h"

enum {
	ARGUMENTS_MAX = 6,
	REPORTS_MAX = 16,
	FDS = 3,         /* channel, options, files */
	FIRST_FREE = 20, /* beyond all that is handed over */
	TEXT_MAX = TLS_REPORT_TEXT_MAX + 1,
};

/* A run of the program, and what it has said. */
struct run {
	const char *arguments[ARGUMENTS_MAX]; /* behind the name; up to NULL */
	const char *conf;                     /* text of a file */
	const char *certificate;              /* NULL: no files */
	const char *key;
	bool has_no_files; /* something else is where they should be */
	/* afterwards: */
	int status;
	size_t count;
	enum tls_report_type types[REPORTS_MAX];
	char texts[REPORTS_MAX][TEXT_MAX];
	bool is_ready; /* it would fork workers now */
};

/* As whom the program runs. */
struct whom {
	char uid[16];
	char gid[16];
};

/* Root gives its own up. */
static int
find_whom(void **state)
{
	static struct whom whom;
	unsigned nobody = 65534;
	bool is_root = getuid() == 0;

	(void)snprintf(whom.uid, sizeof(whom.uid), "%u", is_root ? nobody : getuid());
	(void)snprintf(whom.gid, sizeof(whom.gid), "%u", is_root ? nobody : getgid());
	*state = &whom;
	return 0;
}

static void
seal(const struct run *run, int ret_fds[2])
{
	const char *text = run->conf != NULL ? run->conf : "";
	struct conf *conf = conf_read_buffer("f", text, strlen(text), NULL, 0);
	struct tls_file files[2] = {
	    {.kind = TLS_FILE_CERTIFICATE, .path = "/c", .path_len = 2},
	    {.kind = TLS_FILE_KEY, .path = "/k", .path_len = 2},
	};

	assert_non_null(conf);
	assert_int_equal(conf_findings_count(conf), 0);
	assert_int_equal(conf_seal(conf_options(conf), conf_overrides(conf), &ret_fds[0]),
	                 0);
	conf_free(conf);
	if (run->certificate != NULL) {
		files[0].bytes = (const uint8_t *)run->certificate;
		files[0].len = strlen(run->certificate);
		files[1].bytes = (const uint8_t *)run->key;
		files[1].len = strlen(run->key);
	}
	assert_int_equal(
	    tls_files_seal(files, run->certificate != NULL ? 2 : 0, &ret_fds[1]), 0);
	if (run->has_no_files) {
		(void)close(ret_fds[1]);
		ret_fds[1] = open("/dev/null", O_RDONLY | O_CLOEXEC);
	}
}

/* In the child: put the descriptors where the program looks for them. */
static void
become(const struct run *run, const int fds[FDS])
{
	char *argv[ARGUMENTS_MAX + 2] = {strdup("deftpd-worker")};
	int moved[FDS];

	for (size_t i = 0; i < FDS; i++) {
		moved[i] = fcntl(fds[i], F_DUPFD, FIRST_FREE);
	}
	for (size_t i = 0; i < FDS; i++) {
		(void)dup2(moved[i], IPC_START_FD + (int)i);
		(void)close(moved[i]);
	}
	for (size_t i = 0; i < ARGUMENTS_MAX && run->arguments[i] != NULL; i++) {
		argv[i + 1] = strdup(run->arguments[i]);
	}
	(void)dup2(open("/dev/null", O_WRONLY), STDERR_FILENO); /* it is expected */
	(void)execv(DEFTPD_WORKER_PROGRAM, argv);
	_exit(99);
}

static void
take(struct run *run, const uint8_t *bytes, size_t len)
{
	struct tls_report report;
	struct spawn_message spawned;

	if (spawn_decode(bytes, len, &spawned) && spawned.type == SPAWN_READY &&
	    strcmp(run->arguments[0], "check") != 0) {
		run->is_ready = true;
		return;
	}
	assert_true(run->count < REPORTS_MAX);
	assert_true(tls_report_decode(bytes, len, &report));
	run->types[run->count] = report.type;
	(void)snprintf(run->texts[run->count], TEXT_MAX, "%.*s", (int)report.text_len,
	               report.text);
	run->count++;
}

static void
perform(struct run *run)
{
	uint8_t bytes[IPC_MESSAGE_MAX];
	int ends[2];
	int sealed[2];
	ssize_t len;
	pid_t pid;

	seal(run, sealed);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		become(run, (const int[FDS]){ends[1], sealed[0], sealed[1]});
	}
	(void)close(ends[1]);
	while (!run->is_ready && (len = recv(ends[0], bytes, sizeof(bytes), 0)) > 0) {
		take(run, bytes, (size_t)len);
	}
	(void)close(ends[0]); /* a forkserver ends then */
	assert_int_equal(waitpid(pid, &run->status, 0), pid);
	assert_true(WIFEXITED(run->status));
	run->status = WEXITSTATUS(run->status);
	(void)close(sealed[0]);
	(void)close(sealed[1]);
}

static struct run *
new_run(void)
{
	struct run *run = calloc(1, sizeof(*run));

	assert_non_null(run);
	return run;
}

/* Make a pair by the program itself. */
static struct run *
make_pair(void)
{
	struct run *made = new_run();

	made->arguments[0] = "self-signed";
	made->arguments[1] = "ftp.example";
	made->arguments[2] = "127.0.0.1";
	perform(made);
	assert_int_equal(made->status, 0);
	assert_int_equal(made->count, 3);
	assert_int_equal(made->types[0], TLS_REPORT_CERTIFICATE);
	assert_int_equal(made->types[1], TLS_REPORT_KEY);
	assert_int_equal(made->types[2], TLS_REPORT_END);
	return made;
}

static void
check_of(struct run *run, const struct whom *whom, const struct run *of, const char *key)
{
	run->arguments[0] = "check";
	run->arguments[1] = whom->uid;
	run->arguments[2] = whom->gid;
	run->conf = "tls { certificate = {\"/c\"} private_key = {\"/k\"} }\n";
	run->certificate = of->texts[0];
	run->key = key;
	perform(run);
}

static void
a_pair_is_made_and_found_right(void **state)
{
	struct run *made = make_pair();
	struct run *checked = new_run();

	check_of(checked, *state, made, made->texts[1]);
	assert_int_equal(checked->status, 0);
	assert_int_equal(checked->count, 2);
	assert_int_equal(checked->types[0], TLS_REPORT_FACT);
	assert_string_equal(
	    checked->texts[0],
	    "CN = ftp.example, ECDSA key of 256 bits, for ftp.example, 127.0.0.1");
	assert_int_equal(checked->types[1], TLS_REPORT_END);
	free(checked);
	free(made);
}

/* A mistake is told like all else: the program itself has done what it should. */
static void
a_mistake_is_told(void **state)
{
	struct run *made = make_pair();
	struct run *other = make_pair();
	struct run *checked = new_run();

	check_of(checked, *state, made, other->texts[1]);
	assert_int_equal(checked->status, 0);
	assert_int_equal(checked->count, 2);
	assert_int_equal(checked->types[0], TLS_REPORT_MISTAKE);
	assert_non_null(strstr(checked->texts[0], "does not belong"));
	assert_int_equal(checked->types[1], TLS_REPORT_END);
	free(checked);
	free(other);
	free(made);
}

static void
without_tls_there_is_nothing_to_check(void **state)
{
	const struct whom *whom = *state;
	struct run *checked = new_run();

	checked->arguments[0] = "check";
	checked->arguments[1] = whom->uid;
	checked->arguments[2] = whom->gid;
	perform(checked);
	assert_int_equal(checked->status, 0);
	assert_int_equal(checked->count, 1);
	assert_int_equal(checked->types[0], TLS_REPORT_END);
	free(checked);
}

static void
a_bad_start_has_no_end(void **state)
{
	const struct whom *whom = *state;
	const struct {
		const char *arguments[ARGUMENTS_MAX];
		int status;
	} cases[] = {
	    {{"self-signed", "not a name"}, 1},
	    {{"self-signed", "a.example", "b..example"}, 1},
	    {{"self-signed"}, 2},
	    {{"check", whom->uid, whom->gid}, 1}, /* without files */
	    {{"check", whom->uid}, 2},
	    {{"check", "joe", "users"}, 2},
	    {{whom->uid, whom->gid}, 1}, /* to serve, without files */
	    {{"joe", whom->gid}, 2},
	    {{NULL}, 2},
	};

	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		struct run *run = new_run();

		memcpy(run->arguments, cases[i].arguments, sizeof(run->arguments));
		run->has_no_files = true;
		perform(run);
		assert_int_equal(run->status, cases[i].status);
		assert_int_equal(run->count, 0);
		assert_false(run->is_ready);
		free(run);
	}
}

static void
the_forkserver_starts_with_what_is_right_only(void **state)
{
	struct run *made = make_pair();
	struct run *other = make_pair();
	const struct whom *whom = *state;

	for (unsigned i = 0; i < 2; i++) {
		struct run *run = new_run();
		bool is_right = i == 0;

		run->arguments[0] = whom->uid;
		run->arguments[1] = whom->gid;
		run->conf = "tls { certificate = {\"/c\"} private_key = {\"/k\"} }\n";
		run->certificate = made->texts[0];
		run->key = is_right ? made->texts[1] : other->texts[1];
		perform(run);
		assert_int_equal(run->is_ready, is_right);
		assert_int_equal(run->status, is_right ? 0 : 1);
		free(run);
	}
	free(other);
	free(made);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_pair_is_made_and_found_right),
	    cmocka_unit_test(a_mistake_is_told),
	    cmocka_unit_test(without_tls_there_is_nothing_to_check),
	    cmocka_unit_test(a_bad_start_has_no_end),
	    cmocka_unit_test(the_forkserver_starts_with_what_is_right_only),
	};

	return cmocka_run_group_tests(tests, find_whom, NULL);
}
