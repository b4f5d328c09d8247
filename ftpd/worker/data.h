/*
 * data: the data connection: armed by PASV, EPSV, PORT or EPRT; opened for one transfer;
 * closed.
 * Runs in: deftpd-worker. Distrusts: whoever connects.
 * Source: RFC 959 3.2 and 5.1.1 (PORT, PASV); RFC 2428; SECURITY.md D1 to D14.
 * Not here: making sockets, which only the master can.
 */
#ifndef FTPD_WORKER_DATA_H
#define FTPD_WORKER_DATA_H

#include "common/addr.h"
#include "common/loop.h"
#include "ftpd/ipc/master_worker.h"
#include "common/base.h"

struct session;
struct tls_stream;

enum {
	/*
	 * A listener serves the next PASV as well, which saves a question to the master;
	 * but a port that nobody uses is wanted by others.
	 */
	DATA_LINGER_MS = 1000,
	/* connections from elsewhere closed in one wait; then 425 */
	DATA_STRANGERS_MAX = 4096,
	/* accepted in one go, so that strangers hold nobody up */
	DATA_ACCEPT_BATCH = 32,
};

enum data_mode {
	DATA_NONE,    /* not armed */
	DATA_PASSIVE, /* the client connects to the listener */
	DATA_ACTIVE,  /* the master connects to the target */
};

struct data {
	/* the listener while waited for, then the connection; fd -1 otherwise */
	struct loop_source source;
	struct loop *loop; /* which one watches it */
	struct session *session;
	enum data_mode mode;
	int listener_fd; /* kept from one transfer to the next, -1 if none */
	int connection_fd;
	struct addr announced; /* what the master told us to announce for the listener */
	struct addr target;    /* DATA_ACTIVE */
	unsigned strangers;
	uint64_t released_ms; /* when the listener was last used */
	/* of the connection, when it is private; NULL in clear. See data_tls.h */
	struct tls_stream *stream;
	unsigned failed_handshakes; /* of this wait */
	unsigned unresumed;         /* connections of this wait that did not resume */
	bool is_other_client;       /* one of them brought not the client's certificate */
	bool is_security_told;      /* to the log, of the first private connection */
};

void data_init(struct session *session);

/*
 * Arm passive mode. The reply of PASV or EPSV (session->command) is given here, now or
 * when the master has answered.
 */
void data_arm_passive(struct session *session);

/* Arm active mode for an address that the command's check has accepted. */
void data_arm_active(struct session *session, const struct addr *target);

/*
 * Disarm: what waits on the listener is closed in an orderly way, a connection is closed;
 * the listener stays.
 */
void data_disarm(struct session *session);

/*
 * All has been moved: end the connection as an upload or a download should end, before
 * data_disarm(). With TLS: by our close_notify, and a download in linger.c.
 */
void data_complete(struct session *session);

/*
 * A transfer command has ended, well or not: what PASV or PORT has set serves no further
 * one.
 */
void data_use_up(struct session *session);

/*
 * Returns: when a listener that nobody uses is to be closed, or UINT64_MAX.
 */
uint64_t data_linger_deadline_ms(const struct session *session);

/* Disarm and give the listener up, too. */
void data_end(struct session *session);

/*
 * Look whether the client has connected to the passive port already.
 * Returns: true if data.connection_fd is the connection.
 */
bool data_try_accept(struct session *session);

/*
 * Open the connection for the transfer, TLS included if PROT P holds:
 * transfer_connected() or transfer_not_connected() is called, now or later.
 */
void data_open(struct session *session);

/*
 * The connection was not the client's own, as TLS has shown: close it. If the client may
 * still connect, wait on.
 */
void data_drop_stranger(struct session *session);

/*
 * Answers of the master. The session may have ended (NULL) or changed its mind: then the
 * socket is closed.
 */
void data_passive_answer(struct session *session, const struct mw_message *answer,
                         int fd);
void data_active_answer(struct session *session, const struct mw_message *answer, int fd);

#endif
