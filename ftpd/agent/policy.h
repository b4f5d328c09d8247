/*
 * policy: what may be done, decided for every verb before it acts.
 * Runs in: deftpd-agent. Distrusts: the worker.
 * Source: SECURITY.md A1 and A2; RFC 959 has no say in it.
 * Not here: which rights a directory has; see rulebook.h. Permission bits, which the
 * kernel knows.
 *
 * A drop box takes new files, whole and under new names, and lets nobody see what is in
 * it: no reading, no listing, no sizes, no names. One may change into it.
 */
#ifndef FTPD_AGENT_POLICY_H
#define FTPD_AGENT_POLICY_H

#include "ftpd/ipc/agent.h"
#include "ftpd/ipc/agent_start.h"
#include "common/base.h"

/* What of its path a verb is about: whose directory's rights decide. */
enum policy_place {
	POLICY_NO_PLACE, /* an upload by its number: decided when it was opened */
	POLICY_PATH,     /* what is there, links followed; a directory decides itself */
	POLICY_TARGET,   /* an entry of a directory; a link at the end is followed */
	POLICY_ENTRY,    /* an entry of a directory, itself */
};

/*
 * Returns: what the path of a question with this verb, or its second path, is about.
 */
enum policy_place policy_place_of(enum agent_verb verb);

/*
 * Decide about a question by the rights of the directory.
 * In:      is_second: about the second path, of AGENT_RENAME and AGENT_COPY.
 * Returns: IPC_OK; IPC_READ_ONLY: nobody may change anything there; IPC_DENIED: a drop
 *          box, or a verb of which nothing is known.
 */
enum ipc_result policy_decide(const struct agent_rights *rights,
                              const struct agent_question *question, bool is_second);

/*
 * Ask whether a file that is opened for writing must be new.
 * Returns: true in a drop box.
 */
bool policy_only_new(const struct agent_rights *rights);

/*
 * Ask whether what is in the directory may be changed or removed.
 * Returns: true if this user may write there, and it is no drop box.
 */
bool policy_may_change(const struct agent_rights *rights);

#endif
