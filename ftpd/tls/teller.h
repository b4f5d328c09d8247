/*
 * teller: puts what is found into words, for whoever listens.
 * Runs in: deftpd-worker.
 * Not here: what is looked for; see context.c, pair.c and check.c.
 */
#ifndef FTPD_TLS_TELLER_H
#define FTPD_TLS_TELLER_H

#include <openssl/x509.h>

#include "ftpd/tls/context.h"
#include "common/base.h"

enum {
	TELLER_NAME_MAX = 256, /* a longer name is cut */
};

struct teller {
	tls_tell *tell; /* NULL: nobody listens */
	void *listener;
	bool has_mistake;
};

/* What a finding is about: a file, by its place in the configuration. */
struct tls_place {
	enum tls_file_kind kind;
	uint16_t host;
	uint16_t index;
};

/*
 * Returns: the place of a file.
 */
struct tls_place tls_place_of(const struct tls_file *file);

/* Tell that the files cannot be used: what is wrong, and the remedy. */
void teller_mistake(struct teller *teller, struct tls_place place, const char *format,
                    ...) __attribute__((format(printf, 3, 4)));

/* Tell what can be used, but should be looked after. */
void teller_warning(struct teller *teller, struct tls_place place, const char *format,
                    ...) __attribute__((format(printf, 3, 4)));

/* Tell what a certificate is, and its dates. */
void teller_fact(struct teller *teller, struct tls_place place, const X509 *certificate,
                 const char *format, ...) __attribute__((format(printf, 4, 5)));

/*
 * Write whose certificate it is: "O = Example, CN = ftp.example". All of it is ASCII, and
 * nothing a control character.
 * Returns: text.
 */
const char *teller_name(const X509_NAME *name, char text[TELLER_NAME_MAX]);

/*
 * Take what OpenSSL says of its last failure, and forget it.
 * Returns: its words; static.
 */
const char *teller_reason(void);

#endif
