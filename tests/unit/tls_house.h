/*
 * tls_house: a private worker's session whose data connections are private, the agent,
 * who opens files in memory, and the client's end of such connections. All in one thread.
 */
#ifndef TESTS_UNIT_TLS_HOUSE_H
#define TESTS_UNIT_TLS_HOUSE_H

#include <netinet/in.h>
#include <openssl/ssl.h>

#include "ftpd/ipc/agent.h"
#include "tests/unit/tls_session.h"
#include "common/base.h"

/* A client that is logged in, whose data connections are private, and its agent. */
struct house {
	struct talk talk;
	int agent_fd;
	int listener_fd;
	int file_fd; /* a second look at what the agent has opened */
	struct sockaddr_in place;
	SSL_SESSION *kept;
};

/* The client's end of a data connection. */
struct house_line {
	int fd;
	SSL *ssl;
	bool is_notified; /* the server has sent close_notify */
	bool has_ended;   /* and its FIN, or a reset */
};

/* Begin and end. tls: further lines of section tls. */
void house_begin(struct house *house, const char *tls);
void house_begin_as(struct house *house, const struct talk_order *order);
void house_end(struct house *house);

/* Get a ticket of the control connection, as a client does with the reply to PASV. */
void house_get_ticket(struct house *house);

/*
 * Connect, as a client after PASV, and perhaps resume.
 * Returns: the connection, before its handshake.
 */
struct house_line house_dial(struct house *house, SSL_SESSION *resumed);

/* Close it without a word. */
void house_hang_up(struct house_line *line);

/* As after PASV: RETR of "hello", and STOR. The client is told 150, whatever is there. */
void house_begin_download(struct house *house);
void house_begin_upload(struct house *house);

/*
 * Turn both until nothing more can come of it.
 * Returns: true if both have shaken hands.
 */
bool house_shake(struct house *house, struct house_line *line);

/* What has come is exactly this; then perhaps the end. */
void house_hear(struct house *house, struct house_line *line, const char *text);

/* The agent is told of the upload by this, and content. */
void house_expect_verb(struct house *house, enum agent_verb verb);

/*
 * Ask whether the log has these words.
 * Returns: true if so.
 */
bool house_has_logged(struct house *house, const char *words);

#endif
