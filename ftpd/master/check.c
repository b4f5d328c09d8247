/*
 * check: mistakes in the configuration that only the system can tell.
 * Runs in: master.
 */
#include "ftpd/master/check.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/fd.h"
#include "ftpd/master/check_users.h"
#include "ftpd/master/fs_protection.h"
#include "ftpd/master/layers.h"
#include "common/base.h"

/*
 * Try, as that user and in a process of its own, what an agent does: it opens the
 * directory by its path as it was started, and what is in it as the user. Only the kernel
 * knows about access control lists and the like.
 * Returns: true if the user may list and enter it.
 */
static bool
is_readable_by(int root_fd, const struct identity *identity)
{
	pid_t pid = fork();
	int status = 1;

	if (pid == 0) {
		bool may =
		    privilege_become(identity) == 0 &&
		    openat(root_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC) >= 0 &&
		    faccessat(root_fd, ".", R_OK | X_OK, AT_EACCESS) == 0;

		_exit(may ? 0 : 1);
	}
	if (pid < 0) {
		return true; /* nobody can tell; the agents will */
	}
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
	}
	return status == 0;
}

static void
check_anonymous(struct conf *conf, const struct users *users)
{
	const struct options_anonymous *anonymous = &conf_options(conf)->anonymous;
	int root_fd;

	if (!anonymous->enabled ||
	    (conf_findings_count(conf) > 0 && !conf_is_set(conf, "anonymous.root"))) {
		return;
	}
	root_fd = open(anonymous->root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root_fd < 0) {
		conf_findings_add(conf, "anonymous.root",
		                  "%s: %s; create the directory or name another",
		                  anonymous->root, strerror(errno));
		return;
	}
	if (!is_readable_by(root_fd, &users->anonymous)) {
		conf_findings_add(
		    conf, "anonymous.root",
		    "user %s may not list %s; chmod o+rx it, or name another "
		    "anonymous.user or root",
		    privilege_is_root() ? anonymous->user : "who starts this",
		    anonymous->root);
	}
	fd_close(&root_fd);
}

static void
check_log(struct conf *conf, const char *key, const char *path)
{
	char directory[OPTIONS_TEXT_MAX];
	struct stat info;
	char *slash;

	if (path[0] != '/') {
		return; /* none, or the journal, or standard error */
	}
	(void)snprintf(directory, sizeof(directory), "%s", path);
	slash = strrchr(directory, '/');
	slash[slash == directory ? 1 : 0] = '\0';
	if (stat(directory, &info) != 0 || !S_ISDIR(info.st_mode)) {
		conf_findings_add(conf, key,
		                  "there is no directory %s; create it: install -d %s",
		                  directory, directory);
	} else if (stat(path, &info) == 0 && S_ISDIR(info.st_mode)) {
		conf_findings_add(conf, key, "%s is a directory; name a file", path);
	} else if (access(directory, W_OK | X_OK) != 0 && access(path, W_OK) != 0) {
		conf_findings_add(conf, key, "%s: %s; name a file that may be written",
		                  path, strerror(errno));
	}
}

void
check_system(struct conf *conf, struct users *ret_users)
{
	const struct options *options = conf_options(conf);
	bool is_clean = conf_findings_count(conf) == 0;

	users_look_up(conf, ret_users);
	check_anonymous(conf, ret_users);
	check_users(conf);
	/* In a file with mistakes a default may stand where something else was meant. */
	if (is_clean || conf_is_set(conf, "log.transfers")) {
		check_log(conf, "log.transfers", options->log.transfers);
	}
	if (is_clean || conf_is_set(conf, "log.events")) {
		check_log(conf, "log.events", options->log.events);
	}
}

static void
print_warning(void *context, const char *text)
{
	(void)context;
	(void)printf("warning: %s\n", text);
}

static void
add_finding(void *context, const char *text)
{
	conf_findings_add(context, "virtual_users.file", "%s", text);
}

int
check_report(struct conf *conf)
{
	char off[FS_PROTECTION_TEXT_MAX];
	struct users users;

	check_system(conf, &users);
	check_users_lines(conf_options(conf), add_finding, conf);
	conf_findings_print(conf, stderr);
	if (conf_findings_count(conf) > 0) {
		return 1;
	}
	users_tell_missing(&users, conf_options(conf), print_warning, NULL);
	if (fs_protection_describe(FS_PROTECTION_DIRECTORY, off)[0] != '\0') {
		print_warning(NULL, off);
	}
	check_users_print(conf_options(conf));
	layers_print();
	(void)printf("the configuration is right\n");
	return 0;
}
