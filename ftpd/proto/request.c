/*
 * request: a line becomes a command with a typed argument.
 * Runs in: deftpd-worker. Pure.
 */
#include "ftpd/proto/request.h"

#include <string.h>

#include "ftpd/proto/arg.h"
#include "common/base.h"

static enum request_result
from_bool(bool is_ok)
{
	return is_ok ? REQUEST_OK : REQUEST_BAD_ARGUMENT;
}

static enum request_result
parse_argument(enum command_argument kind, struct request *request)
{
	const char *text = request->text;
	size_t len = request->text_len;
	size_t used;

	switch (kind) {
	case ARG_NONE:
		return from_bool(len == 0);
	case ARG_OPTIONAL_TEXT:
	case ARG_OPTIONAL_PATH:
		return REQUEST_OK;
	case ARG_TEXT:
	case ARG_PATH:
		return from_bool(len > 0);
	case ARG_LISTING:
		used = arg_listing(text, len, &request->options);
		request->text += used;
		request->text_len -= used;
		return REQUEST_OK;
	case ARG_NUMBER:
		return from_bool(arg_number(text, len, &request->number));
	case ARG_ALLOCATION:
		return from_bool(arg_allocation(text, len, &request->number));
	case ARG_TYPE:
		return arg_type(text, len, &request->letter);
	case ARG_MODE:
		return arg_letter(text, len, "SBC");
	case ARG_STRUCTURE:
		return arg_letter(text, len, "FRP");
	case ARG_HOST_PORT:
		return from_bool(arg_host_port(text, len, &request->addr));
	case ARG_EXTENDED_PORT:
		return arg_extended_port(text, len, &request->addr);
	case ARG_EXTENDED_PASV:
		return arg_extended_pasv(text, len, &request->epsv);
	}
	return REQUEST_BAD_ARGUMENT;
}

enum request_result
request_parse(const char *line, size_t len, struct request *ret_request)
{
	const char *space = memchr(line, ' ', len);
	size_t word = space != NULL ? (size_t)(space - line) : len;
	size_t rest = space != NULL ? word + 1 : len;
	struct request request = {.id = command_find(line, word),
	                          .text = line + rest,
	                          .text_len = len - rest};
	enum request_result result = REQUEST_UNKNOWN;

	if (request.id != CMD_COUNT) {
		result = parse_argument(command_get(request.id)->argument, &request);
	}
	*ret_request = request;
	return result;
}
