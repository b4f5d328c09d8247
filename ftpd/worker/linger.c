/*
 * linger: data connections whose download has been sent: they wait for the client's
 * close_notify.
 * Runs in: deftpd-worker.
 */
#include "ftpd/worker/linger.h"

#include <errno.h>
#include <stdlib.h>

#include "common/fd.h"
#include "common/loop.h"
#include "ftpd/tls/stream.h"
#include "ftpd/worker/session.h"
#include "ftpd/worker/worker.h"
#include "common/base.h"

struct linger {
	struct loop_source source;
	struct worker *worker;
	struct linger *older;
	struct linger *newer;
	struct tls_stream *stream;
	int fd;
	uint32_t session; /* which may have ended */
	uint64_t deadline_ms;
	size_t left;    /* of LINGER_BYTES_MAX */
	bool is_shared; /* the master, who made it, may have the descriptor still */
};

static void
end(struct linger_list *list, struct linger *linger)
{
	if (linger == list->oldest) {
		list->oldest = linger->newer;
	} else {
		linger->older->newer = linger->newer;
	}
	if (linger == list->newest) {
		list->newest = linger->older;
	} else {
		linger->newer->older = linger->older;
	}
	list->count--;
	if (linger->is_shared) {
		loop_forget(&linger->worker->loop, &linger->source);
	} else {
		loop_forget_closing(&linger->worker->loop, &linger->source);
	}
	tls_stream_free(linger->stream);
	fd_close(&linger->fd);
	if (list->count == 0 && list->owes_ended) {
		list->owes_ended = false;
		master_send(linger->worker, &list->ended, -1);
	}
	free(linger);
}

/*
 * Read and throw away. Returns: what ended it, as tls_stream_read(); -EMSGSIZE when it
 * was too much.
 */
static ssize_t
drain(struct linger *linger)
{
	char scratch[4096];

	while (linger->left > 0) {
		ssize_t len = tls_stream_read(linger->stream, scratch, sizeof(scratch));

		if (len <= 0) {
			return len;
		}
		linger->left -= (size_t)len < linger->left ? (size_t)len : linger->left;
	}
	return -EMSGSIZE;
}

static void
handle_linger(struct loop_source *source, uint32_t events)
{
	struct linger *linger = (struct linger *)source;
	struct session *session = worker_find(linger->worker, linger->session);
	ssize_t result = drain(linger);

	(void)events; /* reading tells */
	if (result == -EAGAIN) {
		return;
	}
	if (result == 0 && session != NULL) {
		session->tls.has_closed = true;
	}
	end(&linger->worker->lingering, linger);
}

static void
join(struct linger_list *list, struct linger *linger)
{
	if (list->count >= LINGER_MAX) {
		end(list, list->oldest);
	}
	linger->older = list->newest;
	if (list->newest != NULL) {
		list->newest->newer = linger;
	} else {
		list->oldest = linger;
	}
	list->newest = linger;
	list->count++;
}

void
linger_begin(struct session *session)
{
	struct worker *worker = session->worker;
	struct data *data = &session->data;
	struct linger *linger = calloc(1, sizeof(*linger));

	if (linger == NULL) {
		return; /* it stays the session's, which closes it */
	}
	linger->source.fd = -1;
	linger->source.handle = handle_linger;
	linger->worker = worker;
	linger->stream = data->stream;
	linger->fd = data->connection_fd;
	linger->session = session->id;
	linger->deadline_ms = worker->loop.now_ms + LINGER_MS;
	linger->left = LINGER_BYTES_MAX;
	linger->is_shared = data->mode != DATA_PASSIVE;
	data->stream = NULL;
	data->connection_fd = -1;
	join(&worker->lingering, linger);
	/* Should it fail for want of memory, its time runs off. */
	(void)loop_move(&worker->loop, &data->source, &linger->source, EPOLLIN);
}

void
linger_tell_ended(struct worker *worker, const struct mw_message *ended)
{
	if (worker->lingering.count == 0) {
		master_send(worker, ended, -1);
		return;
	}
	/* only private workers speak TLS, and they have one session */
	worker->lingering.ended = *ended;
	worker->lingering.owes_ended = true;
}

void
linger_run(struct worker *worker)
{
	struct linger *oldest;

	while ((oldest = worker->lingering.oldest) != NULL &&
	       oldest->deadline_ms <= worker->loop.now_ms) {
		end(&worker->lingering, oldest);
	}
}

void
linger_end_all(struct worker *worker)
{
	while (worker->lingering.oldest != NULL) {
		end(&worker->lingering, worker->lingering.oldest);
	}
}

int
linger_sleep_ms(const struct worker *worker, int max_ms)
{
	const struct linger *oldest = worker->lingering.oldest;
	uint64_t now_ms = worker->loop.now_ms;
	uint64_t wait_ms;

	if (oldest == NULL) {
		return max_ms;
	}
	wait_ms = oldest->deadline_ms > now_ms ? oldest->deadline_ms - now_ms : 0;
	return max_ms >= 0 && wait_ms > (uint64_t)max_ms ? max_ms : (int)wait_ms;
}
