/*
 * listing_open: the beginning of a listing: what is to be listed, its buffers, its pipe,
 * its first lines.
 * Runs in: deftpd-agent, as the user, confined.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/fd.h"
#include "ftpd/agent/listing_job.h"
#include "common/base.h"

/* Options that need all names before the first can be listed. */
enum {
	ORDER_OPTIONS = AGENT_LIST_BY_TIME | AGENT_LIST_BY_SIZE | AGENT_LIST_REVERSE,
};

static size_t
take_room(size_t *at, size_t bytes)
{
	size_t start = *at;

	*at += (bytes + 15) & ~(size_t)15;
	return start;
}

/*
 * Map a listing with the buffers that these options need.
 * Returns: the listing, without descriptors, or NULL.
 */
static struct listing *
make_listing(enum agent_format format, unsigned options)
{
	bool is_sorting = format != AGENT_FORMAT_FACTS;
	bool is_recursive = (options & AGENT_LIST_RECURSIVE) != 0;
	size_t items_bytes = is_sorting ? SORT_MAX * sizeof(struct sort_item) : 0;
	size_t nodes_bytes = (WALK_MAX_ENTRIES + 1) * sizeof(struct walk_node);
	size_t dents_bytes =
	    (options & ORDER_OPTIONS) != 0 ? LISTING_LONG_DENTS : DENTS_CHUNK;
	size_t bytes = 0;
	size_t listing_at = take_room(&bytes, sizeof(struct listing));
	size_t out_at = take_room(&bytes, LISTING_OUT_BYTES);
	size_t dents_at = take_room(&bytes, dents_bytes);
	size_t items_at = take_room(&bytes, items_bytes);
	size_t spare_at = take_room(&bytes, items_bytes);
	size_t nodes_at = take_room(&bytes, is_recursive ? nodes_bytes : 0);
	size_t names_at = take_room(&bytes, is_recursive ? WALK_NAME_BYTES : 0);
	char *room =
	    mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct listing *listing;

	if (room == MAP_FAILED) {
		return NULL;
	}
	listing = (void *)(room + listing_at);
	*listing = (struct listing){
	    .mapping_bytes = bytes,
	    .format = format,
	    .options = options,
	    .is_sorting = is_sorting,
	    .pipe_fd = -1,
	    .top_fd = -1,
	    .dir_fd = -1,
	    .entries_left = is_recursive ? WALK_MAX_ENTRIES : SIZE_MAX,
	    .dents = {.bytes = room + dents_at, .cap = dents_bytes},
	    .items = (void *)(room + items_at),
	    .spare = (void *)(room + spare_at),
	    .walk = {.nodes = (void *)(room + nodes_at), .names = room + names_at},
	    .out = room + out_at,
	};
	return listing;
}

/* MLSD has no options; NLST with -l is LIST. */
static struct listing *
make_listing_for(const struct agent_question *question)
{
	enum agent_format format = question->format;
	unsigned options = format == AGENT_FORMAT_FACTS ? 0 : question->options;
	struct listing *listing;

	if (format == AGENT_FORMAT_NAMES && (options & AGENT_LIST_LONG) != 0) {
		format = AGENT_FORMAT_LONG;
	}
	listing = make_listing(format, options);
	if (listing == NULL) {
		return NULL;
	}
	listing->facts = question->facts;
	listing->now_s = clock_wall_s();
	listing->pattern_len = question->pattern_len;
	memcpy(listing->pattern, question->pattern, question->pattern_len);
	listing->prefix_len = question->prefix_len;
	memcpy(listing->prefix, question->prefix, question->prefix_len);
	return listing;
}

/* List the one thing at the path. */
static enum ipc_result
open_single(struct listing *listing, const struct place *place)
{
	struct listing_entry entry = {.target = ""};
	struct stat info;
	int fd;

	if (listing->format == AGENT_FORMAT_FACTS || listing->pattern_len != 0) {
		return IPC_NOT_A_DIRECTORY;
	}
	fd = place_open(place, O_PATH, 0);
	if (fd < 0) {
		return ipc_result_from_errno(fd);
	}
	if (fstat(fd, &info) != 0) {
		fd_close(&fd);
		return IPC_LOCAL_ERROR;
	}
	fd_close(&fd);
	entry.info = &info;
	entry.type = (uint8_t)IFTODT(info.st_mode);
	entry.name = strrchr(place->path, '/') + 1; /* the path is absolute */
	entry.name_len = strlen(entry.name);
	if (listing->prefix_len != 0) {
		entry.name = listing->prefix;
		entry.name_len = listing->prefix_len;
		while (entry.name_len > 1 && entry.name[entry.name_len - 1] == '/') {
			entry.name_len--;
		}
		listing->prefix_len = 0;
	}
	if (entry.name_len == 0) {
		entry.name = "."; /* the root, which has no name */
		entry.name_len = 1;
	}
	listing_put_entry(listing, &entry);
	listing->phase = PHASE_END;
	return IPC_OK;
}

