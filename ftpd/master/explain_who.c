/*
 * explain_who: who a name is for --explain.
 * Runs in: master, offline.
 */
#include "ftpd/master/explain_who.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base.h"

enum { WHERE_MAX = 2 * CONF_FINDING_FILE_MAX };

/* What a source answers. */
enum answer {
	ANSWER_HERE,
	ANSWER_NOT_HERE, /* the next source is asked */
	ANSWER_BROKEN,   /* no other is asked, and nobody is let in */
};

static enum answer
find_anonymous(const struct conf *conf, struct explain_who *who)
{
	const char *user = conf_options(conf)->anonymous.user;
	int result = account_look_up(user, &who->account);

	who->kind = POLICY_KIND_ANONYMOUS;
	printf("source                 anonymous\n");
	if (result == 0) {
		return ANSWER_HERE;
	}
	printf(
	    "                       anonymous.user %s: %s; the user nobody stands in\n",
	    user, result == -ENOENT ? "there is no such user" : strerror(-result));
	return account_look_up("nobody", &who->account) == 0 ? ANSWER_HERE
	                                                     : ANSWER_BROKEN;
}

/* The numbers with which a virtual user's files are opened, and the groups. */
static enum answer
lend_account(const struct conf *conf, struct explain_who *who)
{
	const char *user = conf_options(conf)->virtual_users.user;
	int result;

	if (user[0] == '\0') {
		who->account.uid = who->entry.uid;
		who->account.gid = who->entry.gid;
		return ANSWER_HERE;
	}
	result = account_look_up(user, &who->account);
	if (result == 0) {
		free(who->account.name);
		free(who->account.home);
		who->account.name = NULL;
		who->account.home = NULL;
		return ANSWER_HERE;
	}
	printf(
	    "                       virtual_users.user %s: %s; create that user, or name "
	    "another\n",
	    user, result == -ENOENT ? "there is no such user" : strerror(-result));
	return ANSWER_BROKEN;
}

/* In: error: of passwd_file_find(). */
static void
print_file_mistake(const char *path, int error, unsigned line)
{
	const char *text = strerror(-error);

	if (error == -EBADMSG) {
		printf(
		    "source                 virtual: %s:%u: his line is wrong, and he cannot "
		    "log in; deftp-passwd list -f %s tells why\n",
		    path, line, path);
		return;
	}
	if (error == -EACCES) {
		printf(
		    "source                 virtual: %s: you may not read it; ask as root\n",
		    path);
		return;
	}
	if (error == -EPERM) {
		text = "it may be changed or read by others; chmod 600 it";
	} else if (error == -ENODATA) {
		text = "there is no such file";
	}
	printf(
	    "source                 virtual: %s: %s, and nobody whom it could name can log "
	    "in\n",
	    path, text);
}

static enum answer
find_virtual(const struct conf *conf, const char *name, struct explain_who *who)
{
	const char *path = conf_options(conf)->virtual_users.file;
	int result;

	if (path[0] == '\0') {
		printf("source                 virtual: virtual_users.file is not set\n");
		return ANSWER_NOT_HERE;
	}
	result = passwd_file_find(path, name, &who->entry, &who->line);
	if (result == -ENOENT) {
		printf("source                 virtual: %s does not name him\n", path);
		return ANSWER_NOT_HERE;
	}
	if (result != 0) {
		print_file_mistake(path, result, who->line);
		return ANSWER_BROKEN;
	}
	who->kind = POLICY_KIND_VIRTUAL;
	printf("source                 virtual: %s:%u\n", path, who->line);
	/* Whether the method is one that is known, only libcrypt can tell. */
	printf("password               %s\n",
	       who->entry.hash[0] != '\0' && strchr("!*", who->entry.hash[0]) == NULL
	           ? "a hash in that line"
	           : "none matches: it is empty or locked");
	if (lend_account(conf, who) != ANSWER_HERE) {
		return ANSWER_BROKEN;
	}
	who->account.name = strdup(who->entry.name);
	who->account.home = strdup(who->entry.home);
	if (who->account.name == NULL || who->account.home == NULL) {
		printf("                       out of memory\n");
		return ANSWER_BROKEN;
	}
	return ANSWER_HERE;
}

