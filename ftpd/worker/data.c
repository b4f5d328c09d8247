/*
 * data: the data connection: armed by PASV, EPSV, PORT or EPRT; opened for one transfer;
 * closed.
 * Runs in: deftpd-worker.
 */
#include "ftpd/worker/data.h"

#include <errno.h>
#include <sys/socket.h>

#include "common/fd.h"
#include "common/sockaddr.h"
#include "ftpd/tls/stream.h"
#include "ftpd/worker/cmd.h"
#include "ftpd/worker/control.h"
#include "ftpd/worker/data_tls.h"
#include "ftpd/worker/linger.h"
#include "ftpd/worker/session.h"
#include "ftpd/worker/session_timer.h"
#include "ftpd/worker/worker.h"
#include "common/base.h"

void
data_init(struct session *session)
{
	session->data = (struct data){.source = {.fd = -1},
	                              .loop = &session->worker->loop,
	                              .session = session,
	                              .listener_fd = -1,
	                              .connection_fd = -1};
}

static void
stop_watching(struct session *session)
{
	loop_forget(session->data.loop, &session->data.source);
}

/* Close so that the other side sees an end, not a reset. */
static void
close_orderly(int fd)
{
	(void)shutdown(fd, SHUT_RDWR); /* fails only if the other side was faster */
	fd_close(&fd);
}

/*
 * Accept what waits. A connection from elsewhere is closed and the wait goes on
 * (DESIGN.md section 3, rule 8).
 * Returns: the client's connection or -1.
 */
static int
accept_client(struct session *session)
{
	struct data *data = &session->data;
	struct sockaddr_storage from;
	struct addr peer;

	for (int i = 0; i < DATA_ACCEPT_BATCH; i++) {
		socklen_t size = sizeof(from);
		int fd = accept4(data->listener_fd, (struct sockaddr *)&from, &size,
		                 SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd < 0) {
			return -1;
		}
		peer = sockaddr_to_addr(&from);
		if (addr_same_host(&peer, &session->peer)) {
			return fd;
		}
		data->strangers++;
		close_orderly(fd);
	}
	return -1;
}

/*
 * What connected without being used for a transfer gets an end; a new PASV begins with an
 * empty queue.
 */
