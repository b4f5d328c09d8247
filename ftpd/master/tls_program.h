/*
 * tls_program: lets deftpd-worker check certificates or make a pair, as the master has no
 * OpenSSL.
 * Runs in: master. Input: the program's messages, hostile.
 * Source: ftpd/ipc/tls_report.h; DESIGN.md section 2.
 * Not here: reading the files; see tls_source.h. What follows from what is told; see
 * tls_check.h and tls_watch.h.
 */
#ifndef FTPD_MASTER_TLS_PROGRAM_H
#define FTPD_MASTER_TLS_PROGRAM_H

#include <sys/types.h>

#include "common/loop.h"
#include "common/privilege.h"
#include "ftpd/ipc/tls_report.h"
#include "ftpd/master/deadline.h"
#include "common/base.h"

struct master;

enum {
	/* A check takes some 50 ms; a machine that is still booting may need more. */
	TLS_PROGRAM_PATIENCE_MS = 10000,
	/* One that says more is ended. */
	TLS_PROGRAM_MESSAGES_MAX = 4096,
};

/* What is to be checked. */
struct tls_program_setup {
	const char *dir; /* of the programs */
	const struct identity *identity;
	int options_fd; /* sealed, with the titled sections */
	int files_fd;   /* sealed */
};

/* A certificate and its key, both PEM and terminated. The key is wiped by its owner. */
struct tls_pair {
	char certificate[TLS_REPORT_TEXT_MAX + 1];
	char key[TLS_REPORT_TEXT_MAX + 1];
};

/*
 * Takes a MISTAKE, WARNING or FACT. Its text is terminated, printable, and valid during
 * the call only.
 */
typedef void tls_program_tell(void *listener, const struct tls_report *report);

/*
 * Called when the check is over. is_complete: everything was told; else it failed, and
 * `why` says how.
 */
typedef void tls_program_done(void *listener, bool is_complete, const char *why);

/* One that is under way. Zeroed memory is one that is not. */
struct tls_program {
	struct loop_source source; /* first; the channel */
	struct master *master;
	tls_program_tell *tell;
	tls_program_done *done;
	void *listener;
	struct deadline deadline;
	pid_t pid; /* 0: it has ended */
	unsigned messages;
	bool is_running;
};

/*
 * Check, and wait for the end of it.
 * Returns: 0 when everything was told; negative errno: -ETIMEDOUT, -EPROTO if it ended
 *          before that or broke the wire format, which it may have explained on standard
 *          error.
 */
int tls_program_check(const struct tls_program_setup *setup, tls_program_tell *tell,
                      void *listener);

/*
 * Begin to check, while the loop goes on.
 * In:      program: tell, done and listener are set; it is not running, and stays where
 *          it is.
 * Returns: 0, and `done` will be called once, from the loop, unless it is cancelled;
 *          negative errno.
 */
int tls_program_begin(struct tls_program *program, struct master *master,
                      const struct tls_program_setup *setup);

/* End it without a word; harmless when it is not running. */
void tls_program_cancel(struct tls_program *program);

/*
 * Make a certificate that nobody vouches for, and its key, and wait for them.
 * In:      dir: of the programs. names: host names and addresses, at least one.
 * Returns: 0; -ETIMEDOUT; -EPROTO; another negative errno.
 */
int tls_program_self_signed(const char *dir, const char *const *names, size_t count,
                            struct tls_pair *ret_pair);

#endif
