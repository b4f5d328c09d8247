/*
 * auth_harness: the built deftpd-auth, driven by hand-made channels.
 * Runs in: tests.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/fd.h"
#include "common/forkserver.h"
#include "tests/unit/auth_harness.h"
#include "common/base.h"

enum {
	FILE_MAX = 256 * 1024,
	FD_ASIDE = 20,
	PATH_SIZE = AUTH_PATH + 64,
};

static const char *
path_of(const struct auth_place *place, const char *name, char text[PATH_SIZE])
{
	(void)snprintf(text, PATH_SIZE, "%s/%s", place->top, name);
	return text;
}

void
place_make(struct auth_place *place)
{
	memset(place, 0, sizeof(*place));
	(void)snprintf(place->top, sizeof(place->top), "/tmp/deftpd-auth-XXXXXX");
	assert_non_null(mkdtemp(place->top));
	assert_int_equal(chmod(place->top, 0755), 0);
	(void)snprintf(place->home, sizeof(place->home), "%s/home", place->top);
	(void)snprintf(place->file, sizeof(place->file), "%s/users", place->top);
	(void)snprintf(place->log, sizeof(place->log), "%s/log", place->top);
	assert_int_equal(mkdir(place->home, 0755), 0);
	assert_int_equal(chmod(place->home, 0755), 0);
	options_set_defaults(&place->options);
	(void)snprintf(place->options.virtual_users.file, OPTIONS_TEXT_MAX, "%s",
	               place->file);
	(void)snprintf(place->options.virtual_users.user, OPTIONS_NAME_MAX, "nobody");
}

static int
remove_one(const char *path, const struct stat *info, int kind, struct FTW *where)
{
	(void)info;
	(void)kind;
	(void)where;
	return remove(path);
}

void
place_remove(struct auth_place *place)
{
	assert_int_equal(nftw(place->top, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
}

void
place_write(const struct auth_place *place, const char *name, const char *content)
{
	char path[PATH_SIZE];
	int fd = open(path_of(place, name, path),
	              O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, content, strlen(content)), strlen(content));
	assert_int_equal(close(fd), 0);
}

/* Returns: the bytes of a file, terminated. */
static char *
read_all(const char *path)
{
	char *bytes = calloc(1, FILE_MAX);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t len = 0;
	ssize_t count;

	assert_non_null(bytes);
	while (fd >= 0 && (count = read(fd, bytes + len, FILE_MAX - 1 - len)) > 0) {
		len += (size_t)count;
	}
	assert_true(len < FILE_MAX - 1);
	fd_close(&fd);
	return bytes;
}

char *
place_read(const struct auth_place *place, const char *name)
{
	char path[PATH_SIZE];

	return read_all(path_of(place, name, path));
}

static void
append(const struct auth_place *place, const char *name, const char *machine,
       const char *lines)
{
	char *all = read_all(machine);

	assert_true(strlen(all) + strlen(lines) < FILE_MAX);
	memcpy(all + strlen(all), lines, strlen(lines) + 1);
	place_write(place, name, all);
	free(all);
}

/* What else of the machine's /etc a login needs. */
static const char *const copied[] = {"nsswitch.conf", "shells", "login.defs",
                                     "ld.so.cache"};

static void
copy_file(const struct auth_place *place, const char *name)
{
	char from[PATH_SIZE];
	char to[PATH_SIZE];
	struct stat info;
	int from_fd;
	int to_fd;

	(void)snprintf(from, sizeof(from), "/etc/%s", name);
	(void)snprintf(to, sizeof(to), "%s/etc/%s", place->top, name);
	from_fd = open(from, O_RDONLY | O_CLOEXEC);
	if (from_fd < 0) {
		return; /* not every machine has each of them */
	}
	to_fd = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	assert_true(to_fd >= 0);
	assert_int_equal(fstat(from_fd, &info), 0);
	assert_int_equal(sendfile(to_fd, from_fd, NULL, (size_t)info.st_size),
	                 info.st_size);
	fd_close(&from_fd);
	fd_close(&to_fd);
}

/*
 * One mount for all of /etc: a mount over a single file vanishes as soon as somebody on
 * the machine replaces that file, as useradd does.
 */
static bool
cover_users(const struct auth_place *place)
{
	char path[PATH_SIZE];

	return unshare(CLONE_NEWNS) == 0 &&
	       mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
	       mount(path_of(place, "etc", path), "/etc", NULL, MS_BIND, NULL) == 0;
}

