/*
 * self_signed: deftpd --self-signed, and the pair of --serve --tls: a certificate that
 * nobody vouches for, made by deftpd-worker.
 * Runs in: master, while the command line is obeyed. Secret: the key passes through.
 * Source: deftpd(8).
 * Not here: making it; see tls_program.h and ftpd/tls/self_signed.h.
 */
#ifndef FTPD_MASTER_SELF_SIGNED_H
#define FTPD_MASTER_SELF_SIGNED_H

#include "ftpd/conf/options.h"
#include "ftpd/master/tls_program.h"
#include "common/base.h"

enum {
	/* deftpd-worker takes 64. */
	SELF_SIGNED_WORDS_MAX = 60,
};

/* Names and addresses of this machine, the first the one that it is best known by. */
struct self_signed_names {
	size_t count;
	char text[SELF_SIGNED_WORDS_MAX][OPTIONS_HOST_MAX];
};

/*
 * Add a name or an address; one that is there already, or is neither, or does not fit, is
 * left out.
 */
void self_signed_add(struct self_signed_names *names, const char *text);

/* Collect what this machine is called: its names, localhost, its addresses. */
void self_signed_collect(struct self_signed_names *ret_names);

/*
 * Make a pair for this machine.
 * Returns: true, or false, which has been complained of.
 * Owner:   the caller wipes *ret_pair.
 */
bool self_signed_obtain(const struct self_signed_names *names, struct tls_pair *ret_pair);

/*
 * Write a pair into deftpd.crt and deftpd.key, the latter for its owner alone. Neither is
 * ever overwritten.
 * In:      directory: made if only it is missing.
 * Returns: true, or false, which has been complained of; nothing is left then.
 */
bool self_signed_write(const char *directory, const struct tls_pair *pair);

/*
 * Do what deftpd --self-signed does.
 * In:      directory: NULL means /etc/deftpd.
 * Returns: exit status.
 */
int self_signed_run(const char *directory);

#endif
