/*
 * users: whom the other programs become, looked up before anything runs.
 * Runs in: master.
 */
#include "ftpd/master/users.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base.h"

enum {
	/*
	 * What Debian and most others call nobody and nogroup, for a machine that lacks
	 * even these.
	 */
	NOBODY_ID = 65534,
	WARNING_MAX = 4 * OPTIONS_NAME_MAX,
};

static void
look_up_nobody(struct identity *ret_identity)
{
	const struct passwd *entry = getpwnam("nobody");

	ret_identity->uid = NOBODY_ID;
	ret_identity->gid = NOBODY_ID;
	if (entry != NULL && entry->pw_uid != 0 && entry->pw_gid != 0) {
		ret_identity->uid = entry->pw_uid;
		ret_identity->gid = entry->pw_gid;
	}
}

/* Returns: false if the user is missing and nobody stands in. */
static bool
look_up(struct conf *conf, const char *key, const char *name,
        struct identity *ret_identity)
{
	const struct passwd *entry;

	errno = 0;
	entry = getpwnam(name);
	if (entry == NULL) {
		look_up_nobody(ret_identity);
		return false;
	}
	/* The reader of the file refuses the name root already. */
	if ((entry->pw_uid == 0 || entry->pw_gid == 0) && strcmp(name, "root") != 0) {
		conf_findings_add(
		    conf, key,
		    "user %s has the uid or gid of root; name a user who owns nothing",
		    name);
	}
	ret_identity->uid = entry->pw_uid;
	ret_identity->gid = entry->pw_gid;
	return true;
}

void
users_look_up(struct conf *conf, struct users *ret_users)
{
	const struct options *options = conf_options(conf);
	const struct identity caller = {.uid = geteuid(), .gid = getegid()};
	struct users users = {.worker = caller, .recorder = caller, .anonymous = caller};

	if (privilege_is_root()) {
		users.is_worker_missing =
		    !look_up(conf, "worker_user", options->worker_user, &users.worker);
		users.is_recorder_missing = !look_up(
		    conf, "recorder_user", options->recorder_user, &users.recorder);
		/* the self-test needs somebody also where nobody is anonymous */
		users.anonymous = users.worker;
		users.is_anonymous_missing =
		    options->anonymous.enabled &&
		    !look_up(conf, "anonymous.user", options->anonymous.user,
		             &users.anonymous);
	}
	*ret_users = users;
}

static void
append(char text[WARNING_MAX], bool is_missing, const char *name)
{
	size_t len = strlen(text);

	if (is_missing) {
		(void)snprintf(text + len, WARNING_MAX - len, "%s%s", len > 0 ? ", " : "",
		               name);
	}
}

void
users_tell_missing(const struct users *users, const struct options *options,
                   users_warn *warn, void *context)
{
	char names[WARNING_MAX] = "";
	char text[2 * WARNING_MAX];

	append(names, users->is_worker_missing, options->worker_user);
	append(names, users->is_recorder_missing, options->recorder_user);
	append(names, users->is_anonymous_missing, options->anonymous.user);
	if (names[0] == '\0') {
		return;
	}
	(void)snprintf(
	    text, sizeof(text),
	    "missing users: %s; nobody is used instead, which separates less; create "
	    "them by systemd-sysusers with deftpd's sysusers.d/deftpd.conf, or by useradd",
	    names);
	warn(context, text);
}