static bool
can_cover(const struct auth_place *place)
{
	int status = 1;
	pid_t pid = fork();

	if (pid == 0) {
		_exit(cover_users(place) ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status == 0;
}

bool
place_add_users(struct auth_place *place, const char *passwd, const char *group,
                const char *shadow)
{
	char path[PATH_SIZE];

	if (geteuid() != 0) {
		return false;
	}
	assert_int_equal(mkdir(path_of(place, "etc", path), 0755), 0);
	assert_int_equal(mkdir(path_of(place, "etc/pam.d", path), 0755), 0);
	append(place, "etc/passwd", "/etc/passwd", passwd);
	append(place, "etc/group", "/etc/group", group);
	append(place, "etc/shadow", "/etc/shadow", shadow);
	assert_int_equal(chmod(path_of(place, "etc/passwd", path), 0644), 0);
	assert_int_equal(chmod(path_of(place, "etc/group", path), 0644), 0);
	for (size_t i = 0; i < ARRAY_COUNT(copied); i++) {
		copy_file(place, copied[i]);
	}
	place_set_service(place, "");
	place->options.local_users.enabled = true;
	place->has_users = true;
	return can_cover(place);
}

void
place_set_service(const struct auth_place *place, const char *content)
{
	place_write(place, "etc/pam.d/deftpd", content);
}

static void __attribute__((noreturn))
run_server(const struct auth_place *place, int channel_fd, int options_fd)
{
	char *arguments[] = {(char[]){"deftpd-auth"}, (char[]){"0"}, (char[]){"0"}, NULL};
	char *environment[] = {(char[]){"LD_BIND_NOT=1"}, (char[]){"SHELL=x"}, NULL};
	int aside[2] = {fcntl(channel_fd, F_DUPFD_CLOEXEC, FD_ASIDE),
	                fcntl(options_fd, F_DUPFD_CLOEXEC, FD_ASIDE)};

	if ((!place->has_users || cover_users(place)) &&
	    dup2(aside[0], IPC_START_FD) >= 0 && dup2(aside[1], IPC_OPTIONS_FD) >= 0 &&
	    fd_close_from(IPC_OPTIONS_FD + 1) == 0) {
		(void)execve(DEFTPD_AUTH_PROGRAM, arguments, environment);
	}
	_exit(127);
}

/* Receive, waiting. Returns: as channel_recv. */
static ssize_t
receive(int fd, void *bytes, size_t cap)
{
	struct pollfd ready = {.fd = fd, .events = POLLIN};
	int passed = -1;
	ssize_t len;

	assert_int_equal(poll(&ready, 1, AUTH_WAIT_MS), 1);
	len = channel_recv(fd, bytes, cap, MSG_DONTWAIT, &passed);
	assert_int_equal(passed, -1); /* nobody passes any here */
	return len;
}

static void
receive_spawn(struct auth_server *server, enum spawn_type type,
              struct spawn_message *ret_message)
{
	uint8_t bytes[SPAWN_MESSAGE_MAX];
	ssize_t len = receive(server->fd, bytes, sizeof(bytes));

	assert_true(len > 0);
	assert_true(spawn_decode(bytes, (size_t)len, ret_message));
	assert_int_equal(ret_message->type, type);
}

void
server_start(struct auth_server *server, const struct auth_place *place)
{
	struct spawn_message ready;
	int options_fd = -1;
	int fds[2];

	assert_int_equal(conf_seal(&place->options, &place->overrides, &options_fd), 0);
	assert_int_equal(channel_pair(fds), 0);
	server->orders = 0;
	server->fd = fds[0];
	server->pid = fork();
	assert_true(server->pid >= 0);
	if (server->pid == 0) {
		run_server(place, fds[1], options_fd);
	}
	fd_close(&fds[1]);
	fd_close(&options_fd);
	receive_spawn(server, SPAWN_READY, &ready);
}

void
server_stop(struct auth_server *server)
{
	int status = -1;

	fd_close(&server->fd);
	assert_int_equal(waitpid(server->pid, &status, 0), server->pid);
	assert_int_equal(status, 0);
}

void
child_start(struct auth_server *server, struct auth_child *child)
{
	struct spawn_message order = {.type = SPAWN_ORDER, .child = ++server->orders};
	struct spawn_message done;
	struct ma_message ready;
	uint8_t bytes[SPAWN_MESSAGE_MAX];
	size_t len = spawn_encode(&order, bytes);
	int fds[2];

	assert_int_equal(channel_pair(fds), 0);
	assert_int_equal(channel_send(server->fd, bytes, len, fds[1]), 0);
	receive_spawn(server, SPAWN_DONE, &done);
	assert_true(done.pid > 0);
	fd_close(&fds[1]);
	*child = (struct auth_child){
	    .server = server, .pid = done.pid, .master_fd = fds[0], .worker_fd = -1};
	assert_true(master_receive(child, &ready));
	assert_int_equal(ready.type, MA_READY);
}

int
child_make_channel(struct auth_child *child)
{
	int fds[2];

	assert_int_equal(channel_pair(fds), 0);
	child->worker_fd = fds[0];
	return fds[1];
}

void
child_give_try(struct auth_child *child, int auth_fd)
{
	const struct ma_message order = {
	    .type = MA_TRY,
	    .session = 7,
	    .peer = {.family = ADDR_IPV4, .bytes = {192, 0, 2, 1}, .port = 4711}};
	struct ma_message taken;
	uint8_t bytes[128];
	size_t len = ma_encode(&order, bytes, sizeof(bytes));

	assert_int_equal(channel_send(child->master_fd, bytes, len, auth_fd), 0);
	fd_close(&auth_fd);
	assert_true(master_receive(child, &taken));
	assert_int_equal(taken.type, MA_TAKEN);
}

void
child_try(struct auth_child *child, const char *user, const char *password)
{
	const struct login_message message = {.type = LOGIN_TRY,
	                                      .user = user,
	                                      .user_len = strlen(user),
	                                      .secret = password,
	                                      .secret_len = strlen(password),
	                                      .host = ""};

	child_give_try(child, child_make_channel(child));
	worker_send(child, &message);
}

void
worker_send(struct auth_child *child, const struct login_message *message)
{
	uint8_t bytes[IPC_MESSAGE_MAX];
	size_t len = login_encode(message, bytes, sizeof(bytes));

	assert_int_not_equal(len, 0);
	assert_int_equal(channel_send(child->worker_fd, bytes, len, -1), 0);
}

bool
worker_receive(struct auth_child *child, struct login_message *ret_message)
{
	ssize_t len = receive(child->worker_fd, child->bytes, sizeof(child->bytes));

	*ret_message = (struct login_message){.type = LOGIN_COUNT,
	                                      .user = "",
	                                      .secret = "",
	                                      .host = "",
	                                      .text = "",
	                                      .grant = {.start = ""}};
	if (len == 0 || len == -ECONNRESET) {
		return false;
	}
	assert_true(len > 0);
	assert_true(login_decode(child->bytes, (size_t)len, ret_message));
	return true;
}

void
master_go(struct auth_child *child, bool is_admitted)
{
	const struct ma_message go = {.type = MA_GO, .is_admitted = is_admitted};
	uint8_t bytes[8];
	size_t len = ma_encode(&go, bytes, sizeof(bytes));

	assert_int_equal(channel_send(child->master_fd, bytes, len, -1), 0);
}

bool
master_receive(struct auth_child *child, struct ma_message *ret_message)
{
	ssize_t len = receive(child->master_fd, child->bytes, sizeof(child->bytes));

	*ret_message = (struct ma_message){.type = MA_COUNT, .user = "", .text = ""};
	if (len == 0 || len == -ECONNRESET) {
		return false;
	}
	assert_true(len > 0);
	assert_true(ma_decode(child->bytes, (size_t)len, ret_message));
	assert_true(ma_is_from_auth(ret_message->type));
	return true;
}

void
expect_refusal(struct auth_child *child, enum ma_reason reason,
               enum login_refusal refusal, char ret_text[MA_TEXT_MAX + 1])
{
	struct login_message verdict;
	struct ma_message told;

	assert_true(master_receive(child, &told));
	assert_int_equal(told.type, MA_REFUSED);
	assert_int_equal(told.reason, reason);
	memcpy(ret_text, told.text, told.text_len);
	ret_text[told.text_len] = '\0';
	assert_true(worker_receive(child, &verdict));
	assert_int_equal(verdict.type, LOGIN_REFUSED);
	assert_int_equal(verdict.refusal, refusal);
	assert_false(worker_receive(child, &verdict));
	assert_false(master_receive(child, &told));
}

void
expect_acceptance(struct auth_child *child, struct login_message *ret_message)
{
	struct login_message verdict;
	struct ma_message told;

	assert_true(master_receive(child, &told));
	assert_int_equal(told.type, MA_ACCEPTED);
	master_go(child, true);
	assert_true(worker_receive(child, &verdict));
	assert_int_equal(verdict.type, LOGIN_ACCEPTED);
	if (ret_message != NULL) {
		*ret_message = verdict;
	}
}

enum ipc_result
expect_agent(struct auth_child *child)
{
	struct agent_answer answer;
	struct ma_message nothing;
	ssize_t len = receive(child->worker_fd, child->bytes, sizeof(child->bytes));

	assert_true(len > 0);
	assert_true(agent_answer_decode(child->bytes, (size_t)len, &answer));
	/* The master's channel is not the agent's. */
	assert_false(master_receive(child, &nothing));
	return answer.result;
}

int
child_wait(struct auth_child *child)
{
	struct spawn_message exited;

	receive_spawn(child->server, SPAWN_EXITED, &exited);
	assert_int_equal(exited.pid, child->pid);
	return exited.status;
}

int
child_end(struct auth_child *child)
{
	fd_close(&child->worker_fd);
	fd_close(&child->master_fd);
	return child_wait(child);
}
