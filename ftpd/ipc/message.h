/*
 * message: what is common to all channels between our processes.
 * Runs in: every process.
 * Source: DESIGN.md section 3, rule 5; ftpd/ipc/PROTOCOL.md has the whole picture.
 */
#ifndef FTPD_IPC_MESSAGE_H
#define FTPD_IPC_MESSAGE_H

#include "common/base.h"

enum {
	IPC_MESSAGE_MAX = 16384, /* a longer datagram ends its sender */
	IPC_PATH_MAX = 4096,     /* longest client path on a channel, without NUL */
	/*
	 * The channel that a program finds open when it is started. 0 to 2 are the
	 * standard streams.
	 */
	IPC_START_FD = 3,
	/*
	 * Where a started program finds the sealed options (forkservers and recorder), or
	 * an agent its start record, a sealed memory file, too.
	 */
	IPC_OPTIONS_FD = 4,
	/* Where deftpd-worker finds the certificates and keys: see tls_files.h. */
	IPC_TLS_FD = 5,
};

/* Outcome of a question, in the terms of FTP rather than of errno. */
enum ipc_result {
	IPC_OK,
	IPC_NOT_FOUND,
	IPC_DENIED,
	/* a directory, FIFO, device or socket where a plain file is needed */
	IPC_NOT_A_FILE,
	IPC_NOT_A_DIRECTORY,
	IPC_BUSY,        /* a limit of ours: try again later */
	IPC_UNREACHABLE, /* no data connection: refused by rule or by the network */
	IPC_LOCAL_ERROR, /* input/output error, out of memory or descriptors */
	IPC_EXISTS,      /* something of that name is there */
	IPC_NOT_EMPTY,   /* a directory that is to be removed */
	/* the file system, or a rule of the server, does not let anybody write there */
	IPC_READ_ONLY,
	IPC_NO_SPACE,   /* disk or inodes: 452 */
	IPC_OVER_QUOTA, /* the user's quota: 552 */
	IPC_TOO_LARGE,  /* above max_file_size, or what the file system can hold: 552 */
	IPC_BAD_OFFSET, /* REST is not where an upload can go on: 554 */
	IPC_BAD_NAME,   /* no file can have this name: 553 */
	IPC_CROSSES,    /* a rename to another file system */
	IPC_RESULT_COUNT,
};

/*
 * Translate a negative errno of a file operation.
 * Returns: the result that names it for a client.
 */
enum ipc_result ipc_result_from_errno(int negative_errno);

#endif
