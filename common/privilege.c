/*
 * privilege: becoming somebody else for good, and proving it.
 * Runs in: worker, agent, recorder at start-up.
 */
#include "common/privilege.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/fd.h"
#include "common/sandbox.h"
#include "common/base.h"

static bool
parse_id(const char *text, unsigned *ret_id)
{
	char *end;
	unsigned long value;

	errno = 0;
	value = strtoul(text, &end, 10);
	if (errno != 0 || end == text || *end != '\0' || value > UINT32_MAX) {
		return false;
	}
	*ret_id = (unsigned)value;
	return true;
}

bool
privilege_parse(const char *uid, const char *gid, struct identity *ret_identity)
{
	struct identity identity;

	if (!parse_id(uid, &identity.uid) || !parse_id(gid, &identity.gid)) {
		return false;
	}
	*ret_identity = identity;
	return true;
}

bool
privilege_is_root(void)
{
	return geteuid() == 0;
}

int
privilege_enter_root(int root_fd)
{
	if (fchdir(root_fd) != 0) {
		return -errno;
	}
	if (!sandbox_is_built()) {
		return 0; /* the sanitizers need /proc to report */
	}
	return chroot(".") == 0 && chdir("/") == 0 ? 0 : -errno;
}

int
privilege_enter_empty_root(void)
{
	char path[] = "/tmp/deftpd-empty-XXXXXX";
	int root_fd;
	int result;

	if (mkdtemp(path) == NULL) {
		return -errno;
	}
	root_fd = open(path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	result = root_fd >= 0 ? 0 : -errno;
	/*
	 * Removed before it is entered: nobody can put anything into a directory that has
	 * no name.
	 */
	if (rmdir(path) != 0 && result == 0) {
		result = -errno;
	}
	if (result == 0) {
		result = privilege_enter_root(root_fd);
	}
	fd_close(&root_fd);
	return result;
}

/* Needs CAP_SETPCAP, so it comes before the uid changes. */
static int
drop_bounding_set(void)
{
	for (cap_value_t value = 0; value < cap_max_bits(); value++) {
		if (cap_get_bound(value) > 0 && cap_drop_bound(value) != 0) {
			return -errno;
		}
	}
	return 0;
}

static int
drop_capabilities(void)
{
	cap_t empty = cap_init();
	int result = 0;

	if (empty == NULL) {
		return -errno;
	}
	if (cap_set_proc(empty) != 0) {
		result = -errno;
	}
	(void)cap_free(empty); /* only frees memory */
	if (result == 0 && cap_reset_ambient() != 0) {
		result = -errno;
	}
	return result;
}

static int
compare_groups(const void *left, const void *right)
{
	gid_t a = *(const gid_t *)left;
	gid_t b = *(const gid_t *)right;

	return (a > b) - (a < b);
}

/* The kernel keeps groups in order, and one that is named twice twice. */
static int
verify_groups(const gid_t *groups, size_t count)
{
	int found = getgroups(0, NULL);
	gid_t *actual;
	int result = 0;

	if (found < 0 || (size_t)found != count) {
		return -EPERM;
	}
	if (count == 0) {
		return 0;
	}
	actual = calloc(count, sizeof(*actual));
	if (actual == NULL) {
		return -ENOMEM;
	}
	if (getgroups(found, actual) != found ||
	    memcmp(actual, groups, count * sizeof(*actual)) != 0) {
		result = -EPERM;
	}
	free(actual);
	return result;
}

static int
verify(const struct identity *identity, const gid_t *groups, size_t count)
{
	int result;
	uid_t uids[3];
	gid_t gids[3];

	if (getresuid(&uids[0], &uids[1], &uids[2]) != 0 ||
	    getresgid(&gids[0], &gids[1], &gids[2]) != 0) {
		return -errno;
	}
	for (size_t i = 0; i < ARRAY_COUNT(uids); i++) {
		if (uids[i] != identity->uid || gids[i] != identity->gid) {
			return -EPERM;
		}
	}
	result = verify_groups(groups, count);
	if (result != 0) {
		return result;
	}
	if (setresuid(0, 0, 0) == 0 || setresgid(0, 0, 0) == 0) {
		return -EPERM;
	}
	return 0;
}

static int
change_identity(const struct identity *identity, gid_t *groups, size_t count)
{
	int result = drop_bounding_set();

	if (result != 0) {
		return result;
	}
	if (identity->uid == 0 || identity->gid == 0) {
		return -EPERM; /* nobody is served as root */
	}
	if (count > 0) {
		qsort(groups, count, sizeof(*groups), compare_groups);
	}
	if (setgroups(count, groups) != 0 ||
	    setresgid(identity->gid, identity->gid, identity->gid) != 0 ||
	    setresuid(identity->uid, identity->uid, identity->uid) != 0) {
		return -errno;
	}
	result = drop_capabilities();
	return result != 0 ? result : verify(identity, groups, count);
}

int
privilege_become(const struct identity *identity)
{
	return privilege_become_member(identity, NULL, 0);
}

int
privilege_become_member(const struct identity *identity, gid_t *groups, size_t count)
{
	int result = privilege_is_root() ? change_identity(identity, groups, count) : 0;

	if (result != 0) {
		return result;
	}
	if (prctl(PR_SET_DUMPABLE, sandbox_is_built() ? 0 : 1, 0, 0, 0) != 0 ||
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
		return -errno;
	}
	return 0;
}
