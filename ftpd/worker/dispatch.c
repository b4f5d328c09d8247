/*
 * dispatch: command ids to functions.
 * Runs in: deftpd-worker.
 */
#include "ftpd/worker/dispatch.h"

#include <string.h>

#include "common/fd.h"
#include "ftpd/worker/cmd.h"
#include "ftpd/worker/cmd_tls.h"
#include "ftpd/worker/control.h"
#include "ftpd/worker/gate.h"
#include "ftpd/worker/session.h"
#include "ftpd/worker/session_timer.h"
#include "common/base.h"

/* Commands without a row here are not built: the gate refuses them. */
static const struct dispatch_handler handlers[CMD_COUNT] = {
    [CMD_ABOR] = {NULL, cmd_abor, NULL},
    [CMD_ACCT] = {NULL, cmd_acct, NULL},
    [CMD_ALLO] = {NULL, cmd_allo, cmd_allo_finish},
    [CMD_APPE] = {cmd_path_check, cmd_store, cmd_store_finish},
    [CMD_AUTH] = {NULL, cmd_auth, NULL},
    [CMD_CCC] = {NULL, cmd_ccc, NULL},
    [CMD_CDUP] = {NULL, cmd_cdup, cmd_cwd_finish},
    [CMD_CLNT] = {NULL, cmd_clnt, NULL},
    [CMD_CWD] = {cmd_path_check, cmd_cwd, cmd_cwd_finish},
    [CMD_DELE] = {cmd_path_check, cmd_dele, cmd_change_finish},
    [CMD_EPRT] = {cmd_port_check, cmd_port, NULL},
    [CMD_EPSV] = {cmd_passive_check, cmd_passive, NULL},
    [CMD_FEAT] = {NULL, cmd_feat, NULL},
    [CMD_HELP] = {NULL, cmd_help, NULL},
    [CMD_HOST] = {NULL, cmd_host, NULL},
    [CMD_LIST] = {cmd_path_check, cmd_list, cmd_list_finish},
    [CMD_MDTM] = {cmd_path_check, cmd_mdtm, cmd_mdtm_finish},
    [CMD_MFF] = {cmd_path_check, cmd_mff, cmd_change_finish},
    [CMD_MFMT] = {cmd_path_check, cmd_mfmt, cmd_change_finish},
    [CMD_MKD] = {cmd_path_check, cmd_mkd, cmd_mkd_finish},
    [CMD_MLSD] = {cmd_path_check, cmd_list, cmd_list_finish},
    [CMD_MLST] = {cmd_path_check, cmd_ask_facts, cmd_mlst_finish},
    [CMD_MODE] = {NULL, cmd_accept_parameter, NULL},
    [CMD_NLST] = {cmd_path_check, cmd_list, cmd_list_finish},
    [CMD_NOOP] = {NULL, cmd_noop, NULL},
    [CMD_OPTS] = {NULL, cmd_opts, NULL},
    [CMD_PASS] = {NULL, cmd_pass, NULL},
    [CMD_PASV] = {cmd_passive_check, cmd_passive, NULL},
    [CMD_PBSZ] = {NULL, cmd_pbsz, NULL},
    [CMD_PORT] = {cmd_port_check, cmd_port, NULL},
    [CMD_PROT] = {NULL, cmd_prot, NULL},
    [CMD_PWD] = {NULL, cmd_pwd, NULL},
    [CMD_QUIT] = {NULL, cmd_quit, NULL},
    [CMD_REIN] = {NULL, cmd_rein, NULL},
    [CMD_REST] = {NULL, cmd_rest, NULL},
    [CMD_RETR] = {cmd_path_check, cmd_retr, cmd_retr_finish},
    [CMD_RMD] = {cmd_path_check, cmd_rmd, cmd_change_finish},
    [CMD_RNFR] = {cmd_path_check, cmd_rnfr, cmd_rnfr_finish},
    [CMD_RNTO] = {cmd_path_check, cmd_rnto, cmd_change_finish},
    [CMD_SITE] = {NULL, cmd_site, cmd_site_finish},
    [CMD_SIZE] = {cmd_path_check, cmd_size, cmd_size_finish},
    [CMD_STAT] = {cmd_path_check, cmd_stat, cmd_stat_finish},
    [CMD_STOR] = {cmd_path_check, cmd_store, cmd_store_finish},
    [CMD_STOU] = {cmd_path_check, cmd_store, cmd_store_finish},
    [CMD_STRU] = {NULL, cmd_accept_parameter, NULL},
    [CMD_SYST] = {NULL, cmd_syst, NULL},
    [CMD_TYPE] = {NULL, cmd_type, NULL},
    [CMD_USER] = {NULL, cmd_user, NULL},
    [CMD_XCUP] = {NULL, cmd_cdup, cmd_cwd_finish},
    [CMD_XCWD] = {cmd_path_check, cmd_cwd, cmd_cwd_finish},
    [CMD_XMKD] = {cmd_path_check, cmd_mkd, cmd_mkd_finish},
    [CMD_XPWD] = {NULL, cmd_pwd, NULL},
    [CMD_XRMD] = {cmd_path_check, cmd_rmd, cmd_change_finish},
};

