/*
 * limits: resource limits and capabilities of the master itself.
 * Runs in: master, before it starts anything.
 * Source: SECURITY.md 3.6; capabilities(7).
 * Not here: those of the other programs, which set them after exec.
 */
#ifndef FTPD_MASTER_LIMITS_H
#define FTPD_MASTER_LIMITS_H

#include "common/base.h"

/* Raise the number of descriptors as far as that is possible and useful. */
void limits_raise(uint32_t max_sessions);

/*
 * Give up every capability that neither the master nor a program that it starts needs,
 * and for the master what only PAM needs; become undumpable. Without root only the
 * latter.
 * Returns: 0 or negative errno.
 */
int limits_drop_capabilities(void);

#endif
