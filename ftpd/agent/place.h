/*
 * place: what a question is about, found and decided: its directory, and the name in it.
 * What acts on files gets a place, and a place is had by policy_decide() only.
 * Runs in: deftpd-agent, as the user, confined. Distrusts: the worker (paths), and
 * everybody who can rename or link below the root.
 * Source: SECURITY.md A1, A2, F1 and F24.
 * Not here: what is done there; see fsops.h, change.h, upload.h, copy.h.
 */
#ifndef FTPD_AGENT_PLACE_H
#define FTPD_AGENT_PLACE_H

#include <limits.h>
#include <sys/types.h>

#include "ftpd/agent/policy.h"
#include "ftpd/agent/resolve.h"
#include "ftpd/agent/rulebook.h"
#include "ftpd/ipc/agent.h"
#include "common/base.h"

enum {
	PLACE_LINKS_MAX = 40, /* followed at the end of a path; then -ELOOP */
};

struct place {
	const struct resolver *resolver;
	const char *path; /* as asked; the caller's */
	/*
	 * O_PATH: the directory. -1: there are no rules to be kept, and the path is
	 * resolved in one step when it is opened.
	 */
	int dir_fd;
	bool is_directory; /* dir_fd is what is at the path, and name is empty */
	char name[NAME_MAX + 1];
	const struct agent_rights *rights; /* of the directory */
};

/*
 * Find the place of a question's path and decide.
 * In:      path: question->path or second, NUL-terminated, as long as the place is used.
 * Out:     ret_place: end it by place_close. The umask is that of its rights.
 * Returns: IPC_OK, or the result for the client, and there is no place.
 */
enum ipc_result place_find(struct rulebook *book, const struct agent_question *question,
                           const char *path, bool is_second, struct place *ret_place);

/*
 * As place_find, about the entry itself whatever the verb: its directory is open.
 * Returns: as place_find.
 */
enum ipc_result place_find_entry(struct rulebook *book,
                                 const struct agent_question *question, const char *path,
                                 struct place *ret_place);

/*
 * Open what is there. Without a directory, links are followed inside the root; with one,
 * they have been, and a link that is there now is not.
 * In:      flags: for open(2); mode: with O_CREAT.
 * Returns: the descriptor, the caller's to close, or negative errno.
 */
int place_open(const struct place *place, int flags, mode_t mode);

/* Close the directory. */
void place_close(struct place *place);

#endif
