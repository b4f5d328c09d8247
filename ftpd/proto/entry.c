/*
 * entry: one directory entry as a line of LIST, NLST or MLSD, or as the facts of MLST.
 * Runs in: deftpd-agent, deftpd-worker. Names: hostile.
 */
#include "ftpd/proto/entry.h"

#include <string.h>

#include "ftpd/proto/datetime.h"
#include "ftpd/proto/letters.h"
#include "ftpd/proto/out.h"
#include "common/base.h"

enum {
	HALF_YEAR_SECONDS = 31556952 / 2, /* as ls: half a mean Gregorian year */
	MODE_SETUID = 04000,
	MODE_SETGID = 02000,
	MODE_STICKY = 01000,
	MODE_EXECUTE = 0111,
	OWNER_COLUMN_WIDTH = 8,
	LINK_COLUMN_WIDTH = 3,
	SIZE_COLUMN_WIDTH = 12,
};

static const char *const fact_names[] = {
    "type", "size", "modify", "perm", "unique", "UNIX.mode", "UNIX.owner", "UNIX.group"};

static bool
is_line_breaker(char c)
{
	return c == '\r' || c == '\n' || c == '\0';
}

bool
entry_name_is_sayable(const char *name, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (is_line_breaker(name[i])) {
			return false;
		}
	}
	return len > 0;
}

static bool
is_directory(enum entry_type type)
{
	return type == ENTRY_DIR || type == ENTRY_CDIR || type == ENTRY_PDIR;
}

/* Write a name so that the line stays one: LIST only. */
static void
put_shown(struct out *out, const char *name, size_t len)
{
	size_t begin = 0;

	for (size_t i = 0; i < len; i++) {
		if (is_line_breaker(name[i])) {
			out_bytes(out, name + begin, i - begin);
			out_char(out, '?');
			begin = i + 1;
		}
	}
	out_bytes(out, name + begin, len - begin);
}

/* Write a user's name as one column: a space in it would shift the others. */
static void
put_owner(struct out *out, const char *name)
{
	size_t len = 0;

	for (; name[len] != '\0'; len++) {
		unsigned char byte = (unsigned char)name[len];

		out_char(out, byte <= ' ' || byte == 127 ? '?' : name[len]);
	}
	for (; len < OWNER_COLUMN_WIDTH; len++) {
		out_char(out, ' ');
	}
}

static char
type_letter(enum entry_type type)
{
	switch (type) {
	case ENTRY_FILE: return '-';
	case ENTRY_DIR:
	case ENTRY_CDIR:
	case ENTRY_PDIR: return 'd';
	case ENTRY_SYMLINK: return 'l';
	case ENTRY_OTHER: return 's';
	}
	return '-';
}

static void
put_mode(struct out *out, enum entry_type type, uint32_t mode)
{
	char text[10];

	text[0] = type_letter(type);
	for (unsigned i = 0; i < 9; i++) {
		text[i + 1] = (mode >> (8 - i) & 1) != 0 ? "rwxrwxrwx"[i] : '-';
	}
	if ((mode & MODE_SETUID) != 0) {
		text[3] = text[3] == 'x' ? 's' : 'S';
	}
	if ((mode & MODE_SETGID) != 0) {
		text[6] = text[6] == 'x' ? 's' : 'S';
	}
	if ((mode & MODE_STICKY) != 0) {
		text[9] = text[9] == 'x' ? 't' : 'T';
	}
	out_bytes(out, text, sizeof(text));
}

static void
put_two_digits(struct out *out, unsigned value)
{
	out_char(out, (char)('0' + value / 10));
	out_char(out, (char)('0' + value % 10));
}

/* "Jan 31 23:59" or "Jan 31  2024". */
static void
put_time(struct out *out, int64_t mtime_s, int64_t now_s)
{
	struct datetime datetime = datetime_from_epoch(mtime_s);
	bool is_recent = mtime_s <= now_s && mtime_s > now_s - HALF_YEAR_SECONDS;

	out_text(out, datetime_month_name(datetime.month));
	out_char(out, ' ');
	out_number(out, datetime.day, 2);
	out_char(out, ' ');
	if (!is_recent) {
		out_number(out, datetime.year, 5);
		return;
	}
	put_two_digits(out, datetime.hour);
	out_char(out, ':');
	put_two_digits(out, datetime.minute);
}

/* What -F puts behind a name. */
static void
put_class(struct out *out, const struct entry *entry)
{
	if (is_directory(entry->type)) {
		out_char(out, '/');
	} else if (entry->type == ENTRY_FILE && (entry->mode & MODE_EXECUTE) != 0) {
		out_char(out, '*');
	} else if (entry->type == ENTRY_SYMLINK && entry->target == NULL) {
		out_char(out, '@');
	}
}

size_t
entry_format_list(const struct entry *entry, const struct entry_look *look, char *out,
                  size_t cap)
{
	struct out line = out_begin(out, cap);

	put_mode(&line, entry->type, entry->mode);
	out_char(&line, ' ');
	out_number(&line, entry->link_count, LINK_COLUMN_WIDTH);
	out_char(&line, ' ');
	put_owner(&line, look->owner);
	out_char(&line, ' ');
	put_owner(&line, look->group);
	out_char(&line, ' ');
	out_number(&line, entry->size_bytes, SIZE_COLUMN_WIDTH);
	out_char(&line, ' ');
	put_time(&line, entry->mtime_s, look->now_s);
	out_char(&line, ' ');
	put_shown(&line, entry->name, entry->name_len);
	if (look->is_classified) {
		put_class(&line, entry);
	}
	if (entry->type == ENTRY_SYMLINK && entry->target != NULL) {
		out_text(&line, " -> ");
		put_shown(&line, entry->target, entry->target_len);
	}
	out_text(&line, "\r\n");
	return out_end(&line);
}

