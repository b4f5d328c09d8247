/*
 * sandbox: what the recorder may still do once it is confined.
 * Runs in: recorder.
 * Source: DESIGN.md section 3, rules 4 and 11; SECURITY.md 3.4.
 * Not here: how filters and Landlock work; see common/sandbox.h.
 */
#ifndef FTPD_RECORDER_SANDBOX_H
#define FTPD_RECORDER_SANDBOX_H

#include "common/privilege.h"
#include "ftpd/conf/options.h"
#include "common/base.h"

/*
 * Confine this process: limits, an empty root, the recorder's user, Landlock, the filter;
 * the last two unless sandbox = off.
 * Out:     ret_layers: enum spawn_layer; ret_failed: which step failed.
 * Returns: 0 or negative errno.
 */
int sandbox_confine_recorder(const struct identity *identity,
                             const struct options *options, unsigned *ret_layers,
                             const char **ret_failed);

#endif
