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
#include <string.h>

#include "common/secret.h"
#include "ftpd/master/check.h"
#include "ftpd/master/explain.h"
#include "ftpd/master/master.h"
#include "ftpd/master/reload.h"
#include "ftpd/master/self_signed.h"
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
	OPTION_TLS,
	OPTION_CHECK,
	OPTION_EXPLAIN,
	OPTION_SELF_SIGNED,
	OPTION_VERSION,
	OPTION_HELP,
};

enum action {
	ACTION_RUN,
	ACTION_CHECK,
	ACTION_EXPLAIN,
	ACTION_SELF_SIGNED,
	ACTION_VERSION,
	ACTION_HELP,
	ACTION_USAGE, /* a mistake, which has been told */
};

struct command_line {
	enum action action;
	struct invocation invocation;
	struct serve_request serve;
	const char *explained; /* USER or USER@ADDRESS */
	const char *directory; /* of --self-signed; NULL: the usual one */
	bool has_conf_path;
};

static const char default_path[] = "/etc/deftpd/deftpd.conf";

static const struct option long_options[] = {
    {"serve", required_argument, NULL, OPTION_SERVE},
    {"port", required_argument, NULL, OPTION_PORT},
    {"listen", required_argument, NULL, OPTION_LISTEN},
    {"writable", no_argument, NULL, OPTION_WRITABLE},
    {"tls", no_argument, NULL, OPTION_TLS},
    {"check", no_argument, NULL, OPTION_CHECK},
    {"explain", required_argument, NULL, OPTION_EXPLAIN},
    {"self-signed", optional_argument, NULL, OPTION_SELF_SIGNED},
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
	    "  deftpd --serve DIR [--port N] [--listen ADDR] [--writable] [--tls]\n"
	    "         [-o KEY=VALUE]...            share DIR with anybody, read-only unless\n"
	    "                                      --writable; no configuration and no root\n"
	    "                                      needed; port %d unless named; Ctrl-C stops;\n"
	    "                                      --tls: encrypted for clients that want it\n"
	    "  deftpd --check [-c FILE] [-o KEY=VALUE]...\n"
	    "                                      report every mistake in the configuration\n"
	    "                                      and its certificates, and what confines\n"
	    "                                      the workers\n"
	    "  deftpd --explain USER[@ADDRESS] [-c FILE] [-o KEY=VALUE]...\n"
	    "                                      print what applies to that user, and which\n"
	    "                                      line decides it\n"
	    "  deftpd --self-signed [DIR]          make a certificate for a first try in DIR,\n"
	    "                                      /etc/deftpd unless named\n"
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

static bool
sets_certificate(const struct invocation *invocation)
{
	static const char key[] = "tls.certificate=";

	for (size_t i = 0; i < invocation->override_count; i++) {
		if (strncmp(invocation->overrides[i], key, sizeof(key) - 1) == 0) {
			return true;
		}
	}
	return false;
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
	case OPTION_TLS: line->serve.has_tls = true; return true;
	case OPTION_CHECK: line->action = ACTION_CHECK; return true;
	case OPTION_EXPLAIN:
		line->action = ACTION_EXPLAIN;
		line->explained = optarg;
		return true;
	case OPTION_SELF_SIGNED:
		line->action = ACTION_SELF_SIGNED;
		line->directory = optarg;
		return true;
	case OPTION_VERSION: line->action = ACTION_VERSION; return false;
	case OPTION_HELP: line->action = ACTION_HELP; return false;
	default:
		line->action = ACTION_USAGE; /* getopt_long has told which */
		return false;
	}
}

/* What does not go together. */
static void
judge(struct command_line *line)
{
	const struct serve_request *serve = &line->serve;
	bool has_settings = line->has_conf_path || line->invocation.override_count > 0;

	if (serve->directory == NULL && (serve->port != NULL || serve->address != NULL ||
	                                 serve->is_writable || serve->has_tls)) {
		(void)refuse(line,
		             "--port, --listen, --writable and --tls belong to --serve");
	} else if (serve->directory != NULL && line->has_conf_path) {
		(void)refuse(line, "--serve reads no configuration file");
	} else if (line->action == ACTION_SELF_SIGNED &&
	           (has_settings || serve->directory != NULL)) {
		(void)refuse(line, "--self-signed takes a directory and nothing else");
	} else if (serve->has_tls && sets_certificate(&line->invocation)) {
		(void)refuse(line,
		             "--tls makes a certificate; leave it out, or leave out "
		             "-o tls.certificate");
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
	if (line->action == ACTION_SELF_SIGNED && line->directory == NULL &&
	    optind + 1 == argc) {
		line->directory = argv[optind++];
	}
	if (optind < argc) {
		(void)refuse(line, "there are words without an option");
	} else {
		judge(line);
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
	status = line->action == ACTION_CHECK ? check_report(conf, line->invocation.pair)
	                                      : explain(conf, line->explained);
	conf_free(conf);
	return status;
}

static int
act(struct command_line *line)
{
	struct serve_texts texts;
	int status;

	if (line->serve.directory != NULL &&
	    !serve_dir_apply(&line->serve, &texts, &line->invocation)) {
		return EXIT_FAILURE;
	}
	status = line->action == ACTION_RUN ? start_run(&line->invocation) : report(line);
	if (line->serve.has_tls) {
		secret_wipe(&texts.pair, sizeof(texts.pair));
	}
	return status;
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
	case ACTION_SELF_SIGNED: return self_signed_run(line.directory);
	case ACTION_RUN:
	case ACTION_CHECK:
	case ACTION_EXPLAIN: break;
	}
	return act(&line);
}
