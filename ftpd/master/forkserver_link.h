/*
 * forkserver_link: the channel to one forkserver: what is ordered from it, what it tells
 * of its children, and its loss.
 * Runs in: master. Input: the forkserver's messages. That of the workers is as
 * unprivileged as its children; that of the authenticators is root.
 * Source: common/forkserver.h; DESIGN.md section 2, "forkserver".
 * Not here: what the children are for; see generation.h and auth_pool.h.
 */
#ifndef FTPD_MASTER_FORKSERVER_LINK_H
#define FTPD_MASTER_FORKSERVER_LINK_H

#include <sys/queue.h>
#include <sys/types.h>

#include "common/loop.h"
#include "ftpd/master/program.h"
#include "common/base.h"

struct master;
struct forkserver_link;

enum forkserver_state {
	FORKSERVER_NONE,     /* never started */
	FORKSERVER_STARTING, /* it has not said READY */
	FORKSERVER_RUNNING,  /* it takes orders */
	FORKSERVER_LOST,     /* it is gone, and nobody asked for that */
	FORKSERVER_RETIRED,  /* it takes no orders, and ends */
};

enum fork_stage {
	FORK_NOT_ORDERED, /* or it is over: forked, failed or cancelled */
	FORK_QUEUED,      /* the orders before it are not obeyed yet */
	FORK_ASKED,       /* the forkserver has been asked and has not said DONE */
};

/* One child to be forked; lies in the object that stands for the child. */
struct fork_order {
	TAILQ_ENTRY(fork_order) next;
	enum fork_stage stage;
	void *owner;     /* the object */
	uint32_t number; /* unlike those of other orders on their way */
	uint8_t kind;
	int child_fd; /* the child's end of its channel until it is asked for, else -1 */
};

/* What a forkserver is for. */
struct forkserver_use {
	enum program_kind program;
	const char *name; /* "forkserver", for log lines */
	/* It has said READY. */
	void (*ready)(struct forkserver_link *link);
	/* The order has left. */
	void (*asked)(struct fork_order *order);
	/* It has been obeyed; pid 0: it could not be, or the forkserver is gone. */
	void (*forked)(struct fork_order *order, pid_t pid);
	/* The forkserver is gone unexpectedly. */
	void (*lost)(struct forkserver_link *link);
};

TAILQ_HEAD(fork_queue, fork_order);

struct forkserver_link {
	struct loop_source source; /* first; fd -1: it is gone */
	struct master *master;
	const struct forkserver_use *use;
	void *owner;
	enum forkserver_state state;
	pid_t pid;      /* 0: it has ended */
	uint8_t layers; /* what confines its children */
	struct fork_queue orders;
	struct fork_order *asked;
};

/* Before anything else; owner: whom the uses find through the link. */
void forkserver_init(struct forkserver_link *link, struct master *master,
                     const struct forkserver_use *use, void *owner);

/*
 * Start the program.
 * In:      options_fd: stays the caller's. tls_fd: likewise, certificates and keys; -1:
 *          none. identity: what its children shall become.
 * Returns: 0 or negative errno.
 */
int forkserver_start(struct forkserver_link *link, int options_fd, int tls_fd,
                     const struct identity *identity);

/*
 * Order a child: it is asked for when the orders before are obeyed.
 * In:      order: owner, number, kind and child_fd are set; child_fd is owned from now
 *          on.
 */
void forkserver_order(struct forkserver_link *link, struct fork_order *order);

/*
 * Take an order back that has not left; harmless for others, and then the use's forked()
 * is still called.
 */
void forkserver_cancel(struct forkserver_link *link, struct fork_order *order);

/* Let it end. Orders must have been cancelled. What it still has to tell is read. */
void forkserver_retire(struct forkserver_link *link);

/* Read what it has said. */
void forkserver_read(struct forkserver_link *link);

/*
 * Returns: true if nothing of it is left: neither process nor channel.
 */
bool forkserver_is_over(const struct forkserver_link *link);

#endif
