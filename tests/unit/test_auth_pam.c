/*
 * test_auth_pam: what PAM's modules ask and say, against the real libpam with services of
 * our own and a module that does what it is told.
 * Source: pam_conv(3); SECURITY.md A5 and A19; RFC 959 5.4.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/secret.h"
#include "ftpd/auth/pam.h"
#include "common/base.h"

enum {
	PATH_SIZE = 256,
	HEARD_SIZE = 4 * LOGIN_TEXT_MAX,
	QUICK_MS = 5000,
};

/* libpam forgets some bytes of a service that it cannot read. The name is LSan's. */
/* NOLINTBEGIN(readability-identifier-naming) */
const char *__lsan_default_suppressions(void);

const char *
__lsan_default_suppressions(void)
{
	return "leak:libpam.so";
}
/* NOLINTEND(readability-identifier-naming) */

/* A client who has its answers ready, and what it was asked. */
struct client {
	const char *const *answers; /* ended by NULL: it goes away */
	unsigned asked;
	char heard[HEARD_SIZE]; /* the texts of all questions, each ended by "?" */
};

struct place {
	char directory[PATH_SIZE];
	char file[PATH_SIZE + 16];
};

static bool
answer(void *context, const char *text, size_t len, char ret_answer[LOGIN_SECRET_MAX + 1])
{
	struct client *client = context;
	size_t used = strlen(client->heard);
	const char *next = client->answers[client->asked];

	assert_true(used + len + 2 < sizeof(client->heard));
	memcpy(client->heard + used, text, len);
	memcpy(client->heard + used + len, "?", 2);
	if (next == NULL) {
		return false;
	}
	client->asked++;
	(void)snprintf(ret_answer, LOGIN_SECRET_MAX + 1, "%s", next);
	return true;
}

static int
set_up(void **state)
{
	struct place *place = calloc(1, sizeof(*place));

	assert_non_null(place);
	(void)snprintf(place->directory, sizeof(place->directory),
	               "/tmp/deftpd-pam-XXXXXX");
	assert_non_null(mkdtemp(place->directory));
	(void)snprintf(place->file, sizeof(place->file), "%s/service", place->directory);
	*state = place;
	return 0;
}

static int
tear_down(void **state)
{
	struct place *place = *state;

	(void)unlink(place->file);
	assert_int_equal(rmdir(place->directory), 0);
	free(place);
	return 0;
}

static void
write_service(const struct place *place, const char *content)
{
	int fd = open(place->file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, content, strlen(content)), strlen(content));
	assert_int_equal(close(fd), 0);
}

/* A service of one module. */
static void
write_module(const struct place *place, const char *module, const char *arguments)
{
	char content[1024];

	(void)snprintf(content, sizeof(content),
	               "auth required %s %s\naccount required %s %s\n", module, arguments,
	               module, arguments);
	write_service(place, content);
}

struct check {
	struct client client;
	struct talk talk;
	struct pam pam;
	char text[MA_TEXT_MAX + 1];
	char *password;
	char *code;
};

static enum pam_result
begin_check(struct check *check, const struct place *place, const char *password,
            const char *const *answers, unsigned code_digits)
{
	const struct pam_place at = {
	    .service = "service",
	    .directory = place->directory,
	    .peer = {.family = ADDR_IPV4, .bytes = {192, 0, 2, 1}, .port = 4711}};

	memset(check, 0, sizeof(*check));
	check->client.answers = answers;
	check->password = secret_alloc(TALK_SECRET_BYTES);
	check->code = secret_alloc(TALK_SECRET_BYTES);
	assert_non_null(check->password);
	assert_non_null(check->code);
	(void)snprintf(check->password, TALK_SECRET_BYTES, "%s", password);
	talk_init(&check->talk, check->password, check->code, code_digits);
	check->talk.ask = answer;
	check->talk.context = &check->client;
	return pam_check(&check->pam, &at, "nobody", &check->talk, check->text);
}

static bool
is_wiped(const char *secret)
{
	for (size_t i = 0; i < TALK_SECRET_BYTES; i++) {
		if (secret[i] != '\0') {
			return false;
		}
	}
	return true;
}

static void
end_check(struct check *check)
{
	pam_finish(&check->pam);
	assert_null(check->pam.handle);
	secret_free(check->password, TALK_SECRET_BYTES);
	secret_free(check->code, TALK_SECRET_BYTES);
}

