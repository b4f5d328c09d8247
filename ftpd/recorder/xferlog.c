/*
 * xferlog: one line of the transfer log, as wu-ftpd had it and most evaluating programs
 * read it.
 * Runs in: recorder.
 */
#include "ftpd/recorder/xferlog.h"

#include <inttypes.h>

#include "common/base.h"

enum {
	DAYS = 7,
	MONTHS = 12,
	US_PER_S = 1000000,
};

/* Not strftime: the names must not follow a locale. */
static const char day_names[DAYS][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
static const char month_names[MONTHS][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                            "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

static void
add_time(struct text *text, const struct tm *when)
{
	text_add(text, "%s %s %2d %02d:%02d:%02d %d",
	         day_names[(unsigned)when->tm_wday % DAYS],
	         month_names[(unsigned)when->tm_mon % MONTHS], when->tm_mday,
	         when->tm_hour, when->tm_min, when->tm_sec, when->tm_year + 1900);
}

static uint64_t
whole_seconds(uint64_t duration_us)
{
	uint64_t seconds =
	    duration_us / US_PER_S + (duration_us % US_PER_S >= US_PER_S / 2);

	return seconds > 0 ? seconds : 1;
}

/* A field is never empty: the fields behind it would move. */
static void
add_field(struct text *text, const char *bytes, size_t len)
{
	if (len > 0) {
		text_add_escaped(text, bytes, len, TEXT_ESCAPE_UNDERSCORE);
	} else {
		text_add(text, "?");
	}
}

void
xferlog_add_line(struct text *text, const struct xferlog_entry *entry)
{
	char peer[ADDR_TEXT_MAX];

	(void)addr_format(&entry->peer, peer); /* always terminated */
	add_time(text, &entry->when);
	text_add(text, " %" PRIu64 " %s %" PRIu64 " ", whole_seconds(entry->duration_us),
	         peer, entry->size_bytes);
	add_field(text, entry->path, entry->path_len);
	text_add(text, " %c _ %c %c ", (entry->flags & RECORD_IS_ASCII) != 0 ? 'a' : 'b',
	         (entry->flags & RECORD_IS_UPLOAD) != 0 ? 'i' : 'o',
	         (entry->flags & RECORD_IS_ANONYMOUS) != 0 ? 'a' : 'r');
	add_field(text, entry->user, entry->user_len);
	text_add(text, " ftp 0 * %c\n",
	         (entry->flags & RECORD_IS_COMPLETE) != 0 ? 'c' : 'i');
}
