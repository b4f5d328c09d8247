/*
 * check: whether certificates, keys and what belongs to them may be used.
 * Runs in: deftpd-worker, started by the master to check.
 */
#include "ftpd/tls/check.h"

#include "ftpd/tls/context_internal.h"
#include "ftpd/tls/teller.h"
#include "common/base.h"

bool
tls_check(const struct tls_setup *setup, int64_t now, tls_tell *tell, void *listener)
{
	struct tls_context *context = NULL;

	(void)now;
	if (tls_context_new(setup, tell, listener, &context) != 0) {
		return false;
	}
	tls_context_free(context);
	return true;
}
