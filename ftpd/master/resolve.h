/*
 * resolve: what address the name in passive_address means. It is looked up by a
 * short-lived unprivileged child: name services run other people's code and read other
 * people's bytes.
 * Runs in: master, and in that child. Input: the child's answer; it is numeric and
 * checked.
 * Source: passive_address in deftpd.conf(5).
 * Not here: who is told which address; see passive_plan.h.
 */
#ifndef FTPD_MASTER_RESOLVE_H
#define FTPD_MASTER_RESOLVE_H

#include "ftpd/master/generation.h"
#include "common/base.h"

enum {
	RESOLVE_PATIENCE_MS = 5000,
	RESOLVE_AGAIN_MS =
	    5 * 60 * 1000, /* a dynamic address is noticed after that time */
};

/* Find out what passive_address means; generation->is_resolving while that takes time. */
void resolve_begin(struct generation *generation);

/* Look the name up again every now and then, if it is one. */
void resolve_keep_fresh(struct generation *generation);

/* Give up. Harmless at any time. */
void resolve_end(struct generation *generation);

#endif
