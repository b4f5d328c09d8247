/*
 * pam_fixture: a PAM module for tests that asks a question of its own, and does whatever
 * else a module should not do.
 * Runs in: deftpd-auth, as a service of a test says.
 * Source: SECURITY.md A19.
 *
 *      auth required PATH/pam_fixture.so WORD...
 *
 * ask: a question with echo, to be answered with "blue", and a word to be shown before.
 * exit, crash, fork, write, close, signals: what their names say.
 */
#include <security/pam_appl.h>
#include <security/pam_modules.h>

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base.h"

/* Returns: the answer, to be freed; NULL if there is none. */
static char *
converse(pam_handle_t *handle)
{
	const struct pam_message said = {PAM_TEXT_INFO, "A riddle."};
	const struct pam_message asked = {PAM_PROMPT_ECHO_ON, "Which colour? "};
	const struct pam_message *messages[] = {&said, &asked};
	struct pam_response *responses = NULL;
	const void *item = NULL;
	const struct pam_conv *conversation;
	char *answer;

	if (pam_get_item(handle, PAM_CONV, &item) != PAM_SUCCESS || item == NULL) {
		return NULL;
	}
	conversation = item;
	if (conversation->conv(2, messages, &responses, conversation->appdata_ptr) !=
	    PAM_SUCCESS) {
		return NULL;
	}
	answer = responses[1].resp;
	free(responses[0].resp);
	free(responses);
	return answer;
}

static int
ask(pam_handle_t *handle)
{
	char *answer = converse(handle);
	int result =
	    answer != NULL && strcmp(answer, "blue") == 0 ? PAM_SUCCESS : PAM_AUTH_ERR;

	free(answer);
	return result;
}

static void
write_where_it_should_not(void)
{
	for (int fd = 0; fd <= STDERR_FILENO; fd++) {
		/* That it is of no use is what the test looks at. */
		if (write(fd, "550 forged\r\n", 12) < 0) {
			continue;
		}
	}
}

static void
spoil_signals(void)
{
	const struct rlimit little = {64, 64};
	sigset_t all;

	for (int number = 1; number < NSIG; number++) {
		(void)signal(number, SIG_IGN);
	}
	(void)sigfillset(&all);
	(void)sigprocmask(SIG_BLOCK, &all, NULL);
	(void)alarm(1);
	(void)umask(0777);
	(void)setrlimit(RLIMIT_NOFILE, &little);
}

static int
misbehave(pam_handle_t *handle, const char *word)
{
	if (strcmp(word, "ask") == 0) {
		return ask(handle);
	}
	if (strcmp(word, "exit") == 0) {
		exit(0);
	}
	if (strcmp(word, "crash") == 0) {
		(void)raise(SIGSEGV);
	} else if (strcmp(word, "fork") == 0) {
		/* Both return. */
		return fork() < 0 ? PAM_SYSTEM_ERR : PAM_SUCCESS;
	} else if (strcmp(word, "write") == 0) {
		write_where_it_should_not();
	} else if (strcmp(word, "signals") == 0) {
		spoil_signals();
	} else if (strcmp(word, "close") == 0) {
		for (int fd = 0; fd < 64; fd++) {
			(void)close(fd);
		}
	} else {
		return PAM_SERVICE_ERR;
	}
	return PAM_SUCCESS;
}

int
pam_sm_authenticate(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	int result = PAM_SUCCESS;

	(void)flags;
	for (int i = 0; i < argc && result == PAM_SUCCESS; i++) {
		result = misbehave(pamh, argv[i]);
	}
	return result;
}

int
pam_sm_setcred(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	(void)pamh;
	(void)flags;
	(void)argc;
	(void)argv;
	return PAM_SUCCESS;
}
