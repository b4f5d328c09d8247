/*
 * ask: gets a password from a person or a pipe.
 * Runs in: deftp-passwd.
 */
#include "ftpd/tools/passwd/ask.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

#include "common/fd.h"
#include "common/secret.h"
#include "common/text.h"
#include "ftpd/tools/passwd/request.h"
#include "common/base.h"

enum {
	/* A line and its end; what is longer is refused and not cut. */
	LINE_SIZE = ASK_LEN_MAX + 2,
	PROMPT_SIZE = 512,
};

/* A terminal that does not echo. */
struct terminal {
	int fd;
	int signal_fd;
	struct termios before;
	sigset_t signals; /* those that are waited for */
	sigset_t mask;    /* as it was */
};

/* A line as it came: is it a password? */
static bool
take_line(const char *line, size_t len, char *password)
{
	const char *lf = memchr(line, '\n', len);

	if (lf == NULL && len == LINE_SIZE) {
		complain("the password is longer than 511 bytes; choose a shorter one");
		return false;
	}
	len = lf != NULL ? (size_t)(lf - line) : len;
	if (len == 0) {
		complain("the password is empty; nobody can log in with such a one");
		return false;
	}
	if (len > ASK_LEN_MAX) {
		complain("the password is longer than 511 bytes; choose a shorter one");
		return false;
	}
	/* An FTP command ends at either. */
	if (memchr(line, '\0', len) != NULL || memchr(line, '\r', len) != NULL) {
		complain(
		    "the password has a NUL or a carriage return in it, which no client "
		    "can send");
		return false;
	}
	memcpy(password, line, len);
	password[len] = '\0';
	return true;
}

bool
ask_stdin(char *password)
{
	char *line = secret_alloc(LINE_SIZE);
	size_t len = 0;
	ssize_t n = 1;
	bool is_taken;

	while (line != NULL && n > 0 && len < LINE_SIZE &&
	       memchr(line, '\n', len) == NULL) {
		n = read(STDIN_FILENO, line + len, LINE_SIZE - len);
		len += n > 0 ? (size_t)n : 0;
	}
	if (line == NULL || n < 0) {
		complain("standard input cannot be read: %s", strerror(errno));
		is_taken = false;
	} else {
		is_taken = take_line(line, len, password);
	}
	secret_free(line, LINE_SIZE);
	return is_taken;
}

static void
echo_off(const struct terminal *terminal)
{
	struct termios silent = terminal->before;

	silent.c_lflag &= ~(tcflag_t)(ECHO | ECHOE | ECHOK);
	silent.c_lflag |= ICANON | ISIG | ECHONL;
	/* What was typed ahead was echoed. Should it fail, the person sees it. */
	(void)tcsetattr(terminal->fd, TCSAFLUSH, &silent);
}

static void
echo_back(const struct terminal *terminal)
{
	/* nothing else to do */
	(void)tcsetattr(terminal->fd, TCSAFLUSH, &terminal->before);
}

static bool
terminal_open(struct terminal *terminal)
{
	static const int caught[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP};

	terminal->fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
	if (terminal->fd < 0 || tcgetattr(terminal->fd, &terminal->before) != 0) {
		complain(
		    "there is no terminal to ask on; --stdin reads the password from "
		    "standard input");
		fd_close(&terminal->fd);
		return false;
	}
	(void)sigemptyset(&terminal->signals);
	for (size_t i = 0; i < ARRAY_COUNT(caught); i++) {
		(void)sigaddset(&terminal->signals, caught[i]);
	}
	(void)sigprocmask(SIG_BLOCK, &terminal->signals, &terminal->mask);
	terminal->signal_fd =
	    signalfd(-1, &terminal->signals, SFD_CLOEXEC | SFD_NONBLOCK);
	if (terminal->signal_fd < 0) {
		complain("signals cannot be waited for: %s", strerror(errno));
		(void)sigprocmask(SIG_SETMASK, &terminal->mask, NULL);
		fd_close(&terminal->fd);
		return false;
	}
	echo_off(terminal);
	return true;
}

static void
terminal_close(struct terminal *terminal)
{
	echo_back(terminal);
	(void)sigprocmask(SIG_SETMASK, &terminal->mask, NULL);
	fd_close(&terminal->signal_fd);
	fd_close(&terminal->fd);
}

/*
 * A signal has come: let it do what it does, with the terminal as it was. Who was only
 * stopped comes back.
 */
static void
obey_signal(struct terminal *terminal)
{
	struct signalfd_siginfo info;

	if (read(terminal->signal_fd, &info, sizeof(info)) != sizeof(info)) {
		return;
	}
	echo_back(terminal);
	(void)raise((int)info.ssi_signo);
	(void)sigprocmask(SIG_SETMASK, &terminal->mask, NULL);
	(void)sigprocmask(SIG_BLOCK, &terminal->signals, NULL);
	echo_off(terminal);
}

static bool
say(const struct terminal *terminal, const char *prompt)
{
	size_t len = strlen(prompt);

	return write(terminal->fd, prompt, len) == (ssize_t)len;
}

/* Returns: length of the line in `line`, LINE_SIZE bytes; -1 if none came. */
static ssize_t
read_answer(struct terminal *terminal, const char *prompt, char *line)
{
	struct pollfd polled[2] = {
	    {.fd = terminal->fd, .events = POLLIN},
	    {.fd = terminal->signal_fd, .events = POLLIN},
	};

	if (!say(terminal, prompt)) {
		return -1;
	}
	for (;;) {
		if (poll(polled, ARRAY_COUNT(polled), -1) < 0 && errno != EINTR) {
			return -1;
		}
		if (polled[1].revents != 0) {
			obey_signal(terminal);
			if (!say(terminal, prompt)) {
				return -1;
			}
		} else if (polled[0].revents != 0) {
			return read(terminal->fd, line, LINE_SIZE);
		}
	}
}

static bool
ask_once(struct terminal *terminal, const char *prompt, char *password)
{
	char *line = secret_alloc(LINE_SIZE);
	ssize_t len = line != NULL ? read_answer(terminal, prompt, line) : -1;
	bool is_taken;

	if (len < 0) {
		complain("the terminal cannot be read: %s", strerror(errno));
		is_taken = false;
	} else {
		is_taken = take_line(line, (size_t)len, password);
	}
	secret_free(line, LINE_SIZE);
	return is_taken;
}

static bool
ask_again(struct terminal *terminal, const char *prompt, const char *password)
{
	char *again = secret_alloc(ASK_SIZE);
	bool is_same = false;

	if (again == NULL) {
		complain("there is no memory");
	} else if (ask_once(terminal, prompt, again)) {
		is_same = secret_equal(password, strlen(password), again, strlen(again));
		if (!is_same) {
			complain("the two passwords differ");
		}
	}
	secret_free(again, ASK_SIZE);
	return is_same;
}

bool
ask_terminal(const char *name, bool is_new, char *password)
{
	struct terminal terminal;
	char bytes[PROMPT_SIZE];
	struct text prompt;
	bool is_done;

	if (!terminal_open(&terminal)) {
		return false;
	}
	text_init(&prompt, bytes, sizeof(bytes));
	text_add(&prompt, "%s of ", is_new ? "New password" : "Password");
	text_add_escaped(&prompt, name, strlen(name), TEXT_ESCAPE_LINE);
	text_add(&prompt, ": ");
	is_done = ask_once(&terminal, bytes, password) &&
	          (!is_new || ask_again(&terminal, "The same again: ", password));
	terminal_close(&terminal);
	return is_done;
}
