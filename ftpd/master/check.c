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
#include "ftpd/master/tls_check.h"
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

/* In: host: whose anonymous_root it is; NULL: it is anonymous.root. */
static void
report_root(struct conf *conf, const struct policy_override *host, const char *text)
{
	if (host != NULL) {
		conf_findings_add_titled(conf, host, POLICY_ANONYMOUS_ROOT, "%s", text);
	} else {
		conf_findings_add(conf, "anonymous.root", "%s", text);
	}
}

/* In: host: as for report_root(). */
static void
check_root(struct conf *conf, const struct users *users,
           const struct policy_override *host)
{
	const struct options_anonymous *anonymous = &conf_options(conf)->anonymous;
	const char *root = host != NULL ? host->host->anonymous_root : anonymous->root;
	int root_fd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	char text[OPTIONS_TEXT_MAX + OPTIONS_NAME_MAX + 128];

	if (root_fd < 0) {
		(void)snprintf(text, sizeof(text),
		               "%s: %s; create the directory or name another", root,
		               strerror(errno));
		report_root(conf, host, text);
		return;
	}
	if (!is_readable_by(root_fd, &users->anonymous)) {
		(void)snprintf(text, sizeof(text),
		               "user %s may not list %s; chmod o+rx it, or name another "
		               "anonymous.user or root",
		               privilege_is_root() ? anonymous->user : "who starts this",
		               root);
		report_root(conf, host, text);
	}
	fd_close(&root_fd);
}

static void
check_anonymous(struct conf *conf, const struct users *users)
{
	const struct policy_override *host;

	if (!conf_options(conf)->anonymous.enabled) {
		return;
	}
	if (conf_findings_count(conf) == 0 || conf_is_set(conf, "anonymous.root")) {
		check_root(conf, users, NULL);
	}
	for (uint16_t number = 1;
	     (host = policy_host_get(conf_overrides(conf), number)) != NULL; number++) {
		if (policy_sets(host, POLICY_ANONYMOUS_ROOT)) {
			check_root(conf, users, host);
		}
	}
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

/* Where the wrong lines of a file of users are told: at the key that names it. */
struct lines_told {
	struct conf *conf;
	const struct policy_override *host; /* NULL: virtual_users.file */
};

static void
add_finding(void *context, const char *text)
{
	const struct lines_told *told = context;

	if (told->host != NULL) {
		conf_findings_add_titled(told->conf, told->host, POLICY_USERS_FILE, "%s",
		                         text);
	} else {
		conf_findings_add(told->conf, "virtual_users.file", "%s", text);
	}
}

static void
check_lines(struct conf *conf)
{
	struct lines_told told = {.conf = conf};

	check_users_file_lines(conf_options(conf)->virtual_users.file, add_finding,
	                       &told);
	for (uint16_t number = 1;
	     (told.host = policy_host_get(conf_overrides(conf), number)) != NULL;
	     number++) {
		if (policy_sets(told.host, POLICY_USERS_FILE)) {
			check_users_file_lines(told.host->host->users_file, add_finding,
			                       &told);
		}
	}
}

static void
print_tls(const struct options *options, const struct tls_load *load)
{
	if (!options_has_tls(options)) {
		(void)printf("TLS: none; %s\n",
		             options->tls.certificate.count > 0
		                 ? "tls.policy is off"
		                 : "tls.certificate names no certificate");
		return;
	}
	tls_check_print(load);
}

int
check_report(struct conf *conf, const struct tls_pair *pair)
{
	char off[FS_PROTECTION_TEXT_MAX];
	struct tls_load *load;
	struct users users;

	check_system(conf, &users);
	check_lines(conf);
	load = tls_check_files(conf, &users, pair, print_warning, NULL);
	conf_findings_print(conf, stderr);
	if (conf_findings_count(conf) > 0) {
		tls_load_free(load);
		return 1;
	}
	users_tell_missing(&users, conf_options(conf), print_warning, NULL);
	if (fs_protection_describe(FS_PROTECTION_DIRECTORY, off)[0] != '\0') {
		print_warning(NULL, off);
	}
	check_users_print(conf_options(conf), conf_overrides(conf));
	print_tls(conf_options(conf), load);
	tls_load_free(load);
	layers_print();
	(void)printf("the configuration is right\n");
	return 0;
}
