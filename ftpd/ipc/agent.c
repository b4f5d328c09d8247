/*
 * agent: questions of a worker about files, and the agent's answers. Strictly one
 * question, one answer.
 * Runs in: worker (asks), agent (answers).
 */
#include "ftpd/ipc/agent.h"

#include <string.h>

#include "common/wire.h"
#include "common/base.h"

size_t
agent_question_encode(const struct agent_question *question, uint8_t *bytes, size_t cap)
{
	struct wire_writer writer;

	wire_writer_init(&writer, bytes, cap);
	wire_put_u8(&writer, (uint8_t)question->verb);
	wire_put_bytes(&writer, question->path, question->path_len);
	if (question->verb == AGENT_LIST) {
		wire_put_u8(&writer, (uint8_t)question->format);
		wire_put_u8(&writer, (uint8_t)question->options);
		wire_put_u16(&writer, (uint16_t)question->facts);
		wire_put_bytes(&writer, question->pattern, question->pattern_len);
		wire_put_bytes(&writer, question->prefix, question->prefix_len);
	}
	return writer.has_failed ? 0 : writer.len;
}

static bool
has_byte(const char *text, size_t len, char byte)
{
	return memchr(text, byte, len) != NULL;
}

bool
agent_question_decode(const uint8_t *bytes, size_t len,
                      struct agent_question *ret_question)
{
	struct agent_question question = {.pattern = "", .prefix = ""};
	struct wire_reader reader;

	wire_reader_init(&reader, bytes, len);
	question.verb = wire_get_enum(&reader, AGENT_VERB_COUNT);
	question.path = wire_get_bytes(&reader, IPC_PATH_MAX, &question.path_len);
	if (question.verb == AGENT_LIST) {
		question.format = wire_get_enum(&reader, AGENT_FORMAT_COUNT);
		question.options = wire_get_u8(&reader);
		question.facts = wire_get_u16(&reader);
		question.pattern =
		    wire_get_bytes(&reader, AGENT_PATTERN_MAX, &question.pattern_len);
		question.prefix =
		    wire_get_bytes(&reader, IPC_PATH_MAX, &question.prefix_len);
	}
	if (!wire_reader_is_done(&reader) || question.path_len == 0 ||
	    question.path[0] != '/' || has_byte(question.path, question.path_len, '\0') ||
	    has_byte(question.pattern, question.pattern_len, '\0') ||
	    has_byte(question.pattern, question.pattern_len, '/') ||
	    has_byte(question.prefix, question.prefix_len, '\0')) {
		return false;
	}
	*ret_question = question;
	return true;
}

size_t
agent_answer_encode(const struct agent_answer *answer, uint8_t *bytes, size_t cap)
{
	struct wire_writer writer;

	wire_writer_init(&writer, bytes, cap);
	wire_put_u8(&writer, (uint8_t)answer->result);
	wire_put_u8(&writer, (uint8_t)answer->kind);
	wire_put_bool(&writer, answer->is_readable);
	wire_put_bool(&writer, answer->is_searchable);
	wire_put_u32(&writer, answer->mode);
	wire_put_u64(&writer, answer->size_bytes);
	wire_put_u64(&writer, (uint64_t)answer->mtime_s);
	wire_put_u64(&writer, answer->inode);
	wire_put_u64(&writer, answer->device);
	wire_put_u32(&writer, (uint32_t)answer->denied_call);
	return writer.has_failed ? 0 : writer.len;
}

bool
agent_answer_decode(const uint8_t *bytes, size_t len, struct agent_answer *ret_answer)
{
	struct agent_answer answer = {0};
	struct wire_reader reader;

	wire_reader_init(&reader, bytes, len);
	answer.result = wire_get_enum(&reader, IPC_RESULT_COUNT);
	answer.kind = wire_get_enum(&reader, AGENT_KIND_COUNT);
	answer.is_readable = wire_get_bool(&reader);
	answer.is_searchable = wire_get_bool(&reader);
	answer.mode = wire_get_u32(&reader);
	answer.size_bytes = wire_get_u64(&reader);
	answer.mtime_s = (int64_t)wire_get_u64(&reader);
	answer.inode = wire_get_u64(&reader);
	answer.device = wire_get_u64(&reader);
	answer.denied_call = (int32_t)wire_get_u32(&reader);
	if (!wire_reader_is_done(&reader) || answer.mode > 07777) {
		return false;
	}
	*ret_answer = answer;
	return true;
}

bool
agent_verb_has_descriptor(enum agent_verb verb)
{
	return verb == AGENT_OPEN_READ || verb == AGENT_LIST;
}
