/*
 * main: the command line of deftpd.
 * Runs in: master.
 * Source: DESIGN.md section 6; deftpd(8).
 * Not here: anything that happens after it has been understood; see start.h and check.h.
 */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "ftpd/master/check.h"
#include "ftpd/master/explain.h"
#include "ftpd/master/master.h"
#include "ftpd/master/reload.h"
#include "ftpd/master/serve_dir.h"
#include "ftpd/master/start.h"
#include "common/base.h"

enum {
	EXIT_USAGE = 2,
	/* Long options without a letter. */
	OPTION_SERVE = 256,
	OPTION_PORT,
	OPTION_LISTEN,
	OPTION_WRITABLE,
	OPTION_CHECK,
	OPTION_EXPLAIN,
	OPTION_VERSION,
	OPTION_HELP,
};

enum action {
	ACTION_RUN,
	ACTION_CHECK,
	ACTION_EXPLAIN,
	ACTION_VERSION,
	ACTION_HELP,
	ACTION_USAGE, /* a mistake, which has been told */
};

struct command_line {
	enum action action;
	struct invocation invocation;
	struct serve_request serve;
	const char *explained; /* USER or USER@ADDRESS */
	bool has_conf_path;
};

static const char default_path[] = "/etc/deftpd/deftpd.conf";

static const struct option long_options[] = {
    {"serve", required_argument, NULL, OPTION_SERVE},
    {"port", required_argument, NULL, OPTION_PORT},
    {"listen", required_argument, NULL, OPTION_LISTEN},
    {"writable", no_argument, NULL, OPTION_WRITABLE},
    {"check", no_argument, NULL, OPTION_CHECK},
    {"explain", required_argument, NULL, OPTION_EXPLAIN},
    {"version", no_argument, NULL, OPTION_VERSION},
    {"help", no_argument, NULL, OPTION_HELP},
    {NULL, 0, NULL, 0},
};

static void
print_help(void)
{
	(void)printf(
	    "deftpd %s, an FTP server\n"
	    "\n"
	    "  deftpd [-c FILE] [-o KEY=VALUE]...  run in the foreground; FILE is\n"
	    "                                      %s\n"
	    "                                      unless named\n"
	    "  deftpd --serve DIR [--port N] [--listen ADDR] [--writable] [-o KEY=VALUE]...\n"
	    "                                      share DIR with anybody, read-only unless\n"
	    "                                      --writable; no configuration and no root\n"
	    "                                      needed; port %d unless named; Ctrl-C stops\n"
	    "  deftpd --check [-c FILE] [-o KEY=VALUE]...\n"
	    "                                      report every mistake in the configuration,\n"
	    "                                      and what confines the workers\n"
	    "  deftpd --explain USER[@ADDRESS] [-c FILE] [-o KEY=VALUE]...\n"
	    "                                      print what applies to that user, and which\n"
	    "                                      line decides it\n"
	    "  deftpd --version | --help\n"
	    "\n"
	    "Keys are explained in deftpd.conf(5), the rest in deftpd(8).\n",
	    DEFTPD_VERSION, default_path, SERVE_PORT);
}

static bool
refuse(struct command_line *line, const char *text)
{
	master_complain("%s; deftpd --help shows what there is", text);
	line->action = ACTION_USAGE;
	return false;
}

static bool
add_override(struct command_line *line, const char *text)
{
	struct invocation *invocation = &line->invocation;

	if (invocation->override_count >= MASTER_OVERRIDES_MAX - SERVE_OVERRIDES) {
		return refuse(line, "too many -o");
	}
	invocation->overrides[invocation->override_count++] = text;
	return true;
}

/* Returns: false if nothing behind it matters any more. */
static bool
take_option(struct command_line *line, int option)
{
	switch (option) {
	case 'c':
		line->invocation.conf_path = optarg;
		line->has_conf_path = true;
		return true;
	case 'o': return add_override(line, optarg);
	case OPTION_SERVE: line->serve.directory = optarg; return true;
	case OPTION_PORT: line->serve.port = optarg; return true;
	case OPTION_LISTEN: line->serve.address = optarg; return true;
	case OPTION_WRITABLE: line->serve.is_writable = true; return true;
	case OPTION_CHECK: line->action = ACTION_CHECK; return true;
	case OPTION_EXPLAIN:
		line->action = ACTION_EXPLAIN;
		line->explained = optarg;
		return true;
	case OPTION_VERSION: line->action = ACTION_VERSION; return false;
	case OPTION_HELP: line->action = ACTION_HELP; return false;
	default:
		line->action = ACTION_USAGE; /* getopt_long has told which */
		return false;
	}
}

static void
parse(int argc, char **argv, struct command_line *line)
{
	int option;

	line->invocation.conf_path = default_path;
	while ((option = getopt_long(argc, argv, "c:o:", long_options, NULL)) != -1) {
		if (!take_option(line, option)) {
			return;
		}
	}
	if (optind < argc) {
		(void)refuse(line, "there are words without an option");
	} else if (line->serve.directory == NULL &&
	           (line->serve.port != NULL || line->serve.address != NULL ||
	            line->serve.is_writable)) {
		(void)refuse(line, "--port, --listen and --writable belong to --serve");
	} else if (line->serve.directory != NULL && line->has_conf_path) {
		(void)refuse(line, "--serve reads no configuration file");
	}
}

/* --check and --explain. */
static int
report(const struct command_line *line)
{
	struct conf *conf = reload_read(&line->invocation);
	int status;

	if (conf == NULL) {
		master_complain("out of memory");
		return EXIT_FAILURE;
	}
	status = line->action == ACTION_CHECK ? check_report(conf)
	                                      : explain(conf, line->explained);
	conf_free(conf);
	return status;
}

static int
act(struct command_line *line)
{
	struct serve_texts texts;

	if (line->serve.directory != NULL &&
	    !serve_dir_apply(&line->serve, &texts, &line->invocation)) {
		return EXIT_FAILURE;
	}
	return line->action == ACTION_RUN ? start_run(&line->invocation) : report(line);
}

int
main(int argc, char **argv)
{
	struct command_line line = {.action = ACTION_RUN};

	/*
	 * Whoever ignores the signal has it ignored in what he starts, and the kernel
	 * would not tell how any process of ours has ended.
	 */
	(void)signal(SIGCHLD, SIG_DFL); /* a valid signal */
	parse(argc, argv, &line);
	switch (line.action) {
	case ACTION_HELP: print_help(); return EXIT_SUCCESS;
	case ACTION_VERSION:
		(void)printf("deftpd %s\n", DEFTPD_VERSION);
		return EXIT_SUCCESS;
	case ACTION_USAGE: return EXIT_USAGE;
	case ACTION_RUN:
	case ACTION_CHECK:
	case ACTION_EXPLAIN: break;
	}
	return act(&line);
}
