/*
 * main: deftpd-auth, the forkserver of the authenticators.
 * Runs in: deftpd-auth; the children go on in serve.c.
 * Source: DESIGN.md section 2, "forkserver"; SECURITY.md A12, A21, A22.
 * Usage:   deftpd-auth UID GID, with the master's channel as descriptor 3 and the sealed
 *          options as 4. Only the master starts it. UID and GID are what a forkserver is
 *          told; this one stays who it is.
 *
 * It keeps root, the capabilities that it inherits, and has no filter of system calls: a
 * PAM module may read shadow files, start helpers, speak to services over sockets and
 * raise limits, and no list that fits one site's modules fits another's. What holds
 * instead: one process for one try, which has nothing of other clients in it, and reads
 * nothing but a name and a password.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/account.h"
#include "common/fd.h"
#include "common/forkserver.h"
#include "common/privilege.h"
#include "common/sandbox.h"
#include "ftpd/auth/pam.h"
#include "ftpd/auth/serve.h"
#include "common/base.h"

static int
run_child(uint8_t kind, int channel_fd, void *context)
{
	(void)kind; /* there is one */
	return serve_run(context, channel_fd);
}

static int
fail(const char *what, int negative_errno)
{
	(void)fprintf(stderr, "deftpd-auth: %s: %s\n", what, strerror(-negative_errno));
	return 1;
}

static int
read_options(struct auth *auth)
{
	int options_fd = IPC_OPTIONS_FD;
	int result = conf_unseal(options_fd, &auth->options);

	if (result == 0) {
		result = overrides_unseal(options_fd, &auth->overrides);
	}
	fd_close(&options_fd);
	return result;
}

/* Returns: 0 or negative errno. */
static int
find_agent(struct auth *auth)
{
	char *path = auth->agent_path;
	ssize_t len = readlink("/proc/self/exe", path, sizeof(auth->agent_path) - 1);
	char *slash;
	size_t room;
	int written;

	if (len < 0) {
		return -errno;
	}
	path[len] = '\0';
	slash = strrchr(path, '/');
	if (slash == NULL) {
		return -ENOENT;
	}
	room = sizeof(auth->agent_path) - (size_t)(slash - path);
	written = snprintf(slash, room, "/deftpd-agent");
	if (written < 0 || (size_t)written >= room) {
		return -ENAMETOOLONG;
	}
	return access(path, X_OK) == 0 ? 0 : -errno;
}

/*
 * Nothing of the outside comes in by the environment, nothing of the inside goes out by a
 * core file or to a debugger. Sanitizers need the latter.
 */
static int
close_up(struct auth *auth)
{
	const struct rlimit no_core = {0, 0};

	(void)umask(077);               /* cannot fail */
	(void)signal(SIGPIPE, SIG_IGN); /* valid signal and action */
	if (clearenv() != 0 || setenv("PATH", "/usr/sbin:/usr/bin:/sbin:/bin", 1) != 0 ||
	    setrlimit(RLIMIT_CORE, &no_core) != 0 ||
	    prctl(PR_SET_DUMPABLE, sandbox_is_built() ? 0 : 1, 0, 0, 0) != 0) {
		return -errno;
	}
	auth->null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	return auth->null_fd >= 0 ? 0 : -errno;
}

/*
 * What each child would otherwise load for itself: the modules of NSS, libcrypt's tables,
 * the pages of PAM's modules.
 */
static int
warm_up(struct auth *auth)
{
	const struct pam_conv silent = {0};
	struct account nobody = {0};
	pam_handle_t *handle = NULL;

	if (account_look_up("nobody", &nobody) == 0) {
		account_free(&nobody);
	}
	if (auth->options.local_users.enabled &&
	    pam_start(auth->options.local_users.pam_service, "nobody", &silent,
	              &handle) == PAM_SUCCESS) {
		(void)pam_end(handle, PAM_SUCCESS); /* nothing was asked */
	}
	return password_make_dummy(&auth->dummy);
}

int
main(int argc, char **argv)
{
	/* Options and paths: too much for a stack of our limit. */
	static struct auth auth;
	struct identity unused;
	int result;

	if (argc != 3 || !privilege_parse(argv[1], argv[2], &unused)) {
		(void)fprintf(stderr, "deftpd-auth is started by deftpd, not by hand.\n");
		return 2;
	}
	result = read_options(&auth);
	if (result != 0) {
		return fail("reading the options", result);
	}
	result = find_agent(&auth);
	if (result != 0) {
		return fail("finding deftpd-agent beside this program", result);
	}
	result = close_up(&auth);
	if (result != 0) {
		return fail("preparing the process", result);
	}
	result = warm_up(&auth);
	if (result != 0) {
		return fail("hashing with libcrypt", result);
	}
	return forkserver_run(IPC_START_FD, 0, run_child, &auth);
}
