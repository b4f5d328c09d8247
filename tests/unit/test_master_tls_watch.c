/*
 * test_master_tls_watch: what the master believes of the program that checks
 * certificates, and what becomes of certificates that change while it serves.
 *
 * The program is this one, which a link calls deftpd-worker. What it says is in the
 * certificate that it is given: one word a line, see say().
 *
 * Long because the program that is played is needed by both, and by nobody else.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/fd.h"
#include "ftpd/ipc/message.h"
#include "ftpd/master/generation.h"
#include "ftpd/master/master.h"
#include "ftpd/master/moving.h"
#include "ftpd/master/recorder_link.h"
#include "ftpd/master/renew.h"
#include "ftpd/master/signals.h"
#include "ftpd/master/stop.h"
#include "ftpd/master/tls_program.h"
#include "ftpd/master/tls_watch.h"
#include "common/base.h"

enum {
	PATH_CAP = 256,
	WAIT_MS = 20000,
	/* As which the program must be told to run. */
	FAKE_UID = 4242,
	FAKE_GID = 4343,
	DAY_S = 24 * 3600,
};

/* ------------------------------------------------------------ the program */

static void
send_report(const struct tls_report *report)
{
	uint8_t bytes[IPC_MESSAGE_MAX];
	size_t len = tls_report_encode(report, bytes, sizeof(bytes));

	if (len == 0 || send(IPC_START_FD, bytes, len, MSG_NOSIGNAL) < 0) {
		_exit(2);
	}
}

static void
send_text(enum tls_report_type type, const char *text)
{
	const struct tls_report report = {
	    .type = type, .text = text, .text_len = strlen(text)};

	send_report(&report);
}

/* In: from_s: from now; until_s: likewise. */
static void
send_fact(int64_t from_s, int64_t until_s)
{
	int64_t now = (int64_t)time(NULL);
	const struct tls_report report = {.type = TLS_REPORT_FACT,
	                                  .begins = now + from_s,
	                                  .expires = now + until_s,
	                                  .text = "CN = a",
	                                  .text_len = strlen("CN = a")};

	send_report(&report);
}

static void
send_many(void)
{
	for (int i = 0; i <= TLS_PROGRAM_MESSAGES_MAX; i++) {
		send_text(TLS_REPORT_WARNING, "again");
	}
}

/* Returns: false when nothing more is to be said. */
static bool
say(const char *word)
{
	if (strcmp(word, "mistake") == 0) {
		send_text(TLS_REPORT_MISTAKE, "a mistake\n\x1b[31m\xff");
	} else if (strcmp(word, "warning") == 0) {
		send_text(TLS_REPORT_WARNING, "a warning");
	} else if (strcmp(word, "fact") == 0) {
		send_fact(-DAY_S, DAY_S);
	} else if (strcmp(word, "expired") == 0) {
		send_fact(-DAY_S, -1);
	} else if (strcmp(word, "early") == 0) {
		send_fact(DAY_S, 2 * DAY_S);
	} else if (strcmp(word, "key") == 0) {
		send_text(TLS_REPORT_KEY, "KEY");
	} else if (strcmp(word, "many") == 0) {
		send_many();
	} else if (strcmp(word, "garbage") == 0) {
		(void)send(IPC_START_FD, "\xff\xff", 2, MSG_NOSIGNAL);
	} else if (strcmp(word, "hang") == 0) {
		(void)pause(); /* until it is killed */
	} else if (strcmp(word, "end") == 0) {
		send_text(TLS_REPORT_END, "");
		return false;
	}
	return true;
}

/* What it finds must be what it is to find, and nothing else. */
static bool
is_place_right(int argc, char **argv)
{
	return argc == 4 && strcmp(argv[2], "4242") == 0 &&
	       strcmp(argv[3], "4343") == 0 && environ[0] == NULL &&
	       fcntl(IPC_OPTIONS_FD, F_GETFD) == 0 && fcntl(IPC_TLS_FD, F_GETFD) == 0 &&
	       fcntl(IPC_TLS_FD + 1, F_GETFD) < 0;
}