struct talk_case {
	const char *arguments; /* of the module */
	const char *password;
	unsigned code_digits;
	const char *answers[4];
	enum pam_result result;
	const char *heard; /* with the questions */
	const char *left;  /* said after the last one */
	const char *logged;
};

static const struct talk_case talks[] = {
    {"password=horse", "horse", 0, {NULL}, PAM_IS_RIGHT, "", "", ""},
    {"password=horse",
     "Horse",
     0,
     {NULL},
     PAM_IS_WRONG,
     "",
     "",
     "pam_authenticate: Authentication failure"},
    /* A second question goes to the client, with what was said before. */
    {"info=Welcome_back. password=horse ask=123456 info=Last_login|yesterday",
     "horse",
     0,
     {"123456"},
     PAM_IS_RIGHT,
     "Welcome back.\nCode: \n?",
     "Last login\nyesterday\n",
     ""},
    {"password=horse ask=123456",
     "horse",
     0,
     {"654321"},
     PAM_IS_WRONG,
     "Code: \n?",
     "",
     "pam_authenticate: Authentication failure"},
    {"password=horse ask=1 echo=blue error=Twice| ask=2",
     "horse",
     0,
     {"1", "blue", "2"},
     PAM_IS_RIGHT,
     "Code: \n?Which? \n?Twice\nCode: \n?",
     "",
     ""},
    /* The client goes away. */
    {"password=horse ask=1",
     "horse",
     0,
     {NULL},
     PAM_IS_FAULT,
     "Code: \n?",
     "",
     "pam_authenticate: Conversation error"},
    /* A code behind the password answers the second question. */
    {"password=horse ask=123456", "horse123456", 6, {NULL}, PAM_IS_RIGHT, "", "", ""},
    {"password=horse ask=123456",
     "horse654321",
     6,
     {NULL},
     PAM_IS_WRONG,
     "",
     "",
     "pam_authenticate: Authentication failure"},
    {"password=horse ask=1234 ask=5",
     "horse1234",
     4,
     {"5"},
     PAM_IS_RIGHT,
     "Code: \n?",
     "",
     ""},
    /* No code is there: all of it is the password. */
    {"password=horse12345x ask=7",
     "horse12345x",
     6,
     {"7"},
     PAM_IS_RIGHT,
     "Code: \n?",
     "",
     ""},
    {"password=123456 ask=7", "123456", 6, {"7"}, PAM_IS_RIGHT, "Code: \n?", "", ""},
    /* A question with echo is never answered with the password. */
    {"echo=blue password=horse",
     "horse",
     0,
     {"blue"},
     PAM_IS_RIGHT,
     "Which? \n?",
     "",
     ""},
    {"echo=blue",
     "horse",
     0,
     {"red"},
     PAM_IS_WRONG,
     "Which? \n?",
     "",
     "pam_authenticate: Authentication failure"},
    {"info=a info=|| info= error=ok",
     "x",
     0,
     {NULL},
     PAM_IS_RIGHT,
     "",
     "a\n\n\nok\n",
     ""},
    /* What modules return. */
    {"return=10",
     "x",
     0,
     {NULL},
     PAM_IS_UNKNOWN,
     "",
     "",
     "pam_authenticate: User not known to the underlying authentication module"},
    {"return=6",
     "x",
     0,
     {NULL},
     PAM_IS_CLOSED,
     "",
     "",
     "pam_authenticate: Permission denied"},
    {"return=9",
     "x",
     0,
     {NULL},
     PAM_IS_FAULT,
     "",
     "",
     "pam_authenticate: Authentication service cannot retrieve authentication info"},
    {"return=4", "x", 0, {NULL}, PAM_IS_FAULT, "", "", "pam_authenticate: System error"},
    {"password=y return=4",
     "y",
     0,
     {NULL},
     PAM_IS_WRONG,
     "",
     "",
     "pam_authenticate: System error"},
    {"account=13",
     "x",
     0,
     {NULL},
     PAM_IS_CLOSED,
     "",
     "",
     "pam_acct_mgmt: User account has expired"},
    {"account=12",
     "x",
     0,
     {NULL},
     PAM_IS_CLOSED,
     "",
     "",
     "pam_acct_mgmt: Authentication token is no longer valid; new one required"},
    {"account=4", "x", 0, {NULL}, PAM_IS_FAULT, "", "", "pam_acct_mgmt: System error"},
};

