/*
 * offload: a few threads that read what is not in memory, so that a cold disk or a dead
 * mount stalls its own transfer only.
 * Runs in: deftpd-worker.
 */
#include "ftpd/worker/offload.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "common/fd.h"
#include "common/loop.h"
#include "ftpd/worker/pump.h"
#include "ftpd/worker/session.h"
#include "ftpd/worker/transfer.h"
#include "ftpd/worker/worker.h"
#include "common/base.h"

enum {
	STACK_BYTES = 256 * 1024,
};

struct offload_job {
	struct offload_job *next;
	/* NULL: abandoned. Only the loop's thread looks at it. */
	struct transfer *transfer;
	int file_fd;
	uint64_t offset;
	uint64_t end;
};

struct offload_queue {
	struct offload_job *first;
	struct offload_job **last;
};

struct offload {
	struct loop_source source; /* an eventfd: jobs are done */
	struct worker *worker;
	pthread_mutex_t lock; /* guards the queues and the counts */
	pthread_cond_t is_work;
	struct offload_queue waiting;
	struct offload_queue done;
	unsigned threads;
	unsigned idle;
};

static void
push(struct offload_queue *queue, struct offload_job *job)
{
	job->next = NULL;
	*queue->last = job;
	queue->last = &job->next;
}

static struct offload_job *
pop(struct offload_queue *queue)
{
	struct offload_job *job = queue->first;

	if (job != NULL) {
		queue->first = job->next;
		if (queue->first == NULL) {
			queue->last = &queue->first;
		}
	}
	return job;
}

static _Noreturn void *
run_thread(void *context)
{
	struct offload *offload = context;
	struct offload_job *job;

	for (;;) {
		/* cannot fail for a plain mutex */
		(void)pthread_mutex_lock(&offload->lock);
		offload->idle++;
		while ((job = pop(&offload->waiting)) == NULL) {
			(void)pthread_cond_wait(&offload->is_work, &offload->lock);
		}
		offload->idle--;
		(void)pthread_mutex_unlock(&offload->lock);

		/*
		 * An error shows again when the pump reads, on the loop, where it can be
		 * replied to.
		 */
		(void)pump_fetch(job->file_fd, job->offset, job->end);

		(void)pthread_mutex_lock(&offload->lock);
		push(&offload->done, job);
		(void)pthread_mutex_unlock(&offload->lock);
		/* full means: it is readable already */
		(void)eventfd_write(offload->source.fd, 1);
	}
}

static void
handle_done(struct loop_source *source, uint32_t events)
{
	struct offload *offload = (struct offload *)source;
	struct offload_job *job;
	eventfd_t count;

	(void)events;                           /* there is only one kind */
	(void)eventfd_read(source->fd, &count); /* only resets it */
	for (;;) {
		(void)pthread_mutex_lock(&offload->lock);
		job = pop(&offload->done);
		(void)pthread_mutex_unlock(&offload->lock);
		if (job == NULL) {
			return;
		}
		if (job->transfer == NULL) {
			fd_close(&job->file_fd);
		} else {
			job->transfer->job = NULL;
			job->transfer->is_fetched = true;
			transfer_continue(job->transfer->session);
		}
		free(job);
	}
}

int
offload_init(struct worker *worker)
{
	struct offload *offload = calloc(1, sizeof(*offload));
	int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	int result;

	if (offload == NULL || fd < 0) {
		free(offload);
		fd_close(&fd);
		return -ENOMEM;
	}
	offload->worker = worker;
	offload->waiting.last = &offload->waiting.first;
	offload->done.last = &offload->done.first;
	offload->source.handle = handle_done;
	/* cannot fail with default attributes */
	(void)pthread_mutex_init(&offload->lock, NULL);
	(void)pthread_cond_init(&offload->is_work, NULL); /* as above */
	result = loop_watch(&worker->loop, &offload->source, fd, EPOLLIN);
	worker->offload = offload;
	return result;
}

/* Returns: 0 or negative errno. Called with the lock held. */
static int
start_thread(struct offload *offload)
{
	pthread_attr_t attributes;
	pthread_t thread;
	int result = pthread_attr_init(&attributes);

	if (result != 0) {
		return -result;
	}
	/* valid value */
	(void)pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	/* valid value */
	(void)pthread_attr_setstacksize(&attributes, STACK_BYTES);
	result = pthread_create(&thread, &attributes, run_thread, offload);
	(void)pthread_attr_destroy(&attributes); /* frees nothing that could fail */
	offload->threads += result == 0;
	return -result;
}

int
offload_start(struct transfer *transfer)
{
	struct offload *offload = transfer->session->worker->offload;
	struct offload_job *job = calloc(1, sizeof(*job));
	int result = 0;

	if (job == NULL) {
		return -ENOMEM;
	}
	job->transfer = transfer;
	job->file_fd = transfer->file_fd;
	job->offset = transfer->offset;
	job->end = transfer->end;
	(void)pthread_mutex_lock(&offload->lock);
	if (offload->idle == 0 && offload->threads < OFFLOAD_THREADS) {
		result = start_thread(offload);
	}
	if (offload->threads == 0) {
		(void)pthread_mutex_unlock(&offload->lock);
		free(job);
		return result;
	}
	push(&offload->waiting, job);
	(void)pthread_cond_signal(&offload->is_work);
	(void)pthread_mutex_unlock(&offload->lock);
	transfer->job = job;
	return 0;
}

void
offload_abandon(struct transfer *transfer)
{
	if (transfer->job != NULL) {
		transfer->job->transfer = NULL;
		transfer->job = NULL;
		transfer->file_fd = -1;
	}
}
