/*
 * agent: questions of a worker about files, and the agent's answers. Strictly one
 * question, one answer.
 * Runs in: worker (asks), agent (answers).
 */
#include "ftpd/ipc/agent.h"

#include <string.h>

#include "common/wire.h"
#include "common/base.h"

/* Which fields a verb carries besides the path, in this order on the wire. */
enum question_field {
	FIELD_LISTING = 1,
	FIELD_SECOND = 2,
	FIELD_OPEN = 4,
	FIELD_UPLOAD = 8,
	FIELD_TIME = 16,
	FIELD_MODE = 32,
};

static const uint8_t fields_of[AGENT_VERB_COUNT] = {
    [AGENT_LIST] = FIELD_LISTING,    [AGENT_RENAME] = FIELD_SECOND,
    [AGENT_COPY] = FIELD_SECOND,     [AGENT_SYMLINK] = FIELD_SECOND,
    [AGENT_OPEN_WRITE] = FIELD_OPEN, [AGENT_COMMIT] = FIELD_UPLOAD,
    [AGENT_DISCARD] = FIELD_UPLOAD,  [AGENT_SET_TIME] = FIELD_TIME,
    [AGENT_SET_MODE] = FIELD_MODE,   [AGENT_SET_UMASK] = FIELD_MODE,
};

static void
put_listing(struct wire_writer *writer, const struct agent_question *question)
{
	wire_put_u8(writer, (uint8_t)question->format);
	wire_put_u8(writer, (uint8_t)question->options);
	wire_put_u16(writer, (uint16_t)question->facts);
	wire_put_bytes(writer, question->pattern, question->pattern_len);
	wire_put_bytes(writer, question->prefix, question->prefix_len);
}

static void
put_open(struct wire_writer *writer, const struct agent_question *question)
{
	wire_put_u8(writer, (uint8_t)question->how);
	wire_put_u64(writer, question->offset);
	wire_put_u64(writer, question->told_size);
	wire_put_bool(writer, question->has_told_size);
	wire_put_bool(writer, question->is_text);
}

size_t
agent_question_encode(const struct agent_question *question, uint8_t *bytes, size_t cap)
{
	unsigned fields = fields_of[question->verb];
	struct wire_writer writer;

	wire_writer_init(&writer, bytes, cap);
	wire_put_u8(&writer, (uint8_t)question->verb);
	wire_put_bytes(&writer, question->path, question->path_len);
	if ((fields & FIELD_LISTING) != 0) {
		put_listing(&writer, question);
	}
	if ((fields & FIELD_SECOND) != 0) {
		wire_put_bytes(&writer, question->second, question->second_len);
	}
	if ((fields & FIELD_OPEN) != 0) {
		put_open(&writer, question);
	}
	if ((fields & FIELD_UPLOAD) != 0) {
		wire_put_u32(&writer, question->upload);
	}
	if ((fields & FIELD_TIME) != 0) {
		wire_put_u64(&writer, (uint64_t)question->time_s);
	}
	if ((fields & FIELD_MODE) != 0) {
		wire_put_u32(&writer, question->mode);
	}
	return writer.has_failed ? 0 : writer.len;
}

static bool
has_byte(const char *text, size_t len, char byte)
{
	return len > 0 && memchr(text, byte, len) != NULL;
}

static bool
is_path(const char *text, size_t len)
{
	return len > 0 && text[0] == '/' && !has_byte(text, len, '\0');
}

static bool
is_second_sound(const struct agent_question *question)
{
	if (question->verb == AGENT_RENAME || question->verb == AGENT_COPY) {
		return is_path(question->second, question->second_len);
	}
	return !has_byte(question->second, question->second_len, '\0');
}

