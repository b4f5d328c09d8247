/*
 * main: deftpd-worker, the forkserver of the workers.
 * Runs in: deftpd-worker; the children go on in worker.c.
 * Source: DESIGN.md section 2, "forkserver".
 * Usage:   deftpd-worker UID GID, with the master's channel as descriptor 3, the sealed
 *          options as 4, and certificates and keys as 5. Only the master starts it; to
 *          check certificates or to make one, too: see check_main.h.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/forkserver.h"
#include "ftpd/conf/options.h"
#include "ftpd/ipc/message.h"
#include "ftpd/ipc/worker_kind.h"
#include "ftpd/tls/context.h"
#include "ftpd/worker/check_main.h"
#include "ftpd/worker/sandbox.h"
#include "ftpd/worker/setup.h"
#include "ftpd/worker/worker.h"
#include "common/base.h"

static int
run_child(uint8_t kind, int channel_fd, void *context)
{
	struct worker_setup *setup = context;

	if (kind == WORKER_SHARED) {
		/* It never speaks TLS, so it keeps no key; freeing wipes them. */
		tls_context_free(setup->tls);
		setup->tls = NULL;
	}
	return worker_run(kind == WORKER_SHARED ? WORKER_SHARED : WORKER_PRIVATE,
	                  channel_fd, setup);
}

/* Warnings have been told when the files were checked. */
static void
complain(void *unused, const struct tls_report *report)
{
	(void)unused; /* the signature is the teller's */
	if (report->type == TLS_REPORT_MISTAKE) {
		(void)fprintf(stderr, "deftpd-worker: certificates and keys: %.*s\n",
		              (int)report->text_len, report->text);
	}
}

/* Keys become OpenSSL's only in a process that is confined; the files are wiped then. */
static int
make_context(struct worker_setup *setup, struct tls_files *files)
{
	struct tls_setup made_of = {&setup->options, &setup->overrides, files};
	int result = 0;

	if (files->count > 0 && options_has_tls(&setup->options)) {
		result = tls_context_new(&made_of, complain, NULL, &setup->tls);
	}
	tls_files_free(files);
	return result;
}

static int
serve(const struct identity *identity)
{
	/* options and filter: too much for a stack of our limit */
	static struct worker_setup setup;
	struct tls_files files = {0};
	const char *failed = "";
	int result = setup_read(&setup, &files, &failed);

	(void)signal(SIGPIPE, SIG_IGN); /* valid signal and action */
	if (result == 0) {
		result = sandbox_confine_forkserver(identity, &setup.options,
		                                    &setup.confinement, &failed);
	}
	if (result == 0) {
		failed = "preparing TLS";
		result = make_context(&setup, &files);
	}
	if (result != 0) {
		tls_files_free(&files);
		return setup_fail(failed, result);
	}
	return forkserver_run(IPC_START_FD, setup.confinement.layers, run_child, &setup);
}

int
main(int argc, char **argv)
{
	struct identity identity;

	if (argc == 3 && privilege_parse(argv[1], argv[2], &identity)) {
		return serve(&identity);
	}
	if (argc == 4 && strcmp(argv[1], "check") == 0 &&
	    privilege_parse(argv[2], argv[3], &identity)) {
		return check_main(&identity);
	}
	if (argc > 2 && strcmp(argv[1], "self-signed") == 0) {
		return self_signed_main((const char *const *)&argv[2],
		                        (size_t)(argc - 2));
	}
	(void)fprintf(stderr, "deftpd-worker is started by deftpd, not by hand.\n");
	return 2;
}
