/*
 * early_drop: while nearly all places are taken, clients who have not logged in lose
 * theirs at random to those who come.
 * Runs in: master. Input: when clients connect, which an attacker chooses.
 * Source: max_sessions in deftpd.conf(5); random early drop as of OpenSSH's MaxStartups,
 * but of those who are in, since a slow client holds its place and a good one does not.
 * Not here: whether the client has logged in, which its worker knows (MW_DROP).
 *
 * From 7/8 of max_sessions on, each client that is let in has up to 3 others asked to
 * leave who are not known as users and have been here for 2 s; the fewer places are left,
 * the less time they are given, down to 250 ms. So some places are always left, and a
 * client on a long line has time to log in unless very many come. If all places are taken
 * all the same, each client that has to be refused has up to 16 (in a small server,
 * 3) asked to leave: the next ones find room. Whom a limit per address turns away
 * costs nobody his place.
 *
 * Each of them is the one who came first among a few found at random: the more clients
 * connect, the shorter they stay, but all for about as long. Who has been asked and is
 * still here has logged in, most likely, and is left alone for a minute.
 */
#ifndef FTPD_MASTER_EARLY_DROP_H
#define FTPD_MASTER_EARLY_DROP_H

#include "ftpd/master/admit.h"
#include "ftpd/master/master.h"
#include "common/base.h"

enum {
	EARLY_DROP_MAX = 16,
};

/* How many are asked to leave, and for how long they must have been here. */
struct early_drop_plan {
	unsigned count;
	uint64_t patience_ms;
};

/*
 * Decide what the newest client means for the others.
 * In:      result: what became of it. total: sessions, with this one if it is in; more
 *          than max_sessions if a reload has lowered that.
 * Returns: whom to ask; a count of 0 if there is no need.
 */
struct early_drop_plan early_drop_plan(enum admit_result result, uint32_t total,
                                       uint32_t max_sessions);

/*
 * Pick a session at random that may be asked to leave.
 * In:      random: a number that nobody can foresee.
 * Returns: it, or NULL if none was found.
 */
struct session *early_drop_pick(struct session_table *table, uint64_t now_ms,
                                uint64_t patience_ms, uint64_t random);

/* Have clients asked to leave, if the newest one makes that necessary. */
void early_drop_run(struct master *master, enum admit_result result);

/* A client has lost its place: tell, from time to time. */
void early_drop_note(struct master *master);

#endif
