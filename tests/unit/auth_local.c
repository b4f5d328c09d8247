/*
 * auth_local: users of the machine and PAM services of the test's own.
 * Runs in: tests.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <crypt.h>
#include <fcntl.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/fd.h"
#include "common/text.h"
#include "tests/unit/auth_local.h"
#include "common/base.h"

enum {
	LINES_SIZE = 4096,
	PAUSE_NS = 10000000,
};

/* Users of uid 4242 and up, whom no real machine of a test has. */
static bool
add_users(struct auth_place *place)
{
	static struct crypt_data data;
	const char *hash = crypt_r(LOCAL_PASSWORD, "$6$rounds=1000$saltsalt$", &data);
	char bytes[3][LINES_SIZE];
	struct text users;
	struct text groups;
	struct text shadow;
	const char *home = place->home;

	text_init(&users, bytes[0], LINES_SIZE);
	text_init(&groups, bytes[1], LINES_SIZE);
	text_init(&shadow, bytes[2], LINES_SIZE);
	text_add(&users, "ftann:x:4242:4242::%s:/bin/sh\n", home);
	text_add(&users, "ftblank:x:4243:4242::%s:/bin/sh\n", home);
	text_add(&users, "ftlocked:x:4244:4242::%s:/bin/sh\n", home);
	text_add(&users, "ftexpired:x:4245:4242::%s:/bin/sh\n", home);
	text_add(&users, "ftmustset:x:4246:4242::%s:/bin/sh\n", home);
	text_add(&users, "ftnoshell:x:4247:4242::%s:/usr/sbin/nologin\n", home);
	text_add(&users, "ftlow:x:42:4242::%s:/bin/sh\n", home);
	text_add(&users, "ftroot:x:0:0::%s:/bin/sh\n", home);
	text_add(&users, "ftdenied:x:4248:4242::%s:/bin/sh\n", home);
	text_add(&users, "ftnohome:x:4249:4242::/srv/deftpd-has/no-such:/bin/sh\n");
	text_add(&groups,
	         "ftgroup:x:4242:\nftteam:x:4343:ftann\nftcrew:x:4344:ftann,ftblank\n");
	text_add(&shadow, "ftann:%s:19000:0:99999:7:::\n", hash);
	text_add(&shadow, "ftblank::19000:0:99999:7:::\n");
	text_add(&shadow, "ftlocked:!%s:19000:0:99999:7:::\n", hash);
	text_add(&shadow, "ftexpired:%s:19000:0:99999:7::1:\n", hash);
	text_add(&shadow, "ftmustset:%s:0:0:99999:7:::\n", hash);
	text_add(&shadow, "ftnoshell:%s:19000:0:99999:7:::\n", hash);
	text_add(&shadow, "ftlow:%s:19000:0:99999:7:::\n", hash);
	text_add(&shadow, "ftroot::19000:0:99999:7:::\n");
	text_add(&shadow, "ftdenied:%s:19000:0:99999:7:::\n", hash);
	text_add(&shadow, "ftnohome:%s:19000:0:99999:7:::\n", hash);
	assert_false(users.is_cut || groups.is_cut || shadow.is_cut);
	return place_add_users(place, users.bytes, groups.bytes, shadow.bytes);
}

static int
set_up_with(void **state, bool has_session)
{
	struct local *local = calloc(1, sizeof(*local));
	struct options *options;

	assert_non_null(local);
	place_make(&local->place);
	options = &local->place.options;
	options->virtual_users.file[0] = '\0';
	options->local_users.pam_session = has_session;
	options->logins.deny_groups.count = 0;
	options->logins.deny_users.count = 1;
	(void)snprintf(options->logins.deny_users.entry[0], OPTIONS_NAME_MAX, "ftdenied");
	local->is_skipped = !add_users(&local->place);
	if (!local->is_skipped) {
		server_start(&local->server, &local->place);
	}
	*state = local;
	return 0;
}

int
local_set_up(void **state)
{
	return set_up_with(state, false);
}

int
local_set_up_session(void **state)
{
	return set_up_with(state, true);
}

int
local_tear_down(void **state)
{
	struct local *local = *state;

	if (!local->is_skipped) {
		server_stop(&local->server);
	}
	place_remove(&local->place);
	free(local);
	return 0;
}

struct local *
local_begin(void **state)
{
	struct local *local = *state;

	if (local->is_skipped) {
		print_message("no right to make users of its own: skipped\n");
		skip();
	}
	return local;
}

void
local_assert_exit(int status, int expected)
{
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), expected);
}

void
local_set_script(const struct local *local, const char *arguments)
{
	char service[LOCAL_SERVICE_SIZE];
	static const char *const kinds[] = {"auth", "account", "session"};

	service[0] = '\0';
	for (size_t i = 0; i < ARRAY_COUNT(kinds); i++) {
		size_t used = strlen(service);

		(void)snprintf(service + used, sizeof(service) - used,
		               "%s required %s log=%s %s\n", kinds[i], PAM_SCRIPT,
		               local->place.log, arguments);
	}
	place_set_service(&local->place, service);
}

void
local_wait_for_log(const struct local *local, const char *expected)
{
	const struct timespec pause = {.tv_nsec = PAUSE_NS};
	uint64_t end = clock_monotonic_ms() + LOCAL_PATIENCE_MS;
	char *log = place_read(&local->place, "log");

	while (strcmp(log, expected) != 0 && clock_monotonic_ms() < end) {
		(void)nanosleep(&pause, NULL);
		free(log);
		log = place_read(&local->place, "log");
	}
	assert_string_equal(log, expected);
	free(log);
}

void
local_read_proc(pid_t pid, const char *name, char *ret_text, size_t cap)
{
	char path[64];
	int fd;
	size_t len = 0;
	ssize_t count;

	(void)snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	while ((count = read(fd, ret_text + len, cap - 1 - len)) > 0) {
		len += (size_t)count;
	}
	assert_in_range(len, 1, cap - 2);
	ret_text[len] = '\0';
	fd_close(&fd);
}
