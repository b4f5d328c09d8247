/*
 * landlock: the Landlock part of sandbox.h.
 * Runs in: worker, agent, recorder, at the end of their start-up.
 * Source: landlock(7); the kernel's userspace-api/landlock. The numbers of newer kernels
 * stand here because Debian 12's headers end at version 3.
 */
#include <errno.h>
#include <linux/landlock.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/fd.h"
#include "common/sandbox.h"
#include "common/base.h"

enum {
	/*
	 * Version 1 knows 13 rights on files; each of these versions added one or more.
	 */
	RIGHTS_V1 = 13,
	RIGHTS_V2 = 14, /* REFER */
	RIGHTS_V3 = 15, /* TRUNCATE */
	RIGHTS_V5 = 16, /* IOCTL_DEV */
	RIGHT_TRUNCATE = 1 << 14,
	NET_BIND_AND_CONNECT = 3,
	SCOPE_ABSTRACT_AND_SIGNAL = 3,
};

/*
 * struct landlock_ruleset_attr as of version 6; an older kernel is given the shorter
 * length that it knows.
 */
struct ruleset {
	uint64_t files;
	uint64_t net;
	uint64_t scoped;
};

static uint64_t
file_rights(int abi)
{
	unsigned bits = abi >= 5   ? RIGHTS_V5
	                : abi >= 3 ? RIGHTS_V3
	                : abi == 2 ? RIGHTS_V2
	                           : RIGHTS_V1;

	return (UINT64_C(1) << bits) - 1;
}

/*
 * What a role may do. Never: run programs, make devices, FIFOs and sockets, speak to
 * devices.
 */
static uint64_t
allowed_rights(int abi, enum sandbox_files files)
{
	uint64_t rights = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR;

	if (files == SANDBOX_FILES_WRITE) {
		rights |= LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_MAKE_REG |
		          LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_SYM |
		          LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR |
		          LANDLOCK_ACCESS_FS_REFER | RIGHT_TRUNCATE;
	}
	return rights & file_rights(abi); /* a right that is not known is no right */
}

static int
allow_below(int ruleset_fd, int root_fd, uint64_t rights)
{
	struct landlock_path_beneath_attr below = {
	    .allowed_access = rights,
	    .parent_fd = root_fd,
	};

	return syscall(SYS_landlock_add_rule, ruleset_fd, LANDLOCK_RULE_PATH_BENEATH,
	               &below, 0) == 0
	           ? 0
	           : -errno;
}

static int
make_ruleset(int abi)
{
	struct ruleset ruleset = {.files = file_rights(abi)};
	size_t size = sizeof(ruleset.files);
	long fd;

	if (abi >= 4) {
		ruleset.net = NET_BIND_AND_CONNECT;
		size += sizeof(ruleset.net);
	}
	if (abi >= 6) {
		ruleset.scoped = SCOPE_ABSTRACT_AND_SIGNAL;
		size += sizeof(ruleset.scoped);
	}
	fd = syscall(SYS_landlock_create_ruleset, &ruleset, size, 0);
	return fd >= 0 ? (int)fd : -errno;
}

int
sandbox_landlock(int root_fd, enum sandbox_files files, int *ret_abi)
{
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0,
	                   LANDLOCK_CREATE_RULESET_VERSION);
	int ruleset_fd;
	int result = 0;

	if (abi <= 0) {
		*ret_abi = 0; /* not in this kernel, or switched off at boot */
		return 0;
	}
	if (abi == 1 && files == SANDBOX_FILES_WRITE) {
		*ret_abi = 0;
		return 0;
	}
	ruleset_fd = make_ruleset((int)abi);
	if (ruleset_fd < 0) {
		return ruleset_fd;
	}
	if (files != SANDBOX_FILES_NONE) {
		result =
		    allow_below(ruleset_fd, root_fd, allowed_rights((int)abi, files));
	}
	if (result == 0 && (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
	                    syscall(SYS_landlock_restrict_self, ruleset_fd, 0) != 0)) {
		result = -errno;
	}
	fd_close(&ruleset_fd);
	if (result == 0) {
		*ret_abi = (int)abi;
	}
	return result;
}
