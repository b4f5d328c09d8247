/*
 * check_users: mistakes about who may log in that only the system can tell.
 * Runs in: master.
 */
#include "ftpd/master/check_users.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/fd.h"
#include "common/passwd_file.h"
#include "common/secret.h"
#include "ftpd/master/auth_pool.h"
#include "common/base.h"

enum {
	LINES_TOLD_MAX = 50, /* of one file; the others come when these are mended */
	TEXT_MAX = OPTIONS_TEXT_MAX + 256,
};

static bool
has_service(const char *directory, const char *name)
{
	char path[OPTIONS_NAME_MAX + 32];

	(void)snprintf(path, sizeof(path), "%s/%s", directory, name);
	return access(path, R_OK) == 0;
}

static void
check_local(struct conf *conf)
{
	const struct options_local_users *local = &conf_options(conf)->local_users;

	if (!local->enabled) {
		return;
	}
	if (!privilege_is_root()) {
		conf_findings_add(
		    conf, "local_users.enabled",
		    "only root may check the passwords of local users; start "
		    "deftpd as root, or use virtual_users");
		return;
	}
	/* A machine without these directories has all services in one file. */
	if (!has_service("/etc/pam.d", local->pam_service) &&
	    !has_service("/usr/lib/pam.d", local->pam_service) &&
	    access("/etc/pam.d", F_OK) == 0) {
		conf_findings_add(
		    conf, "local_users.pam_service",
		    "there is no /etc/pam.d/%s; copy deftpd's etc/pam.d/deftpd there, or "
		    "name a service that exists",
		    local->pam_service);
	}
}

static void
check_virtual_user(struct conf *conf)
{
	const char *name = conf_options(conf)->virtual_users.user;
	const struct passwd *entry;

	if (name[0] == '\0' || !privilege_is_root()) {
		return;
	}
	entry = getpwnam(name);
	if (entry == NULL) {
		conf_findings_add(
		    conf, "virtual_users.user",
		    "there is no user %s, whom virtual users become; create "
		    "it: useradd --system %s, or name another",
		    name, name);
	} else if (entry->pw_uid == 0 || entry->pw_gid == 0) {
		conf_findings_add(conf, "virtual_users.user",
		                  "user %s has the uid or gid of root; name another",
		                  name);
	}
}

/* Returns: the file, or NULL and errno. */
static FILE *
open_file(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	FILE *file = NULL;
	int result = fd >= 0 ? passwd_file_check(fd) : -errno;

	if (result == 0) {
		file = fdopen(fd, "re");
		result = file != NULL ? 0 : -errno;
	}
	if (result != 0) {
		fd_close(&fd);
		errno = -result;
	}
	return file;
}

/* In: host: whose users_file it is; NULL: it is virtual_users.file. */
static void
report_file(struct conf *conf, const struct policy_override *host, const char *text)
{
	if (host != NULL) {
		conf_findings_add_titled(conf, host, POLICY_USERS_FILE, "%s", text);
	} else {
		conf_findings_add(conf, "virtual_users.file", "%s", text);
	}
}

/* In: host: as for report_file(). */
static void
check_file(struct conf *conf, const struct policy_override *host, const char *path)
{
	FILE *file = open_file(path);
	char text[TEXT_MAX];

	if (file != NULL) {
		(void)fclose(file); /* it was not even read */
		return;
	}
	if (errno == ENOENT) {
		(void)snprintf(text, sizeof(text),
		               "there is no %s; create it: deftp-passwd add -f %s NAME",
		               path, path);
	} else if (errno == EPERM) {
		(void)snprintf(text, sizeof(text),
		               "%s may be changed or read by others; chown root %s && "
		               "chmod 0600 %s",
		               path, path, path);
	} else if (errno == EINVAL) {
		(void)snprintf(text, sizeof(text), "%s is no regular file; name one",
		               path);
	} else {
		(void)snprintf(text, sizeof(text), "%s: %s; name a file that can be read",
		               path, strerror(errno));
	}
	report_file(conf, host, text);
}

