/*
 * report: what each record says to the administrator, and in which of the two logs.
 * Runs in: recorder. Input: records of workers, hostile.
 * Source: DESIGN.md section 2, deftpd-recorder.
 * Not here: who may say what; see recorder.h.
 */
#ifndef FTPD_RECORDER_REPORT_H
#define FTPD_RECORDER_REPORT_H

#include "ftpd/ipc/record.h"
#include "ftpd/recorder/event.h"
#include "ftpd/recorder/outlet.h"
#include "ftpd/recorder/visit.h"
#include "ftpd/recorder/xferlog.h"
#include "common/base.h"

struct report {
	struct outlet events;
	struct outlet transfers;
	bool has_journal; /* the journal could be reached at the start */
	bool is_journal;  /* events go there now; else they are lines */
	char message[EVENT_MESSAGE_MAX];
	char form[EVENT_FORM_MAX];
};

/*
 * Start both outlets; events go to standard error as yet.
 * In:      journal_fd: from journal_connect(), or negative. Owned from now on.
 * Returns: 0 or negative errno.
 */
int report_start(struct report *report, int journal_fd);

/*
 * Let events go to another file or stream, or to the journal for -1; where there is no
 * journal, to standard error.
 */
void report_choose_events(struct report *report, int fd);

/* One of the recorder's own events. */
void report_say(struct report *report, enum record_level level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* RECORD_EVENT. In: visit: what it is about, or NULL. */
void report_event(struct report *report, const struct visit *visit,
                  const struct record *record);

/* RECORD_LOGIN, after visit_set_names(). */
void report_login(struct report *report, const struct visit *visit);

/*
 * RECORD_TRANSFER. In: visit: NULL for a session that is unknown: then the transfer log
 * gets no line, for it had no address.
 */
void report_transfer(struct report *report, const struct visit *visit,
                     const struct record *record);

/* A session is over. */
void report_session_end(struct report *report, const struct visit *visit);

/* RECORD_DENIED_CALL. */
void report_denied_call(struct report *report, const struct record *record);

/* RECORD_DROPPED. In: worker: 0 for the master. */
void report_dropped(struct report *report, uint32_t worker, uint64_t count);

/*
 * Tell what was lost, when that can be told; leave a journal that is gone. To be called
 * about once a second.
 */
void report_tick(struct report *report);

/*
 * Write out what waits, for at most timeout_ms.
 * Returns: false if something was left.
 */
bool report_flush(struct report *report, unsigned timeout_ms);

#endif
