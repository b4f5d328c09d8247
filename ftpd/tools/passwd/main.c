/*
 * main: deftp-passwd, which keeps the file of virtual users.
 * Runs in: deftp-passwd.
 * Source: deftp-passwd(8).
 */
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "ftpd/tools/passwd/command.h"
#include "ftpd/tools/passwd/hash.h"
#include "ftpd/tools/passwd/report.h"
#include "ftpd/tools/passwd/request.h"
#include "common/base.h"

static void
print_help(void)
{
	(void)printf(
	    "deftp-passwd %s keeps the file of virtual_users.file\n"
	    "\n"
	    "  deftp-passwd add -f FILE NAME --home DIR [--uid N] [--gid N]\n"
	    "               [--method METHOD] [--stdin]    add a user\n"
	    "  deftp-passwd set -f FILE NAME [--home DIR] [--uid N] [--gid N]\n"
	    "               [--method METHOD] [--stdin]    change the password, or the\n"
	    "                                              other fields\n"
	    "  deftp-passwd del -f FILE NAME               remove a user\n"
	    "  deftp-passwd list -f FILE                   show who is in it\n"
	    "  deftp-passwd verify -f FILE                 check every line\n"
	    "  deftp-passwd verify -f FILE NAME [--stdin]  check a password\n"
	    "\n"
	    "The password is asked for on the terminal; --stdin reads one line instead.\n"
	    "METHOD is %s.\n"
	    "Exit status: 0 done, 1 refused (told why), 2 this command line is wrong.\n",
	    DEFTPD_VERSION, hash_methods());
}

/* Nobody may find a password in what this process leaves behind. */
static void
hide(void)
{
	const struct rlimit none = {0, 0};

	/* Each is a second wall for the others. */
	(void)setrlimit(RLIMIT_CORE, &none);
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	(void)umask(077);
}

static int
obey(const struct request *request)
{
	switch (request->verb) {
	case VERB_ADD: return command_add(request);
	case VERB_SET: return command_set(request);
	case VERB_DEL: return command_delete(request);
	case VERB_LIST: return report_list(request);
	case VERB_VERIFY:
		return request->name != NULL ? command_verify_user(request)
		                             : report_verify(request);
	case VERB_HELP: print_help(); return STATUS_OK;
	case VERB_VERSION:
		(void)printf("deftp-passwd %s\n", DEFTPD_VERSION);
		return STATUS_OK;
	}
	return STATUS_USAGE;
}

int
main(int argc, char **argv)
{
	struct request request;
	int status;

	hide();
	if (!request_parse(argc, argv, &request)) {
		return STATUS_USAGE;
	}
	status = obey(&request);
	/* A list that nobody could read was not shown. */
	if (fflush(stdout) != 0 && status == STATUS_OK) {
		complain("standard output cannot be written");
		return STATUS_REFUSED;
	}
	return status;
}
