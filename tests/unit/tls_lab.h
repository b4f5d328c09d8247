/*
 * tls_lab: a configuration, files that go with it, and a client, all in memory, for the
 * tests of ftpd/tls.
 */
#ifndef TESTS_UNIT_TLS_LAB_H
#define TESTS_UNIT_TLS_LAB_H

#include <openssl/ssl.h>

#include "ftpd/conf/conf.h"
#include "ftpd/tls/check.h"
#include "ftpd/tls/connection.h"
#include "ftpd/tls/context.h"
#include "tests/unit/tls_forge.h"
#include "common/base.h"

enum {
	LAB_FILES_MAX = 8,
	LAB_REPORTS_MAX = 32,
	LAB_TEXT_MAX = 512,
};

struct lab_report {
	enum tls_report_type type;
	enum tls_file_kind kind;
	uint16_t host;
	uint16_t index;
	int64_t begins;
	int64_t expires;
	char text[LAB_TEXT_MAX];
};

struct lab {
	struct conf *conf;
	struct tls_file file[LAB_FILES_MAX];
	uint8_t *bytes[LAB_FILES_MAX];
	struct tls_files files;
	struct tls_setup setup;
	size_t report_count;
	struct lab_report reports[LAB_REPORTS_MAX];
	struct tls_context *context;
};

/* What a client does, and what comes of it. */
struct lab_client {
	/* 0, NULL: OpenSSL's default */
	int version;
	enum tls_side side;
	uint16_t host;           /* given by HOST before */
	const char *server_name; /* SNI */
	const char *protocols;   /* ALPN, each behind its length */
	const char *signatures;
	const char *ciphers; /* of TLS 1.2 */
	const struct forged *own;
	SSL_SESSION *session; /* to resume */
	uint8_t binding;      /* connections with the same one belong together */
	bool wants_status;    /* OCSP */
	bool has_no_tickets;  /* TLS 1.2: session ids only */
	bool has_groups;      /* only those of finite fields */
	/* afterwards: */
	bool is_open;
	bool has_resumed;
	int alert; /* that the server has sent; -1: none */
	char failure[TLS_FAILURE_MAX];
	uint16_t chosen;          /* host */
	char shown[LAB_TEXT_MAX]; /* common name of the server's certificate */
	size_t shown_count;       /* certificates that the server has sent */
	char cipher[LAB_TEXT_MAX];
	char protocol[LAB_TEXT_MAX]; /* ALPN */
	int spoken;                  /* version */
	long status_len;             /* OCSP response; -1: none */
	/* the last ticket or session; the caller's to free */
	SSL_SESSION *kept;
};

/* Begin. In: text: of a configuration file. */
void lab_begin(struct lab *lab, const char *text);

/* Add a file; its bytes are copied. */
void lab_add(struct lab *lab, enum tls_file_kind kind, uint16_t host, uint16_t index,
             const struct forge_pem *pem);

/* End; the context, too. */
void lab_end(struct lab *lab);

/*
 * Make the context, and listen.
 * Returns: as tls_context_new().
 */
int lab_make(struct lab *lab);

/*
 * Check as of so many seconds from now.
 * Returns: as tls_check().
 */
bool lab_check(struct lab *lab, int64_t from_now_s);

/*
 * Find a report.
 * Returns: the first one of that type with the words in it, or NULL.
 */
const struct lab_report *lab_find(const struct lab *lab, enum tls_report_type type,
                                  const char *words);

/* Print all reports, when a test has not found what it wants. */
void lab_print(const struct lab *lab);

/* Let a client do it, up to the end of its handshake and the tickets behind it. */
void lab_talk(struct lab *lab, struct lab_client *client);

/* The certificate of a lab's server: a self-signed one, with its key in the same file. */
void lab_add_plain(struct lab *lab, uint16_t host, uint16_t index,
                   const struct forge_order *order);

/* Add a file of certificates, up to three, and of the key of the first of them. */
void lab_add_list(struct lab *lab, uint16_t host, uint16_t index,
                  const struct forged *const list[3]);

/* Add a file of any text. */
void lab_add_text(struct lab *lab, enum tls_file_kind kind, const char *text);

/* Check, and find a mistake about such a file, with these words. */
void lab_expect_mistake(struct lab *lab, enum tls_file_kind kind, const char *words);

/* Check as of so many seconds from now: no mistake; the warning, or none for NULL. */
void lab_expect_warning(struct lab *lab, int64_t from_now_s, enum tls_file_kind kind,
                        const char *words);

#endif