static void
empty_queue(struct session *session)
{
	int fd;

	if (session->data.listener_fd < 0) {
		return;
	}
	while ((fd = accept4(session->data.listener_fd, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
		close_orderly(fd);
	}
}

void
data_disarm(struct session *session)
{
	struct data *data = &session->data;

	if (data->mode == DATA_PASSIVE && data->connection_fd >= 0) {
		/* accepted here, so nobody else has it; the master may an active one */
		loop_forget_closing(data->loop, &data->source);
	} else {
		stop_watching(session);
	}
	if (data->mode == DATA_PASSIVE && data->connection_fd < 0) {
		empty_queue(session);
	}
	tls_stream_free(data->stream);
	data->stream = NULL;
	fd_close(&data->connection_fd);
	data->mode = DATA_NONE;
	data->strangers = 0;
	data->failed_handshakes = 0;
	data->unresumed = 0;
	data->is_other_client = false;
	data->released_ms = session->worker->loop.now_ms;
}

void
data_complete(struct session *session)
{
	struct data *data = &session->data;

	if (data->stream == NULL) {
		return;
	}
	if (transfer_is_upload(session->transfer)) {
		/* The client has ended its side: nothing is left to wait for. */
		(void)tls_stream_close(data->stream); /* or it is gone already */
		return;
	}
	/* Fails if the client was faster. */
	(void)shutdown(data->connection_fd, SHUT_WR);
	linger_begin(session);
	data->mode = DATA_NONE; /* the next PASV empties the queue */
}

void
data_use_up(struct session *session)
{
	data_disarm(session);
	session_set_transfer_state(session, TRANSFER_IDLE);
	session_arm_timer(session);
}

uint64_t
data_linger_deadline_ms(const struct session *session)
{
	const struct data *data = &session->data;

	return data->mode == DATA_NONE && data->listener_fd >= 0
	           ? data->released_ms + DATA_LINGER_MS
	           : UINT64_MAX;
}

void
data_end(struct session *session)
{
	data_disarm(session);
	fd_close(&session->data.listener_fd);
}

void
data_arm_passive(struct session *session)
{
	struct mw_message ask = {.type = MW_PASSIVE, .session = session->id};

	data_disarm(session);
	if (session->data.listener_fd < 0) {
		session->is_asking_master = true;
		master_send(session->worker, &ask, -1);
		return;
	}
	empty_queue(session);
	session->data.mode = DATA_PASSIVE;
	cmd_passive_armed(session, IPC_OK);
}

void
data_passive_answer(struct session *session, const struct mw_message *answer, int fd)
{
	if (session == NULL || !session->is_asking_master ||
	    session->data.mode != DATA_NONE) {
		fd_close(&fd);
		return;
	}
	session->is_asking_master = false;
	session->data.listener_fd = fd;
	session->data.announced = answer->local;
	if (answer->result == IPC_OK) {
		session->data.mode = DATA_PASSIVE;
	}
	cmd_passive_armed(session, answer->result);
	control_continue(session);
}

void
data_arm_active(struct session *session, const struct addr *target)
{
	data_disarm(session);
	session->data.mode = DATA_ACTIVE;
	session->data.target = *target;
}

bool
data_try_accept(struct session *session)
{
	if (session->data.mode == DATA_PASSIVE && session->data.connection_fd < 0) {
		session->data.connection_fd = accept_client(session);
	}
	return session->data.connection_fd >= 0;
}

/* The client's own, as far as the address tells. */
static void
take_connection(struct session *session)
{
	if (session->tls.is_data_private) {
		data_tls_start(session);
	} else {
		stop_watching(session);
		transfer_connected(session);
	}
}

void
data_drop_stranger(struct session *session)
{
	struct data *data = &session->data;

	loop_forget_closing(data->loop, &data->source);
	tls_stream_free(data->stream);
	data->stream = NULL;
	close_orderly(data->connection_fd);
	data->connection_fd = -1;
	data_open(session);
}

static void
handle_listener(struct loop_source *source, uint32_t events)
{
	struct data *data = (struct data *)source;
	struct session *session = data->session;

	(void)events; /* accepting tells */
	if (data_try_accept(session)) {
		stop_watching(session);
		take_connection(session);
	} else if (data->strangers > DATA_STRANGERS_MAX) {
		transfer_not_connected(session);
	}
}

static void
handle_connecting(struct loop_source *source, uint32_t events)
{
	struct session *session = ((struct data *)source)->session;
	int error = 0;
	socklen_t size = sizeof(error);

	(void)events; /* the socket's error tells */
	if (getsockopt(source->fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0 ||
	    error != 0) {
		transfer_not_connected(session);
		return;
	}
	take_connection(session);
}

static void
ask_for_active(struct session *session)
{
	struct mw_message ask = {
	    .type = MW_ACTIVE, .session = session->id, .peer = session->data.target};

	session->is_asking_master = true;
	master_send(session->worker, &ask, -1);
}

void
data_active_answer(struct session *session, const struct mw_message *answer, int fd)
{
	struct data *data;

	if (session == NULL || !session->is_asking_master) {
		fd_close(&fd);
		return;
	}
	data = &session->data;
	session->is_asking_master = false;
	if (session->transfer_state != TRANSFER_OPENING || data->mode != DATA_ACTIVE) {
		/* aborted while the master was at it: commands have been waiting since */
		fd_close(&fd);
		control_continue(session);
		return;
	}
	if (answer->result != IPC_OK) {
		transfer_not_connected(session);
		return;
	}
	data->connection_fd = fd;
	data->source.handle = handle_connecting;
	data->loop = &session->worker->loop;
	if (loop_watch(&session->worker->loop, &data->source, fd, EPOLLOUT) != 0) {
		transfer_not_connected(session);
	}
}

void
data_open(struct session *session)
{
	struct data *data = &session->data;

	if (data->connection_fd >= 0 || data_try_accept(session)) {
		take_connection(session);
		return;
	}
	if (data->mode == DATA_ACTIVE) {
		ask_for_active(session);
		return;
	}
	data->source.handle = handle_listener;
	data->loop = &session->worker->loop;
	if (loop_watch(&session->worker->loop, &data->source, data->listener_fd,
	               EPOLLIN) != 0) {
		transfer_not_connected(session);
	}
}
