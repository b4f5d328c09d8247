/*
 * sandbox: what a worker may still do once it is confined.
 * Runs in: deftpd-worker.
 */
#include "ftpd/worker/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/tls.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <seccomp.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "common/forkserver.h"
#include "common/base.h"

enum {
	/*
	 * Control, data, listener and file of every session of a shared worker, and some.
	 */
	MAX_FDS = 65536,
	MAX_DATA_BYTES = 512 * 1024 * 1024,
};

static const struct sandbox_rule rules[] = {
    /* Moving bytes on descriptors that were handed over. */
    {SCMP_SYS(read), SANDBOX_ALLOW, {{0}}},
    {SCMP_SYS(write), SANDBOX_ALLOW, {{0}}},
    {SCMP_SYS(recvfrom), SANDBOX_ALLOW, {{0}}},
    {SCMP_SYS(sendto), SANDBOX_ALLOW, {{0}}},
    {SCMP_SYS(recvmsg), SANDBOX_ALLOW, {{0}}},
    {SCMP_SYS(sendmsg), SANDBOX_ALLOW, {{0}}},
    {SCMP_SYS(sendfile), SANDBOX_ALLOW, {{0}}},
    {SCMP_SYS(splice), SANDBOX_ALLOW, {{0}}},
    {SCMP_SYS(pread64), SANDBOX_ALLOW, {{0}}},
    {SCMP_SYS(preadv2), SANDBOX_ALLOW, {{0}}},
    {SCMP_SYS(pwrite64), SANDBOX_ALLOW, {{0}}},
    {SCMP_SYS(shutdown), SANDBOX_ALLOW, {{0}}},
    /* A client on a listener that the master made. */
    {SCMP_SYS(accept4), SANDBOX_ALLOW, {{0}}},
    /* Waiting. */
    {SCMP_SYS(epoll_wait), SANDBOX_ALLOW, {{0}}},
    {SCMP_SYS(epoll_pwait), SANDBOX_ALLOW, {{0}}},
    {SCMP_SYS(epoll_ctl), SANDBOX_ALLOW, {{0}}},
    {SCMP_SYS(poll), SANDBOX_ALLOW, {{0}}},
    {SCMP_SYS(ppoll), SANDBOX_ALLOW, {{0}}},
    /* How a connection attempt ended; when a partial line is worth waking up for. */
    {SCMP_SYS(getsockopt), SANDBOX_ALLOW, {{1, ~0U, SOL_SOCKET}, {2, ~0U, SO_ERROR}}},
    {SCMP_SYS(setsockopt), SANDBOX_ALLOW, {{1, ~0U, SOL_SOCKET}, {2, ~0U, SO_RCVLOWAT}}},
    /* Small files with TLS. */
    {SCMP_SYS(setsockopt),
     SANDBOX_ALLOW,
     {{1, ~0U, IPPROTO_TCP}, {2, ~0U, TCP_QUICKACK}}},
    /*
     * TLS in the kernel: whether it has it, and the keys for sending. For the rest,
     * OpenSSL needs what every process may do: random numbers, and its own number, by
     * which it sees that it has been forked.
     */
    {SCMP_SYS(setsockopt), SANDBOX_ALLOW, {{1, ~0U, IPPROTO_TCP}, {2, ~0U, TCP_ULP}}},
    {SCMP_SYS(setsockopt), SANDBOX_ALLOW, {{1, ~0U, SOL_TLS}, {2, ~0U, TLS_TX}}},
    /* The memory of a password. */
    {SCMP_SYS(mlock), SANDBOX_ALLOW, {{0}}},
    /* Whether a file system is in memory, and how much space is left. */
    {SCMP_SYS(fstatfs), SANDBOX_ALLOW, {{0}}},
};

int
sandbox_confine_forkserver(const struct identity *identity, const struct options *options,
                           struct confinement *ret_confinement, const char **ret_failed)
{
	struct confinement confinement = {0};
	bool has_sandbox = options->sandbox != OPTIONS_SANDBOX_OFF && sandbox_is_built();
	int landlock = 0;
	int result = 0;

	if (privilege_is_root()) {
		*ret_failed = "entering an empty root directory";
		result = privilege_enter_empty_root();
		confinement.layers = SPAWN_LAYER_UID | SPAWN_LAYER_ROOT;
	}
	if (result == 0) {
		*ret_failed = "changing to the worker's user";
		result = privilege_become(identity);
	}
	if (result == 0 && has_sandbox) {
		*ret_failed = "Landlock";
		result = sandbox_landlock(-1, SANDBOX_FILES_NONE, &landlock);
		confinement.layers |= landlock > 0 ? SPAWN_LAYER_LANDLOCK : 0;
	}
	if (result == 0 && has_sandbox) {
		*ret_failed = "compiling the system call filter";
		result = sandbox_filter_build(rules, ARRAY_COUNT(rules), true,
		                              &confinement.filter);
		confinement.has_filter = true;
		confinement.layers |= SPAWN_LAYER_FILTER;
	}
	if (result == 0) {
		*ret_confinement = confinement;
	}
	return result;
}

int
sandbox_confine_worker(const struct confinement *confinement)
{
	int result = sandbox_limits(MAX_FDS, MAX_DATA_BYTES, true);

	if (result == 0 && confinement->has_filter) {
		result = sandbox_filter_load(&confinement->filter);
	}
	return result;
}
