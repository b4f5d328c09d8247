/*
 * moving: which sessions move data under a limit that they share, and how fast each may.
 * Runs in: master. Input: what workers say, hostile.
 * Source: rates in deftpd.conf(5); MW_MOVING and MW_SHARE in ftpd/ipc/master_worker.h.
 * Not here: the division; see share.h.
 */
#ifndef FTPD_MASTER_MOVING_H
#define FTPD_MASTER_MOVING_H

#include "ftpd/ipc/master_worker.h"
#include "ftpd/master/limit_table.h"
#include "ftpd/master/session_table.h"
#include "ftpd/master/share.h"
#include "common/base.h"

struct master;
struct worker;

/* Part of the master. */
struct rates {
	struct share_board board;
	struct limit_table addresses; /* those from which data move */
};

/* Before the first client. seed: random. */
void moving_init(struct master *master, uint64_t seed);

/* The worker says that data of its session begin or cease to move. */
void moving_take(struct worker *worker, struct session *session,
                 const struct mw_message *message);

/* The session is over. */
void moving_end(struct master *master, struct session *session);

/* The session's user is another from now on, or nobody. */
void moving_set_user(struct master *master, struct session *session,
                     struct limit_row *user);

/* Tell each session whose share has changed; once a turn of the loop. */
void moving_tell(struct master *master);

#endif
