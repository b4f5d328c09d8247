/*
 * report: what each record says to the administrator, and in which of the two logs.
 * Runs in: recorder.
 */
#include "ftpd/recorder/report.h"

#include <errno.h>
#include <inttypes.h>
#include <seccomp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/base.h"

enum {
	US_PER_MS = 1000,
	MS_PER_S = 1000,
	SAY_MAX = 512,
};

int
report_start(struct report *report, int journal_fd)
{
	int result = outlet_start(&report->events, STDERR_FILENO, journal_fd);

	report->has_journal = journal_fd >= 0;
	report->is_journal = false;
	return result != 0 ? result : outlet_start(&report->transfers, -1, -1);
}

void
report_choose_events(struct report *report, int fd)
{
	report->is_journal = fd < 0 && report->has_journal;
	if (fd >= 0) {
		outlet_replace(&report->events, fd);
	} else if (!report->is_journal) {
		outlet_replace(&report->events, STDERR_FILENO);
		report_say(
		    report, RECORD_WARNING,
		    "systemd's journal does not listen here; events go to standard error");
	}
}

/* Begin the message of an event. */
static struct text
begin(struct report *report)
{
	struct text message;

	text_init(&message, report->message, sizeof(report->message));
	return message;
}

/* Write the event whose message has been made. */
static void
finish(struct report *report, const struct visit *visit, const struct text *message,
       struct event *event)
{
	struct text form;

	event->when_s = clock_wall_s();
	event->message = message->bytes;
	event->message_len = message->len;
	if (visit != NULL) {
		event->session = visit->id;
		event->peer = visit->peer;
		event->user = visit->user;
		event->user_len = visit->user_len;
	}
	text_init(&form, report->form, sizeof(report->form));
	if (report->is_journal) {
		event_add_journal(&form, event);
		outlet_put(&report->events, OUTLET_JOURNAL, form.bytes, form.len);
	} else {
		event_add_line(&form, event);
		outlet_put(&report->events, OUTLET_LINE, form.bytes, form.len);
	}
}

void
report_say(struct report *report, enum record_level level, const char *format, ...)
{
	struct event event = {.level = level};
	struct text message = begin(report);
	char said[SAY_MAX];
	va_list arguments;
	int len;

	va_start(arguments, format);
	len = vsnprintf(said, sizeof(said), format, arguments);
	va_end(arguments);
	if (len > 0) {
		text_add_escaped(&message, said, strlen(said), TEXT_ESCAPE_LINE);
	}
	finish(report, NULL, &message, &event);
}

void
report_event(struct report *report, const struct visit *visit,
             const struct record *record)
{
	struct event event = {.level = record->level};
	struct text message = begin(report);

	if (record->level == RECORD_DEBUG) {
		return; /* for who reads the channel with a debugger */
	}
	if (visit == NULL && record->worker != 0) {
		text_add(&message, "worker %u: ", record->worker);
	}
	text_add_escaped(&message, record->text, record->text_len, TEXT_ESCAPE_LINE);
	finish(report, visit, &message, &event);
}

void
report_login(struct report *report, const struct visit *visit)
{
	struct event event = {.level = RECORD_INFO};
	struct text message = begin(report);

	text_add(&message, "logged in");
	if (visit->given_len > 0) {
		text_add(&message, ", gave \"");
		text_add_escaped(&message, visit->given, visit->given_len,
		                 TEXT_ESCAPE_QUOTED);
		text_add(&message, "\" as password");
	}
	finish(report, visit, &message, &event);
}

static void
add_transfer_line(struct report *report, const struct visit *visit,
                  const struct record *record)
{
	struct xferlog_entry entry = {
	    .duration_us = record->duration_us,
	    .peer = visit->peer,
	    .size_bytes = record->value,
	    .path = record->text,
	    .path_len = record->text_len,
	    .flags = record->flags,
	    .user = record->user,
	    .user_len = record->user_len,
	};
	time_t now = (time_t)clock_wall_s();
	struct text line;

	(void)localtime_r(&now, &entry.when); /* a clock beyond year 2^31 reads as zero */
	if ((record->flags & RECORD_IS_ANONYMOUS) != 0 && visit->given_len > 0) {
		entry.user = visit->given;
		entry.user_len = visit->given_len;
	}
	text_init(&line, report->form, sizeof(report->form));
	xferlog_add_line(&line, &entry);
	outlet_put(&report->transfers, OUTLET_LINE, line.bytes, line.len);
}

