/*
 * state: the states of a session and of its transfer, and which may follow which.
 * Runs in: deftpd-worker.
 * Source: RFC 959 5.4 and 6; DESIGN.md section 4.
 * Not here: the setter that changes and traces them; see ftpd/worker/session.c.
 *
 * Session. A new one, and one handed over by a shared worker, begins as greeted.
 *
 *      +---------+  USER   +-------+  PASS   +----------------+  accepted  +-----------+
 *      | greeted | ------> | named | ------> | authenticating | ---------> | logged in |
 *      +---------+         +-------+         +----------------+            +-----------+
 *        ^  ^  ^    REIN    |  |  ^            |    ^     |                 ^     |
 *        |  |  +------------+  |  |            |    |     |  a question     |     |
 *        |  |                  |  |            |    |ACCT |  more: 332      |     |
 *        |  |                  |  |            |    |     v                 |     |
 *        |  |                  |  |   USER     |  +-------+                 |     |
 *        |  |                  |  +------------|- | asked |                 |     |
 *        |  |                  |               |  +-------+                 |     |
 *        |  |                  |               |      | REIN               |     |
 *        |  +------------------|---------------+------+                     |     |
 *        |        refused      |                                            |     |
 *        |                     +--------------------------------------------+     |
 *        |                        anonymous: PASS is accepted at once             |
 *        +------------------------------------------------------------------------+
 *               REIN
 *
 *      Each of them may go to closing (QUIT, 421, the client has gone), which is the end.
 *
 * Transfer.
 *
 *                 PASV PORT
 *      +------+   EPSV EPRT  +-------+  RETR LIST  +---------+  125 150  +--------+
 *      | idle | -----------> | armed | ----------> | opening | --------> | moving |
 *      +------+ <----------- +-------+             +---------+           +--------+
 *       ^  |    REIN, failure  |   ^                 ^    |                |    |
 *       |  |                   +---+                 |    |                |    |
 *       |  |                   PASV again            |    |                |    |
 *       |  +-----------------------------------------+    |                |    |
 *       |    RETR LIST without PASV or PORT               |                |    |
 *       +-------------------------------------------------+                |    |
 *       |    425 450 451 550, ABOR                                         |    |
 *       +------------------------------------------------------------------+    |
 *       |    226 426 451, with nothing left to wait for                         |
 *       |                       +-----------+                                   |
 *       +---------------------- | finishing | <---------------------------------+
 *            226 426 451        +-----------+    all is sent, not all confirmed
 */
#ifndef FTPD_PROTO_STATE_H
#define FTPD_PROTO_STATE_H

#include "common/base.h"

enum session_state {
	SESSION_GREETED,        /* 220 has been sent, nobody has said who he is */
	SESSION_NAMED,          /* USER was answered by 331: PASS is expected next */
	SESSION_AUTHENTICATING, /* a password is being checked; no command is read */
	SESSION_ASKED,          /* 332 has been sent: ACCT is expected next */
	SESSION_LOGGED_IN,      /* 230 has been sent */
	SESSION_CLOSING,        /* 221 or 421 is on its way; nothing more is read */
	SESSION_STATE_COUNT,
};

enum transfer_state {
	TRANSFER_IDLE, /* no data port */
	/* PASV, EPSV, PORT or EPRT has been given and not been used */
	TRANSFER_ARMED,
	/* a transfer command was accepted: file and data connection are being had */
	TRANSFER_OPENING,
	TRANSFER_MOVING, /* 125 or 150 has been sent, bytes move */
	/* all bytes are given to the connection; waiting for its orderly end, then 226 */
	TRANSFER_FINISHING,
	TRANSFER_STATE_COUNT,
};

/*
 * Ask whether a session may go from one state to another. Staying is no change and not
 * asked for.
 * Returns: true if the diagram has that arrow.
 */
bool session_state_may(enum session_state from, enum session_state to);

/*
 * Ask whether a transfer may go from one state to another.
 * Returns: true if the diagram has that arrow; armed to armed is one.
 */
bool transfer_state_may(enum transfer_state from, enum transfer_state to);

/*
 * Returns: the state's name for traces: "logged in".
 */
const char *session_state_name(enum session_state state);

/*
 * Returns: the state's name for traces: "moving".
 */
const char *transfer_state_name(enum transfer_state state);

#endif