static void
get_fields(struct wire_reader *reader, struct agent_question *question)
{
	unsigned fields = fields_of[question->verb];

	if ((fields & FIELD_LISTING) != 0) {
		question->format = wire_get_enum(reader, AGENT_FORMAT_COUNT);
		question->options = wire_get_u8(reader);
		question->facts = wire_get_u16(reader);
		question->pattern =
		    wire_get_bytes(reader, AGENT_PATTERN_MAX, &question->pattern_len);
		question->prefix =
		    wire_get_bytes(reader, IPC_PATH_MAX, &question->prefix_len);
	}
	if ((fields & FIELD_SECOND) != 0) {
		question->second =
		    wire_get_bytes(reader, IPC_PATH_MAX, &question->second_len);
	}
	if ((fields & FIELD_OPEN) != 0) {
		question->how = wire_get_enum(reader, AGENT_OPEN_COUNT);
		question->offset = wire_get_u64(reader);
		question->told_size = wire_get_u64(reader);
		question->has_told_size = wire_get_bool(reader);
		question->is_text = wire_get_bool(reader);
	}
	if ((fields & FIELD_UPLOAD) != 0) {
		question->upload = wire_get_u32(reader);
	}
	if ((fields & FIELD_TIME) != 0) {
		question->time_s = (int64_t)wire_get_u64(reader);
	}
	if ((fields & FIELD_MODE) != 0) {
		question->mode = wire_get_u32(reader);
	}
}

bool
agent_question_decode(const uint8_t *bytes, size_t len,
                      struct agent_question *ret_question)
{
	struct agent_question question = {.pattern = "", .prefix = "", .second = ""};
	struct wire_reader reader;

	wire_reader_init(&reader, bytes, len);
	question.verb = wire_get_enum(&reader, AGENT_READY); /* which nobody asks */
	question.path = wire_get_bytes(&reader, IPC_PATH_MAX, &question.path_len);
	get_fields(&reader, &question);
	if (!wire_reader_is_done(&reader) || !is_path(question.path, question.path_len) ||
	    !is_second_sound(&question) ||
	    has_byte(question.pattern, question.pattern_len, '\0') ||
	    has_byte(question.pattern, question.pattern_len, '/') ||
	    has_byte(question.prefix, question.prefix_len, '\0') ||
	    question.mode > AGENT_MODE_MAX || question.offset > INT64_MAX ||
	    question.told_size > INT64_MAX) {
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
	wire_put_bool(&writer, answer->is_writable);
	wire_put_bool(&writer, answer->is_removable);
	wire_put_bool(&writer, answer->is_part);
	wire_put_u32(&writer, answer->mode);
	wire_put_u64(&writer, answer->size_bytes);
	wire_put_u64(&writer, (uint64_t)answer->mtime_s);
	wire_put_u64(&writer, answer->inode);
	wire_put_u64(&writer, answer->device);
	wire_put_u64(&writer, answer->offset);
	wire_put_u32(&writer, answer->upload);
	wire_put_u64(&writer, answer->limit_bytes);
	wire_put_bytes(&writer, answer->name, answer->name_len);
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
	answer.is_writable = wire_get_bool(&reader);
	answer.is_removable = wire_get_bool(&reader);
	answer.is_part = wire_get_bool(&reader);
	answer.mode = wire_get_u32(&reader);
	answer.size_bytes = wire_get_u64(&reader);
	answer.mtime_s = (int64_t)wire_get_u64(&reader);
	answer.inode = wire_get_u64(&reader);
	answer.device = wire_get_u64(&reader);
	answer.offset = wire_get_u64(&reader);
	answer.upload = wire_get_u32(&reader);
	answer.limit_bytes = wire_get_u64(&reader);
	answer.name = wire_get_bytes(&reader, IPC_PATH_MAX, &answer.name_len);
	answer.denied_call = (int32_t)wire_get_u32(&reader);
	if (!wire_reader_is_done(&reader) || answer.mode > 07777 ||
	    answer.offset > INT64_MAX || has_byte(answer.name, answer.name_len, '\0')) {
		return false;
	}
	*ret_answer = answer;
	return true;
}

bool
agent_verb_has_descriptor(enum agent_verb verb)
{
	return verb == AGENT_OPEN_READ || verb == AGENT_LIST ||
	       verb == AGENT_OPEN_WRITE || verb == AGENT_COPY;
}
