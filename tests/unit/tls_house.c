/*
 * tls_house: a private worker's session whose data connections are private, the agent,
 * and the client's end of such connections.
 */
#include "tests/unit/tls_house.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/fd.h"
#include "ftpd/worker/agent_client.h"
#include "ftpd/worker/linger.h"
#include "ftpd/worker/pump.h"
#include "common/base.h"

enum {
	UPLOAD = 17, /* the number that our agent gives */
	TURNS = 12,
};

static void
house_answer(struct house *house, const struct agent_answer *text, int fd)
{
	uint8_t bytes[AGENT_ANSWER_MAX];
	size_t len = agent_answer_encode(text, bytes, sizeof(bytes));

	assert_true(len > 0);
	assert_int_equal(channel_send(house->agent_fd, bytes, len, fd), 0);
	(void)talk_settle(&house->talk);
}

static void
listen_for_data(struct house *house)
{
	socklen_t len = sizeof(house->place);

	house->place = (struct sockaddr_in){.sin_family = AF_INET,
	                                    .sin_addr = {htonl(INADDR_LOOPBACK)}};
	house->listener_fd =
	    socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	assert_int_equal(bind(house->listener_fd, (struct sockaddr *)&house->place, len),
	                 0);
	assert_int_equal(listen(house->listener_fd, 16), 0);
	assert_int_equal(
	    getsockname(house->listener_fd, (struct sockaddr *)&house->place, &len), 0);
}

void
house_begin(struct house *house, const char *tls)
{
	house_begin_as(house, &(struct talk_order){.tls = tls});
}

void
house_begin_as(struct house *house, const struct talk_order *order)
{
	struct agent_answer ready = {.result = IPC_OK, .denied_call = -1};
	struct session *session;
	int ends[2];

	(void)signal(SIGPIPE, SIG_IGN); /* OpenSSL's client writes as it likes */
	memset(house, 0, sizeof(*house));
	house->file_fd = -1;
	talk_begin(&house->talk, order);
	talk_expect(&house->talk, "220 FTP server ready.\r\n");
	talk_auth(&house->talk);
	session = house->talk.session;
	session->state = SESSION_LOGGED_IN;
	session->is_ascii = false;
	session->rights.is_user = true;
	session->name = strdup("user");
	session->client = strdup("Tester 1.0");
	session->peer.family = ADDR_IPV4;
	memcpy(session->peer.bytes, (uint8_t[]){127, 0, 0, 1}, 4);
	session->tls.is_data_private = true;
	assert_int_equal(channel_pair(ends), 0);
	agent_pool_add(house->talk.worker, ends[0], session);
	house->agent_fd = ends[1];
	house_answer(house, &ready, -1);
	listen_for_data(house);
}

void
house_end(struct house *house)
{
	linger_end_all(house->talk.worker);
	if (house->talk.worker->upload_buffer != NULL) {
		(void)munmap(house->talk.worker->upload_buffer, PUMP_SHARED_BYTES);
	}
	if (worker_find(house->talk.worker, TALK_SESSION) != NULL) {
		session_end(house->talk.session, MW_END_CLOSED);
	}
	fd_close(&house->agent_fd);
	(void)talk_settle(&house->talk);
	SSL_SESSION_free(house->kept);
	fd_close(&house->file_fd);
	talk_end(&house->talk);
}

/* As PASV and the client's connect; the listener is the session's from the first time. */
static int
arm(struct house *house)
{
	struct session *session = house->talk.session;

	data_disarm(session);
	session->data.mode = DATA_PASSIVE;
	session->data.listener_fd = house->listener_fd;
	session_set_transfer_state(session, TRANSFER_ARMED);
	return 0;
}

struct house_line
house_dial(struct house *house, SSL_SESSION *resumed)
{
	struct house_line line = {.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};

	assert_int_equal(
	    connect(line.fd, (struct sockaddr *)&house->place, sizeof(house->place)), 0);
	assert_int_equal(fcntl(line.fd, F_SETFL, O_NONBLOCK), 0);
	line.ssl = SSL_new(house->talk.ctx);
	assert_non_null(line.ssl);
	assert_int_equal(SSL_set_fd(line.ssl, line.fd), 1);
	SSL_set_connect_state(line.ssl);
	if (resumed != NULL) {
		SSL_SESSION *copy = SSL_SESSION_dup(resumed);

		assert_int_equal(SSL_set_session(line.ssl, copy), 1);
		SSL_SESSION_free(copy);
	}
	return line;
}