static const char *
transfer_verb(unsigned flags)
{
	if ((flags & RECORD_IS_COMPLETE) != 0) {
		return (flags & RECORD_IS_UPLOAD) != 0 ? "received" : "sent";
	}
	return (flags & RECORD_IS_UPLOAD) != 0 ? "received incompletely"
	                                       : "sent incompletely";
}

void
report_transfer(struct report *report, const struct visit *visit,
                const struct record *record)
{
	struct event event = {
	    .level = RECORD_INFO, .path = record->text, .path_len = record->text_len};
	struct text message = begin(report);
	uint64_t ms = record->duration_us / US_PER_MS;

	if (visit != NULL) {
		add_transfer_line(report, visit, record);
	} else {
		event.level = RECORD_WARNING;
		text_add(&message,
		         "worker %u: of session %u, which is unknown: ", record->worker,
		         record->session);
	}
	text_add(&message, "%s \"", transfer_verb(record->flags));
	text_add_escaped(&message, record->text, record->text_len, TEXT_ESCAPE_QUOTED);
	text_add(&message, "\" (%" PRIu64 " bytes in %" PRIu64 ".%03u s)", record->value,
	         ms / MS_PER_S, (unsigned)(ms % MS_PER_S));
	finish(report, visit, &message, &event);
}

void
report_session_end(struct report *report, const struct visit *visit)
{
	struct event event = {.level = RECORD_INFO};
	struct text message = begin(report);
	int64_t seconds = clock_wall_s() - visit->begun_s;

	text_add(&message, "session ended after %" PRId64 " s",
	         seconds > 0 ? seconds : 0);
	finish(report, visit, &message, &event);
}

void
report_denied_call(struct report *report, const struct record *record)
{
	struct event event = {.level = RECORD_ERROR};
	struct text message = begin(report);
	int number = record->value <= INT32_MAX ? (int)record->value : -1;
	char *name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, number);

	text_add(&message, "denied to ");
	text_add_escaped(&message, record->text, record->text_len, TEXT_ESCAPE_LINE);
	if (record->worker != 0) {
		text_add(&message, " (worker %u)", record->worker);
	}
	text_add(&message, ": system call %s (%d)", name != NULL ? name : "unknown",
	         number);
	free(name);
	finish(report, NULL, &message, &event);
}

void
report_dropped(struct report *report, uint32_t worker, uint64_t count)
{
	if (worker == 0) {
		report_say(report, RECORD_WARNING,
		           "the master had to drop %" PRIu64
		           " records: the recorder was too slow",
		           count);
	} else {
		report_say(report, RECORD_WARNING,
		           "worker %u had to drop %" PRIu64
		           " records: the recorder was too slow",
		           worker, count);
	}
}

static void
tell_loss(struct report *report, struct outlet *outlet, const char *name)
{
	struct outlet_loss loss;

	if (outlet_take_loss(outlet, &loss)) {
		report_say(report, RECORD_WARNING,
		           "%" PRIu64 " lines of the %s were lost: %s", loss.count, name,
		           loss.error == 0 ? "it took them too slowly"
		                           : strerror(loss.error));
	}
}

static bool
is_journal_gone(struct report *report)
{
	int error = outlet_last_error(&report->events);

	return error == ECONNREFUSED || error == ENOTCONN || error == EPIPE ||
	       error == ECONNRESET;
}

void
report_tick(struct report *report)
{
	if (report->is_journal && is_journal_gone(report)) {
		report->has_journal = false;
		report_choose_events(report, -1);
	}
	tell_loss(report, &report->events, "event log");
	tell_loss(report, &report->transfers, "transfer log");
}

bool
report_flush(struct report *report, unsigned timeout_ms)
{
	bool is_flushed = outlet_flush(&report->events, timeout_ms);

	return outlet_flush(&report->transfers, timeout_ms) && is_flushed;
}
