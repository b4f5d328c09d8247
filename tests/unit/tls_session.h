/*
 * tls_session: a private worker with one session, its master, and a client who speaks
 * TLS, all in one thread.
 */
#ifndef TESTS_UNIT_TLS_SESSION_H
#define TESTS_UNIT_TLS_SESSION_H

#include <openssl/ssl.h>

#include "ftpd/ipc/master_worker.h"
#include "ftpd/worker/session.h"
#include "ftpd/worker/worker.h"
#include "tests/unit/tls_lab.h"
#include "common/base.h"

enum {
	TALK_SESSION = 7,
	TALK_TEXT_MAX = 256 * 1024,
};

struct talk_order {
	const char *configuration; /* further sections; NULL: none */
	const char *tls;           /* further lines of section tls; NULL: none */
	bool has_no_tls;           /* the worker has no certificates */
	bool is_implicit;
	int buffer_bytes; /* of the sockets; 0: the system's */
	int version;      /* of TLS; 0: 1.3 */
	const char *server_name;
	const char *names;                 /* of the server's certificate; NULL: none */
	const struct forged *own;          /* the client's certificate */
	const struct forge_pem *client_ca; /* tls.client_ca, which tls must name */
};

struct talk {
	struct lab lab;
	struct worker *worker;
	struct session *session; /* valid until it has ended */
	int client_fd;
	int master_fd;
	SSL_CTX *ctx;
	SSL *ssl;          /* NULL in clear */
	bool has_ended;    /* the worker has told the master */
	enum mw_end end;   /* why */
	bool has_notified; /* the server has sent close_notify */
	size_t len;        /* of text, that nobody has expected yet */
	char *text;
	bool is_closed; /* the end has come in clear */
	bool is_deaf;   /* the client reads nothing for now */
	const char *server_name;
	uint64_t waited_ms;
	unsigned asked_for;  /* agents for anonymous clients */
	uint16_t asked_host; /* of that host, the last time */
	bool has_login;      /* an authenticator was asked for */
	/* what the worker has told its log, lines */
	int log_fd;
	char log[4096];
};

/* Begin; the greeting is still to be expected, if there is one. */
void talk_begin(struct talk *talk, const struct talk_order *order);
void talk_end(struct talk *talk);

/*
 * Turn the loop until nothing happens any more, and read what the client and the master
 * are told.
 * Returns: how many turns had something to do.
 */
unsigned talk_settle(struct talk *talk);

/* The client writes, in TLS if it has begun it; nobody has read it yet. */
void talk_write(struct talk *talk, const char *text);

/* talk_write() and talk_settle(). */
void talk_say(struct talk *talk, const char *text);

/* It writes raw bytes, whatever it has begun. */
void talk_say_raw(struct talk *talk, const void *bytes, size_t len);

/* This is what comes next, and no less. */
void talk_expect(struct talk *talk, const char *wanted);

/* talk_say() and talk_expect(). */
void talk_ask(struct talk *talk, const char *text, const char *wanted);

/* Nothing has come that was not expected. */
void talk_expect_nothing(struct talk *talk);

/* The session has ended for this reason; the connection is closed. */
void talk_expect_end(struct talk *talk, enum mw_end end);

/* The client says the first words of TLS, and hears nothing yet. */
void talk_hello(struct talk *talk);

/*
 * The client begins TLS by itself, or after AUTH, or goes on from its first words. A test
 * whose handshake fails, fails.
 */
void talk_shake(struct talk *talk);
void talk_auth(struct talk *talk);

/* The client is done with TLS, with close_notify or without. */
void talk_leave_tls(struct talk *talk, bool notifies);

/* The master says something; fd stays the caller's. */
void talk_give(struct talk *talk, const struct mw_message *message, int fd);

/* Let time pass. */
void talk_wait(struct talk *talk, uint64_t ms);

#endif