static void
modules_talk_to_the_client(void **state)
{
	const struct place *place = *state;

	for (size_t i = 0; i < ARRAY_COUNT(talks); i++) {
		const struct talk_case *row = &talks[i];
		struct check check;

		write_module(place, PAM_SCRIPT, row->arguments);
		assert_int_equal(begin_check(&check, place, row->password, row->answers,
		                             row->code_digits),
		                 row->result);
		assert_string_equal(check.client.heard, row->heard);
		assert_string_equal(check.talk.bytes, row->left);
		assert_int_equal(check.talk.text.len, strlen(row->left));
		assert_string_equal(check.text, row->logged);
		/* What was given is wiped here as soon as it is given. */
		assert_true(is_wiped(check.password) || !check.talk.is_password_given);
		end_check(&check);
	}
}

/* Modules of the system, and none. */
static void
modules_of_the_system(void **state)
{
	static const struct {
		const char *service;
		enum pam_result result;
	} rows[] = {
	    {"auth required pam_permit.so\naccount required pam_permit.so\n",
	     PAM_IS_RIGHT},
	    {"auth required pam_deny.so\naccount required pam_permit.so\n", PAM_IS_WRONG},
	    {"auth required pam_permit.so\naccount required pam_deny.so\n",
	     PAM_IS_CLOSED},
	    {"auth required pam_missing_module.so\naccount required pam_permit.so\n",
	     PAM_IS_FAULT},
	    /* No module at all never means that anything is right. */
	    {"account required pam_permit.so\n", PAM_IS_CLOSED},
	    {"auth required pam_permit.so\n", PAM_IS_CLOSED},
	    {"", PAM_IS_CLOSED},
	    {"nonsense\n", PAM_IS_CLOSED},
	};
	static const char *const nobody_answers[] = {NULL};
	const struct place *place = *state;
	struct check check;

	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		write_service(place, rows[i].service);
		assert_int_equal(begin_check(&check, place, "x", nobody_answers, 0),
		                 rows[i].result);
		assert_int_equal(check.text[0] == '\0', rows[i].result == PAM_IS_RIGHT);
		end_check(&check);
	}
	assert_int_equal(unlink(place->file), 0);
	assert_int_equal(begin_check(&check, place, "x", nobody_answers, 0),
	                 PAM_IS_FAULT);
	end_check(&check);
}

/* A19: a module asks for ten minutes after a failure; nobody sleeps here. */
static void
the_delay_is_not_slept(void **state)
{
	static const char *const nobody_answers[] = {NULL};
	const struct place *place = *state;
	uint64_t start = clock_monotonic_ms();
	struct check check;

	write_module(place, PAM_SCRIPT, "delay return=7");
	assert_int_equal(begin_check(&check, place, "x", nobody_answers, 0),
	                 PAM_IS_WRONG);
	end_check(&check);
	assert_true(clock_monotonic_ms() - start < QUICK_MS);
}

static void
names_may_be_mapped(void **state)
{
	static const char *const nobody_answers[] = {NULL};
	const struct place *place = *state;
	struct check check;

	write_module(place, PAM_SCRIPT, "user=daemon");
	assert_int_equal(begin_check(&check, place, "x", nobody_answers, 0),
	                 PAM_IS_RIGHT);
	assert_string_equal(pam_user(&check.pam), "daemon");
	end_check(&check);
	write_module(place, PAM_SCRIPT, "");
	assert_int_equal(begin_check(&check, place, "x", nobody_answers, 0),
	                 PAM_IS_RIGHT);
	assert_string_equal(pam_user(&check.pam), "nobody");
	end_check(&check);
}

/* A module that forks and returns twice: the second process ends without a word. */
static void
a_forked_module_is_one(void **state)
{
	static const char *const nobody_answers[] = {NULL};
	const struct place *place = *state;
	struct check check;
	int status = 0;

	write_module(place, PAM_SCRIPT, "fork");
	assert_int_equal(begin_check(&check, place, "x", nobody_answers, 0),
	                 PAM_IS_RIGHT);
	assert_true(waitpid(-1, &status, 0) > 0);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 1);
	end_check(&check);
}

