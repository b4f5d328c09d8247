/*
 * client: one FTP client of the load generator, a state machine over a control and a data
 * connection.
 * Runs in: ftpload (test). Input: a server under test, not trusted to be right.
 * Source: RFC 959 5.4; RFC 2428 3; RFC 4217.
 * Not here: how many clients there are and when they start; see ftpload.c.
 *
 *   NEW -> GREETING -> USER -> PASS -> TYPE -> READY -> PASSIVE <-> TRANSFER -> MOVED ->
 *   QUITTING -> DONE
 *   with TLS: GREETING -> AUTH -> USER, PASS -> PBSZ -> PROT -> TYPE
 *                                       any of them -> FAILED
 *
 * READY and MOVED are the two places where all clients can be made to wait for one
 * another.
 */
#ifndef BENCH_CLIENT_H
#define BENCH_CLIENT_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/bench/link.h"
#include "tests/bench/samples.h"

enum {
	/* Longer reply lines than this are a failure of the server. */
	CLIENT_LINE_MAX_BYTES = 1024,
	/* What one turn reads at most when the bytes are copied. */
	CLIENT_READ_BYTES = 256 * 1024,
	CLIENT_FAILURE_MAX_BYTES = 200
};

enum client_state {
	CLIENT_NEW,      /* nothing is open */
	CLIENT_GREETING, /* connecting; 220 not seen */
	CLIENT_AUTH,     /* AUTH sent; the handshake follows its reply */
	CLIENT_USER,     /* USER sent */
	CLIENT_PASS,     /* PASS sent */
	CLIENT_PBSZ,     /* PBSZ sent */
	CLIENT_PROT,     /* PROT sent */
	CLIENT_TYPE,     /* TYPE sent */
	CLIENT_READY,    /* logged in, nothing asked */
	CLIENT_PASSIVE,  /* EPSV sent */
	CLIENT_TRANSFER, /* data connection open, command sent, data may be moving */
	CLIENT_MOVED,    /* every transfer is over */
	CLIENT_QUITTING, /* QUIT sent; the end of the connection is not seen */
	CLIENT_DONE,
	CLIENT_FAILED,
	CLIENT_STATE_COUNT
};

/* What each client does; the same for all. */
struct plan {
	struct sockaddr_in address;
	const char *user;
	const char *password;
	const char *verb; /* RETR, LIST, MLSD, STOR; only used if transfers > 0 */
	const char *path;
	bool is_numbered;       /* the number of the transfer is appended to the path */
	bool is_discarding;     /* the kernel throws the data away; nothing is copied */
	bool is_synchronous;    /* wait at READY and MOVED until client_go() */
	char type;              /* argument of TYPE */
	unsigned int transfers; /* for each session */
	/* what each transfer must bring, or -1; STOR: what it sends */
	int64_t size_bytes;
	/* how many lines each transfer must bring at least, or -1 */
	int64_t lines;
};

/* What all clients together have done. */
struct tally {
	unsigned long sessions;
	unsigned long failures;
	unsigned long transfers;
	unsigned long resumed; /* data connections that resumed a TLS session */
	uint64_t bytes;
	struct samples greeting; /* connect to 220 */
	struct samples login;    /* connect to 230 */
	struct samples transfer; /* EPSV to the closing reply */
	struct samples moved;    /* client_go() at READY to MOVED, for each client */
	char first_failure[CLIENT_FAILURE_MAX_BYTES];
};

/* What the clients share. */
struct load {
	struct plan plan;
	struct tally tally;
	int epoll_fd;
	unsigned int in_state[CLIENT_STATE_COUNT]; /* how many clients are in each */
	/* CLIENT_READ_BYTES, only for the moment of a read */
	char *buffer;
	int source_fd; /* STOR: the file that is sent, again and again; else -1 */
	int64_t source_bytes;
	const char *source; /* the same in memory, for TLS */
	SSL_CTX *tls;       /* NULL: everything is in clear */
};

struct client;

/* What epoll hands back. */
struct endpoint {
	struct client *client;
	int fd;
	bool is_data;
	SSL *tls; /* NULL: in clear */
	bool is_in_handshake;
	bool has_ended; /* close_notify is on its way */
};

struct client {
	struct load *load;
	struct endpoint control;
	struct endpoint data;
	enum client_state state;
	bool has_eof;   /* of the data connection */
	bool has_reply; /* the closing reply of the transfer */
	unsigned int transfers_done;
	int64_t bytes; /* of this transfer */
	int64_t lines;
	uint64_t connect_ns;
	uint64_t transfer_ns;
	uint64_t go_ns;
	size_t line_len;
	char line[CLIENT_LINE_MAX_BYTES];
};

/*
 * Read the clock that all durations are taken from.
 * Returns: nanoseconds from some moment in the past.
 */
uint64_t client_now_ns(void);

/*
 * Begin a session: connect without waiting.  The client is NEW, DONE or FAILED.
 */
void client_start(struct client *client);

/*
 * Go on from READY or MOVED; other states are left alone.
 */
void client_go(struct client *client);

/*
 * Act on a readable or broken connection.
 */
void client_event(struct endpoint *endpoint);

/*
 * Give a session up and count it as a failure; the first reason is kept for the report.
 */
void client_fail(struct client *client, const char *reason);

/*
 * Tell whether a session is over, well or badly.
 * Returns: true in DONE and FAILED.
 */
bool client_is_over(const struct client *client);

/*
 * Count the sessions that have begun and are not logged in.
 * Returns: the number of clients in GREETING, AUTH, USER and PASS.
 */
unsigned int client_count_logging_in(const struct load *load);

/*
 * Count the sessions that are neither over nor in the given state.
 * In:      clients: how many there are in all.
 * Returns: the number of clients that a wait for this state still has to wait for.
 */
unsigned int client_count_missing(const struct load *load, unsigned int clients,
                                  enum client_state state);

#endif
