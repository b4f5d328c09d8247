/*
 * cmd: what the commands do; one file for each group of them. The signatures are those of
 * dispatch.h.
 * Runs in: deftpd-worker. Input: hostile, but parsed.
 * Source: RFC 959 4.1 and 5.4; each file names more.
 */
#ifndef FTPD_WORKER_CMD_H
#define FTPD_WORKER_CMD_H

#include "ftpd/ipc/agent.h"
#include "ftpd/proto/mff.h"
#include "ftpd/proto/path.h"
#include "ftpd/proto/reply.h"
#include "ftpd/proto/request.h"
#include "common/base.h"

struct session;

/* cmd_login.c: who the client is */
void cmd_user(struct session *session, const struct request *request);
void cmd_pass(struct session *session, const struct request *request);
void cmd_acct(struct session *session, const struct request *request);
void cmd_rein(struct session *session, const struct request *request);
void cmd_quit(struct session *session, const struct request *request);

/* HOST: the line stays for a private worker; there it names the virtual host. */
void cmd_host(struct session *session, const struct request *request);

/* cmd_info.c: what the server tells of itself */
/* CLNT: clients that tell their name expect a friendly answer, and get no other. */
void cmd_clnt(struct session *session, const struct request *request);
void cmd_noop(struct session *session, const struct request *request);
void cmd_syst(struct session *session, const struct request *request);
void cmd_help(struct session *session, const struct request *request);
void cmd_feat(struct session *session, const struct request *request);

/* cmd_parameter.c: how to transfer */
void cmd_type(struct session *session, const struct request *request);
void cmd_accept_parameter(struct session *session, const struct request *request);
void cmd_opts(struct session *session, const struct request *request);
void cmd_rest(struct session *session, const struct request *request);

/* cmd_data.c: where to transfer */
/* Returns: false when the address may not be used; refused then. */
bool cmd_port_check(struct session *session, const struct request *request);
void cmd_port(struct session *session, const struct request *request);
/* Returns: false when the family does not fit; refused then. */
bool cmd_passive_check(struct session *session, const struct request *request);
void cmd_passive(struct session *session, const struct request *request);
/* The master's answer, or at once with a listener at hand: the reply to PASV or EPSV. */
void cmd_passive_armed(struct session *session, enum ipc_result result);

/* cmd_path.c: names, directories and what is told of files */
/* Returns: false when the path cannot exist; refused then. */
bool cmd_path_check(struct session *session, const struct request *request);
void cmd_pwd(struct session *session, const struct request *request);
void cmd_cwd(struct session *session, const struct request *request);
void cmd_cdup(struct session *session, const struct request *request);
void cmd_cwd_finish(struct session *session, const struct agent_answer *answer, int fd);
void cmd_ask_facts(struct session *session, const struct request *request);
void cmd_size(struct session *session, const struct request *request);
void cmd_size_finish(struct session *session, const struct agent_answer *answer, int fd);
void cmd_mdtm(struct session *session, const struct request *request);
void cmd_mdtm_finish(struct session *session, const struct agent_answer *answer, int fd);
void cmd_mlst_finish(struct session *session, const struct agent_answer *answer, int fd);

/*
 * Resolve a path argument against the current directory into session->path; replies when
 * it cannot exist.
 * Returns: true if session->path is the path.
 */
bool cmd_take_path(struct session *session, const char *text, size_t len);

/*
 * Resolve a path and ask the agent about it: cmd_take_path() and agent_ask().
 * In:      question: all but the path.
 */
void cmd_ask(struct session *session, struct agent_question *question, const char *text,
             size_t len);

/*
 * Find the reply code for what could not be done: troubles that pass, of space and of
 * names have codes of their own (RFC 959 4.2.2).
 * Returns: the code; `permanent` for all that has none.
 */
enum reply_code cmd_code_of(enum ipc_result result, enum reply_code permanent);

/* Reply for a file that cannot be had, in the words of the result. */
void cmd_refuse(struct session *session, enum reply_code code, enum ipc_result result);

/* cmd_change.c: what changes names, directories and facts of files */
void cmd_dele(struct session *session, const struct request *request);
void cmd_mkd(struct session *session, const struct request *request);
void cmd_mkd_finish(struct session *session, const struct agent_answer *answer, int fd);
void cmd_rmd(struct session *session, const struct request *request);
void cmd_rnfr(struct session *session, const struct request *request);
void cmd_rnfr_finish(struct session *session, const struct agent_answer *answer, int fd);
void cmd_rnto(struct session *session, const struct request *request);
void cmd_mfmt(struct session *session, const struct request *request);
void cmd_mff(struct session *session, const struct request *request);
/* Set time and permission bits of a file; replies, now or in cmd_change_finish(). */
void cmd_set_facts(struct session *session, const struct mff *facts, const char *path,
                   size_t len);
/* The change was made, or not: 250 or 213, or why not. */
void cmd_change_finish(struct session *session, const struct agent_answer *answer,
                       int fd);

/* cmd_site.c: SITE and its commands */
void cmd_site(struct session *session, const struct request *request);
void cmd_site_finish(struct session *session, const struct agent_answer *answer, int fd);
/* SITE HELP and HELP SITE: on all its commands, or the one of that name. */
void cmd_site_help(struct session *session, const char *word, size_t len);

/* cmd_store.c: STOR, APPE, STOU, ALLO */
void cmd_allo(struct session *session, const struct request *request);
void cmd_allo_finish(struct session *session, const struct agent_answer *answer, int fd);
void cmd_store(struct session *session, const struct request *request);
/* Answers to AGENT_OPEN_WRITE, AGENT_COMMIT and AGENT_DISCARD. */
void cmd_store_finish(struct session *session, const struct agent_answer *answer, int fd);

/* cmd_transfer.c: RETR and the listings */
void cmd_retr(struct session *session, const struct request *request);
void cmd_retr_finish(struct session *session, const struct agent_answer *answer, int fd);
void cmd_list(struct session *session, const struct request *request);
void cmd_list_finish(struct session *session, const struct agent_answer *answer, int fd);
void cmd_abor(struct session *session, const struct request *request);

/* Ask the agent for the listing that a LIST-like argument describes. */
void cmd_ask_listing(struct session *session, const struct request *request,
                     enum agent_format format);

/* cmd_stat.c: STAT in its three forms */
void cmd_stat(struct session *session, const struct request *request);
void cmd_stat_finish(struct session *session, const struct agent_answer *answer, int fd);

#endif
