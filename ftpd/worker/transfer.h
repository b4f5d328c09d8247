/*
 * transfer: moves bytes between a descriptor that the agent opened and the data
 * connection. One pump for RETR, LIST, NLST, MLSD.
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

enum transfer_source {
	TRANSFER_FROM_FILE,  /* sendfile */
	TRANSFER_FROM_ASCII, /* a file, converted */
	TRANSFER_FROM_PIPE,  /* a listing: splice */
};

struct transfer {
	/* the pipe, while it is empty and the connection could take more */
	struct loop_source source;
	struct session *session;
	enum transfer_source from;
	int file_fd;
	uint64_t offset; /* next byte to read of the file */
	/* the file's size when it was opened: what was announced is what is sent */
	uint64_t end;
	uint64_t sent; /* octets given to the data connection */
	/* octets of converted text still to be skipped: REST in TYPE A */
	uint64_t skip;
	uint64_t begun_us;
	uint32_t agent_serial; /* who writes the listing */
	bool has_moved;        /* the last slice moved something */
	/* a thread has just read the next slice: do not probe again */
	bool is_fetched;
	bool is_in_memory;       /* a file system without a disk: reading never waits */
	struct offload_job *job; /* a thread reads for it: the loop waits */
	struct ascii ascii;
	char *buffer; /* converted text not sent yet */
	size_t buffer_len;
	size_t buffer_at;
	char *path; /* for the log; terminated, NULL for a listing */
	size_t path_len;
};

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

/* One more slice: the connection can take it, or a thread has read it. */
void transfer_continue(struct session *session);

#endif