void
house_hang_up(struct house_line *line)
{
	SSL_free(line->ssl);
	line->ssl = NULL;
	fd_close(&line->fd);
	ERR_clear_error();
}

bool
house_shake(struct house *house, struct house_line *line)
{
	bool is_open = false;

	for (int i = 0; i < TURNS; i++) {
		is_open = SSL_do_handshake(line->ssl) == 1;
		ERR_clear_error();
		(void)talk_settle(&house->talk);
	}
	return is_open;
}

void
house_hear(struct house *house, struct house_line *line, const char *text)
{
	char got[256];
	size_t len = 0;
	int more = 1;

	(void)talk_settle(&house->talk);
	while (more > 0) {
		more = SSL_read(line->ssl, got + len, (int)(sizeof(got) - 1 - len));
		len += more > 0 ? (size_t)more : 0;
	}
	got[len] = '\0';
	assert_string_equal(got, text);
	line->is_notified = (SSL_get_shutdown(line->ssl) & SSL_RECEIVED_SHUTDOWN) != 0;
	line->has_ended = recv(line->fd, got, 1, MSG_PEEK) == 0;
	ERR_clear_error();
}

/*
 * The agent opens what the command asks for; the client is told 150, whatever is there.
 */
static void
begin(struct house *house, const char *command, const char *bytes, const char *reply)
{
	struct agent_answer text = {.result = IPC_OK,
	                            .denied_call = -1,
	                            .device = 1,
	                            .limit_bytes = UINT64_MAX,
	                            .size_bytes = strlen(bytes),
	                            .upload = UPLOAD};
	uint8_t question[IPC_MESSAGE_MAX];
	int fd = memfd_create("file", MFD_CLOEXEC);

	assert_int_equal(write(fd, bytes, strlen(bytes)), strlen(bytes));
	talk_say(&house->talk, command);
	assert_true(channel_recv_plain(house->agent_fd, question, sizeof(question),
	                               MSG_DONTWAIT) > 0);
	if (strncmp(command, "STOR", 4) != 0) {
		text.upload = 0;
		text.limit_bytes = 0;
	}
	house_answer(house, &text, fd);
	fd_close(&house->file_fd);
	house->file_fd = fd;
	talk_expect(&house->talk, reply);
	talk_expect_nothing(&house->talk);
}

void
house_begin_download(struct house *house)
{
	(void)arm(house);
	begin(house, "RETR x\r\n", "hello", "150 Sending data, 5 bytes.\r\n");
}

void
house_begin_upload(struct house *house)
{
	(void)arm(house);
	begin(house, "STOR x\r\n", "", "150 Ready for data.\r\n");
}

void
house_expect_verb(struct house *house, enum agent_verb verb)
{
	struct agent_question question = {.verb = AGENT_VERB_COUNT};
	struct agent_answer text = {.result = IPC_OK, .denied_call = -1};
	uint8_t bytes[IPC_MESSAGE_MAX];
	ssize_t len =
	    channel_recv_plain(house->agent_fd, bytes, sizeof(bytes), MSG_DONTWAIT);

	assert_true(len > 0);
	assert_true(agent_question_decode(bytes, (size_t)len, &question));
	assert_int_equal(question.verb, verb);
	assert_int_equal(question.upload, UPLOAD);
	house_answer(house, &text, -1);
}

bool
house_has_logged(struct house *house, const char *words)
{
	(void)talk_settle(&house->talk);
	return strstr(house->talk.log, words) != NULL;
}

void
house_get_ticket(struct house *house)
{
	tls_stream_offer_ticket(house->talk.session->tls.control);
	talk_ask(&house->talk, "NOOP\r\n", "200 Done.\r\n");
	house->kept = SSL_get1_session(house->talk.ssl);
	assert_true(SSL_SESSION_is_resumable(house->kept));
}
