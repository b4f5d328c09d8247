/*
 * master_worker: what the master and a worker say to each other.
 * Runs in: master, worker. The master distrusts the worker.
 * Source: DESIGN.md sections 2 and 3, rules 3, 5 and 8.
 * Not here: what is permitted when; see mw_worker_may and the master.
 */
#ifndef FTPD_IPC_MASTER_WORKER_H
#define FTPD_IPC_MASTER_WORKER_H

#include "common/addr.h"
#include "ftpd/ipc/message.h"
#include "common/base.h"

enum mw_type {
	/*
	 * master to worker; [fd] says that exactly one descriptor comes along, [fd?] that
	 * it does when the result is IPC_OK
	 */
	MW_ASSIGN,         /* [fd] a client's control connection */
	MW_GIVE_AGENT,     /* [fd] a channel to an anonymous agent */
	MW_GIVE_RECORDER,  /* [fd] the worker's channel to the recorder */
	MW_PASSIVE_ANSWER, /* [fd?] a listening socket */
	MW_ACTIVE_ANSWER,  /* [fd?] a socket that is connecting */
	/* the descriptor of the last HAND_BACK has arrived: the next may be sent */
	MW_TAKEN_BACK,
	/*
	 * [fd?] a channel to an authenticator, for one try (login.h). IPC_DENIED: no
	 * further try; IPC_BUSY: not now
	 */
	MW_LOGIN_ANSWER,
	/* how fast the session may move data, as its user and address share a limit */
	MW_SHARE,
	/*
	 * many clients are connecting: end the session unless it has logged in or is
	 * about to
	 */
	MW_DROP,
	MW_RETIRE, /* take no new session; end when the last one has ended */
	/* worker to master */
	MW_READY,       /* confined and waiting */
	MW_TAKEN,       /* the last descriptor has arrived: the next may be sent */
	MW_PASSIVE,     /* make a listening socket for the session */
	MW_ACTIVE,      /* connect from the active port to addr */
	MW_HAND_BACK,   /* [fd] the control connection, for a private worker */
	MW_ENDED,       /* the session is over, and no connection of it is left */
	MW_MORE_AGENTS, /* questions are queueing */
	MW_LOGIN,       /* a user wants to log in: [fd?] in the answer */
	/* data of a session with has_shared_rate begins or ceases to move */
	MW_MOVING,
	MW_COUNT,
};

/*
 * Why a session ended; the master may penalise (OpenSSH tells it by exit status in the
 * same spirit).
 */
enum mw_end {
	MW_END_QUIT,
	MW_END_CLOSED, /* the client closed */
	MW_END_TIMEOUT,
	MW_END_LOGIN_TIMEOUT,
	MW_END_VIOLATION, /* too many wrong commands */
	MW_END_DROPPED,   /* by MW_DROP */
	MW_END_COUNT,
};

/* One message. Only the fields named for its type travel; the others read as zero. */
struct mw_message {
	enum mw_type type;
	uint32_t session; /* all but GIVE, RETIRE, READY, TAKEN, MORE_AGENTS */
	struct addr peer; /* ASSIGN; ACTIVE: the target */
	/* ASSIGN: address of the control connection; PASSIVE_ANSWER: what to announce */
	struct addr local;
	/* ASSIGN: the client has been greeted and its next line is still unread */
	bool is_handed_over;
	/* ASSIGN: TLS begins before the first reply (listen_implicit_tls) */
	bool is_implicit_tls;
	/*
	 * MORE_AGENTS, GIVE_AGENT: anonymous clients of which virtual host, by the number
	 * that policy_host_find() gives; 0: of none
	 */
	uint16_t host;
	enum ipc_result result; /* PASSIVE_ANSWER, ACTIVE_ANSWER, LOGIN_ANSWER */
	enum mw_end end;        /* ENDED */
	uint64_t user;          /* LOGIN: login_user_number() of the name */
	bool is_moving;         /* MOVING */
	bool is_upload;         /* MOVING */
	uint64_t rate_down;     /* SHARE: bytes per second, 0: no limit */
	uint64_t rate_up;
};

/*
 * Encode.
 * Returns: length, 0 if it does not fit (which is a bug for cap >= 128).
 */
size_t mw_encode(const struct mw_message *message, uint8_t *bytes, size_t cap);

/*
 * Decode to the last byte.
 * Returns: true and *ret_message; false if the bytes are no such message.
 */
bool mw_decode(const uint8_t *bytes, size_t len, struct mw_message *ret_message);

/*
 * Ask whether a message of this type comes from the worker.
 * Returns: true for MW_READY and those behind it.
 */
bool mw_is_from_worker(enum mw_type type);

/*
 * Ask whether exactly one descriptor belongs to this message.
 * Returns: true if it must be there; otherwise it must not.
 */
bool mw_has_descriptor(const struct mw_message *message);

#endif
