/*
 * transfer: moves bytes between a descriptor that the agent opened and the data
 * connection. One pump for RETR, LIST, NLST, MLSD, STOR, APPE, STOU.
 * Runs in: deftpd-worker (the data transfer process of RFC 959 2.3).
 * Source: RFC 959 3.4 and 4.2; RFC 3659 5 (REST); DESIGN.md section 4, "One pump".
 * Not here: the data connection (data.c); the conversion of TYPE A (ftpd/proto/ascii.h).
 */
#ifndef FTPD_WORKER_TRANSFER_H
#define FTPD_WORKER_TRANSFER_H

#include "common/loop.h"
#include "ftpd/ipc/agent.h"
#include "ftpd/proto/ascii.h"
#include "common/base.h"

struct offload_job;
struct session;

enum {
	/* sent in one turn; then the other sessions have theirs */
	TRANSFER_SLICE_BYTES = 1024 * 1024,
	/*
	 * More transfers than so many at once are a crowd: a smaller slice keeps them
	 * level.
	 */
	TRANSFER_CROWD = 8,
	TRANSFER_CROWD_BYTES = 128 * 1024,
	TRANSFER_CROWD_SLICES = 4, /* then the worker looks at other things */
	/* read for TYPE A at once; the converted text is at most twice that */
	TRANSFER_ASCII_IN_BYTES = 64 * 1024,
};

enum transfer_way {
	TRANSFER_FROM_FILE,  /* sendfile; with TLS, read and encrypted */
	TRANSFER_FROM_ASCII, /* a file, converted */
	TRANSFER_FROM_PIPE,  /* a listing: splice; with TLS, as above */
	TRANSFER_TO_FILE,    /* an upload */
	TRANSFER_TO_ASCII,   /* an upload, converted */
};

/* Where an upload's next byte goes, and how far it may go. */
struct transfer_place {
	uint64_t offset;
	uint64_t limit;          /* the file may not become larger */
	uint64_t min_free_bytes; /* that must stay free on the file system; 0: any */
	uint64_t check_at;       /* from this offset on it is looked again */
};

struct transfer {
	/* the pipe, while it is empty and the connection could take more */
	struct loop_source source;
	struct session *session;
	enum transfer_way way;
	int file_fd;
	uint64_t moved; /* octets over the data connection */
	uint64_t begun_us;
	uint32_t agent_serial; /* who writes the listing, or ends the upload */
	bool has_moved;        /* the last slice moved something */
	bool is_told_moving;   /* the master shares a rate among those that move */
	bool awaits_share;     /* and has not told this one's part yet */
	/* reading or writing never waits, or for so short a time that nobody notices */
	bool is_quick;
	int error;               /* negative errno of reading or writing the file */
	struct offload_job *job; /* a thread reads or writes for it: the loop waits */
	struct ascii ascii;
	/* text or listing not sent yet, or what a thread is to write */
	char *buffer;
	size_t buffer_size; /* of an upload's */
	size_t buffer_len;
	size_t buffer_at;
	char *path; /* for the log; terminated, NULL for a listing */
	size_t path_len;

	/* downloads */
	uint64_t offset; /* next byte to read of the file */
	/* the file's size when it was opened: what was announced is what is sent */
	uint64_t end;
	/* octets of converted text still to be skipped: REST in TYPE A */
	uint64_t skip;
	/* a thread has read the file up to here: do not probe before that */
	uint64_t fetched_end;

	/* uploads */
	struct transfer_place place;
	/* the agent is to be told of the end by this number; 0: need not, or has been */
	uint32_t upload;
	bool is_at_end;     /* the client has closed the data connection */
	bool is_unnotified; /* with TLS, and without its close_notify */
	bool is_remote;     /* a network's file system: closing tells of errors, too */
	bool has_abor;      /* ABOR came while the agent was finishing */

	/* waiting for its rate's sake, in the worker's list; link is NULL else */
	struct transfer *next_paced;
	struct transfer **paced_link;
	uint64_t due_ms;
};

enum {
	TRANSFER_TEXT_MAX = 384,
};

/*
 * Ask which way the bytes go.
 * Returns: true for an upload.
 */
static inline bool
transfer_is_upload(const struct transfer *transfer)
{
	return transfer->way == TRANSFER_TO_FILE || transfer->way == TRANSFER_TO_ASCII;
}

/*
 * Begin, with the descriptor that the agent has opened: preliminary reply, data
 * connection, bytes, final reply.
 * In:      fd: the transfer's from now on, as session->path is.
 */
void transfer_start(struct session *session, const struct agent_answer *answer, int fd);

/* The data connection is there (session->data.connection_fd). */
void transfer_connected(struct session *session);

/* There will be none: 425. */
void transfer_not_connected(struct session *session);

/* Cut it and reply 426: ABOR, a timeout, or the client has gone. */
void transfer_abort(struct session *session, const char *reason);

/* End it without any reply, because the session ends. */
void transfer_drop(struct session *session);

/* One more slice: the connection can take it, or a thread has done its part. */
void transfer_continue(struct session *session);

/* The session's rate has changed: look at once whether it may go on. */
void transfer_repace(struct session *session);

/*
 * Describe the transfer for STAT.
 * Returns: the length of text, which is terminated.
 */
size_t transfer_describe(const struct session *session, char text[TRANSFER_TEXT_MAX]);

#endif
