/*
 * upload: files that a worker fills: opened, and, where that is not the end of it,
 * committed or cut.
 * Runs in: deftpd-agent, as the user, confined. Distrusts: the worker, which can write
 * anything into the one file that it was given, and everybody who can change files below
 * the root.
 * Source: RFC 959 (STOR, APPE, STOU, REST), RFC 3659 5; deftpd.conf(5), uploads.mode;
 * SECURITY.md F11, F12, F14 to F19.
 * Not here: the reserved names; see stage.h.
 *
 * direct: the bytes go into the file itself.
 * atomic and durable: they go into a file beside it, which gets the name when it is
 * whole; and durable, file and directory are on the disk before that is answered. What
 * was cut is continued by STOR with REST only, or by APPE when nothing has the name and
 * SIZE has told the size of what waits: so bytes of two files never mix. An APPE whose
 * file has changed when it ends is IPC_BUSY: it would undo what others were told is
 * stored.
 */
#ifndef FTPD_AGENT_UPLOAD_H
#define FTPD_AGENT_UPLOAD_H

#include "ftpd/agent/place.h"
#include "ftpd/agent/stage.h"
#include "ftpd/ipc/agent.h"
#include "common/base.h"

enum {
	UPLOAD_MAX = 64,     /* to be committed or cut, per agent; one more is IPC_BUSY */
	UPLOAD_NAMES = 1000, /* tried for AGENT_OPEN_UNIQUE; then IPC_BUSY */
};

/* One upload that has not ended. */
struct upload {
	uint32_t number; /* 0: the place is free */
	int channel_fd;  /* the table's */
	int dir_fd;
	char name[NAME_MAX + 1];
	struct stage file; /* its name is `name` in direct mode */
	struct stat info;  /* when it was opened */
	struct stat old;   /* had the name then; only with was_there */
	struct agent_rights rights;
	uint64_t offset;  /* where the worker began */
	bool is_new_only; /* nothing may have the name */
	bool is_staged;   /* not under its final name */
	bool is_part;     /* goes on with what was cut before */
	/* what is there was all sent from the first byte on, as the client counts them */
	bool is_whole;
	bool is_append; /* of use only if nobody has changed the file meanwhile */
	bool was_there; /* with is_append: something had the name */
};

/* Without uploads it is all zero. */
struct upload_table {
	int channel_fd; /* of the worker, which may leave while something takes long */
	uint32_t last_number;
	struct upload uploads[UPLOAD_MAX];
	char chosen[IPC_PATH_MAX + NAME_MAX + 2]; /* path for AGENT_OPEN_UNIQUE */
};

/*
 * Open for writing.
 * In:      place: keeps no directory if the upload does.
 * Out:     answer: with IPC_OK offset, upload, limit_bytes, name, and what the file is.
 * Returns: the descriptor, write-only, of a plain file; the caller's to close if
 *          answer->upload is 0, else the table's. -1 unless answer->result is IPC_OK.
 */
int upload_open(struct upload_table *table, struct place *place,
                const struct agent_question *question, struct agent_answer *answer);

/* Take back what upload_open() has begun and cannot finish. */
void upload_abandon(struct upload *upload);

/* All has arrived. The upload is no more, whatever the result is. */
void upload_commit(struct upload_table *table, uint32_t number,
                   struct agent_answer *answer);

/* It was cut. IPC_NOT_FOUND: there is no such upload. */
void upload_discard(struct upload_table *table, uint32_t number,
                    struct agent_answer *answer);

/* The worker is gone: all that runs was cut. */
void upload_discard_all(struct upload_table *table);

/*
 * Ask whether as much is free on the file system as must stay free.
 * Returns: IPC_OK, IPC_NO_SPACE or IPC_LOCAL_ERROR.
 */
enum ipc_result upload_check_space(int fd, const struct agent_rights *rights);

/*
 * ALLO: tell what may still be written at the place, without what must stay free. The
 * user's quota is not in it: there is no way to ask for it that holds for all file
 * systems.
 */
void upload_tell_space(const struct place *place, struct agent_answer *answer);

#endif