/*
 * Look at the directory above, as the client sees it: by its path, never by "..", which
 * could be elsewhere by now.
 * Returns: true and *ret_info; false at the root or when it cannot be looked at.
 */
static bool
stat_parent(const struct resolver *resolver, const char *path, struct stat *ret_info)
{
	char parent[IPC_PATH_MAX + 1];
	size_t len = (size_t)(strrchr(path, '/') - path) + 1; /* the path is absolute */
	bool is_found;
	int fd;

	if (path[len] == '\0') {
		return false;
	}
	memcpy(parent, path, len);
	parent[len] = '\0';
	fd = resolve_open(resolver, parent, O_PATH | O_DIRECTORY);
	if (fd < 0) {
		return false;
	}
	is_found = fstat(fd, ret_info) == 0;
	fd_close(&fd);
	return is_found;
}

static enum ipc_result
open_directory(struct listing *listing, const char *path)
{
	bool has_self =
	    listing->format == AGENT_FORMAT_FACTS ||
	    (listing->format == AGENT_FORMAT_LONG && listing->pattern_len == 0 &&
	     (listing->options & AGENT_LIST_HIDDEN) != 0);
	struct stat self;
	struct stat parent;

	listing->dir_fd = listing->top_fd;
	listing->phase = PHASE_READ;
	if (!listing_enter(listing)) {
		return IPC_DENIED;
	}
	if ((listing->options & AGENT_LIST_RECURSIVE) != 0) {
		walk_begin(&listing->walk);
		listing_put_heading(listing);
	}
	if (!has_self) {
		return IPC_OK;
	}
	if (fstat(listing->top_fd, &self) != 0) {
		return ipc_result_from_errno(-errno);
	}
	if (stat_parent(listing->book->resolver, path, &parent)) {
		listing_put_self(listing, &self, &parent);
	} else {
		/*
		 * The root is its own parent, as for ls; MLSD says that it has none (RFC
		 * 3659 7.5.1).
		 */
		listing_put_self(listing, &self,
		                 listing->format == AGENT_FORMAT_LONG ? &self : NULL);
	}
	return IPC_OK;
}

static enum ipc_result
open_path(struct listing *listing, const struct place *place)
{
	int fd = -ENOTDIR;

	if ((listing->options & AGENT_LIST_DIRECTORY) == 0 || listing->pattern_len != 0) {
		fd = place_open(place, O_RDONLY | O_DIRECTORY | O_NONBLOCK, 0);
	}
	if (fd == -ENOTDIR) {
		return open_single(listing, place);
	}
	if (fd < 0) {
		return ipc_result_from_errno(fd);
	}
	listing->top_fd = fd;
	return open_directory(listing, place->path);
}

enum ipc_result
listing_open(struct rulebook *book, const struct viewer *viewer,
             const struct agent_question *question, const struct place *place,
             struct listing **ret_listing, int *ret_read_fd)
{
	struct listing *listing = make_listing_for(question);
	enum ipc_result result;
	int pipe_fds[2];

	if (listing == NULL) {
		return IPC_LOCAL_ERROR;
	}
	listing->book = book;
	listing->rights = place->rights;
	listing->viewer = viewer;
	result = open_path(listing, place);
	if (result == IPC_OK && pipe2(pipe_fds, O_CLOEXEC | O_NONBLOCK) != 0) {
		result = IPC_LOCAL_ERROR;
	}
	if (result != IPC_OK) {
		listing_close(listing);
		return result;
	}
	listing->pipe_fd = pipe_fds[1];
	*ret_read_fd = pipe_fds[0];
	*ret_listing = listing;
	return IPC_OK;
}
