/*
 * setup: what deftpd-worker reads before it is confined, whatever it is started for.
 * Runs in: deftpd-worker, before it has seen any client.
 */
#include "ftpd/worker/setup.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/fd.h"
#include "ftpd/conf/options.h"
#include "ftpd/conf/policy.h"
#include "ftpd/ipc/message.h"
#include "ftpd/tls/context.h"
#include "common/base.h"

int
setup_read(struct worker_setup *ret_setup, struct tls_files *ret_files,
           const char **ret_failed)
{
	int options_fd = IPC_OPTIONS_FD;
	int tls_fd = IPC_TLS_FD;
	int result;

	*ret_failed = "initialising OpenSSL";
	result = tls_init();
	if (result == 0) {
		*ret_failed = "reading the options";
		result = conf_unseal(options_fd, &ret_setup->options);
	}
	if (result == 0) {
		*ret_failed = "reading the titled sections";
		result = overrides_unseal(options_fd, &ret_setup->overrides);
	}
	if (result == 0) {
		*ret_failed = "reading certificates and keys";
		result = tls_files_unseal(tls_fd, ret_files);
		if (result == -EBADF) {
			result = 0; /* without certificates there is no such file */
		}
	}
	fd_close(&options_fd);
	fd_close(&tls_fd);
	return result;
}

int
setup_fail(const char *what, int negative_errno)
{
	(void)fprintf(stderr, "deftpd-worker: %s: %s\n", what, strerror(-negative_errno));
	return 1;
}
