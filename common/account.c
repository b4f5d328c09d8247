/*
 * account: who a user of the machine is: passwd entry and groups, as plain data.
 * Runs in: deftpd-auth, master. Never in a worker or an agent: it loads NSS modules.
 */
#include "common/account.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base.h"

enum {
	/*
	 * An entry's texts. A group of many members is long, and one longer than the cap
	 * is an error and not a reason to take the machine's memory.
	 */
	ENTRY_MIN = 1024,
	ENTRY_MAX = 16 * 1024 * 1024,
	GROUPS_MIN = 64,
	LIST_LINE_MAX = 1024,
};

/* NSS modules say both when they know no such name. */
static bool
is_nobody(int error)
{
	return error == 0 || error == ENOENT || error == ESRCH;
}

static int
take_entry(const struct passwd *entry, struct account *account)
{
	account->name = strdup(entry->pw_name);
	account->home = strdup(entry->pw_dir != NULL ? entry->pw_dir : "");
	account->shell = strdup(entry->pw_shell != NULL ? entry->pw_shell : "");
	account->uid = entry->pw_uid;
	account->gid = entry->pw_gid;
	return account->name == NULL || account->home == NULL || account->shell == NULL
	           ? -ENOMEM
	           : 0;
}

static int
look_up_entry(const char *name, struct account *account)
{
	for (size_t cap = ENTRY_MIN; cap <= ENTRY_MAX; cap *= 4) {
		struct passwd entry;
		struct passwd *found = NULL;
		char *texts = malloc(cap);
		int error;

		if (texts == NULL) {
			return -ENOMEM;
		}
		error = getpwnam_r(name, &entry, texts, cap, &found);
		if (found != NULL) {
			error = -take_entry(found, account);
		} else if (is_nobody(error)) {
			error = ENOENT;
		}
		/* Without shadow passwords the entry has a hash in it. */
		explicit_bzero(texts, cap);
		free(texts);
		if (error != ERANGE) {
			return -error;
		}
	}
	return -ERANGE;
}

int
account_look_up(const char *name, struct account *ret_account)
{
	struct account account = {0};
	int error = name[0] != '\0' ? look_up_entry(name, &account) : -ENOENT;

	if (error == 0) {
		error = account_look_up_groups(&account);
	}
	if (error < 0) {
		account_free(&account);
		return error;
	}
	*ret_account = account;
	return 0;
}

static int
look_up_group_ids(struct account *account)
{
	int cap = GROUPS_MIN;

	for (;;) {
		int count = cap;
		gid_t *groups = calloc((size_t)cap, sizeof(*groups));

		if (groups == NULL) {
			return -ENOMEM;
		}
		if (getgrouplist(account->name, account->gid, groups, &count) >= 0) {
			account->groups = groups;
			account->group_count = (size_t)count;
			return 0;
		}
		free(groups);
		/* Without an entry more asked for, it failed in another way. */
		if (count <= cap || count > ACCOUNT_GROUPS_MAX) {
			return count <= cap ? -EIO : -E2BIG;
		}
		cap = count;
	}
}

/* ret_name is NULL where the system knows no name for the group. */
static int
look_up_group_name(gid_t gid, char **ret_name)
{
	for (size_t cap = ENTRY_MIN; cap <= ENTRY_MAX; cap *= 4) {
		struct group entry;
		struct group *found = NULL;
		char *texts = malloc(cap);
		char *name = NULL;
		int error;

		if (texts == NULL) {
			return -ENOMEM;
		}
		error = getgrgid_r(gid, &entry, texts, cap, &found);
		if (found != NULL) {
			name = strdup(found->gr_name);
			error = name != NULL ? 0 : ENOMEM;
		} else if (is_nobody(error)) {
			error = 0;
		}
		free(texts);
		if (error == 0) {
			*ret_name = name;
		}
		if (error != ERANGE) {
			return -error;
		}
	}
	return -ERANGE;
}

int
account_look_up_groups(struct account *account)
{
	int error = look_up_group_ids(account);
	size_t count = account->group_count < ACCOUNT_GROUP_NAMES_MAX
	                   ? account->group_count
	                   : ACCOUNT_GROUP_NAMES_MAX;

	if (error < 0) {
		return error;
	}
	account->group_names = calloc(count > 0 ? count : 1, sizeof(char *));
	if (account->group_names == NULL) {
		return -ENOMEM;
	}
	for (size_t i = 0; i < count; i++) {
		error = look_up_group_name(account->groups[i], &account->group_names[i]);
		if (error < 0) {
			return error;
		}
		account->group_name_count = i + 1;
	}
	return 0;
}

void
account_free(struct account *account)
{
	for (size_t i = 0; i < account->group_name_count; i++) {
		free(account->group_names[i]);
	}
	free(account->group_names);
	free(account->groups);
	free(account->name);
	free(account->home);
	free(account->shell);
	memset(account, 0, sizeof(*account));
}

bool
account_has_valid_shell(const struct account *account)
{
	/* passwd(5): no shell means this one. */
	const char *shell = account->shell[0] != '\0' ? account->shell : "/bin/sh";
	const char *valid;
	bool is_valid = false;

	setusershell();
	while (!is_valid && (valid = getusershell()) != NULL) {
		is_valid = strcmp(valid, shell) == 0;
	}
	endusershell();
	return is_valid;
}

/* The name in a line: without blanks around it, and without a comment behind it. */
static size_t
listed_name(const char *line, const char **ret_name)
{
	size_t len;

	line += strspn(line, " \t");
	len = strcspn(line, "#\r\n");
	while (len > 0 && (line[len - 1] == ' ' || line[len - 1] == '\t')) {
		len--;
	}
	*ret_name = line;
	return len;
}

int
account_is_listed(const char *path, const char *name)
{
	size_t name_len = strlen(name);
	char line[LIST_LINE_MAX];
	bool is_beginning = true;
	int result = 0;
	FILE *file = fopen(path, "re");

	if (file == NULL) {
		return errno == ENOENT ? 0 : -errno;
	}
	errno = 0;
	while (result == 0 && fgets(line, sizeof(line), file) != NULL) {
		const char *listed;
		size_t len = listed_name(line, &listed);

		/*
		 * What follows in a line too long for us is not the beginning of a name.
		 */
		if (is_beginning && len == name_len && memcmp(listed, name, len) == 0 &&
		    len > 0) {
			result = 1;
		}
		is_beginning = strchr(line, '\n') != NULL;
	}
	if (ferror(file)) {
		result = errno != 0 ? -errno : -EIO;
	}
	(void)fclose(file); /* opened for reading */
	return result;
}