/* Where Linux-PAM looks for it. */
static bool
has_pam_service(const char *service)
{
	static const char *const directories[] = {"/etc/pam.d", "/usr/lib/pam.d"};
	char path[OPTIONS_TEXT_MAX];

	for (size_t i = 0; i < ARRAY_COUNT(directories); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", directories[i], service);
		if (access(path, F_OK) == 0) {
			return true;
		}
	}
	return false;
}

static enum answer
find_local(const struct conf *conf, const char *name, struct explain_who *who)
{
	const struct options_local_users *local = &conf_options(conf)->local_users;
	char where[WHERE_MAX];
	int result;

	if (!local->enabled) {
		conf_where(conf, "local_users.enabled", where, sizeof(where));
		printf("source                 local: local_users.enabled = no (%s)\n",
		       where);
		return ANSWER_NOT_HERE;
	}
	result = account_look_up(name, &who->account);
	if (result == -ENOENT) {
		printf("source                 local: the machine has no such user\n");
		return ANSWER_NOT_HERE;
	}
	if (result != 0) {
		printf(
		    "source                 local: the machine's users cannot be looked up: "
		    "%s\n",
		    strerror(-result));
		return ANSWER_BROKEN;
	}
	who->kind = POLICY_KIND_LOCAL;
	printf("source                 local\n");
	printf("password               PAM decides, by /etc/pam.d/%s\n",
	       local->pam_service);
	if (!has_pam_service(local->pam_service)) {
		printf(
		    "                       there is none, so PAM goes by /etc/pam.d/other, "
		    "which lets nobody in as a rule\n");
	}
	return ANSWER_HERE;
}

/* As deftpd-auth: an earlier source decides about the proper spelling, too. */
static enum answer
ask_earlier(const struct conf *conf, struct explain_who *who)
{
	struct explain_who other = {.kind = POLICY_KIND_COUNT};
	enum answer answer = find_virtual(conf, who->account.name, &other);

	if (answer == ANSWER_NOT_HERE) {
		return ANSWER_HERE;
	}
	explain_who_free(who);
	*who = other;
	return answer;
}

bool
explain_who_find(const struct conf *conf, const char *name, struct explain_who *ret_who)
{
	const struct options *options = conf_options(conf);
	const struct options_name_list *sources = &options->logins.sources;
	bool is_anonymous = strcmp(name, "anonymous") == 0 || strcmp(name, "ftp") == 0;
	enum answer answer = ANSWER_NOT_HERE;

	*ret_who = (struct explain_who){.kind = POLICY_KIND_COUNT};
	if (is_anonymous && options->anonymous.enabled) {
		return find_anonymous(conf, ret_who) == ANSWER_HERE;
	}
	if (is_anonymous) {
		printf("source                 anonymous.enabled = no\n");
	}
	for (uint32_t i = 0; i < sources->count && answer == ANSWER_NOT_HERE; i++) {
		answer = strcmp(sources->entry[i], "virtual") == 0
		             ? find_virtual(conf, name, ret_who)
		             : find_local(conf, name, ret_who);
		if (answer == ANSWER_HERE && i > 0 &&
		    ret_who->kind == POLICY_KIND_LOCAL &&
		    strcmp(ret_who->account.name, name) != 0) {
			answer = ask_earlier(conf, ret_who);
		}
	}
	if (answer == ANSWER_NOT_HERE) {
		printf("unknown: no source has a user %s\n", name);
	}
	return answer == ANSWER_HERE;
}

void
explain_who_free(struct explain_who *who)
{
	account_free(&who->account);
	explicit_bzero(who->entry.hash, sizeof(who->entry.hash));
}
