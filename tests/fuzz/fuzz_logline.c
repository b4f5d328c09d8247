/*
 * fuzz_logline: any bytes as the names and paths of which log lines are made.
 * In:      flags, how long the user is, the user, the path.
 * Wanted:  one line of printable characters with as many fields as it should have; what
 *          was escaped can be told back.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/text.h"
#include "ftpd/recorder/event.h"
#include "ftpd/recorder/xferlog.h"
#include "common/base.h"

enum {
	XFERLOG_BLANKS = 17, /* 18 with a day of one digit */
	XFERLOG_DAY = 23,
	HEADER = 2,
};

/* The name is libFuzzer's.  NOLINTNEXTLINE(readability-identifier-naming) */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
demand(bool is_right)
{
	if (!is_right) {
		abort();
	}
}

/* ASCII without controls, and bytes above; no line but the last ends here. */
static void
check_line(const struct text *line, size_t lines)
{
	size_t ends = 0;

	demand(!line->is_cut && line->len > 0 && line->bytes[line->len - 1] == '\n');
	demand(strlen(line->bytes) == line->len);
	for (size_t i = 0; i < line->len; i++) {
		uint8_t byte = (uint8_t)line->bytes[i];

		ends += byte == '\n';
		demand(byte == '\n' || (byte >= 0x20 && byte != 0x7f));
	}
	demand(lines == 0 || ends == lines);
}

static unsigned
hex_digit(char digit)
{
	return digit <= '9' ? (unsigned)(digit - '0') : (unsigned)(digit - 'a') + 10;
}

/* Undo the escapes; returns whether the original comes out. */
static bool
comes_back(const struct text *escaped, const char *original, size_t len)
{
	size_t at = 0;

	for (size_t i = 0; i < escaped->len; at++) {
		char byte = escaped->bytes[i++];

		if (byte == '\\') {
			demand(i + 3 <= escaped->len && escaped->bytes[i] == 'x');
			byte = (char)(hex_digit(escaped->bytes[i + 1]) << 4 |
			              hex_digit(escaped->bytes[i + 2]));
			i += 3;
		}
		if (at >= len || byte != original[at]) {
			return false;
		}
	}
	return at == len;
}

static void
check_escapes(const char *bytes, size_t len)
{
	static char buffer[TEXT_ESCAPED_SIZE * IPC_PATH_MAX + 1];
	static const unsigned kinds[] = {TEXT_ESCAPE_LINE, TEXT_ESCAPE_QUOTED,
	                                 TEXT_ESCAPE_WORD};
	struct text text;

	for (size_t i = 0; i < ARRAY_COUNT(kinds); i++) {
		text_init(&text, buffer, sizeof(buffer));
		text_add_escaped(&text, bytes, len, kinds[i]);
		demand(!text.is_cut && comes_back(&text, bytes, len));
		demand(kinds[i] == TEXT_ESCAPE_LINE ||
		       memchr(buffer, '"', text.len) == NULL);
		demand(kinds[i] != TEXT_ESCAPE_WORD ||
		       memchr(buffer, ' ', text.len) == NULL);
	}
}

static void
check_xferlog(const struct xferlog_entry *entry)
{
	static char buffer[XFERLOG_LINE_MAX];
	struct text line;
	size_t blanks = 0;

	text_init(&line, buffer, sizeof(buffer));
	xferlog_add_line(&line, entry);
	check_line(&line, 1);
	for (size_t i = 0; i < line.len; i++) {
		blanks += line.bytes[i] == ' ';
	}
	demand(blanks == XFERLOG_BLANKS);
}

static void
check_event(const struct event *event)
{
	static char buffer[EVENT_FORM_MAX];
	struct text form;

	text_init(&form, buffer, sizeof(buffer));
	event_add_line(&form, event);
	check_line(&form, 1);
	text_init(&form, buffer, sizeof(buffer));
	event_add_journal(&form, event);
	/*
	 * MESSAGE, PRIORITY, SYSLOG_IDENTIFIER, SYSLOG_FACILITY, FTP_SESSION, FTP_REMOTE.
	 */
	check_line(&form,
	           6U + (event->user_len > 0 ? 1 : 0) + (event->path_len > 0 ? 1 : 0));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char message[EVENT_MESSAGE_MAX];
	const struct addr peer = {.family = ADDR_IPV4, .bytes = {192, 0, 2, 1}};
	struct xferlog_entry entry = {.when = {.tm_year = 126, .tm_mday = XFERLOG_DAY},
	                              .peer = peer};
	struct event event = {.session = 1, .peer = peer};
	struct text text;

	if (size < HEADER || size - HEADER < data[1] ||
	    size - HEADER - data[1] > IPC_PATH_MAX) {
		return 0;
	}
	entry.flags = data[0] & RECORD_FLAG_ALL;
	entry.user = (const char *)data + HEADER;
	entry.user_len = data[1];
	entry.path = entry.user + entry.user_len;
	entry.path_len = size - HEADER - entry.user_len;
	check_xferlog(&entry);
	event.level = data[0] % RECORD_LEVEL_COUNT;
	event.user = entry.user;
	event.user_len = entry.user_len;
	event.path = entry.path;
	event.path_len = entry.path_len;
	text_init(&text, message, sizeof(message));
	text_add_escaped(&text, entry.path, entry.path_len, TEXT_ESCAPE_LINE);
	event.message = text.bytes;
	event.message_len = text.len;
	check_event(&event);
	check_escapes(entry.path, entry.path_len);
	return 0;
}
