/*
 * offload: a few threads that read what is not in memory and write where writing may
 * wait, so that a cold disk or a dead mount stalls its own transfer only.
 * Runs in: deftpd-worker.
 */
#include "ftpd/worker/offload.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
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

enum job_kind {
	JOB_FETCH,
	JOB_STORE,
	JOB_CLOSE,
};

struct offload_job {
	struct offload_job *next;
	/* NULL: abandoned. Only the loop's thread looks at it. */
	struct transfer *transfer;
	/* the same for the threads, guarded by the lock: it need not be begun */
	bool is_abandoned;
	enum job_kind kind;
	int file_fd;
	int result; /* 0 or negative errno */
	/* JOB_FETCH */
	uint64_t offset;
	uint64_t end;
	/* JOB_STORE: the transfer's buffer, on loan */
	char *buffer;
	size_t buffer_at;
	size_t buffer_len;
	struct transfer_place place;
	/* of an abandoned upload, for the agent; 0: it need not know */
	uint32_t upload;
	uint32_t agent_serial;
	char *path;
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

/* In a thread. */
static void
work(struct offload_job *job)
{
	switch (job->kind) {
	case JOB_FETCH:
		/*
		 * An error shows again when the pump reads, on the loop, where it can be
		 * replied to.
		 */
		(void)pump_fetch(job->file_fd, job->offset, job->end);
		return;
	case JOB_STORE:
		job->result = pump_store(job->file_fd, job->buffer + job->buffer_at,
		                         job->buffer_len - job->buffer_at, &job->place);
		return;
	case JOB_CLOSE:
		job->result = close(job->file_fd) == 0 ? 0 : -errno;
		job->file_fd = -1;
		return;
	}
}

static _Noreturn void *
run_thread(void *context)
{
	struct offload *offload = context;
	struct offload_job *job;
	bool is_wanted;

	for (;;) {
		/* cannot fail for a plain mutex */
		(void)pthread_mutex_lock(&offload->lock);
		offload->idle++;
		while ((job = pop(&offload->waiting)) == NULL) {
			(void)pthread_cond_wait(&offload->is_work, &offload->lock);
		}
		offload->idle--;
		/* What is closed must be closed, by whom nobody waits for, too. */
		is_wanted = !job->is_abandoned || job->kind == JOB_CLOSE;
		(void)pthread_mutex_unlock(&offload->lock);

		if (is_wanted) {
			work(job);
		}

		(void)pthread_mutex_lock(&offload->lock);
		push(&offload->done, job);
		(void)pthread_mutex_unlock(&offload->lock);
		/* full means: it is readable already */
		(void)eventfd_write(offload->source.fd, 1);
	}
}

/*
 * Nobody waits for it any more. Its file is closed where it was used, in a thread, as
 * closing may wait, too; what else the transfer has left undone is done then.
 */
static void
bury(struct offload *offload, struct offload_job *job)
{
	if (job->file_fd >= 0) {
		job->kind = JOB_CLOSE;
		(void)pthread_mutex_lock(&offload->lock);
		push(&offload->waiting, job);
		(void)pthread_cond_signal(&offload->is_work);
		(void)pthread_mutex_unlock(&offload->lock);
		return;
	}
	if (job->upload != 0 && job->path != NULL) {
		agent_discard(offload->worker, job->agent_serial, job->upload, job->path);
	}
	free(job->buffer);
	free(job->path);
	free(job);
}

/* The transfer takes back what the thread had of it. */
static void
give_back(struct offload_job *job)
{
	struct transfer *transfer = job->transfer;

	transfer->job = NULL;
	transfer->file_fd = job->file_fd;
	if (job->kind == JOB_FETCH) {
		transfer->fetched_end = pump_fetch_end(job->offset, job->end);
		return;
	}
	transfer->error = job->result;
	if (job->kind == JOB_STORE) {
		transfer->place = job->place;
		transfer->buffer = job->buffer;
		transfer->buffer_at = 0;
		transfer->buffer_len = 0;
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
			bury(offload, job);
		} else {
			struct session *session = job->transfer->session;

			give_back(job);
			free(job);
			transfer_continue(session);
		}
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

static struct offload_job *
make_job(struct transfer *transfer)
{
	struct offload_job *job = calloc(1, sizeof(*job));

	if (job == NULL) {
		return NULL;
	}
	job->transfer = transfer;
	job->file_fd = transfer->file_fd;
	if (!transfer_is_upload(transfer)) {
		job->kind = JOB_FETCH;
		job->offset = transfer->offset;
		job->end = transfer->end;
	} else if (transfer->buffer_at < transfer->buffer_len) {
		job->kind = JOB_STORE;
		job->buffer = transfer->buffer;
		job->buffer_at = transfer->buffer_at;
		job->buffer_len = transfer->buffer_len;
		job->place = transfer->place;
	} else {
		job->kind = JOB_CLOSE;
	}
	return job;
}

int
offload_start(struct transfer *transfer)
{
	struct offload *offload = transfer->session->worker->offload;
	struct offload_job *job = make_job(transfer);
	int result = 0;

	if (job == NULL) {
		return -ENOMEM;
	}
	(void)pthread_mutex_lock(&offload->lock);
	if (offload->idle == 0 && offload->threads < OFFLOAD_THREADS) {
		result = start_thread(offload);
	}
	if (offload->threads == 0) {
		(void)pthread_mutex_unlock(&offload->lock);
		free(job);
		return result;
	}
	transfer->job = job;
	if (job->kind == JOB_STORE) {
		transfer->buffer = NULL;
	}
	push(&offload->waiting, job);
	(void)pthread_cond_signal(&offload->is_work);
	(void)pthread_mutex_unlock(&offload->lock);
	return 0;
}

void
offload_abandon(struct transfer *transfer)
{
	struct offload *offload = transfer->session->worker->offload;
	struct offload_job *job = transfer->job;

	if (job == NULL) {
		return;
	}
	(void)pthread_mutex_lock(&offload->lock);
	job->is_abandoned = true;
	(void)pthread_mutex_unlock(&offload->lock);
	job->transfer = NULL;
	transfer->job = NULL;
	transfer->file_fd = -1;
	if (transfer->upload != 0) {
		job->upload = transfer->upload;
		job->agent_serial = transfer->agent_serial;
		job->path = strdup(transfer->path);
		transfer->upload = 0;
	}
}
