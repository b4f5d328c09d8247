/*
 * fuzz_entry: any directory entry, any selection of facts, any size of the buffer.
 * Wanted:  one line with one CRLF at its end; MLSD lines that a strict parser takes back
 *          to the same entry; a buffer that is too small gives nothing, and never a cut
 *          line.
 */
#include "ftpd/proto/entry.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ftpd/proto/datetime.h"
#include "tests/fuzz/fuzz.h"
#include "common/base.h"

static void
check_one_line(const char *line, size_t len)
{
	fuzz_require(len >= 2 && line[len - 2] == '\r' && line[len - 1] == '\n');
	for (size_t i = 0; i < len - 2; i++) {
		fuzz_require(line[i] != '\r' && line[i] != '\n' && line[i] != '\0');
	}
}

/* Compare the value of one fact with the entry. */
static void
check_fact(const struct entry *entry, unsigned fact, const char *value, size_t len)
{
	static const char *const types[] = {
	    [ENTRY_FILE] = "file",
	    [ENTRY_DIR] = "dir",
	    [ENTRY_CDIR] = "cdir",
	    [ENTRY_PDIR] = "pdir",
	    [ENTRY_SYMLINK] = "OS.unix=symlink",
	    [ENTRY_OTHER] = "OS.unix=special",
	};
	char wanted[64] = "";
	int64_t epoch_s;

	switch (fact) {
	case ENTRY_FACT_TYPE:
		(void)snprintf(wanted, sizeof(wanted), "%s", types[entry->type]);
		break;
	case ENTRY_FACT_SIZE:
		(void)snprintf(wanted, sizeof(wanted), "%llu",
		               (unsigned long long)entry->size_bytes);
		break;
	case ENTRY_FACT_UNIQUE:
		(void)snprintf(wanted, sizeof(wanted), "%llxg%llx",
		               (unsigned long long)entry->device,
		               (unsigned long long)entry->inode);
		break;
	case ENTRY_FACT_UNIX_MODE:
		(void)snprintf(wanted, sizeof(wanted), "%04o", entry->mode);
		break;
	case ENTRY_FACT_UNIX_OWNER:
		(void)snprintf(wanted, sizeof(wanted), "%u", entry->uid);
		break;
	case ENTRY_FACT_UNIX_GROUP:
		(void)snprintf(wanted, sizeof(wanted), "%u", entry->gid);
		break;
	case ENTRY_FACT_MODIFY:
		fuzz_require(datetime_parse(value, len, &epoch_s));
		/*
		 * Times outside of the years 0 to 9999 are clamped to the end that is
		 * nearer.
		 */
		fuzz_require(epoch_s == entry->mtime_s ||
		             (entry->mtime_s < -62167219200 && epoch_s == -62167219200) ||
		             (entry->mtime_s > 253402300799 && epoch_s == 253402300799));
		return;
	default:
		fuzz_require(fact == ENTRY_FACT_PERM);
		for (size_t i = 0; i < len; i++) {
			fuzz_require(value[i] != '\0' &&
			             strchr("acdeflmprw", value[i]) != NULL);
			fuzz_require(i == 0 || value[i - 1] < value[i]);
		}
		return;
	}
	fuzz_require(strlen(wanted) == len && memcmp(wanted, value, len) == 0);
}

/* RFC 3659 7.2: *( name "=" value ";" ) SP pathname. */
static void
check_facts(const struct entry *entry, unsigned facts, const char *line, size_t len)
{
	unsigned seen = 0;
	size_t at = 0;

	while (line[at] != ' ') {
		const char *equals = memchr(line + at, '=', len - at);
		const char *end = memchr(line + at, ';', len - at);
		unsigned fact;

		fuzz_require(equals != NULL && end != NULL && equals < end);
		fact = entry_fact_find(line + at, (size_t)(equals - (line + at)));
		fuzz_require(fact > seen);
		seen |= fact;
		check_fact(entry, fact, equals + 1, (size_t)(end - equals) - 1);
		at = (size_t)(end - line) + 1;
	}
	facts &= entry->type == ENTRY_FILE ? ~0U : ~(unsigned)ENTRY_FACT_SIZE;
	fuzz_require(seen == facts);
	fuzz_require(len - at - 3 == entry->name_len);
	fuzz_require(memcmp(line + at + 1, entry->name, entry->name_len) == 0);
}

static struct entry
take_entry(struct fuzz_input *input)
{
	struct entry entry = {0};

	entry.type = (enum entry_type)(fuzz_take_byte(input) % (ENTRY_OTHER + 1));
	entry.rights = fuzz_take_byte(input) & 15U;
	entry.mode = (uint32_t)fuzz_take_number(input) & 07777;
	entry.link_count = (uint32_t)fuzz_take_number(input);
	entry.uid = (uint32_t)fuzz_take_number(input);
	entry.gid = (uint32_t)fuzz_take_number(input);
	entry.size_bytes = fuzz_take_number(input);
	entry.mtime_s = (int64_t)fuzz_take_number(input);
	entry.device = fuzz_take_number(input);
	entry.inode = fuzz_take_number(input);
	entry.name = fuzz_take_text(input, 4095, &entry.name_len);
	if ((fuzz_take_byte(input) & 1) != 0) {
		entry.target = fuzz_take_text(input, 4095, &entry.target_len);
	}
	return entry;
}

/* The same line into a buffer of any size: the line or nothing. */
static void
check_small(const struct entry *entry, const struct entry_look *look, const char *line,
            size_t len, size_t cap)
{
	char *small = malloc(cap > 0 ? cap : 1);
	size_t small_len;

	fuzz_require(small != NULL);
	small_len = entry_format_list(entry, look, small, cap);
	fuzz_require(small_len == (cap >= len ? len : 0));
	fuzz_require(memcmp(small, line, small_len) == 0);
	free(small);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input input = {.data = data, .size = size};
	struct entry entry = take_entry(&input);
	unsigned facts = fuzz_take_byte(&input);
	struct entry_look look = {.owner = "ftp", .group = "a b\n\xff"};
	size_t cap = fuzz_take_byte(&input) * 16U;
	char *line = malloc(ENTRY_LINE_MAX);
	bool is_sayable = entry_name_is_sayable(entry.name, entry.name_len);
	size_t prefix_len;
	const char *prefix = fuzz_take_text(&input, 4095, &prefix_len);
	size_t len;

	fuzz_require(line != NULL);
	look.now_s = (int64_t)(fuzz_take_number(&input) >> 16);
	look.is_classified = (fuzz_take_byte(&input) & 1) != 0;

	len = entry_format_list(&entry, &look, line, ENTRY_LINE_MAX);
	check_one_line(line, len);
	check_small(&entry, &look, line, len, cap);

	len = entry_format_facts(&entry, facts, line, ENTRY_LINE_MAX);
	fuzz_require((len > 0) == is_sayable);
	if (len > 0) {
		check_one_line(line, len);
		check_facts(&entry, facts, line, len);
	}
	fuzz_require(entry_format_facts_only(&entry, facts, line, ENTRY_FACTS_MAX) > 0 ||
	             facts == 0 ||
	             (facts == ENTRY_FACT_SIZE && entry.type != ENTRY_FILE));

	len = entry_format_name(&entry, prefix, prefix_len, line, ENTRY_LINE_MAX);
	fuzz_require((len > 0) ==
	             (is_sayable &&
	              (prefix_len == 0 || entry_name_is_sayable(prefix, prefix_len))));
	if (len > 0) {
		check_one_line(line, len);
		fuzz_require(len == prefix_len + entry.name_len + 2);
	}
	free(line);
	return 0;
}
