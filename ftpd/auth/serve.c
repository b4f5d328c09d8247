/*
 * serve: one authenticator's life.
 * Runs in: deftpd-auth.
 */
#include "ftpd/auth/serve.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/fd.h"
#include "common/secret.h"
#include "common/text.h"
#include "ftpd/auth/decide.h"
#include "ftpd/auth/grant.h"
#include "ftpd/auth/handover.h"
#include "common/base.h"

enum {
	EXIT_REFUSED = 0, /* a verdict was given: all is well */
	EXIT_FAULT = 1,
};

static struct login_try *
new_try(const struct auth *auth, int master_fd)
{
	struct login_try *login = calloc(1, sizeof(*login));

	if (login == NULL) {
		return NULL;
	}
	login->auth = auth;
	login->password = secret_alloc(TALK_SECRET_BYTES);
	login->code = secret_alloc(TALK_SECRET_BYTES);
	if (!link_init(&login->link, master_fd) || login->password == NULL ||
	    login->code == NULL) {
		return NULL; /* the process ends now, and its memory with it */
	}
	return login;
}

static void
free_try(struct login_try *login)
{
	pam_finish(&login->pam);
	candidate_free(&login->candidate);
	link_free(&login->link);
	secret_free(login->password, TALK_SECRET_BYTES);
	secret_free(login->code, TALK_SECRET_BYTES);
	free(login);
}

/* Modules may write where they like: nobody reads it. */
static bool
silence(const struct auth *auth)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
		if (dup2(auth->null_fd, fd) < 0) {
			return false;
		}
	}
	return true;
}

/* The master learns it first: the worker may be ended by what it is told. */
static int
refuse(struct login_try *login, const struct verdict *verdict)
{
	const struct ma_message told = {.type = MA_REFUSED,
	                                .reason = verdict->reason,
	                                .number = login->number,
	                                .user = login->user,
	                                .user_len = strlen(login->user),
	                                .text = verdict->text,
	                                .text_len = strlen(verdict->text)};
	const struct login_message refused = {.type = LOGIN_REFUSED,
	                                      .refusal = verdict->refusal};

	if (link_tell_master(&login->link, &told) != LINK_OK) {
		return EXIT_FAULT;
	}
	(void)link_tell_worker(&login->link, &refused); /* it may have gone */
	return EXIT_REFUSED;
}

/* The other side ended, or broke the rules. A worker that did is told nothing. */
static int
give_up(struct login_try *login, enum link_event event)
{
	struct ma_message told = {.type = MA_REFUSED,
	                          .reason = MA_GONE,
	                          .number = login->number,
	                          .user = login->user,
	                          .user_len = strlen(login->user),
	                          .text = ""};

	if (event == LINK_MASTER_GONE) {
		return EXIT_FAULT;
	}
	if (event == LINK_WORKER_WRONG) {
		told.reason = MA_PROTOCOL;
		told.text = login->link.why;
		told.text_len = strlen(told.text);
	}
	return link_tell_master(&login->link, &told) == LINK_OK ? EXIT_REFUSED
	                                                        : EXIT_FAULT;
}

static void
copy_text(const char *text, size_t len, char *ret_text)
{
	memcpy(ret_text, text, len);
	ret_text[len] = '\0';
}

/* Wait for the one try. */
static enum link_event
take_try(struct login_try *login)
{
	struct ma_message order;
	struct login_message message;
	enum link_event event = link_wait_try(&login->link, &order);

	if (event != LINK_OK) {
		return event;
	}
	login->peer = order.peer;
	event = link_wait_worker(&login->link, &message);
	if (event == LINK_OK) {
		login->number = login_user_number(message.user, message.user_len);
		copy_text(message.user, message.user_len, login->user);
		copy_text(message.host, message.host_len, login->host);
		copy_text(message.secret, message.secret_len, login->password);
		copy_text(message.names, message.names_len, login->names);
		login->is_secure = message.is_secure;
	}
	link_wipe(&login->link);
	return event;
}

