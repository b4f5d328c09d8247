/*
 * request: what the command line asks of deftp-passwd.
 * Runs in: deftp-passwd.
 */
#include "ftpd/tools/passwd/request.h"

#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base.h"

enum {
	/* Long options without a letter. */
	OPTION_HOME = 256,
	OPTION_UID,
	OPTION_GID,
	OPTION_STDIN,
	OPTION_METHOD,
	OPTION_HELP,
	OPTION_VERSION,
};

static const struct option long_options[] = {
    {"file", required_argument, NULL, 'f'},
    {"home", required_argument, NULL, OPTION_HOME},
    {"uid", required_argument, NULL, OPTION_UID},
    {"gid", required_argument, NULL, OPTION_GID},
    {"stdin", no_argument, NULL, OPTION_STDIN},
    {"method", required_argument, NULL, OPTION_METHOD},
    {"help", no_argument, NULL, OPTION_HELP},
    {"version", no_argument, NULL, OPTION_VERSION},
    {NULL, 0, NULL, 0},
};

/* What each verb takes. */
static const struct verb_row {
	const char *word;
	enum verb verb;
	bool needs_name;
	bool may_name;
	bool may_change; /* --home, --uid, --gid */
	bool may_hash;   /* --method */
	bool may_ask;    /* --stdin */
} verbs[] = {
    {"add", VERB_ADD, true, true, true, true, true},
    {"set", VERB_SET, true, true, true, true, true},
    {"del", VERB_DEL, true, true, false, false, false},
    {"list", VERB_LIST, false, false, false, false, false},
    {"verify", VERB_VERIFY, false, true, false, false, true},
};

void
complain(const char *format, ...)
{
	va_list arguments;

	(void)fputs("deftp-passwd: ", stderr);
	va_start(arguments, format);
	(void)vfprintf(stderr, format, arguments);
	va_end(arguments);
	(void)fputc('\n', stderr);
}

static bool
refuse(const char *text)
{
	complain("%s; deftp-passwd --help shows what there is", text);
	return false;
}

static bool
take_id(const char *text, bool *ret_has, uint32_t *ret_id)
{
	char *end;
	unsigned long long id;

	errno = 0;
	id = strtoull(text, &end, 10);
	if (text[0] < '0' || text[0] > '9' || *end != '\0' || errno != 0 ||
	    id >= UINT32_MAX) {
		return refuse("--uid and --gid take a number from 1 to 4294967294");
	}
	*ret_has = true;
	*ret_id = (uint32_t)id;
	return true;
}

static bool
take_option(struct request *request, int option)
{
	switch (option) {
	case 'f': request->path = optarg; return true;
	case OPTION_HOME: request->home = optarg; return true;
	case OPTION_UID: return take_id(optarg, &request->has_uid, &request->uid);
	case OPTION_GID: return take_id(optarg, &request->has_gid, &request->gid);
	case OPTION_STDIN: request->is_stdin = true; return true;
	case OPTION_METHOD: request->method = optarg; return true;
	case OPTION_HELP: request->verb = VERB_HELP; return true;
	case OPTION_VERSION: request->verb = VERB_VERSION; return true;
	default:
		/* getopt_long has told which. */
		return refuse("this command line is not understood");
	}
}

static const struct verb_row *
find_verb(const char *word)
{
	for (size_t i = 0; i < ARRAY_COUNT(verbs); i++) {
		if (strcmp(verbs[i].word, word) == 0) {
			return &verbs[i];
		}
	}
	return NULL;
}

static bool
fits(const struct verb_row *row, const struct request *request)
{
	bool is_change = request->home != NULL || request->has_uid || request->has_gid;

	if (request->path == NULL) {
		return refuse("no file is named; -f FILE is needed");
	}
	if (row->needs_name && request->name == NULL) {
		return refuse("no user is named");
	}
	if (!row->may_name && request->name != NULL) {
		return refuse("there is a word too many");
	}
	if (is_change && !row->may_change) {
		return refuse("--home, --uid and --gid belong to add and set");
	}
	if (request->method != NULL && !row->may_hash) {
		return refuse("--method belongs to add and set");
	}
	if (request->is_stdin && (!row->may_ask || request->name == NULL)) {
		return refuse("--stdin belongs to add, set, and verify with a NAME");
	}
	if (row->verb == VERB_ADD && request->home == NULL) {
		return refuse("add needs --home DIR");
	}
	return true;
}

static bool
take_words(struct request *request, char **words, int count)
{
	const struct verb_row *row = count > 0 ? find_verb(words[0]) : NULL;

	if (row == NULL) {
		return refuse("the first word must be add, set, del, list or verify");
	}
	if (count > 2) {
		/* Whoever writes a password here has shown it to everybody. */
		return refuse(
		    "there are words too many; a password is never one of them");
	}
	request->verb = row->verb;
	request->name = count == 2 ? words[1] : NULL;
	return fits(row, request);
}

bool
request_parse(int argc, char **argv, struct request *ret_request)
{
	/* A verb that is no answer yet. */
	struct request request = {.verb = VERB_LIST};
	int option;

	while ((option = getopt_long(argc, argv, "f:", long_options, NULL)) != -1) {
		if (!take_option(&request, option)) {
			return false;
		}
	}
	if (request.verb != VERB_HELP && request.verb != VERB_VERSION &&
	    !take_words(&request, argv + optind, argc - optind)) {
		return false;
	}
	*ret_request = request;
	return true;
}
