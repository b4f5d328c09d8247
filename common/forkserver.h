/*
 * forkserver: a program that has initialised itself once and then forks a ready child
 * whenever the master orders one.
 * Runs in: master (orders), deftpd-worker (and later deftpd-auth) as the server.
 * Source: DESIGN.md section 2, "forkserver".
 * Not here: what a child does; what the kinds mean.
 */
#ifndef COMMON_FORKSERVER_H
#define COMMON_FORKSERVER_H

#include "common/base.h"

enum spawn_type {
	SPAWN_READY, /* server: initialised, children can be ordered */
	/*
	 * master: fork a child; [fd] the child's channel to the master. The next order
	 * waits for SPAWN_DONE.
	 */
	SPAWN_ORDER,
	/* server: the child's pid, or 0 when fork failed (the channel is closed then) */
	SPAWN_DONE,
	SPAWN_EXITED, /* server: a child has ended */
	SPAWN_COUNT,
};

enum {
	SPAWN_MESSAGE_MAX = 32,
	SPAWN_KIND_COUNT = 4, /* kinds are numbered by each program for itself */
};

struct spawn_message {
	enum spawn_type type;
	uint8_t kind;   /* ORDER */
	uint32_t child; /* ORDER, DONE: number that the master gave */
	int32_t pid;    /* DONE, EXITED */
	int32_t status; /* EXITED: as waitpid gave it */
	uint8_t layers; /* READY: enum spawn_layer, what confines the children */
};

/* Layers of confinement, reported once. */
enum spawn_layer {
	SPAWN_LAYER_UID = 1,  /* a user of its own */
	SPAWN_LAYER_ROOT = 2, /* an empty root directory */
	SPAWN_LAYER_LANDLOCK = 4,
	SPAWN_LAYER_FILTER = 8, /* seccomp */
	SPAWN_LAYER_ALL = 15,
};

/*
 * Encode.
 * Returns: length, 0 if it does not fit in SPAWN_MESSAGE_MAX.
 */
size_t spawn_encode(const struct spawn_message *message,
                    uint8_t bytes[SPAWN_MESSAGE_MAX]);

/*
 * Decode to the last byte.
 * Returns: true and *ret_message; false if the bytes are no such message.
 */
bool spawn_decode(const uint8_t *bytes, size_t len, struct spawn_message *ret_message);

/*
 * A forked child. In: kind as ordered; channel_fd: blocking, the child's to close.
 * Returns: the child's exit status.
 */
typedef int forkserver_child(uint8_t kind, int channel_fd, void *context);

/*
 * Serve orders until the channel's end of file. SIGCHLD must not be blocked or handled by
 * the caller: this function sees to it.
 * In:      layers: what SPAWN_READY reports.
 * Returns: exit status for the program: 0 at end of file, 1 when the master broke the
 *          wire format or the system failed.
 */
int forkserver_run(int channel_fd, uint8_t layers, forkserver_child *child,
                   void *context);

#endif
