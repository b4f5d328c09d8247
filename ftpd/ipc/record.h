/*
 * record: what the recorder is told. Nobody waits for it: a sender whose channel is full
 * drops the record and counts.
 * Runs in: master and workers (send), recorder (receives; distrusts both, each channel
 * speaks for itself only).
 * Source: DESIGN.md section 2, deftpd-recorder.
 * Not here: the form of a log line; see ftpd/recorder.
 */
#ifndef FTPD_IPC_RECORD_H
#define FTPD_IPC_RECORD_H

#include "common/addr.h"
#include "ftpd/ipc/message.h"
#include "common/base.h"

enum record_type {
	/* master only */
	RECORD_WORKER, /* [fd] a new worker's channel, known by its number */
	/* [fd] the transfer log opened for appending; replaces the one before */
	RECORD_TRANSFER_LOG,
	/* [fd] the event log (a file or stderr); without fd: the journal */
	RECORD_EVENT_LOG,
	RECORD_SESSION_BEGIN, /* worker, session, peer, local */
	/* master and workers */
	RECORD_SESSION_END, /* session (worker: of the sender, or named by the master) */
	RECORD_TRANSFER,    /* workers only */
	/*
	 * workers only: session, user, text: password of an anonymous client, which is an
	 * address by custom
	 */
	RECORD_LOGIN,
	RECORD_EVENT,       /* level, text; session 0: about no session */
	RECORD_DENIED_CALL, /* value: number of the system call; text: role */
	/* value: how many records the sender dropped since it last said so */
	RECORD_DROPPED,
	/* recorder to master */
	/* confined and reading; value: enum spawn_layer of common/forkserver.h */
	RECORD_READY,
	RECORD_TAKEN, /* the last descriptor has arrived: the next may be sent */
	RECORD_COUNT,
};

enum record_level {
	RECORD_ERROR,   /* LOG_ERR */
	RECORD_WARNING, /* LOG_WARNING */
	RECORD_INFO,    /* LOG_INFO */
	RECORD_DEBUG,   /* LOG_DEBUG */
	RECORD_LEVEL_COUNT,
};

/* Bits of record.flags for RECORD_TRANSFER. */
enum record_flag {
	RECORD_IS_UPLOAD = 1,
	RECORD_IS_ASCII = 2,
	RECORD_IS_COMPLETE = 4, /* 226 was sent; else the transfer was cut */
	RECORD_IS_ANONYMOUS = 8,
	RECORD_FLAG_ALL = 15,
};

enum {
	RECORD_USER_MAX = 255,
	RECORD_TEXT_MAX = 1024,
};

/*
 * One record. Texts are not terminated and may hold any byte; the recorder escapes.
 * Unused fields are zero or empty.
 */
struct record {
	enum record_type type;
	uint32_t worker;
	uint32_t session;
	struct addr peer;
	struct addr local;
	enum record_level level;
	unsigned flags;
	uint64_t value;       /* bytes moved by a transfer, or as the type says */
	uint64_t duration_us; /* of a transfer */
	const char *user;
	size_t user_len;
	const char *text; /* path of a transfer, or as the type says */
	size_t text_len;  /* at most IPC_PATH_MAX */
};

/*
 * Encode.
 * Returns: length, 0 if it does not fit.
 */
size_t record_encode(const struct record *record, uint8_t *bytes, size_t cap);

/*
 * Decode to the last byte.
 * Returns: true and *ret_record, whose texts point into bytes; false if the bytes are no
 *          record.
 */
bool record_decode(const uint8_t *bytes, size_t len, struct record *ret_record);

enum {
	/*
	 * What a sender keeps while the recorder gets no processor: some ten thousand
	 * records.
	 */
	RECORD_BACKLOG_BYTES = 1024 * 1024,
};

/* Encoded records that found no room in the channel, each behind its length. */
struct record_backlog {
	size_t start;
	size_t end;
	uint8_t bytes[RECORD_BACKLOG_BYTES];
};

/*
 * The sending end. Zeroed memory with fd -1 is one that sends nothing yet.
 * Owner: backlog is made when the channel is full and freed when all of it has left.
 */
struct record_sender {
	int fd;
	uint64_t dropped; /* records that did not even fit into the backlog */
	struct record_backlog *backlog;
};

/*
 * Send a record; keep it when the channel is full; drop it and count when the backlog is
 * full, too. Never blocks. With fd -1 the record is gone.
 */
void record_send(struct record_sender *sender, const struct record *record);

/*
 * Send what was kept, and how many records were dropped. For a sender's loop: cheap when
 * there is nothing.
 * Returns: true if nothing waits any more; false if it is to be tried again later.
 */
bool record_flush(struct record_sender *sender);

#endif
