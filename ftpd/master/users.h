/*
 * users: whom the other programs become, looked up before anything runs.
 * Runs in: master, at the start and at each reload.
 * Source: DESIGN.md section 3, rules 4 and 6.
 * Not here: becoming them; see common/privilege.h.
 */
#ifndef FTPD_MASTER_USERS_H
#define FTPD_MASTER_USERS_H

#include "common/privilege.h"
#include "ftpd/conf/conf.h"
#include "common/base.h"

struct users {
	struct identity worker;
	struct identity recorder;
	struct identity anonymous;
	/* Keys whose user is missing and is replaced by nobody; one warning each. */
	bool is_worker_missing;
	bool is_recorder_missing;
	bool is_anonymous_missing;
};

/*
 * Look up the three users. Without root all of them are the caller. A user with uid or
 * gid 0 becomes a finding of conf.
 */
void users_look_up(struct conf *conf, struct users *ret_users);

/* What a warning is handed to. */
typedef void users_warn(void *context, const char *text);

/* Tell of every missing user and the remedy. */
void users_tell_missing(const struct users *users, const struct options *options,
                        users_warn *warn, void *context);

#endif
