/*
 * place: what a question is about, found and decided.
 * Runs in: deftpd-agent, as the user, confined.
 */
#include "ftpd/agent/place.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/fd.h"
#include "common/base.h"

/* A path that changes when a link at its end is followed. */
struct search {
	struct rulebook *book;
	const struct agent_question *question;
	enum policy_place kind;
	char text[IPC_PATH_MAX + 1];
};

/*
 * Cut the last component off.
 * Returns: the component; search->text is then its directory, without a slash at the
 *          end.
 */
static const char *
split(struct search *search)
{
	size_t len = strlen(search->text);
	char *slash;

	while (len > 0 && search->text[len - 1] == '/') {
		search->text[--len] = '\0';
	}
	slash = strrchr(search->text, '/');
	if (slash == NULL) {
		return "";
	}
	*slash = '\0';
	return slash + 1;
}

static int
open_directory(const struct search *search)
{
	const char *path = search->text[0] == '\0' ? "/" : search->text;

	return resolve_open(search->book->resolver, path, O_PATH | O_DIRECTORY);
}

/* Ask whether a link under this name is to be followed. */
static bool
follows(const struct search *search, const struct agent_rights *rights)
{
	if (search->kind == POLICY_ENTRY) {
		return false;
	}
	if (search->question->verb != AGENT_OPEN_WRITE) {
		return true;
	}
	/* What is new, or put in the place of what is there, is put there itself. */
	return rights->mode == AGENT_UPLOAD_DIRECT && !policy_only_new(rights) &&
	       search->question->how != AGENT_OPEN_UNIQUE;
}

/*
 * Put the target of the link at the place in its stead.
 * Returns: 1 if the search goes on there, 0 if there is no link, or negative errno.
 */
static int
follow(struct search *search, const struct place *place)
{
	char target[IPC_PATH_MAX + 1];
	ssize_t len = readlinkat(place->dir_fd, place->name, target, sizeof(target));
	size_t at = strlen(search->text);

	if (len < 0) {
		return errno == EINVAL || errno == ENOENT ? 0 : -errno;
	}
	if (!search->book->resolver->has_openat2) {
		return -ELOOP; /* no link is followed */
	}
	if (len == 0 || (size_t)len > IPC_PATH_MAX) {
		return -ENAMETOOLONG;
	}
	if (target[0] == '/') {
		at = 0;
	} else if (at + 1 + (size_t)len > IPC_PATH_MAX) {
		return -ENAMETOOLONG;
	} else {
		search->text[at++] = '/';
	}
	memcpy(search->text + at, target, (size_t)len);
	search->text[at + (size_t)len] = '\0';
	return 1;
}

/* A directory decides about itself. */
static int
enter(struct place *place)
{
	int fd;

	if (place->is_directory) {
		return 0;
	}
	fd = openat(place->dir_fd, place->name,
	            O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0) {
		return 0; /* it is something else, or nothing */
	}
	fd_close(&place->dir_fd);
	place->dir_fd = fd;
	place->is_directory = true;
	place->name[0] = '\0';
	return 1;
}

/*
 * One step: the directory and its rights.
 * Returns: 1 if a link leads on, 0 when the place is found, or negative errno.
 */
static int
step(struct search *search, struct place *place)
{
	char whole[IPC_PATH_MAX + 1];
	const char *name;
	int result;

	memcpy(whole, search->text, strlen(search->text) + 1);
	name = split(search);
	place->is_directory =
	    name[0] == '\0' || strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
	if (strlen(name) > NAME_MAX) {
		return -ENAMETOOLONG;
	}
	memcpy(place->name, name, strlen(name) + 1);
	if (place->is_directory) {
		place->name[0] = '\0';
		memcpy(search->text, whole, strlen(whole) + 1);
	}
	place->dir_fd = open_directory(search);
	if (place->dir_fd < 0) {
		return place->dir_fd;
	}
	result = rulebook_rights(search->book, place->dir_fd, &place->rights);
	if (result != 0 || place->is_directory) {
		return result;
	}
	if (follows(search, place->rights)) {
		result = follow(search, place);
	}
	if (result == 0 && search->kind == POLICY_PATH && enter(place) == 1) {
		result = rulebook_rights(search->book, place->dir_fd, &place->rights);
	}
	return result;
}

static int
search_place(struct search *search, struct place *place)
{
	int result = 1;

	for (unsigned i = 0; result == 1 && i <= PLACE_LINKS_MAX; i++) {
		place_close(place);
		result = step(search, place);
	}
	return result == 1 ? -ELOOP : result;
}

/*
 * Ask whether the rights are the same everywhere and the path can be resolved by the one
 * call that opens it.
 */
static bool
is_simple(const struct rulebook *book, const struct agent_question *question)
{
	const struct agent_rights *rights = &book->base;

	if (book->rule_count != 0) {
		return false;
	}
	if (question->verb == AGENT_OPEN_WRITE) {
		return rights->mode == AGENT_UPLOAD_DIRECT && !policy_only_new(rights) &&
		       rights->keeps_partial && rights->max_file_bytes == 0 &&
		       rights->min_free_bytes == 0 && question->how != AGENT_OPEN_UNIQUE;
	}
	return policy_place_of(question->verb) == POLICY_PATH;
}

static enum ipc_result
find(struct search *search, const char *path, bool is_second, struct place *ret_place)
{
	struct place place = {.resolver = search->book->resolver,
	                      .path = path,
	                      .dir_fd = -1,
	                      .rights = &search->book->base};
	bool is_simple_path =
	    search->kind != POLICY_ENTRY && is_simple(search->book, search->question);
	enum ipc_result result;
	int error = 0;

	if (search->kind != POLICY_NO_PLACE && !is_simple_path) {
		memcpy(search->text, path, strlen(path) + 1);
		error = search_place(search, &place);
	}
	result = error != 0 ? ipc_result_from_errno(error)
	                    : policy_decide(place.rights, search->question, is_second);
	if (result != IPC_OK) {
		place_close(&place);
		return result;
	}
	if (place.rights->may_write) {
		rulebook_set_umask(search->book, place.rights);
	}
	*ret_place = place;
	return IPC_OK;
}

enum ipc_result
place_find(struct rulebook *book, const struct agent_question *question, const char *path,
           bool is_second, struct place *ret_place)
{
	struct search search = {
	    .book = book, .question = question, .kind = policy_place_of(question->verb)};

	return find(&search, path, is_second, ret_place);
}

enum ipc_result
place_find_entry(struct rulebook *book, const struct agent_question *question,
                 const char *path, struct place *ret_place)
{
	struct search search = {.book = book, .question = question, .kind = POLICY_ENTRY};

	return find(&search, path, false, ret_place);
}

int
place_open(const struct place *place, int flags, mode_t mode)
{
	int fd;

	if (place->dir_fd < 0) {
		return resolve_create(place->resolver, place->path, flags, mode);
	}
	if (place->is_directory && (flags & O_CREAT) != 0) {
		return -EISDIR;
	}
	fd = openat(place->dir_fd, place->is_directory ? "." : place->name,
	            flags | O_NOFOLLOW | O_CLOEXEC, mode);
	return fd >= 0 ? fd : -errno;
}

void
place_close(struct place *place)
{
	fd_close(&place->dir_fd);
}