/* Returns: the file of a host, "" if it has none of its own. */
static const char *
file_of(const struct policy_override *host)
{
	return policy_sets(host, POLICY_USERS_FILE) ? host->host->users_file : "";
}

static bool
has_virtual(const struct options *options, const struct overrides *overrides)
{
	const struct policy_override *host;

	for (uint16_t number = 1; (host = policy_host_get(overrides, number)) != NULL;
	     number++) {
		if (file_of(host)[0] != '\0') {
			return true;
		}
	}
	return options->virtual_users.file[0] != '\0';
}

static void
check_virtual(struct conf *conf)
{
	const struct options *options = conf_options(conf);
	const struct overrides *overrides = conf_overrides(conf);
	const struct policy_override *host;

	if (!has_virtual(options, overrides)) {
		return;
	}
	check_virtual_user(conf);
	if (options->virtual_users.file[0] != '\0') {
		check_file(conf, NULL, options->virtual_users.file);
	}
	for (uint16_t number = 1; (host = policy_host_get(overrides, number)) != NULL;
	     number++) {
		if (file_of(host)[0] != '\0') {
			check_file(conf, host, file_of(host));
		}
	}
}

void
check_users(struct conf *conf)
{
	check_local(conf);
	check_virtual(conf);
}

static bool
tell_if_wrong(const char *path, unsigned number, const char *line, size_t len,
              users_warn *warn, void *context)
{
	struct passwd_user user;
	const char *mistake;
	char text[TEXT_MAX];
	enum passwd_line found = passwd_line_parse(line, len, &user, &mistake);

	secret_wipe(&user, sizeof(user));
	if (found != PASSWD_LINE_WRONG) {
		return false;
	}
	(void)snprintf(text, sizeof(text), "%s:%u: %s", path, number, mistake);
	warn(context, text);
	return true;
}

void
check_users_file_lines(const char *path, users_warn *warn, void *context)
{
	FILE *file = path[0] != '\0' ? open_file(path) : NULL;
	unsigned told = 0;
	char *line = NULL;
	size_t cap = 0;
	ssize_t len;

	if (file == NULL) {
		return; /* there is none, or check_users() has told why */
	}
	for (unsigned number = 1;
	     told < LINES_TOLD_MAX && (len = getline(&line, &cap, file)) > 0; number++) {
		size_t text_len = line[len - 1] == '\n' ? (size_t)len - 1 : (size_t)len;

		told += tell_if_wrong(path, number, line, text_len, warn, context);
	}
	if (line != NULL) {
		secret_wipe(line, cap);
	}
	free(line);
	(void)fclose(file); /* it was only read */
}

void
check_users_lines(const struct options *options, const struct overrides *overrides,
                  users_warn *warn, void *context)
{
	const struct policy_override *host;

	check_users_file_lines(options->virtual_users.file, warn, context);
	for (uint16_t number = 1; (host = policy_host_get(overrides, number)) != NULL;
	     number++) {
		check_users_file_lines(file_of(host), warn, context);
	}
}

void
check_users_print(const struct options *options, const struct overrides *overrides)
{
	bool has_file = has_virtual(options, overrides);

	if (!options->local_users.enabled && !has_file) {
		(void)printf("logins: %s\n",
		             options->anonymous.enabled
		                 ? "anonymous alone"
		                 : "nobody; enable anonymous, local_users, "
		                   "or name virtual_users.file");
		return;
	}
	(void)printf("logins: %s%s%s%s%s; deftpd-auth checks up to %u passwords at the "
	             "same time\n",
	             options->anonymous.enabled ? "anonymous, " : "",
	             options->local_users.enabled ? "local users by PAM service " : "",
	             options->local_users.enabled ? options->local_users.pam_service : "",
	             options->local_users.enabled && has_file ? ", " : "",
	             has_file ? "users of files of their own" : "",
	             (unsigned)auth_pool_limit(options));
}