/* Root and start as homes have them, for the log. */
static void
describe_directory(const struct login_try *login, char ret_text[MA_TEXT_MAX + 1])
{
	struct text text;

	text_init(&text, ret_text, MA_TEXT_MAX + 1);
	text_add(&text, "%s", login->root);
	if (strcmp(login->start, "/") != 0) {
		text_add(&text, "/.%s", login->start);
	}
}

static enum link_event
ask_master(struct login_try *login, bool *ret_is_admitted)
{
	const struct account *account = &login->candidate.account;
	char directory[MA_TEXT_MAX + 1];
	struct ma_message accepted = {.type = MA_ACCEPTED,
	                              .number = login->number,
	                              .user = account->name,
	                              .user_len = strlen(account->name),
	                              .max_sessions = login->policy.max_sessions,
	                              .user_rate_down = login->policy.user_rate_down,
	                              .user_rate_up = login->policy.user_rate_up};
	enum link_event event = link_check_worker(&login->link);

	describe_directory(login, directory);
	accepted.text = directory;
	accepted.text_len = strlen(directory);
	if (event == LINK_OK) {
		event = link_tell_master(&login->link, &accepted);
	}
	return event == LINK_OK ? link_wait_go(&login->link, ret_is_admitted) : event;
}

static bool
tell_grant(struct login_try *login)
{
	const char *name = login->candidate.account.name;
	struct login_message accepted = {.type = LOGIN_ACCEPTED,
	                                 .user = name,
	                                 .user_len = strlen(name),
	                                 .text = login->talk.bytes,
	                                 .text_len = login->talk.text.len};

	grant_for_worker(login, &accepted.grant);
	return link_tell_worker(&login->link, &accepted) == LINK_OK;
}

/* Returns: the exit status; never, when the agent takes the place of this process. */
static int
hand_over(struct login_try *login)
{
	struct verdict fault = {.reason = MA_FAULT, .refusal = LOGIN_UNAVAILABLE};
	int start_fd;

	if (!handover_prepare(login, &start_fd, fault.text)) {
		return refuse(login, &fault);
	}
	if (!tell_grant(login)) {
		fd_close(&start_fd);
		return EXIT_REFUSED; /* the session has ended: so does the login */
	}
	return handover_run(login, start_fd);
}

static int
accept_login(struct login_try *login)
{
	const struct login_message too_many = {.type = LOGIN_REFUSED,
	                                       .refusal = LOGIN_TOO_MANY};
	bool is_admitted;
	enum link_event event = ask_master(login, &is_admitted);

	if (event != LINK_OK) {
		return give_up(login, event);
	}
	if (!is_admitted) {
		(void)link_tell_worker(&login->link, &too_many); /* it may have gone */
		return EXIT_REFUSED;
	}
	return hand_over(login);
}

static int
serve_try(struct login_try *login)
{
	const struct ma_message ready = {.type = MA_READY};
	enum link_event event = link_tell_master(&login->link, &ready);
	struct verdict verdict;

	if (event == LINK_OK) {
		event = take_try(login);
	}
	if (event != LINK_OK) {
		return give_up(login, event);
	}
	decide(login, &verdict);
	if (login->broken != LINK_OK) {
		return give_up(login, login->broken);
	}
	if (verdict.is_right) {
		return accept_login(login);
	}
	/*
	 * Who speaks out of turn is told nothing; who has gone has guessed all the same.
	 */
	event = link_check_worker(&login->link);
	return event == LINK_WORKER_WRONG ? give_up(login, event)
	                                  : refuse(login, &verdict);
}

int
serve_run(const struct auth *auth, int master_fd)
{
	struct login_try *login = silence(auth) ? new_try(auth, master_fd) : NULL;
	int status;

	if (login == NULL) {
		return EXIT_FAULT;
	}
	status = serve_try(login);
	free_try(login);
	return status;
}
