/*
 * selftest_client: plays the client of the sandbox self-test: a short anonymous session
 * with a listing and a download.
 * Runs in: a forked child of the master, since the master never reads from a client's
 * socket.
 * Source: DESIGN.md section 3, rule 11.
 * Not here: what follows from the verdict; see selftest.h.
 */
#ifndef FTPD_MASTER_SELFTEST_CLIENT_H
#define FTPD_MASTER_SELFTEST_CLIENT_H

#include "common/privilege.h"
#include "common/base.h"

enum {
	SELFTEST_VERDICT_MAX = 200,
};

/* The file that is to be listed and downloaded. */
struct selftest_sample {
	const char *name;
	const char *content;
};

/*
 * Become the identity, run the session against 127.0.0.1:port, then look through what the
 * worker told its recorder.
 * In:      recorder_fd: the recorder's end of the worker's channel.
 * Out:     verdict: what went wrong, one line without control characters.
 * Returns: true if every answer was right and no system call was denied.
 */
bool selftest_client_run(const struct identity *identity, uint16_t port,
                         const struct selftest_sample *sample, int recorder_fd,
                         char verdict[SELFTEST_VERDICT_MAX]);

#endif
