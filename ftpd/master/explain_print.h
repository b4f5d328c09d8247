/*
 * explain_print: the lines of --explain: a name, its value, and what decides it.
 * Runs in: master, offline.
 * Not here: which lines there are; see explain.h and explain_host.h.
 */
#ifndef FTPD_MASTER_EXPLAIN_PRINT_H
#define FTPD_MASTER_EXPLAIN_PRINT_H

#include "common/addr.h"
#include "ftpd/conf/conf.h"
#include "ftpd/master/explain_who.h"
#include "common/base.h"

enum {
	EXPLAIN_WHERE_MAX = CONF_FINDING_FILE_MAX + OPTIONS_TEXT_MAX + 32,
};

struct explanation {
	const struct conf *conf;
	struct explain_who who;
	char user[OPTIONS_TEXT_MAX];
	struct addr peer; /* ADDR_NONE: not given */
	const char *groups[POLICY_GROUPS_MAX];
	size_t group_count;
	struct policy policy;
	struct policy_origins origins;
};

/* In: where: "" for nothing that decides it. */
void explain_row(const char *name, const char *value, const char *where);

/* A key outside titled sections. */
void explain_plain(const struct conf *conf, const char *name, const char *key);

/* In: by: the section that decides; NULL: none does. */
void explain_where(const struct explanation *explanation,
                   const struct policy_override *by, enum policy_key key,
                   char where[EXPLAIN_WHERE_MAX]);

/* A key of titled sections, less those of hosts. */
void explain_key(const struct explanation *explanation, const struct policy *policy,
                 const struct policy_origins *origins, enum policy_key key);

#endif