size_t
entry_format_name(const struct entry *entry, const char *prefix, size_t prefix_len,
                  char *out, size_t cap)
{
	struct out line = out_begin(out, cap);

	if (!entry_name_is_sayable(entry->name, entry->name_len) ||
	    (prefix_len > 0 && !entry_name_is_sayable(prefix, prefix_len))) {
		return 0;
	}
	out_bytes(&line, prefix, prefix_len);
	out_bytes(&line, entry->name, entry->name_len);
	out_text(&line, "\r\n");
	return out_end(&line);
}

static const char *
type_fact(enum entry_type type)
{
	switch (type) {
	case ENTRY_FILE: return "file";
	case ENTRY_DIR: return "dir";
	case ENTRY_CDIR: return "cdir";
	case ENTRY_PDIR: return "pdir";
	case ENTRY_SYMLINK: return "OS.unix=symlink";
	case ENTRY_OTHER: return "OS.unix=special";
	}
	return "file";
}

/* RFC 3659 7.5.5, its letters in alphabetical order. */
static void
put_perm(struct out *out, const struct entry *entry)
{
	static const struct {
		char letter;
		bool is_for_directory;
		unsigned right;
	} letters[] = {
	    {'a', false, ENTRY_MAY_WRITE},  {'c', true, ENTRY_MAY_WRITE},
	    {'d', false, ENTRY_MAY_REMOVE}, {'d', true, ENTRY_MAY_REMOVE},
	    {'e', true, ENTRY_MAY_SEARCH},  {'f', false, ENTRY_MAY_REMOVE},
	    {'f', true, ENTRY_MAY_REMOVE},  {'l', true, ENTRY_MAY_READ},
	    {'m', true, ENTRY_MAY_WRITE},   {'p', true, ENTRY_MAY_WRITE},
	    {'r', false, ENTRY_MAY_READ},   {'w', false, ENTRY_MAY_WRITE},
	};

	for (size_t i = 0; i < ARRAY_COUNT(letters); i++) {
		if (letters[i].is_for_directory == is_directory(entry->type) &&
		    (entry->rights & letters[i].right) != 0) {
			out_char(out, letters[i].letter);
		}
	}
}

static void
put_fact_value(struct out *out, const struct entry *entry, enum entry_fact fact)
{
	char time[DATETIME_TEXT_BYTES];

	switch (fact) {
	case ENTRY_FACT_TYPE: out_text(out, type_fact(entry->type)); break;
	case ENTRY_FACT_SIZE: out_number(out, entry->size_bytes, 0); break;
	case ENTRY_FACT_MODIFY:
		datetime_format(entry->mtime_s, time);
		out_bytes(out, time, sizeof(time));
		break;
	case ENTRY_FACT_PERM: put_perm(out, entry); break;
	case ENTRY_FACT_UNIQUE:
		out_number_base(out, entry->device, 16, 1);
		out_char(out, 'g');
		out_number_base(out, entry->inode, 16, 1);
		break;
	case ENTRY_FACT_UNIX_MODE: out_number_base(out, entry->mode, 8, 4); break;
	case ENTRY_FACT_UNIX_OWNER: out_number(out, entry->uid, 0); break;
	case ENTRY_FACT_UNIX_GROUP: out_number(out, entry->gid, 0); break;
	case ENTRY_FACTS_ALL:
	case ENTRY_FACTS_DEFAULT: break;
	}
}

static void
put_facts(struct out *out, const struct entry *entry, unsigned facts)
{
	if (entry->type != ENTRY_FILE) {
		facts &= ~(unsigned)ENTRY_FACT_SIZE;
	}
	for (size_t i = 0; i < ARRAY_COUNT(fact_names); i++) {
		if ((facts & 1U << i) != 0) {
			out_text(out, fact_names[i]);
			out_char(out, '=');
			put_fact_value(out, entry, (enum entry_fact)(1U << i));
			out_char(out, ';');
		}
	}
}

size_t
entry_format_facts(const struct entry *entry, unsigned facts, char *out, size_t cap)
{
	struct out line = out_begin(out, cap);

	if (!entry_name_is_sayable(entry->name, entry->name_len)) {
		return 0;
	}
	put_facts(&line, entry, facts);
	out_char(&line, ' ');
	out_bytes(&line, entry->name, entry->name_len);
	out_text(&line, "\r\n");
	return out_end(&line);
}

size_t
entry_format_facts_only(const struct entry *entry, unsigned facts, char *out, size_t cap)
{
	struct out text = out_begin(out, cap);

	put_facts(&text, entry, facts);
	return out_end(&text);
}

size_t
entry_format_fact_names(unsigned facts, bool is_feat, char *out, size_t cap)
{
	struct out text = out_begin(out, cap);

	for (size_t i = 0; i < ARRAY_COUNT(fact_names); i++) {
		bool is_selected = (facts & 1U << i) != 0;

		if (is_feat || is_selected) {
			out_text(&text, fact_names[i]);
			out_text(&text, is_feat && is_selected ? "*;" : ";");
		}
	}
	return out_end(&text);
}

unsigned
entry_fact_find(const char *name, size_t len)
{
	for (size_t i = 0; i < ARRAY_COUNT(fact_names); i++) {
		if (letters_same(name, len, fact_names[i])) {
			return 1U << i;
		}
	}
	return 0;
}
