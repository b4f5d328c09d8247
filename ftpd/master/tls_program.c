/*
 * tls_program: lets deftpd-worker check certificates or make a pair, as the master has no
 * OpenSSL.
 * Runs in: master.
 */
#include "ftpd/master/tls_program.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/fd.h"
#include "common/secret.h"
#include "ftpd/master/children.h"
#include "ftpd/master/master.h"
#include "ftpd/master/program.h"
#include "common/base.h"

enum {
	MESSAGE_CAP = TLS_REPORT_TEXT_MAX + 64,
};

static const char *const check_words[] = {"check", NULL};

/* A copy of the text that a log line, a finding or a terminal may have. */
static void
tell_printable(tls_program_tell *tell, void *listener, const struct tls_report *report)
{
	struct tls_report copy = *report;
	char text[TLS_REPORT_TEXT_MAX + 1];

	for (size_t i = 0; i < report->text_len; i++) {
		char byte = report->text[i];

		text[i] = byte >= ' ' && byte <= '~' ? byte : '?';
	}
	text[report->text_len] = '\0';
	copy.text = text;
	tell(listener, &copy);
}

/* One that is waited for: where its words go. */
struct dialogue {
	tls_program_tell *tell; /* NULL: a pair is awaited */
	void *listener;
	struct tls_pair *pair;
	unsigned messages;
	bool has_certificate;
	bool has_key;
	bool has_ended;
};

static bool
take_pem(const struct tls_report *report, char ret_text[TLS_REPORT_TEXT_MAX + 1],
         bool *has_it)
{
	if (*has_it || report->text_len == 0 ||
	    memchr(report->text, '\0', report->text_len) != NULL) {
		return false;
	}
	memcpy(ret_text, report->text, report->text_len);
	ret_text[report->text_len] = '\0';
	*has_it = true;
	return true;
}

/* Returns: false if it is not what this program has to say. */
static bool
take_report(struct dialogue *dialogue, const struct tls_report *report)
{
	if (++dialogue->messages > TLS_PROGRAM_MESSAGES_MAX) {
		return false;
	}
	switch (report->type) {
	case TLS_REPORT_MISTAKE:
	case TLS_REPORT_WARNING:
	case TLS_REPORT_FACT:
		if (dialogue->tell == NULL) {
			return false;
		}
		tell_printable(dialogue->tell, dialogue->listener, report);
		return true;
	case TLS_REPORT_CERTIFICATE:
		return dialogue->pair != NULL &&
		       take_pem(report, dialogue->pair->certificate,
		                &dialogue->has_certificate);
	case TLS_REPORT_KEY:
		return dialogue->pair != NULL &&
		       take_pem(report, dialogue->pair->key, &dialogue->has_key);
	case TLS_REPORT_END:
		dialogue->has_ended = dialogue->pair == NULL ||
		                      (dialogue->has_certificate && dialogue->has_key);
		return dialogue->has_ended;
	case TLS_REPORT_COUNT: break;
	}
	return false;
}

/* Returns: 0; -EAGAIN if there is nothing; -EPROTO. */
static int
receive(struct dialogue *dialogue, int fd)
{
	uint8_t bytes[MESSAGE_CAP];
	struct tls_report report;
	ssize_t len = channel_recv_plain(fd, bytes, sizeof(bytes), MSG_DONTWAIT);
	bool is_right = len > 0 && tls_report_decode(bytes, (size_t)len, &report) &&
	                take_report(dialogue, &report);

	secret_wipe(bytes, sizeof(bytes)); /* it may have been a key */
	if (len == -EAGAIN) {
		return -EAGAIN;
	}
	return is_right ? 0 : -EPROTO;
}

static int
listen_until(struct dialogue *dialogue, int fd, uint64_t until_ms)
{
	int result = -EAGAIN;

	while (!dialogue->has_ended && (result == 0 || result == -EAGAIN)) {
		struct pollfd channel = {.fd = fd, .events = POLLIN};
		uint64_t now_ms = clock_monotonic_ms();

		if (now_ms >= until_ms) {
			return -ETIMEDOUT;
		}
		if (poll(&channel, 1, (int)(until_ms - now_ms)) < 0 && errno != EINTR) {
			return -errno;
		}
		result = receive(dialogue, fd);
	}
	return dialogue->has_ended ? 0 : result;
}