const struct dispatch_handler *
dispatch_get(enum command_id id)
{
	return &handlers[id];
}

/*
 * Browsers and mail programs that talk to the wrong port are shown the door (SECURITY.md
 * T3, ALPACA).
 */
static bool
is_other_protocol(const char *line, size_t len)
{
	static const char *const words[] = {"GET ",     "POST ",     "HEAD ", "PUT ",
	                                    "CONNECT ", "OPTIONS ",  "EHLO ", "HELO ",
	                                    "Host:",    "MAIL FROM:"};

	for (size_t i = 0; i < ARRAY_COUNT(words); i++) {
		size_t word_len = strlen(words[i]);

		if (len >= word_len && memcmp(line, words[i], word_len) == 0) {
			return true;
		}
	}
	return false;
}

static void
refuse_unknown(struct session *session, const char *line, size_t len)
{
	bool is_strange = session->state != SESSION_LOGGED_IN &&
	                  (is_other_protocol(line, len) ||
	                   ++session->unknown_count >= SESSION_UNKNOWN_MAX);

	if (is_strange) {
		control_reply(session, REPLY_SERVICE_CLOSING,
		              "This is an FTP server; goodbye.");
		control_end(session, MW_END_VIOLATION);
		return;
	}
	/*
	 * The word is not repeated: what a page makes a browser send must not come back
	 * (SECURITY.md T3).
	 */
	control_reply(session, REPLY_UNKNOWN_COMMAND, "Unknown command.");
}

/* Returns: true for REQUEST_OK; replies otherwise. */
static bool
is_argument_right(struct session *session, const struct command *command,
                  enum request_result result)
{
	if (result == REQUEST_OK) {
		return true;
	}
	if (result == REQUEST_UNSUPPORTED) {
		control_reply(session, REPLY_NOT_FOR_PARAMETER,
		              "Not supported. Syntax: %s %s", command->name,
		              command->syntax);
	} else if (result == REQUEST_FAMILY) {
		control_reply(session, REPLY_BAD_FAMILY,
		              "Network protocol not supported, use (%s)",
		              session->local.family == ADDR_IPV6 ? "2" : "1");
	} else {
		control_reply(session, REPLY_BAD_ARGUMENT, "Syntax: %s %s", command->name,
		              command->syntax);
	}
	return false;
}

void
dispatch_line(struct session *session, const char *line, size_t len)
{
	struct request request;
	enum request_result result = request_parse(line, len, &request);
	const struct dispatch_handler *handler;
	const struct command *command;

	if (result == REQUEST_UNKNOWN) {
		refuse_unknown(session, line, len);
		return;
	}
	command = command_row(request.id);
	handler = &handlers[request.id];
	if (!session_is_transferring(session)) {
		session->command = request.id;
		if ((command->flags & COMMAND_KEEPS_REST) == 0) {
			session->restart_offset = 0;
		}
		if ((command->flags & COMMAND_KEEPS_RNFR) == 0) {
			session_forget_rename(session);
		}
	}
	if (gate_check(session, command) && is_argument_right(session, command, result) &&
	    (handler->check == NULL || handler->check(session, &request))) {
		handler->run(session, &request);
		session_arm_timer(session);
	} else if ((command->flags & COMMAND_TRANSFERS) != 0) {
		session->restart_offset = 0;
		data_use_up(session);
	}
}

void
dispatch_finish(struct session *session, const struct agent_answer *answer, int fd)
{
	const struct dispatch_handler *handler = &handlers[session->command];
	const struct agent_answer absent = {.result = IPC_NOT_FOUND, .denied_call = -1};

	/* What waits to be continued has a size, and is not there for anything else. */
	if (answer->is_part && session->command != CMD_SIZE) {
		answer = &absent;
		fd_close(&fd);
	}
	if (handler->finish == NULL) {
		fd_close(&fd); /* cannot be: the command asked */
	} else {
		handler->finish(session, answer, fd);
	}
	control_continue(session);
}