static int
check(int argc, char **argv)
{
	const struct tls_file *file;
	struct tls_files files;
	char words[PATH_CAP];
	char *rest = words;
	const char *word;

	if (!is_place_right(argc, argv) || tls_files_unseal(IPC_TLS_FD, &files) != 0) {
		return 3;
	}
	file = tls_files_find(&files, TLS_FILE_CERTIFICATE, 0, 0);
	(void)snprintf(words, sizeof(words), "%.*s", (int)file->len,
	               (const char *)file->bytes);
	while ((word = strsep(&rest, "\n")) != NULL) {
		if (!say(word)) {
			break;
		}
	}
	tls_files_free(&files);
	return 0;
}

static int
make_pair(int argc, char **argv)
{
	if (strcmp(argv[2], "two.example") == 0 && argc == 4) {
		send_text(TLS_REPORT_CERTIFICATE, argv[2]);
		send_text(TLS_REPORT_KEY, argv[3]);
	} else if (strcmp(argv[2], "no.key") == 0) {
		send_text(TLS_REPORT_CERTIFICATE, "CERT");
	} else if (strcmp(argv[2], "twice") == 0) {
		send_text(TLS_REPORT_KEY, "KEY");
		send_text(TLS_REPORT_KEY, "KEY");
	} else if (strcmp(argv[2], "finding") == 0) {
		send_text(TLS_REPORT_MISTAKE, "a mistake");
	}
	send_text(TLS_REPORT_END, "");
	return 0;
}

/* Any other start is that of a forkserver, which never becomes ready. */
static int
be_program(int argc, char **argv)
{
	char byte;

	if (argc > 2 && strcmp(argv[1], "check") == 0) {
		return check(argc, argv);
	}
	if (argc > 2 && strcmp(argv[1], "self-signed") == 0) {
		return make_pair(argc, argv);
	}
	(void)recv(IPC_START_FD, &byte, 1, 0); /* until the master closes it */
	return 0;
}

/* ------------------------------------------------------------ the master */

struct run {
	char top[PATH_CAP];
	struct master *master;
	struct generation generation; /* serves */
	unsigned told[TLS_REPORT_COUNT];
	unsigned done;
	bool is_complete;
};

static void
init_master(struct run *run)
{
	struct master *master = run->master;

	assert_int_equal(loop_init(&master->loop), 0);
	timer_wheel_init(&master->wheel, clock_monotonic_ms());
	admit_init(&master->admit, 1);
	login_desk_init(master, 1);
	moving_init(master, 1);
	TAILQ_INIT(&master->waiting_shared);
	TAILQ_INIT(&master->waiting_private);
	recorder_init(master);
	master->reserve_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	assert_int_equal(signals_begin(master), 0);
	(void)snprintf(master->program_dir, sizeof(master->program_dir), "%s", run->top);
}

static void
write_certificate(const struct run *run, const char *words)
{
	char path[2 * PATH_CAP];
	char new_path[2 * PATH_CAP];
	int fd;

	(void)snprintf(path, sizeof(path), "%s/crt", run->top);
	(void)snprintf(new_path, sizeof(new_path), "%s/new", run->top);
	fd = open(new_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, words, strlen(words)), strlen(words));
	fd_close(&fd);
	assert_int_equal(rename(new_path, path), 0);
}

static void
link_program(const struct run *run)
{
	char self[PATH_CAP];
	char link[2 * PATH_CAP];
	ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);

	assert_in_range(len, 1, sizeof(self) - 1);
	self[len] = '\0';
	(void)snprintf(link, sizeof(link), "%s/deftpd-worker", run->top);
	assert_int_equal(symlink(self, link), 0);
}

static int
set_up(void **state)
{
	struct run *run = calloc(1, sizeof(*run));
	struct generation *generation;

	assert_non_null(run);
	run->master = calloc(1, sizeof(*run->master));
	assert_non_null(run->master);
	(void)snprintf(run->top, sizeof(run->top), "/tmp/deftpd-tls-XXXXXX");
	assert_non_null(mkdtemp(run->top));
	link_program(run);
	init_master(run);
	generation = &run->generation;
	generation->master = run->master;
	generation->users.worker = (struct identity){FAKE_UID, FAKE_GID};
	options_set_defaults(&generation->options);
	generation->options.tls.certificate.count = 1;
	(void)snprintf(generation->options.tls.certificate.entry[0], OPTIONS_TEXT_MAX,
	               "%s/crt", run->top);
	assert_int_equal(conf_seal(&generation->options, NULL, &generation->options_fd),
	                 0);
	write_certificate(run, "first\nfact\nend\n");
	*state = run;
	return 0;
}

