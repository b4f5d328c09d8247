/*
 * agent_harness: the built deftpd-agent, driven over a socket pair as a worker would.
 * Runs in: tests.
 */
#ifndef TESTS_UNIT_AGENT_HARNESS_H
#define TESTS_UNIT_AGENT_HARNESS_H

#include <sys/types.h>

#include "ftpd/ipc/agent.h"
#include "ftpd/ipc/agent_start.h"
#include "common/base.h"

/* Bits of agent_process.modes. */
enum harness_mode {
	HARNESS_NO_OPENAT2 = 1, /* openat2 gives ENOSYS, as in some containers */
	/* started by an ordinary user; nothing changes if the test is one */
	HARNESS_NO_ROOT = 2,
	HARNESS_NO_SANDBOX = 4,
};

enum {
	HARNESS_WAIT_MS = 10000, /* no answer after that long is a failure */
	HARNESS_PATH = 256,
	HARNESS_USER = 65534, /* whom an agent of root becomes */
};

struct agent_process {
	pid_t pid;
	int channel_fd;
	/* what it said first; IPC_RESULT_COUNT if it ended without a word */
	enum ipc_result ready;
};

/* A directory that is removed afterwards, with a sibling that no agent may see. */
struct agent_tree {
	char top[HARNESS_PATH];    /* made by mkdtemp */
	char root[HARNESS_PATH];   /* top/root: what agents serve */
	char secret[HARNESS_PATH]; /* top/secret: a file beside it */
};

/* Make the tree. */
void tree_make(struct agent_tree *tree);

/* Remove it with all that is in it. */
void tree_remove(struct agent_tree *tree);

/*
 * Write the host path of a client path.
 * Returns: text.
 */
const char *tree_path(const struct agent_tree *tree, const char *path,
                      char text[HARNESS_PATH]);

/* Make a plain file below the root, mode 0644. */
void tree_file(const struct agent_tree *tree, const char *path, const char *content);

/* Make a directory below the root, mode 0755. */
void tree_dir(const struct agent_tree *tree, const char *path);

/* Make a link below the root. */
void tree_link(const struct agent_tree *tree, const char *path, const char *target);

/*
 * Make `count` names of an empty file, name-00000 and so on, in a directory below the
 * root.
 */
void tree_files(const struct agent_tree *tree, const char *dir, unsigned count);

/*
 * Start the program on the raw bytes of a start record, and wait for its first message.
 */
void agent_spawn(struct agent_process *process, const void *start, size_t len,
                 unsigned modes);

/* As agent_spawn, with any descriptor in the place of the record, or -1 for none. */
void agent_spawn_on(struct agent_process *process, int start_fd, unsigned modes);

/*
 * Start the program for a record, of which uid, gid, root and start have defaults: those
 * of agent_start where they are 0 or NULL. No sandbox with HARNESS_NO_SANDBOX.
 */
void agent_start_record(struct agent_process *process, const struct agent_start *start,
                        unsigned modes);

/* Start the program for a root directory, to read only. */
void agent_start(struct agent_process *process, const char *root, unsigned modes);

/*
 * Ask one question.
 * Out:     ret_fd: the descriptor that came, or -1.
 * Returns: true and the answer; false when the agent ended instead.
 */
bool agent_ask(const struct agent_process *process, const struct agent_question *question,
               struct agent_answer *ret_answer, int *ret_fd);

/*
 * Ask about a path; the answer must come, and a descriptor must come with it exactly when
 * that is right.
 * Returns: the answer.
 */
struct agent_answer agent_ask_path(const struct agent_process *process,
                                   enum agent_verb verb, const char *path, int *ret_fd);

/* Start the program to write as well, with these rights everywhere. */
void agent_start_writing(struct agent_process *process, const char *root,
                         const struct agent_rights *rights, unsigned modes);

/* Let the user that agents become own what is at the path, a link itself. */
void tree_give(const struct agent_tree *tree, const char *path);

/*
 * Read a file below the root whole.
 * Returns: true if it has exactly this content.
 */
bool tree_has(const struct agent_tree *tree, const char *path, const char *content);

/*
 * Ask whether something is at the path, a link itself.
 * Returns: true if so.
 */
bool tree_is_there(const struct agent_tree *tree, const char *path);

/*
 * Count the names in a directory below the root.
 * Returns: their number without "." and "..".
 */
unsigned tree_count(const struct agent_tree *tree, const char *path);

/*
 * Ask about two paths, or a path and a link's target.
 * Returns: the answer.
 */
struct agent_answer agent_ask_two(const struct agent_process *process,
                                  enum agent_verb verb, const char *path,
                                  const char *second, int *ret_fd);

/*
 * Ask to open for writing. The descriptor must be what it may be.
 * In:      told_size: -1 for none.
 * Returns: the answer.
 */
struct agent_answer agent_open_write(const struct agent_process *process,
                                     const char *path, enum agent_open how,
                                     uint64_t offset, int64_t told_size, int *ret_fd);

/*
 * Ask with a number.
 * Returns: the result.
 */
enum ipc_result agent_ask_end(const struct agent_process *process, enum agent_verb verb,
                              uint32_t upload);

/*
 * Upload as a worker does it: open, write, commit if that must be.
 * Returns: the last result.
 */
enum ipc_result agent_upload(const struct agent_process *process, const char *path,
                             enum agent_open how, uint64_t offset, const char *content);

/*
 * Begin an upload, write, and cut it.
 * Returns: the result of opening.
 */
enum ipc_result agent_upload_cut(const struct agent_process *process, const char *path,
                                 enum agent_open how, uint64_t offset,
                                 const char *content);

/*
 * Close the channel if it is open, and wait.
 * Returns: the exit status, -1 for a signal.
 */
int agent_end(struct agent_process *process);

/*
 * Read a listing to its end.
 * Returns: what came, terminated; free it.
 */
char *agent_read_all(int fd, size_t *ret_len);

/*
 * Ask for a listing. Lengths are filled in; pattern and prefix may be NULL.
 * Returns: the result; the pipe with IPC_OK.
 */
enum ipc_result agent_ask_list(const struct agent_process *process,
                               const struct agent_question *question, int *ret_fd);

/*
 * Ask for a listing, which must be given, and read it to its end.
 * Returns: as agent_read_all.
 */
char *agent_list(const struct agent_process *process,
                 const struct agent_question *question, size_t *ret_len);

/*
 * Count the open descriptors of a process.
 * Returns: the number; always 0 where the caller may not know.
 */
unsigned agent_count_fds(pid_t pid);

#endif
