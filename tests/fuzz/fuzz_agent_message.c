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
	want(question.second_len <= IPC_PATH_MAX);
	check_text(data, size, question.second, question.second_len);
	want((question.verb != AGENT_RENAME && question.verb != AGENT_COPY) ||
	     question.second[0] == '/');
	want(question.verb != AGENT_READY && question.how < AGENT_OPEN_COUNT);
	want(question.mode <= AGENT_MODE_MAX && question.offset <= INT64_MAX &&
	     question.told_size <= INT64_MAX);
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
	want(answer.mode <= 07777 && answer.offset <= INT64_MAX);
	check_text(data, size, answer.name, answer.name_len);
	want(agent_answer_encode(&answer, again, sizeof(again)) == size);
	want(memcmp(again, data, size) == 0);
}

static void
check_rights(const struct agent_rights *rights)
{
	want(rights->mode < AGENT_UPLOAD_COUNT && rights->umask <= 0777);
}

/*
 * The groups of a decoded record need not be aligned: to write it back they are read one
 * by one.
 */
static void
check_groups(const uint8_t *data, size_t size, struct agent_start *start)
{
	uint32_t *groups = calloc(start->group_count + 1, sizeof(*groups));
	uint8_t *again = malloc(size + 1);

	want(groups != NULL && again != NULL);
	want(start->group_count <= AGENT_GROUPS_MAX);
	for (size_t i = 0; i < start->group_count; i++) {
		groups[i] = agent_start_group(start, i);
	}
	start->groups = groups;
	want(agent_start_encode(start, again, size + 1) == size);
	want(memcmp(again, data, size) == 0);
	free(groups);
	free(again);
}

static void
check_start(const uint8_t *data, size_t size)
{
	struct agent_start start;

	if (!agent_start_decode(data, size, &start)) {
		return;
	}
	want(start.root_len >= 1 && start.root_len <= IPC_PATH_MAX &&
	     start.root[0] == '/');
	check_text(data, size, start.root, start.root_len);
	want(start.start_len >= 1 && start.start[0] == '/');
	check_text(data, size, start.start, start.start_len);
	check_rights(&start.rights);
	want(start.rule_count <= AGENT_RULES_MAX);
	for (size_t i = 0; i < start.rule_count; i++) {
		want(start.rules[i].directory_len >= 1 &&
		     start.rules[i].directory[0] == '/');
		check_text(data, size, start.rules[i].directory,
		           start.rules[i].directory_len);
		check_rights(&start.rules[i].rights);
	}
	check_groups(data, size, &start);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	check_question(data, size);
	check_answer(data, size);
	check_start(data, size);
	return 0;
}
