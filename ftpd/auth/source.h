/*
 * source: finds out who a login name is, in the virtual users' file or among the users of
 * the machine.
 * Runs in: deftpd-auth. Input: the name is hostile.
 * Source: deftpd.conf(5), logins.sources and users_file; SECURITY.md A8 and A11.
 * Not here: whether he may log in; see decide.h. How the file is read; see
 * common/passwd_file.h.
 */
#ifndef FTPD_AUTH_SOURCE_H
#define FTPD_AUTH_SOURCE_H

#include "common/account.h"
#include "common/passwd_file.h"
#include "ftpd/conf/options.h"
#include "ftpd/conf/policy.h"
#include "ftpd/ipc/master_auth.h"
#include "common/base.h"

/* Who somebody is who wants to log in. */
struct candidate {
	enum policy_kind kind; /* local or virtual */
	/*
	 * Name and home are the user's own. Uid, gid and groups are those with which
	 * files are opened: a virtual user's are virtual_users.user's.
	 */
	struct account account;
	char hash[PASSWD_HASH_MAX + 1]; /* of a virtual user; wiped by candidate_free() */
};

enum source_result {
	SOURCE_FOUND,
	SOURCE_UNKNOWN, /* no source has the name */
	SOURCE_BROKEN,  /* this user's own entry is wrong: for him it is closed */
	SOURCE_FAULT,   /* a source cannot be read, whoever asks */
	SOURCE_RESULT_COUNT,
};

/*
 * Look the name up. The first source of logins.sources that knows it decides; when one
 * cannot be read, those behind it are not asked.
 * In:      file: of the virtual users; "": there are none.
 * Out:     ret_candidate: with SOURCE_FOUND only; free it. ret_text: what is wrong and
 *          the remedy, for SOURCE_BROKEN and SOURCE_FAULT.
 * Returns: the result.
 */
enum source_result source_find(const struct options *options, const char *file,
                               const char *name, struct candidate *ret_candidate,
                               char ret_text[MA_TEXT_MAX + 1]);

/*
 * Returns: the file of the virtual users for clients who have named this host, or none:
 *          its section's users_file, else virtual_users.file.
 */
const char *source_file(const struct options *options, const struct overrides *overrides,
                        const char *host);

/*
 * Look a local user up again, as a PAM module has given him another name.
 * Returns: as source_find().
 */
enum source_result source_find_local(const char *name, struct candidate *ret_candidate,
                                     char ret_text[MA_TEXT_MAX + 1]);

/* Free and wipe; zeroed memory is allowed. */
void candidate_free(struct candidate *candidate);

#endif
