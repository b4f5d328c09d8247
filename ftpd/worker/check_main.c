/*
 * check_main: deftpd-worker when it is started not to serve, but to judge certificates or
 * to make one.
 * Runs in: deftpd-worker, confined as the forkserver is.
 */
#include "ftpd/worker/check_main.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "common/clock.h"
#include "common/secret.h"
#include "ftpd/ipc/message.h"
#include "ftpd/ipc/tls_report.h"
#include "ftpd/tls/check.h"
#include "ftpd/tls/context.h"
#include "ftpd/tls/self_signed.h"
#include "ftpd/worker/setup.h"
#include "common/base.h"

enum {
	/* As whom a certificate is made: the kernel's user for whom it has no other. */
	OVERFLOW_ID = 65534,
};

/* Who listens, and whether he still does. */
struct channel {
	int error; /* negative errno of the first failure */
};

/* The master reads along, so waiting for it is right. */
static void
tell(void *listener, const struct tls_report *report)
{
	struct channel *channel = listener;
	uint8_t bytes[IPC_MESSAGE_MAX];
	size_t len = tls_report_encode(report, bytes, sizeof(bytes));
	ssize_t sent;

	if (channel->error != 0) {
		return;
	}
	do {
		sent = send(IPC_START_FD, bytes, len, MSG_NOSIGNAL);
	} while (sent < 0 && errno == EINTR);
	if (len == 0 || sent < 0) {
		channel->error = len == 0 ? -EMSGSIZE : -errno;
	}
	secret_wipe(bytes, sizeof(bytes)); /* it may have been a key */
}

static int
tell_end(struct channel *channel)
{
	struct tls_report end = {.type = TLS_REPORT_END};

	tell(channel, &end);
	return channel->error == 0 ? 0 : setup_fail("telling the master", channel->error);
}

int
check_main(const struct identity *identity)
{
	static struct worker_setup setup; /* too large for a stack of our limit */
	struct tls_setup checked = {&setup.options, &setup.overrides, NULL};
	struct channel channel = {0};
	struct tls_files files = {0};
	const char *failed = "";
	int result = setup_read(&setup, &files, &failed);

	if (result == 0) {
		result = sandbox_confine_forkserver(identity, &setup.options,
		                                    &setup.confinement, &failed);
	}
	if (result == 0) {
		checked.files = &files;
		(void)tls_check(&checked, clock_wall_s(), tell, &channel);
	}
	tls_files_free(&files);
	overrides_free(&setup.overrides);
	return result == 0 ? tell_end(&channel) : setup_fail(failed, result);
}

static void
tell_pem(struct channel *channel, enum tls_report_type type, const char *pem)
{
	struct tls_report report = {.type = type, .text = pem, .text_len = strlen(pem)};

	tell(channel, &report);
}

int
self_signed_main(const char *const *names, size_t count)
{
	static struct options options; /* too large for a stack of our limit */
	static struct confinement confinement;
	const struct identity nobody = {OVERFLOW_ID, OVERFLOW_ID};
	struct self_signed pair;
	struct channel channel = {0};
	const char *failed = "initialising OpenSSL";
	int result = tls_init();

	options_set_defaults(&options);
	if (result == 0) {
		result =
		    sandbox_confine_forkserver(&nobody, &options, &confinement, &failed);
	}
	if (result == 0) {
		failed = "making a certificate";
		result = self_signed_make(names, count, clock_wall_s(), &pair);
	}
	if (result != 0) {
		return setup_fail(failed, result);
	}
	tell_pem(&channel, TLS_REPORT_CERTIFICATE, pair.certificate);
	tell_pem(&channel, TLS_REPORT_KEY, pair.key);
	secret_wipe(&pair, sizeof(pair));
	return tell_end(&channel);
}
