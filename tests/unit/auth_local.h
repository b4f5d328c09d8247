/*
 * auth_local: users of the machine and PAM services of the test's own, for what drives
 * the built deftpd-auth.
 * Runs in: tests.
 */
#ifndef TESTS_UNIT_AUTH_LOCAL_H
#define TESTS_UNIT_AUTH_LOCAL_H

#include "tests/unit/auth_harness.h"
#include "common/base.h"

enum {
	LOCAL_SERVICE_SIZE = 2048,
	LOCAL_PATIENCE_MS = 10000,
};

/* Of every user here who has one. */
#define LOCAL_PASSWORD "horse-battery-9731"

/*
 * A running server. Users are ftann (in the groups ftgroup, ftteam, ftcrew), ftblank
 * (without password), ftlocked, ftexpired, ftmustset (has to choose a new password),
 * ftnoshell, ftlow (uid 42), ftroot (uid 0, without password), ftdenied (by a list),
 * ftnohome.
 */
struct local {
	struct auth_place place;
	struct auth_server server;
	bool is_skipped;
};

/*
 * Set up for cmocka, without and with PAM sessions.
 * Returns: 0.
 */
int local_set_up(void **state);
/* Returns: as above. */
int local_set_up_session(void **state);

/*
 * Tear down for cmocka.
 * Returns: 0.
 */
int local_tear_down(void **state);

/*
 * Begin a test, or skip it if there is no right to make users.
 * Returns: the state.
 */
struct local *local_begin(void **state);

/* Make the service one of pam_script alone, whose log is the place's. */
void local_set_script(const struct local *local, const char *arguments);

/* Wait until the log of pam_script is this. */
void local_wait_for_log(const struct local *local, const char *expected);

/* Read /proc/PID/NAME. */
void local_read_proc(pid_t pid, const char *name, char *ret_text, size_t cap);

/* The status must be that of an exit with this number. */
void local_assert_exit(int status, int expected);

#endif
