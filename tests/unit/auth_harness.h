/*
 * auth_harness: the built deftpd-auth, driven by hand-made channels as master and worker
 * would drive it.
 * Runs in: tests.
 */
#ifndef TESTS_UNIT_AUTH_HARNESS_H
#define TESTS_UNIT_AUTH_HARNESS_H

#include <sys/types.h>

#include "ftpd/conf/options.h"
#include "ftpd/conf/policy.h"
#include "ftpd/ipc/agent.h"
#include "ftpd/ipc/login.h"
#include "ftpd/ipc/master_auth.h"
#include "common/base.h"

enum {
	AUTH_WAIT_MS = 20000, /* no message after that long is a failure */
	AUTH_PATH = 128,
};

/*
 * The machine as deftpd-auth sees it: directories of the test, and its own users, which
 * are put in place of the machine's in a mount namespace.
 */
struct auth_place {
	char top[AUTH_PATH];      /* made by mkdtemp */
	char home[AUTH_PATH + 8]; /* top/home, mode 0755 */
	char file[AUTH_PATH + 8]; /* top/users: virtual_users.file */
	char log[AUTH_PATH + 8];  /* top/log: of pam_script */
	bool has_users;           /* see place_add_users() */
	struct options options;   /* of the next server */
	struct overrides overrides;
};

struct auth_server {
	pid_t pid;
	int fd;
	uint32_t orders;
};

/* One authenticator with both of its channels. */
struct auth_child {
	struct auth_server *server;
	pid_t pid;
	int master_fd;
	int worker_fd;
	uint8_t bytes[IPC_MESSAGE_MAX]; /* of the last message received */
};

/* Make the directory; the options are the defaults with virtual users from `file`. */
void place_make(struct auth_place *place);

/* Remove all of it. */
void place_remove(struct auth_place *place);

/* Write a file with mode 0600 below place->top. */
void place_write(const struct auth_place *place, const char *name, const char *content);

/*
 * Read a file below place->top.
 * Returns: its bytes, terminated; "" for a missing one. Free it.
 */
char *place_read(const struct auth_place *place, const char *name);

/*
 * Give the next server users of its own: lines that are appended to those of the machine,
 * and one PAM service, "deftpd".
 * Returns: false if that needs more rights than there are; the test is to be skipped.
 */
bool place_add_users(struct auth_place *place, const char *passwd, const char *group,
                     const char *shadow);

/* Write the PAM service, for the next login. */
void place_set_service(const struct auth_place *place, const char *content);

/* Start the program and wait until it is ready. */
void server_start(struct auth_server *server, const struct auth_place *place);

/* Close its channel; it must end well. */
void server_stop(struct auth_server *server);

/* Order an authenticator; it has said READY. */
void child_start(struct auth_server *server, struct auth_child *child);

/* Make the worker's channel; what is sent there now comes before anything else. */
int child_make_channel(struct auth_child *child);

/* Pass the end that child_make_channel() returned by MA_TRY; TAKEN must come. */
void child_give_try(struct auth_child *child, int auth_fd);

/* Both, and a LOGIN_TRY. */
void child_try(struct auth_child *child, const char *user, const char *password);

/* Send as the worker. */
void worker_send(struct auth_child *child, const struct login_message *message);

/*
 * Receive as the worker.
 * Returns: false at the end of file.
 */
bool worker_receive(struct auth_child *child, struct login_message *ret_message);

/* Send MA_GO. */
void master_go(struct auth_child *child, bool is_admitted);

/*
 * Receive as the master.
 * Returns: false at the end of file.
 */
bool master_receive(struct auth_child *child, struct ma_message *ret_message);

/* A refusal must come: to the master with this reason, to the worker with that one. */
void expect_refusal(struct auth_child *child, enum ma_reason reason,
                    enum login_refusal refusal, char ret_text[MA_TEXT_MAX + 1]);

/*
 * MA_ACCEPTED must come; it is admitted; then LOGIN_ACCEPTED.
 * Out:     ret_message: may be NULL.
 */
void expect_acceptance(struct auth_child *child, struct login_message *ret_message);

/*
 * The agent's first message must come.
 * Returns: its result.
 */
enum ipc_result expect_agent(struct auth_child *child);

/*
 * Wait for SPAWN_EXITED, having closed the test's ends of the channels.
 * Returns: the status as waitpid(2) has it.
 */
int child_end(struct auth_child *child);

/*
 * Wait for SPAWN_EXITED without closing anything.
 * Returns: as child_end().
 */
int child_wait(struct auth_child *child);

#endif
