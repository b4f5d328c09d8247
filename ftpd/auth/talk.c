/*
 * talk: the conversation that PAM modules hold with the client through us.
 * Runs in: deftpd-auth.
 */
#include "ftpd/auth/talk.h"

#include <stdlib.h>
#include <string.h>

#include "common/secret.h"
#include "common/base.h"

static bool
is_digit(char byte)
{
	return byte >= '0' && byte <= '9';
}

static void
part_code(struct talk *talk, unsigned code_digits)
{
	size_t len = strlen(talk->password);
	char *from;

	if (code_digits == 0 || len <= code_digits) {
		return;
	}
	from = talk->password + (len - code_digits);
	for (const char *at = from; *at != '\0'; at++) {
		if (!is_digit(*at)) {
			return;
		}
	}
	memcpy(talk->code, from, code_digits + 1);
	secret_wipe(from, code_digits);
}

void
talk_init(struct talk *talk, char *password, char *code, unsigned code_digits)
{
	memset(talk, 0, sizeof(*talk));
	talk->password = password;
	talk->code = code;
	code[0] = '\0';
	text_init(&talk->text, talk->bytes, sizeof(talk->bytes));
	part_code(talk, code_digits);
}

/*
 * Remember what a module says, each line ended by LF. Control characters become blanks:
 * they are no part of a reply.
 */
static void
note(struct talk *talk, const char *said)
{
	bool has_line = talk->text.len > 0 && talk->bytes[talk->text.len - 1] != '\n';

	if (said == NULL || said[0] == '\0') {
		return;
	}
	if (has_line) {
		text_add_bytes(&talk->text, "\n", 1);
	}
	for (const char *at = said; *at != '\0'; at++) {
		bool is_control = (uint8_t)*at < ' ' || *at == '\x7f';

		if (*at == '\r' && at[1] == '\n') {
			continue;
		}
		text_add_bytes(&talk->text, is_control && *at != '\n' ? " " : at, 1);
	}
	if (talk->bytes[talk->text.len - 1] != '\n') {
		text_add_bytes(&talk->text, "\n", 1);
	}
	talk->bytes[talk->text.len - 1] = '\n'; /* also where it was cut */
}

/* Give a secret away: a copy for the module, and ours is wiped. */
static char *
give(char *secret)
{
	char *copy = strdup(secret);

	secret_wipe(secret, TALK_SECRET_BYTES);
	return copy;
}

static char *
ask_client(struct talk *talk, const char *question)
{
	char *answer;
	char *copy = NULL;

	if (talk->is_over || talk->ask == NULL || ++talk->asks > TALK_ASKS_MAX) {
		talk->is_over = true;
		return NULL;
	}
	answer = secret_alloc(TALK_SECRET_BYTES);
	if (answer == NULL) {
		talk->is_over = true;
		return NULL;
	}
	note(talk, question);
	if (talk->ask(talk->context, talk->bytes, talk->text.len, answer)) {
		copy = give(answer);
	} else {
		talk->is_over = true;
	}
	text_init(&talk->text, talk->bytes, sizeof(talk->bytes));
	secret_free(answer, TALK_SECRET_BYTES);
	return copy;
}

/* Returns: the answer to a question, or NULL. */
static char *
answer_question(struct talk *talk, const struct pam_message *message)
{
	if (message->msg_style == PAM_PROMPT_ECHO_OFF && !talk->is_password_given) {
		talk->is_password_given = true;
		return give(talk->password);
	}
	if (talk->is_password_given && talk->code[0] != '\0') {
		return give(talk->code);
	}
	return ask_client(talk, message->msg);
}

/* Returns: false if the conversation cannot go on. */
static bool
converse_one(struct talk *talk, const struct pam_message *message,
             struct pam_response *response)
{
	switch (message->msg_style) {
	case PAM_PROMPT_ECHO_OFF:
	case PAM_PROMPT_ECHO_ON:
		response->resp = answer_question(talk, message);
		return response->resp != NULL;
	case PAM_TEXT_INFO:
	case PAM_ERROR_MSG: note(talk, message->msg); return true;
	default: return false; /* binary prompts and what else there may come */
	}
}

static void
free_responses(struct pam_response *responses, int count)
{
	for (int i = 0; i < count; i++) {
		if (responses[i].resp != NULL) {
			secret_wipe(responses[i].resp, strlen(responses[i].resp));
			free(responses[i].resp);
		}
	}
	free(responses);
}

int
talk_converse(int count, const struct pam_message **messages,
              struct pam_response **ret_responses, void *appdata)
{
	struct talk *talk = appdata;
	struct pam_response *responses;

	if (count <= 0 || count > PAM_MAX_NUM_MSG) {
		return PAM_CONV_ERR;
	}
	responses = calloc((size_t)count, sizeof(*responses));
	if (responses == NULL) {
		return PAM_BUF_ERR;
	}
	for (int i = 0; i < count; i++) {
		if (!converse_one(talk, messages[i], &responses[i])) {
			free_responses(responses, count);
			return PAM_CONV_ERR;
		}
	}
	*ret_responses = responses;
	return PAM_SUCCESS;
}