/* More questions than a person should be asked end the talk. */
static void
questions_are_counted(void **state)
{
	static const char *const answers[] = {"1", "1", "1", "1", "1", "1",
	                                      "1", "1", "1", "1", "1", NULL};
	const struct place *place = *state;
	struct check check;

	write_module(place, PAM_SCRIPT,
	             "ask=x ask=1 ask=1 ask=1 ask=1 ask=1 ask=1 ask=1 ask=1");
	assert_int_equal(begin_check(&check, place, "x", answers, 0), PAM_IS_RIGHT);
	assert_int_equal(check.client.asked, TALK_ASKS_MAX);
	end_check(&check);
	write_module(place, PAM_SCRIPT,
	             "ask=x ask=1 ask=1 ask=1 ask=1 ask=1 ask=1 ask=1 ask=1 ask=1");
	assert_int_equal(begin_check(&check, place, "x", answers, 0), PAM_IS_FAULT);
	assert_int_equal(check.client.asked, TALK_ASKS_MAX);
	assert_true(check.talk.is_over);
	end_check(&check);
}

/* Without libpam between: more messages at once, odd styles, long texts. */
static void
odd_conversations(void **state)
{
	static char endless[3 * LOGIN_TEXT_MAX];
	const struct pam_message prompt = {.msg_style = PAM_PROMPT_ECHO_OFF, .msg = "P"};
	const struct pam_message binary = {.msg_style = PAM_BINARY_PROMPT, .msg = "\1"};
	const struct pam_message info = {.msg_style = PAM_TEXT_INFO, .msg = endless};
	const struct pam_message controls = {.msg_style = PAM_TEXT_INFO,
	                                     .msg = "a\tb\x01\x7f\r\nc\rd\xff\n"};
	const struct pam_message nothing = {.msg_style = PAM_ERROR_MSG, .msg = NULL};
	const struct pam_message *both[] = {&info, &prompt};
	const struct pam_message *odd[] = {&prompt, &binary};
	const struct pam_message *empty[] = {&nothing};
	const struct pam_message *strange[] = {&controls};
	static const char *const answers[] = {NULL};
	struct client client = {.answers = answers};
	struct pam_response *responses = NULL;
	char *secrets = secret_alloc(2 * TALK_SECRET_BYTES);
	struct talk talk;

	(void)state;
	assert_non_null(secrets);
	memset(endless, 'e', sizeof(endless) - 1);
	memcpy(secrets, "horse", 6);
	talk_init(&talk, secrets, secrets + TALK_SECRET_BYTES, 0);
	talk.ask = answer;
	talk.context = &client;
	assert_int_equal(talk_converse(0, both, &responses, &talk), PAM_CONV_ERR);
	assert_int_equal(talk_converse(-1, both, &responses, &talk), PAM_CONV_ERR);
	assert_int_equal(talk_converse(PAM_MAX_NUM_MSG + 1, both, &responses, &talk),
	                 PAM_CONV_ERR);
	assert_int_equal(talk_converse(1, empty, &responses, &talk), PAM_SUCCESS);
	free(responses);
	responses = NULL;
	assert_int_equal(talk.text.len, 0);
	assert_int_equal(talk_converse(1, strange, &responses, &talk), PAM_SUCCESS);
	free(responses);
	responses = NULL;
	assert_string_equal(talk.bytes, "a b  \nc d\xff\n");
	assert_int_equal(talk_converse(2, both, &responses, &talk), PAM_SUCCESS);
	assert_null(responses[0].resp);
	assert_string_equal(responses[1].resp, "horse");
	free(responses[1].resp);
	free(responses);
	responses = NULL;
	/* What was too long is cut, and still a line. */
	assert_int_equal(talk.text.len, LOGIN_TEXT_MAX);
	assert_int_equal(talk.bytes[LOGIN_TEXT_MAX - 1], '\n');
	assert_int_equal(talk_converse(2, odd, &responses, &talk), PAM_CONV_ERR);
	assert_null(responses);
	secret_free(secrets, 2 * TALK_SECRET_BYTES);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(modules_talk_to_the_client),
	    cmocka_unit_test(modules_of_the_system),
	    cmocka_unit_test(the_delay_is_not_slept),
	    cmocka_unit_test(names_may_be_mapped),
	    cmocka_unit_test(a_forked_module_is_one),
	    cmocka_unit_test(questions_are_counted),
	    cmocka_unit_test(odd_conversations),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