static int
remove_one(const char *path, const struct stat *info, int kind, struct FTW *where)
{
	(void)info;
	(void)kind;
	(void)where;
	return remove(path);
}

static int
tear_down(void **state)
{
	struct run *run = *state;

	stop_run(run->master);
	assert_int_equal(run->master->children.count, 0);
	fd_close(&run->generation.options_fd);
	assert_int_equal(nftw(run->top, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
	free(run->master);
	free(run);
	return 0;
}

static struct tls_load *
read_load(const struct run *run)
{
	struct tls_load *load =
	    tls_load_new(&run->generation.options, &run->generation.overrides);

	assert_non_null(load);
	assert_int_equal(
	    tls_source_seal(&load->source, NULL, NULL, NULL, &load->files_fd), 0);
	return load;
}

/* ------------------------------------------------------------ the verdict */

static void
take(void *listener, const struct tls_report *report)
{
	struct run *run = listener;

	run->told[report->type]++;
	assert_int_equal(strlen(report->text), report->text_len);
	if (report->type == TLS_REPORT_MISTAKE) {
		assert_string_equal(report->text, "a mistake??[31m?");
	}
}

static void
be_done(void *listener, bool is_complete, const char *why)
{
	struct run *run = listener;

	run->done++;
	run->is_complete = is_complete;
	assert_int_equal(is_complete, why[0] == '\0');
}

struct verdict_case {
	const char *words;
	int result;
	unsigned mistakes;
	unsigned warnings;
	unsigned facts;
};

static const struct verdict_case verdicts[] = {
    {"end\n", 0, 0, 0, 0},
    {"warning\nfact\nwarning\nend\n", 0, 0, 2, 1},
    {"mistake\nfact\nend\nmistake\n", 0, 1, 0, 1},
    {"", -EPROTO, 0, 0, 0},
    {"fact\n", -EPROTO, 0, 0, 1},
    {"garbage\nend\n", -EPROTO, 0, 0, 0},
    {"key\nend\n", -EPROTO, 0, 0, 0}, /* it was to check, not to make one */
    {"many\nend\n", -EPROTO, 0, TLS_PROGRAM_MESSAGES_MAX, 0},
};

static void
assert_told(const struct run *run, const struct verdict_case *row)
{
	assert_int_equal(run->told[TLS_REPORT_MISTAKE], row->mistakes);
	assert_int_equal(run->told[TLS_REPORT_WARNING], row->warnings);
	assert_int_equal(run->told[TLS_REPORT_FACT], row->facts);
	assert_int_equal(run->told[TLS_REPORT_KEY], 0);
}

static struct tls_program_setup
setup_of(const struct run *run, const struct tls_load *load)
{
	return (struct tls_program_setup){.dir = run->top,
	                                  .identity = &run->generation.users.worker,
	                                  .options_fd = run->generation.options_fd,
	                                  .files_fd = load->files_fd};
}

static void
verdicts_are_waited_for(void **state)
{
	struct run *run = *state;

	for (size_t i = 0; i < ARRAY_COUNT(verdicts); i++) {
		struct tls_program_setup setup;
		struct tls_load *load;

		write_certificate(run, verdicts[i].words);
		load = read_load(run);
		setup = setup_of(run, load);
		memset(run->told, 0, sizeof(run->told));
		assert_int_equal(tls_program_check(&setup, take, run),
		                 verdicts[i].result);
		assert_told(run, &verdicts[i]);
		setup.dir = "/srv/deftpd-has/no-such";
		assert_int_equal(tls_program_check(&setup, take, run), -EPROTO);
		tls_load_free(load);
	}
}

static void
turn_until(struct run *run, bool (*is_met)(const struct run *))
{
	uint64_t until_ms = clock_monotonic_ms() + WAIT_MS;

	while (!is_met(run) && clock_monotonic_ms() < until_ms) {
		assert_int_equal(master_turn(run->master), 0);
	}
	assert_true(is_met(run));
}

static bool
is_done(const struct run *run)
{
	return run->done > 0;
}

static bool
has_no_children(const struct run *run)
{
	return run->master->children.count == 0;
}

static void
verdicts_come_while_the_loop_goes_on(void **state)
{
	struct run *run = *state;

	for (size_t i = 0; i < ARRAY_COUNT(verdicts); i++) {
		struct tls_program program = {
		    .tell = take, .done = be_done, .listener = run};
		struct tls_program_setup setup;
		struct tls_load *load;

		write_certificate(run, verdicts[i].words);
		load = read_load(run);
		setup = setup_of(run, load);
		memset(run->told, 0, sizeof(run->told));
		run->done = 0;
		assert_int_equal(tls_program_begin(&program, run->master, &setup), 0);
		assert_true(program.is_running);
		turn_until(run, is_done);
		turn_until(run, has_no_children);
		assert_false(program.is_running);
		assert_int_equal(run->done, 1);
		assert_int_equal(run->is_complete, verdicts[i].result == 0);
		assert_told(run, &verdicts[i]);
		tls_load_free(load);
	}
}

static void
a_check_can_be_cancelled(void **state)
{
	struct run *run = *state;
	struct tls_program program = {.tell = take, .done = be_done, .listener = run};
	struct tls_program_setup setup;
	struct tls_load *load;

	write_certificate(run, "warning\nhang\n");
	load = read_load(run);
	setup = setup_of(run, load);
	tls_program_cancel(&program); /* harmless */
	assert_int_equal(tls_program_begin(&program, run->master, &setup), 0);
	tls_program_cancel(&program);
	assert_false(program.is_running);
	turn_until(run, has_no_children);
	assert_int_equal(run->done, 0);
	tls_load_free(load);
}

static void
pairs_are_made(void **state)
{
	static const char *const good[] = {"two.example", "127.0.0.1"};
	static const char *const bad[] = {"no.key", "twice", "finding"};
	struct run *run = *state;
	struct tls_pair pair;

	assert_int_equal(tls_program_self_signed(run->top, good, 2, &pair), 0);
	assert_string_equal(pair.certificate, "two.example");
	assert_string_equal(pair.key, "127.0.0.1");
	for (size_t i = 0; i < ARRAY_COUNT(bad); i++) {
		assert_int_equal(tls_program_self_signed(run->top, &bad[i], 1, &pair),
		                 -EPROTO);
		assert_int_equal(pair.key[0], '\0'); /* wiped */
	}
}

/* ------------------------------------------------------------ the watch */

static void
begin_watch(struct run *run)
{
	run->master->current = &run->generation;
	tls_watch_offer(run->master, read_load(run));
	tls_watch_accept(run->master);
	assert_true(timer_is_set(&run->master->tls.look.timer));
	assert_int_equal(tls_watch_fd(run->master), run->master->tls.used->files_fd);
}

/* As if the time had come. */
static void
look(struct run *run)
{
	struct deadline *deadline = &run->master->tls.look;

	timer_clear(&run->master->wheel, &deadline->timer);
	deadline->fire(run->master, deadline->owner);
	assert_true(timer_is_set(&deadline->timer));
}

static bool
is_checked(const struct run *run)
{
	return !run->master->tls.program.is_running;
}

/* Two looks, and the check if they lead to one. */
static void
notice(struct run *run)
{
	look(run);
	assert_false(run->master->tls.program.is_running);
	look(run);
	turn_until(run, is_checked);
}

static void
a_right_pair_is_taken_over(void **state)
{
	struct run *run = *state;
	struct master *master = run->master;
	const struct tls_load *old;

	begin_watch(run);
	old = master->tls.used;
	notice(run);
	assert_ptr_equal(master->tls.used, old);
	assert_null(master->next);
	write_certificate(run, "second\nwarning\nfact\nend\n");
	look(run);
	/* Not stable yet: it changes once more. */
	write_certificate(run, "third\nwarning\nfact\nend\n");
	look(run);
	assert_false(master->tls.program.is_running);
	look(run);
	assert_true(master->tls.program.is_running);
	turn_until(run, is_checked);
	assert_ptr_not_equal(master->tls.used, old);
	assert_int_equal(master->tls.used->fact_count, 1);
	assert_true(master->tls.used->fact[0].is_new);
	assert_true(master->next != NULL && !master->next->is_reload &&
	            master->next->tls_fd >= 0);
	assert_true(tls_watch_is_waiting(master));
	tls_watch_serving(master);
	assert_false(tls_watch_is_waiting(master));
	tls_watch_remind(master); /* it expires tomorrow: must not fail */
}

/* Once a day, and not at each look. */
static void
what_expires_is_told_of_daily(void **state)
{
	enum {
		DAY_MS = 24 * 3600 * 1000,
	};
	struct run *run = *state;
	struct tls_watch *watch = &run->master->tls;
	uint64_t before_ms;

	begin_watch(run);
	before_ms = watch->reminded_ms;
	look(run);
	assert_true(watch->reminded_ms == before_ms);
	watch->reminded_ms -= DAY_MS;
	look(run);
	assert_true(watch->reminded_ms >= before_ms);
	before_ms = watch->reminded_ms;
	look(run);
	assert_true(watch->reminded_ms == before_ms);
}

static void
a_wrong_pair_is_refused_once(void **state)
{
	static const char *const words[] = {"mistake\nfact\nend\n", "expired\nend\n"};
	struct run *run = *state;
	struct master *master = run->master;
	const struct tls_load *old;

	begin_watch(run);
	old = master->tls.used;
	for (size_t i = 0; i < ARRAY_COUNT(words); i++) {
		write_certificate(run, words[i]);
		notice(run);
		assert_ptr_equal(master->tls.used, old);
		assert_null(master->tls.found);
		assert_true(master->tls.is_refused);
		tls_watch_remind(master); /* it is said daily: must not fail */
		assert_false(master->tls.has_changed);
		/* And that was that. */
		look(run);
		assert_false(master->tls.program.is_running);
	}
	/* What is in use is put back: no check is needed, nothing is renewed. */
	write_certificate(run, "first\nfact\nend\n");
	look(run);
	look(run);
	assert_false(master->tls.program.is_running);
	assert_false(master->tls.is_refused);
	assert_ptr_equal(master->tls.used, old);
	assert_null(master->next);
	assert_true(tls_stamp_is_same(&master->tls.used->source.file[0].stamp,
	                              &master->tls.seen.file[0].stamp));
}

/* It is refused until its time comes, and needs no change of the files then. */
static void
one_of_the_future_waits(void **state)
{
	struct run *run = *state;
	struct master *master = run->master;
	const struct tls_load *old;

	begin_watch(run);
	old = master->tls.used;
	write_certificate(run, "early\nend\n");
	notice(run);
	assert_ptr_equal(master->tls.used, old);
	assert_true(master->tls.is_refused);
	assert_true(master->tls.valid_s > 0);
	master->tls.valid_s += DAY_S;
	look(run);
	assert_false(master->tls.program.is_running);
	master->tls.valid_s = (int64_t)time(NULL);
	/* As what is said is from now on, it is refused once more, and waits again. */
	look(run);
	assert_true(master->tls.program.is_running);
	assert_true(master->tls.valid_s == 0);
	turn_until(run, is_checked);
	assert_ptr_equal(master->tls.used, old);
	assert_true(master->tls.valid_s > 0);
	/* Another pair makes it forgotten. */
	write_certificate(run, "second\nfact\nend\n");
	notice(run);
	assert_ptr_not_equal(master->tls.used, old);
	assert_true(master->tls.valid_s == 0);
}

static void
files_that_are_gone_change_nothing(void **state)
{
	struct run *run = *state;
	struct master *master = run->master;
	const struct tls_load *old;
	char path[2 * PATH_CAP];

	begin_watch(run);
	old = master->tls.used;
	(void)snprintf(path, sizeof(path), "%s/crt", run->top);
	assert_int_equal(unlink(path), 0);
	notice(run);
	assert_ptr_equal(master->tls.used, old);
	assert_true(master->tls.is_refused);
	write_certificate(run, "second\nfact\nend\n");
	notice(run);
	assert_ptr_not_equal(master->tls.used, old);
}

/* A check that failed by itself says nothing of the files: there is another. */
static void
a_failed_check_is_repeated(void **state)
{
	struct run *run = *state;
	struct master *master = run->master;
	const struct tls_load *old;

	begin_watch(run);
	old = master->tls.used;
	write_certificate(run, "fact\n");
	notice(run);
	assert_ptr_equal(master->tls.used, old);
	assert_true(master->tls.has_changed);
	look(run);
	assert_true(master->tls.program.is_running);
	turn_until(run, is_checked);
	assert_ptr_equal(master->tls.used, old);
}

static void
a_reload_goes_before(void **state)
{
	struct run *run = *state;
	struct master *master = run->master;
	const struct tls_load *old;
	struct tls_load *coming;

	begin_watch(run);
	old = master->tls.used;
	/* A reload comes while a pair is being checked. */
	write_certificate(run, "second\nhang\n");
	look(run);
	look(run);
	assert_true(master->tls.program.is_running);
	write_certificate(run, "third\nfact\nend\n");
	coming = read_load(run);
	tls_watch_offer(master, coming);
	assert_ptr_equal(master->tls.used, old);
	assert_int_equal(
	    tls_load_add_fact(coming, &(struct tls_report){.text = "CN = a"}), 0);
	tls_watch_accept(master);
	assert_ptr_equal(master->tls.used, coming);
	assert_false(master->tls.program.is_running);
	/* It is told as any other that is new. */
	assert_true(tls_watch_is_waiting(master) && coming->fact[0].is_new);
	tls_watch_serving(master);
	assert_false(tls_watch_is_waiting(master));
	/* The same, but it fails: the pair is checked once more. */
	write_certificate(run, "second\nfact\nend\n");
	look(run);
	look(run);
	assert_true(master->tls.program.is_running);
	tls_watch_offer(master, read_load(run));
	turn_until(run, is_checked);
	assert_ptr_equal(master->tls.used, coming);
	tls_watch_abandon(master);
	look(run);
	assert_true(master->tls.program.is_running);
	turn_until(run, is_checked);
	assert_ptr_not_equal(master->tls.used, coming);
	coming = master->tls.used;
	renew_cancel(master);
	/* One that is under way keeps looks from doing anything; it fails. */
	write_certificate(run, "fourth\nfact\nend\n");
	tls_watch_offer(master, read_load(run));
	look(run);
	look(run);
	assert_false(master->tls.program.is_running);
	tls_watch_abandon(master);
	assert_ptr_equal(master->tls.used, coming);
	notice(run);
	assert_ptr_not_equal(master->tls.used, coming);
}

/* The new configuration has no TLS; what is found meanwhile must not end it. */
static void
a_reload_without_files_goes_before(void **state)
{
	struct run *run = *state;
	struct master *master = run->master;
	const struct generation_setup setup = {.options = &run->generation.options,
	                                       .users = &run->generation.users,
	                                       .tls_fd = -1};
	const struct generation *coming;
	const struct tls_load *old;

	begin_watch(run);
	old = master->tls.used;
	write_certificate(run, "second\nfact\nend\n");
	look(run);
	look(run);
	assert_true(master->tls.program.is_running);
	tls_watch_offer(master, NULL);
	assert_int_equal(
	    renew_begin(master, &setup, &run->generation.passive_address, true), 0);
	coming = master->next;
	turn_until(run, is_checked);
	assert_ptr_equal(master->next, coming);
	assert_ptr_equal(master->tls.used, old);
	/* It fails, and the files are looked at again. */
	renew_cancel(master);
	tls_watch_abandon(master);
	look(run);
	assert_true(master->tls.program.is_running);
	turn_until(run, is_checked);
	assert_ptr_not_equal(master->tls.used, old);
}

static void
what_is_in_no_file_is_not_watched(void **state)
{
	struct run *run = *state;
	struct master *master = run->master;
	struct tls_load *load = read_load(run);

	load->is_in_memory = true;
	master->current = &run->generation;
	tls_watch_offer(master, load);
	tls_watch_accept(master);
	assert_false(timer_is_set(&master->tls.look.timer));
	assert_int_equal(tls_watch_fd(master), load->files_fd);
	tls_watch_offer(master, NULL);
	tls_watch_accept(master);
	assert_int_equal(tls_watch_fd(master), -1);
	tls_watch_remind(master);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    TEST(verdicts_are_waited_for),
	    TEST(verdicts_come_while_the_loop_goes_on),
	    TEST(a_check_can_be_cancelled),
	    TEST(pairs_are_made),
	    TEST(a_right_pair_is_taken_over),
	    TEST(what_expires_is_told_of_daily),
	    TEST(a_wrong_pair_is_refused_once),
	    TEST(one_of_the_future_waits),
	    TEST(files_that_are_gone_change_nothing),
	    TEST(a_failed_check_is_repeated),
	    TEST(a_reload_goes_before),
	    TEST(a_reload_without_files_goes_before),
	    TEST(what_is_in_no_file_is_not_watched),
	};

	if (strcmp(argv[0], "deftpd-worker") == 0) {
		return be_program(argc, argv);
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
