/*
 * offload: a few threads that read what is not in memory and write where writing may
 * wait, so that a cold disk or a dead mount stalls its own transfer only.
 * Runs in: deftpd-worker. The threads touch nothing but their job and its file.
 * Source: DESIGN.md section 4, "nothing on the loop blocks".
 */
#ifndef FTPD_WORKER_OFFLOAD_H
#define FTPD_WORKER_OFFLOAD_H

#include "common/base.h"

struct offload;
struct offload_job;
struct transfer;
struct worker;

enum {
	OFFLOAD_THREADS = 4, /* started one by one as jobs queue */
};

/*
 * Make what the threads will need; none is started yet. Before the worker's filter is
 * loaded: it needs a descriptor.
 * Returns: 0 or negative errno.
 */
int offload_init(struct worker *worker);

/*
 * Have the transfer's next slice read; or what is in an upload's buffer written, or with
 * an empty buffer its file closed. transfer_continue() is called when that is done.
 * Returns: 0, or negative errno if no thread could be had.
 */
int offload_start(struct transfer *transfer);

/*
 * The transfer ends while a thread works for it: the job keeps the file until then, and
 * only then tells the agent that the upload was cut. Harmless without a job.
 */
void offload_abandon(struct transfer *transfer);

#endif
