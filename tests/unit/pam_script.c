/*
 * pam_script: a PAM module for tests that does what its arguments say, in their order: it
 * asks, tells, maps names, misbehaves.
 * Runs in: deftpd-auth and unit tests, loaded by libpam.
 * Source: pam(3), pam_sm_authenticate(3); SECURITY.md A19.
 *
 *      password=TEXT  ask without echo; another answer fails
 *      ask=TEXT       the same, with another prompt; echo=TEXT with echo
 *      info=TEXT, error=TEXT  tell ("_" is a blank, "|" the end of a line)
 *      user=NAME      give the user another name
 *      return=NUMBER  end with that result
 *      delay          ask for a delay of ten minutes
 *      sleep, crash, exit, fork, write, close, signals, alarm, core  misbehave
 *      account=NUMBER  what pam_acct_mgmt returns
 *      group=NUMBER   added to the groups by pam_setcred
 *      log=PATH       a line for each call
 *      refuse_session  pam_open_session fails
 */
#include <security/pam_appl.h>
#include <security/pam_modules.h>

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "common/base.h"

enum {
	TEXT_SIZE = 256,
	GROUPS = 64,
	DELAY_US = 600 * 1000 * 1000,
};

/* Returns: what follows NAME=, or NULL. */
static const char *
value_of(const char *argument, const char *name)
{
	size_t len = strlen(name);

	return strncmp(argument, name, len) == 0 && argument[len] == '='
	           ? argument + len + 1
	           : NULL;
}

static const char *
find_value(int argc, const char **argv, const char *name)
{
	for (int i = 0; i < argc; i++) {
		const char *value = value_of(argv[i], name);

		if (value != NULL) {
			return value;
		}
	}
	return NULL;
}

static void
write_log(int argc, const char **argv, const char *line)
{
	const char *path = find_value(argc, argv, "log");
	int fd;

	if (path == NULL) {
		return;
	}
	fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (fd >= 0) {
		(void)!write(fd, line, strlen(line)); /* the test will miss it */
		(void)close(fd);
	}
}

/* Returns: the answer, to be freed; NULL if there is none. */
static char *
converse(pam_handle_t *pam, int style, const char *said)
{
	const struct pam_conv *conversation = NULL;
	const void *item = NULL;
	struct pam_response *response = NULL;
	char text[TEXT_SIZE];
	const struct pam_message message = {.msg_style = style, .msg = text};
	const struct pam_message *messages = &message;
	char *answer;

	(void)snprintf(text, sizeof(text), "%s", said);
	for (char *at = text; *at != '\0'; at++) {
		*at = *at == '_' ? ' ' : *at == '|' ? '\n' : *at;
	}
	if (pam_get_item(pam, PAM_CONV, &item) != PAM_SUCCESS) {
		return NULL;
	}
	conversation = item;
	if (conversation->conv(1, &messages, &response, conversation->appdata_ptr) !=
	    PAM_SUCCESS) {
		return NULL;
	}
	answer = response->resp;
	free(response);
	return answer;
}

static int
expect(pam_handle_t *pam, int style, const char *prompt, const char *expected)
{
	char *answer = converse(pam, style, prompt);
	int result = PAM_CONV_ERR;

	if (answer != NULL) {
		result = strcmp(answer, expected) == 0 ? PAM_SUCCESS : PAM_AUTH_ERR;
		explicit_bzero(answer, strlen(answer));
		free(answer);
	}
	return result;
}

static void
misbehave(const char *how)
{
	if (strcmp(how, "sleep") == 0) {
		(void)sleep(600);
	} else if (strcmp(how, "crash") == 0) {
		(void)raise(SIGABRT); /* sanitizers catch SIGSEGV */
	} else if (strcmp(how, "exit") == 0) {
		exit(0);
	} else if (strcmp(how, "fork") == 0) {
		(void)fork(); /* both go on */
	} else if (strcmp(how, "write") == 0) {
		(void)!write(STDOUT_FILENO, "module was here\n", 16);
		(void)!write(STDERR_FILENO, "module was here\n", 16);
	} else if (strcmp(how, "close") == 0) {
		(void)close_range(0, 2, 0);
	} else if (strcmp(how, "signals") == 0) {
		sigset_t all;

		(void)sigfillset(&all);
		(void)sigprocmask(SIG_SETMASK, &all, NULL);
		(void)signal(SIGCHLD, SIG_IGN);
		(void)signal(SIGTERM, SIG_IGN);
	} else if (strcmp(how, "alarm") == 0) {
		(void)alarm(1);
	} else if (strcmp(how, "core") == 0) {
		const struct rlimit limit = {RLIM_INFINITY, RLIM_INFINITY};

		(void)setrlimit(RLIMIT_CORE, &limit);
	}
}

