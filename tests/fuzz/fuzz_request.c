/*
 * fuzz_request: any command line.
 * Wanted:  texts that point into the line; a word found whatever its case; values within
 *          the range that the contract names; the same result for the same line.
 */
#include "ftpd/proto/request.h"

#include <ctype.h>
#include <string.h>

#include "ftpd/proto/entry.h"
#include "ftpd/proto/reply.h"
#include "ftpd/proto/site.h"
#include "tests/fuzz/fuzz.h"
#include "common/base.h"

static void
check_inside(const char *line, size_t len, const char *text, size_t text_len)
{
	fuzz_require(text >= line && text + text_len <= line + len);
}

static void
check_list(const char *line, size_t len, const struct request *request)
{
	const struct list_options *list = &request->value.list;

	check_inside(line, len, list->path, list->path_len);
	fuzz_require(list->flags <= 255);
	/* The path is the argument's tail, byte for byte. */
	fuzz_require(list->path + list->path_len == request->text + request->text_len);
	fuzz_require((list->flags & LIST_BY_TIME) == 0 ||
	             (list->flags & LIST_BY_SIZE) == 0);
}

static void
check_facts(const char *line, size_t len, const struct request *request)
{
	char text[MFF_TEXT_MAX];
	size_t text_len = mff_format(&request->value.facts.set, text, sizeof(text));

	check_inside(line, len, request->value.facts.path, request->value.facts.path_len);
	fuzz_require(request->value.facts.path_len > 0);
	fuzz_require(request->value.facts.set.mode <= MFF_MODE_MAX);
	fuzz_require((text_len > 0) == (request->value.facts.set.has_time ||
	                                request->value.facts.set.has_mode));
}

/* What stands behind SITE points into the line, too. */
static void
check_site(const char *line, size_t len, const struct request *request)
{
	struct site_request site = {.mode = 4711};
	enum site_result result = site_parse(request->text, request->text_len, &site);

	fuzz_require((result == SITE_UNKNOWN) == (site.id == SITE_COUNT));
	if (result != SITE_OK) {
		fuzz_require(site.mode == 4711);
		return;
	}
	fuzz_require(site.mode <= MFF_MODE_MAX);
	if (site.path_len > 0) {
		check_inside(line, len, site.path, site.path_len);
	}
	if (site.id == SITE_SYMLINK) {
		check_inside(line, len, site.target, site.target_len);
		fuzz_require(site.target_len > 0 && site.path_len > 0);
	}
}

static void
check_value(const char *line, size_t len, const struct request *request,
            enum command_argument argument)
{
	switch (argument) {
	case COMMAND_ARG_NONE:
		for (size_t i = 0; i < request->text_len; i++) {
			fuzz_require(request->text[i] == ' ');
		}
		break;
	case COMMAND_ARG_TEXT:
	case COMMAND_ARG_PATH: fuzz_require(request->text_len > 0); break;
	case COMMAND_ARG_LIST: check_list(line, len, request); break;
	case COMMAND_ARG_OFFSET:
	case COMMAND_ARG_ALLOCATE:
		fuzz_require(request->value.number <= INT64_MAX);
		break;
	case COMMAND_ARG_HOST_PORT:
		fuzz_require(request->value.addr.family == ADDR_IPV4);
		fuzz_require(request->value.addr.port > 0);
		break;
	case COMMAND_ARG_EPRT:
		fuzz_require(request->value.addr.family == ADDR_IPV4 ||
		             request->value.addr.family == ADDR_IPV6);
		fuzz_require(request->value.addr.port > 0 &&
		             request->value.addr.scope == 0);
		break;
	case COMMAND_ARG_OPTS:
		fuzz_require((request->value.opts.facts & ~(unsigned)ENTRY_FACTS_ALL) ==
		             0);
		break;
	case COMMAND_ARG_TIME_PATH:
		fuzz_require(request->value.facts.set.has_time);
		check_facts(line, len, request);
		break;
	case COMMAND_ARG_FACTS_PATH:
		fuzz_require(request->value.facts.set.has_time ||
		             request->value.facts.set.has_mode);
		check_facts(line, len, request);
		break;
	case COMMAND_ARG_MAYBE_TIME_PATH: check_facts(line, len, request); break;
	case COMMAND_ARG_HOST:
		fuzz_require(request->text_len > 0 && request->text_len <= ARG_HOST_MAX);
		break;
	case COMMAND_ARG_AUTH:
		fuzz_require(request->value.auth <= ARG_AUTH_DATA);
		fuzz_require(request->text_len >= sizeof("TLS") - 1);
		break;
	case COMMAND_ARG_BUFFER_SIZE:
		fuzz_require(request->text_len > 0);
		for (size_t i = 0; i < request->text_len; i++) {
			fuzz_require(isdigit((unsigned char)request->text[i]));
		}
		break;
	case COMMAND_ARG_PROT:
		fuzz_require(request->value.prot <= ARG_PROT_PRIVATE);
		fuzz_require(request->text_len == 1);
		break;
	case COMMAND_ARG_OPTIONAL_TEXT:
	case COMMAND_ARG_OPTIONAL_PATH:
	case COMMAND_ARG_TYPE:
	case COMMAND_ARG_MODE:
	case COMMAND_ARG_STRUCTURE:
	case COMMAND_ARG_EPSV:
	case COMMAND_ARG_COUNT: break;
	}
}

/* What the gate answers has to be allowed for the command. */
static void
check_refusal(enum request_result result, enum command_id id)
{
	if (result == REQUEST_UNSUPPORTED) {
		fuzz_require(command_allows_code(id, REPLY_NOT_FOR_PARAMETER));
	} else if (result == REQUEST_FAMILY) {
		fuzz_require(command_allows_code(id, REPLY_BAD_FAMILY));
	} else {
		fuzz_require(result == REQUEST_SYNTAX);
		fuzz_require(command_allows_code(id, REPLY_BAD_ARGUMENT));
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *line = size > 0 ? (const char *)data : "";
	struct request request;
	enum request_result result = request_parse(line, size, &request);
	size_t word_len = 0;

	check_inside(line, size, request.text, request.text_len);
	while (word_len < size && line[word_len] != ' ') {
		word_len++;
	}
	if (result == REQUEST_UNKNOWN) {
		fuzz_require(request.id == CMD_COUNT);
		return 0;
	}
	fuzz_require(request.id < CMD_COUNT);
	fuzz_require(strlen(command_row(request.id)->name) == word_len);
	fuzz_require(request.text_len == (word_len < size ? size - word_len - 1 : 0));
	if (result == REQUEST_OK) {
		check_value(line, size, &request, command_row(request.id)->argument);
		if (request.id == CMD_SITE) {
			check_site(line, size, &request);
		}
	} else {
		check_refusal(result, request.id);
	}
	return 0;
}