/* Start it, hear it, and wait for its end. order: all but the channel. */
static int
run(const char *dir, struct program_order *order, struct dialogue *dialogue)
{
	int fds[2];
	int result = channel_pair(fds);
	pid_t pid;

	if (result != 0) {
		return result;
	}
	order->channel_fd = fds[1];
	result = program_spawn(dir, order, &pid);
	fd_close(&fds[1]);
	if (result == 0) {
		result = listen_until(dialogue, fds[0],
		                      clock_monotonic_ms() + TLS_PROGRAM_PATIENCE_MS);
		/* It has nothing more to say, or nothing that is believed. */
		(void)kill(pid, SIGKILL);
		while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) {
		}
	}
	fd_close(&fds[0]);
	return result;
}

int
tls_program_check(const struct tls_program_setup *setup, tls_program_tell *tell,
                  void *listener)
{
	struct program_order order = {.kind = PROGRAM_WORKER,
	                              .options_fd = setup->options_fd,
	                              .tls_fd = setup->files_fd,
	                              .arguments = check_words,
	                              .identity = setup->identity};
	struct dialogue dialogue = {.tell = tell, .listener = listener};

	return run(setup->dir, &order, &dialogue);
}

int
tls_program_self_signed(const char *dir, const char *const *names, size_t count,
                        struct tls_pair *ret_pair)
{
	const char *words[PROGRAM_ARGUMENTS_MAX] = {"self-signed"};
	struct program_order order = {
	    .kind = PROGRAM_WORKER, .options_fd = -1, .tls_fd = -1, .arguments = words};
	struct dialogue dialogue = {.pair = ret_pair};
	int result;

	for (size_t i = 0; i < count && i + 2 < PROGRAM_ARGUMENTS_MAX; i++) {
		words[i + 1] = names[i];
	}
	result = run(dir, &order, &dialogue);
	if (result != 0) {
		secret_wipe(ret_pair, sizeof(*ret_pair));
	}
	return result;
}

/* The channel is no longer heard. */
static void
close_channel(struct tls_program *program)
{
	int fd = program->source.fd;

	loop_forget(&program->master->loop, &program->source);
	fd_close(&fd);
	program->source.fd = -1;
}

static void
end(struct tls_program *program)
{
	struct master *master = program->master;

	close_channel(program);
	timer_clear(&master->wheel, &program->deadline.timer);
	program->is_running = false;
	if (program->pid != 0) {
		children_kill(program->pid, 0);
		children_disown(&master->children, program->pid);
		program->pid = 0;
	}
}

static void
finish(struct tls_program *program, bool is_complete, const char *why)
{
	end(program);
	program->done(program->listener, is_complete, why);
}

static void
hear(struct loop_source *source, uint32_t events)
{
	struct tls_program *program = (struct tls_program *)source; /* first member */
	struct dialogue dialogue = {.tell = program->tell,
	                            .listener = program->listener,
	                            .messages = program->messages};
	int result = receive(&dialogue, source->fd);

	(void)events;
	program->messages = dialogue.messages;
	if (dialogue.has_ended) {
		finish(program, true, "");
	} else if (result != 0 && result != -EAGAIN) {
		finish(program, false,
		       "deftpd-worker ended before it had checked everything");
	}
}

static void
patience_is_over(struct master *master, void *owner)
{
	(void)master;
	finish(owner, false, "deftpd-worker does not come to an end with it");
}

static void
exited(struct master *master, void *owner, pid_t pid, int status)
{
	struct tls_program *program = owner;

	(void)master;
	(void)pid;
	/* what counts is whether it has told everything: the channel ends */
	(void)status;
	program->pid = 0;
}

int
tls_program_begin(struct tls_program *program, struct master *master,
                  const struct tls_program_setup *setup)
{
	struct program_order order = {.kind = PROGRAM_WORKER,
	                              .options_fd = setup->options_fd,
	                              .tls_fd = setup->files_fd,
	                              .arguments = check_words,
	                              .identity = setup->identity,
	                              .ended = exited,
	                              .owner = program};
	int fds[2];
	int result = channel_pair(fds);

	if (result != 0) {
		return result;
	}
	program->master = master;
	program->source.handle = hear;
	program->messages = 0;
	program->pid = 0;
	order.channel_fd = fds[1];
	result = loop_watch(&master->loop, &program->source, fds[0], EPOLLIN);
	if (result != 0) {
		fd_close(&fds[0]);
	} else {
		result = program_start(master, &order, &program->pid);
		if (result != 0) {
			close_channel(program);
		}
	}
	fd_close(&fds[1]);
	if (result == 0) {
		program->is_running = true;
		master_set_deadline(master, &program->deadline, TLS_PROGRAM_PATIENCE_MS,
		                    patience_is_over, program);
	}
	return result;
}

void
tls_program_cancel(struct tls_program *program)
{
	if (program->is_running) {
		end(program);
	}
}
