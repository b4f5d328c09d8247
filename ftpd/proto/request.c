/*
 * request: a command line with its word looked up and its argument typed.
 * Runs in: deftpd-worker. Input: hostile.
 */
#include "ftpd/proto/request.h"

#include <string.h>

#include "ftpd/proto/datetime.h"
#include "common/base.h"

static enum request_result
from_arg(enum arg_result result)
{
	switch (result) {
	case ARG_OK: return REQUEST_OK;
	case ARG_SYNTAX: return REQUEST_SYNTAX;
	case ARG_UNSUPPORTED: return REQUEST_UNSUPPORTED;
	case ARG_FAMILY: return REQUEST_FAMILY;
	}
	return REQUEST_SYNTAX;
}

static bool
is_only_spaces(const char *text, size_t len)
{
	while (len > 0 && text[len - 1] == ' ') {
		len--;
	}
	return len == 0;
}

static enum request_result
parse_time_path(struct request *request)
{
	const char *space =
	    request->text_len > 0 ? memchr(request->text, ' ', request->text_len) : NULL;
	size_t time_len = space != NULL ? (size_t)(space - request->text) : 0;
	size_t path_len = space != NULL ? request->text_len - time_len - 1 : 0;
	struct mff set = {.has_time = true};

	if (path_len == 0 || !datetime_parse(request->text, time_len, &set.time_s)) {
		return REQUEST_SYNTAX;
	}
	request->value.facts.set = set;
	request->value.facts.path = space + 1;
	request->value.facts.path_len = path_len;
	return REQUEST_OK;
}

/*
 * The setting form of MDTM is older than MFMT and not in RFC 3659. A file whose name
 * begins with a time and a space is still to be had, as "./NAME".
 */
static enum request_result
parse_maybe_time_path(struct request *request)
{
	if (request->text_len == 0 || parse_time_path(request) == REQUEST_OK) {
		return request->text_len == 0 ? REQUEST_SYNTAX : REQUEST_OK;
	}
	request->value.facts.set = (struct mff){.has_time = false};
	request->value.facts.path = request->text;
	request->value.facts.path_len = request->text_len;
	return REQUEST_OK;
}

static enum request_result
parse_argument(struct request *request, enum command_argument kind)
{
	const char *text = request->text;
	size_t len = request->text_len;

	switch (kind) {
	case COMMAND_ARG_NONE:
		return is_only_spaces(text, len) ? REQUEST_OK : REQUEST_SYNTAX;
	case COMMAND_ARG_TEXT:
	case COMMAND_ARG_PATH: return len > 0 ? REQUEST_OK : REQUEST_SYNTAX;
	case COMMAND_ARG_OPTIONAL_TEXT:
	case COMMAND_ARG_OPTIONAL_PATH: return REQUEST_OK;
	case COMMAND_ARG_LIST:
		request->value.list = list_options_parse(text, len);
		return REQUEST_OK;
	case COMMAND_ARG_OFFSET:
		return from_arg(arg_number(text, len, &request->value.number));
	case COMMAND_ARG_ALLOCATE:
		return from_arg(arg_allocate(text, len, &request->value.number));
	case COMMAND_ARG_TYPE: return from_arg(arg_type(text, len, &request->value.type));
	case COMMAND_ARG_MODE: return from_arg(arg_mode(text, len));
	case COMMAND_ARG_STRUCTURE: return from_arg(arg_structure(text, len));
	case COMMAND_ARG_HOST_PORT:
		return from_arg(arg_host_port(text, len, &request->value.addr));
	case COMMAND_ARG_EPRT: return from_arg(arg_eprt(text, len, &request->value.addr));
	case COMMAND_ARG_EPSV: return from_arg(arg_epsv(text, len, &request->value.epsv));
	case COMMAND_ARG_OPTS: return from_arg(arg_opts(text, len, &request->value.opts));
	case COMMAND_ARG_TIME_PATH: return parse_time_path(request);
	case COMMAND_ARG_MAYBE_TIME_PATH: return parse_maybe_time_path(request);
	case COMMAND_ARG_FACTS_PATH:
		return from_arg(mff_parse(text, len, &request->value.facts.set,
		                          &request->value.facts.path,
		                          &request->value.facts.path_len));
	case COMMAND_ARG_HOST: return from_arg(arg_host(text, len));
	case COMMAND_ARG_AUTH: return from_arg(arg_auth(text, len, &request->value.auth));
	case COMMAND_ARG_BUFFER_SIZE: return from_arg(arg_buffer_size(text, len));
	case COMMAND_ARG_PROT: return from_arg(arg_prot(text, len, &request->value.prot));
	case COMMAND_ARG_COUNT: break;
	}
	return REQUEST_SYNTAX;
}

enum request_result
request_parse(const char *line, size_t len, struct request *ret_request)
{
	const char *space = len > 0 ? memchr(line, ' ', len) : NULL;
	size_t word_len = space != NULL ? (size_t)(space - line) : len;
	size_t used = space != NULL ? word_len + 1 : word_len;

	ret_request->id = command_find(line, word_len);
	if (ret_request->id == CMD_COUNT) {
		ret_request->text = line;
		ret_request->text_len = len;
		return REQUEST_UNKNOWN;
	}
	ret_request->text = line + used;
	ret_request->text_len = len - used;
	return parse_argument(ret_request, command_row(ret_request->id)->argument);
}
