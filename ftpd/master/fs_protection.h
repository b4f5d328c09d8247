/*
 * fs_protection: whether the kernel keeps users of this machine from planting links and
 * FIFOs before others' programs.
 * Runs in: master.
 * Source: SECURITY.md F6; the kernel's admin-guide/sysctl/fs, "protected_*".
 * Not here: what agents do about links themselves; see ftpd/agent/resolve.h.
 */
#ifndef FTPD_MASTER_FS_PROTECTION_H
#define FTPD_MASTER_FS_PROTECTION_H

#include "common/base.h"

#define FS_PROTECTION_DIRECTORY "/proc/sys/fs"

enum {
	FS_PROTECTION_TEXT_MAX = 512,
};

/*
 * Name the protections that are switched off, and the remedy. What this kernel does not
 * have, or who asks may not read, is not off.
 * In:      directory: FS_PROTECTION_DIRECTORY, but for tests.
 * Returns: text: one line without its end; "" when nothing is off.
 */
const char *fs_protection_describe(const char *directory,
                                   char text[FS_PROTECTION_TEXT_MAX]);

#endif
