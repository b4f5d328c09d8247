/*
 * link: an authenticator's two channels, and who may say what when.
 * Runs in: deftpd-auth. The worker is distrusted, the master is not.
 * Source: ftpd/ipc/login.h and master_auth.h; SECURITY.md A7.
 * Not here: what is made of the messages; see serve.h.
 *
 *      LINK_IDLE -- TRY --> LINK_TAKEN -- LOGIN_TRY --> LINK_DECIDING -- GO asked for --
 *                                                        |     ^                       |
 *                                             link_ask() |     | LOGIN_ACCOUNT         v
 *                                                      LINK_ASKING
 *                                                      LINK_WAITING
 *
 * Whoever is not expected to speak must not: a message out of turn, one of another type,
 * one that does not decode or one with a descriptor ends the try.
 */
#ifndef FTPD_AUTH_LINK_H
#define FTPD_AUTH_LINK_H

#include "ftpd/ipc/login.h"
#include "ftpd/ipc/master_auth.h"
#include "common/base.h"

enum link_phase {
	LINK_IDLE,     /* forked ahead: there is no worker yet */
	LINK_TAKEN,    /* the worker must send LOGIN_TRY */
	LINK_DECIDING, /* nobody may say anything */
	LINK_ASKING,   /* the worker must send LOGIN_ACCOUNT */
	LINK_WAITING,  /* the master must send MA_GO */
	LINK_PHASE_COUNT,
};

enum link_event {
	LINK_OK,
	LINK_WORKER_GONE,  /* its channel has ended */
	LINK_WORKER_WRONG, /* it broke the wire format */
	LINK_MASTER_GONE,  /* or makes no sense, which is the same to us */
	LINK_EVENT_COUNT,
};

struct link {
	enum link_phase phase;
	int master_fd;
	int worker_fd;   /* -1 in LINK_IDLE */
	uint8_t *bytes;  /* secret memory: the worker's last message */
	const char *why; /* with LINK_WORKER_WRONG: what it did, for the log */
};

enum {
	LINK_BYTES = IPC_MESSAGE_MAX,
	/* The largest message to or from the master: two texts of 255 bytes. */
	LINK_MASTER_BYTES = 1024,
};

/*
 * Begin with the master's channel.
 * Returns: true; false if there is no memory.
 */
bool link_init(struct link *link, int master_fd);

/* Wipe and free, close the channels. */
void link_free(struct link *link);

/*
 * Wait for MA_TRY and take the worker's channel.
 * Returns: LINK_OK, with *ret_try; LINK_MASTER_GONE.
 */
enum link_event link_wait_try(struct link *link, struct ma_message *ret_try);

/*
 * Wait for the worker's message that the phase, LINK_TAKEN or LINK_ASKING, permits.
 * Out:     ret_message: its texts stay until link_wipe() or the next message.
 * Returns: the event; the phase is LINK_DECIDING after LINK_OK.
 */
enum link_event link_wait_worker(struct link *link, struct login_message *ret_message);

/* Wipe the worker's last message. */
void link_wipe(struct link *link);

/*
 * Have the worker ask its client. The master's clock stands still meanwhile.
 * In:      text: lines ended by LF, LOGIN_TEXT_MAX bytes at most.
 * Returns: as link_wait_worker().
 */
enum link_event link_ask(struct link *link, const char *text, size_t len,
                         struct login_message *ret_answer);

/*
 * Ask whether the worker has been silent since its last message, as it must be.
 * Returns: LINK_OK, LINK_WORKER_GONE or LINK_WORKER_WRONG.
 */
enum link_event link_check_worker(struct link *link);

/*
 * Wait for MA_GO. The worker must stay, and be silent.
 * Returns: the event; LINK_OK with *ret_is_admitted.
 */
enum link_event link_wait_go(struct link *link, bool *ret_is_admitted);

/*
 * Send to the master.
 * Returns: LINK_OK or LINK_MASTER_GONE.
 */
enum link_event link_tell_master(struct link *link, const struct ma_message *message);

/*
 * Send to the worker.
 * Returns: LINK_OK; LINK_WORKER_GONE, also when it does not read.
 */
enum link_event link_tell_worker(struct link *link, const struct login_message *message);

#endif
