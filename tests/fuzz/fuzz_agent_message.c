/*
 * fuzz_agent_message: any bytes as a question to an agent, as its answer and as its start
 * record.
 * Wanted: no crash; what is taken keeps its promises, and is written back as the same
 * bytes, so that there is one form of
 *         each message only.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "ftpd/ipc/agent.h"
#include "ftpd/ipc/agent_start.h"

#include "common/base.h"

/* The name is libFuzzer's.  NOLINTNEXTLINE(readability-identifier-naming) */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
want(bool is_kept)
{
	if (!is_kept) {
		abort();
	}
}

/* A text that a decoder returned: inside the message, or empty. */
static void
check_text(const uint8_t *data, size_t size, const char *text, size_t len)
{
	uintptr_t start = (uintptr_t)data;
	uintptr_t at = (uintptr_t)text;

	want(len == 0 ||
	     (at >= start && at - start <= size && size - (at - start) >= len));
	want(memchr(text, '\0', len) == NULL);
}

static void
check_question(const uint8_t *data, size_t size)
{
	uint8_t again[IPC_MESSAGE_MAX];
	struct agent_question question;

	if (!agent_question_decode(data, size, &question)) {
		return;
	}
	want(question.verb < AGENT_VERB_COUNT);
	want(question.path_len >= 1 && question.path_len <= IPC_PATH_MAX);
	want(question.path[0] == '/');
	check_text(data, size, question.path, question.path_len);
	check_text(data, size, question.pattern, question.pattern_len);
	check_text(data, size, question.prefix, question.prefix_len);
	want(question.pattern_len <= AGENT_PATTERN_MAX &&
	     question.prefix_len <= IPC_PATH_MAX);
	want(memchr(question.pattern, '/', question.pattern_len) == NULL);
	want(question.format < AGENT_FORMAT_COUNT &&
	     question.options <= AGENT_OPTION_ALL);
	want(agent_question_encode(&question, again, sizeof(again)) == size);
	want(memcmp(again, data, size) == 0);
}

static void
check_answer(const uint8_t *data, size_t size)
{
	uint8_t again[IPC_MESSAGE_MAX];
	struct agent_answer answer;

	if (!agent_answer_decode(data, size, &answer)) {
		return;
	}
	want(answer.result < IPC_RESULT_COUNT && answer.kind < AGENT_KIND_COUNT);
	want(answer.mode <= 07777);
	want(agent_answer_encode(&answer, again, sizeof(again)) == size);
	want(memcmp(again, data, size) == 0);
}

static void
check_start(const uint8_t *data, size_t size)
{
	uint8_t again[IPC_MESSAGE_MAX];
	struct agent_start start;

	if (!agent_start_decode(data, size, &start)) {
		return;
	}
	want(start.root_len >= 1 && start.root_len <= IPC_PATH_MAX &&
	     start.root[0] == '/');
	check_text(data, size, start.root, start.root_len);
	want(agent_start_encode(&start, again, sizeof(again)) == size);
	want(memcmp(again, data, size) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	check_question(data, size);
	check_answer(data, size);
	check_start(data, size);
	return 0;
}
