/*
 * authenticator_end: how an authenticator ends, and the agent that it has become.
 * Runs in: master.
 * Not here: its life; see authenticator.h.
 */
#ifndef FTPD_MASTER_AUTHENTICATOR_END_H
#define FTPD_MASTER_AUTHENTICATOR_END_H

#include "ftpd/master/authenticator.h"
#include "ftpd/master/children.h"
#include "common/base.h"

/* Read and obey what it has said. It may be GONE afterwards. */
void authenticator_receive(struct authenticator *authenticator);

/*
 * Its channel is at its end: after a verdict as it should be, else the try has failed.
 * Harmless when it is GONE. The object stays in desk.gone until its process has ended.
 */
void authenticator_gone(struct authenticator *authenticator);

/* End it by force, and say why in the log. */
void authenticator_kill(struct authenticator *authenticator, const char *why);

/* If too many wait, end one: of the address with the most of them, the oldest. */
void authenticator_end_surplus(struct master *master);

/*
 * Ask whether a process may be one that keeps a session of PAM, and closes it when its
 * agent has ended.
 * Returns: true if so.
 */
bool authenticator_is_keeper(const struct child *child);

#endif