/* Returns: PAM_SUCCESS to go on. */
static int
obey(pam_handle_t *pam, const char *argument)
{
	const char *value;

	if ((value = value_of(argument, "password")) != NULL) {
		return expect(pam, PAM_PROMPT_ECHO_OFF, "Password: ", value);
	}
	if ((value = value_of(argument, "ask")) != NULL) {
		return expect(pam, PAM_PROMPT_ECHO_OFF, "Code: ", value);
	}
	if ((value = value_of(argument, "echo")) != NULL) {
		return expect(pam, PAM_PROMPT_ECHO_ON, "Which? ", value);
	}
	if ((value = value_of(argument, "info")) != NULL) {
		free(converse(pam, PAM_TEXT_INFO, value));
	} else if ((value = value_of(argument, "error")) != NULL) {
		free(converse(pam, PAM_ERROR_MSG, value));
	} else if ((value = value_of(argument, "user")) != NULL) {
		return pam_set_item(pam, PAM_USER, value);
	} else if ((value = value_of(argument, "return")) != NULL) {
		return (int)strtol(value, NULL, 10);
	} else if (strcmp(argument, "delay") == 0) {
		return pam_fail_delay(pam, DELAY_US);
	}
	misbehave(argument);
	return PAM_SUCCESS;
}

PAM_EXTERN int
pam_sm_authenticate(pam_handle_t *pam, int flags, int argc, const char **argv)
{
	int result = PAM_SUCCESS;

	(void)flags;
	write_log(argc, argv, "authenticate\n");
	for (int i = 0; i < argc && result == PAM_SUCCESS; i++) {
		result = obey(pam, argv[i]);
	}
	return result;
}

PAM_EXTERN int
pam_sm_acct_mgmt(pam_handle_t *pam, int flags, int argc, const char **argv)
{
	const char *value = find_value(argc, argv, "account");

	(void)pam;
	(void)flags;
	write_log(argc, argv, "account\n");
	return value != NULL ? (int)strtol(value, NULL, 10) : PAM_SUCCESS;
}

PAM_EXTERN int
pam_sm_setcred(pam_handle_t *pam, int flags, int argc, const char **argv)
{
	const char *value = find_value(argc, argv, "group");
	bool is_end = ((unsigned)flags & PAM_DELETE_CRED) != 0;
	gid_t groups[GROUPS];
	int count;

	(void)pam;
	write_log(argc, argv, is_end ? "delete credentials\n" : "credentials\n");
	if (value == NULL || is_end) {
		return PAM_SUCCESS;
	}
	count = getgroups(GROUPS - 1, groups);
	if (count < 0) {
		return PAM_CRED_ERR;
	}
	groups[count] = (gid_t)strtoul(value, NULL, 10);
	return setgroups((size_t)count + 1, groups) == 0 ? PAM_SUCCESS : PAM_CRED_ERR;
}

PAM_EXTERN int
pam_sm_open_session(pam_handle_t *pam, int flags, int argc, const char **argv)
{
	(void)pam;
	(void)flags;
	for (int i = 0; i < argc; i++) {
		if (strcmp(argv[i], "refuse_session") == 0) {
			return PAM_SESSION_ERR;
		}
	}
	write_log(argc, argv, "open\n");
	return PAM_SUCCESS;
}

PAM_EXTERN int
pam_sm_close_session(pam_handle_t *pam, int flags, int argc, const char **argv)
{
	(void)pam;
	(void)flags;
	write_log(argc, argv, "close\n");
	return PAM_SUCCESS;
}
