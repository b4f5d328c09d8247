/*
 * listing: one listing on its way into a pipe, in constant memory and in turns, so that
 * many share an agent.
 * Runs in: deftpd-agent, as the user, confined.
 */
#include "ftpd/agent/listing.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/fd.h"
#include "ftpd/agent/listing_job.h"
#include "ftpd/proto/wildcard.h"
#include "common/base.h"

int
listing_pipe(const struct listing *listing)
{
	return listing->pipe_fd;
}

void
listing_close(struct listing *listing)
{
	if (listing->dir_fd != listing->top_fd) {
		fd_close(&listing->dir_fd);
	}
	fd_close(&listing->top_fd);
	fd_close(&listing->pipe_fd);
	/* it was mapped with this length */
	(void)munmap(listing, listing->mapping_bytes);
}

/* Ask whether this name is one of those to be listed. */
static bool
is_wanted(const struct listing *listing, const struct dents_name *name)
{
	bool has_pattern = listing->pattern_len != 0 && listing->walk_path_len == 0;

	if (dents_is_dots(name)) {
		return false;
	}
	if (name->text[0] == '.' && listing->format != AGENT_FORMAT_FACTS &&
	    (listing->options & AGENT_LIST_HIDDEN) == 0 &&
	    !(has_pattern && listing->pattern[0] == '.')) {
		return false;
	}
	return !has_pattern || wildcard_match(listing->pattern, listing->pattern_len,
	                                      name->text, name->len);
}

/*
 * Append the line for one name. It is passed over when it is gone meanwhile, or cannot be
 * looked at.
 */
static void
list_name(struct listing *listing, const struct dents_name *name)
{
	struct listing_entry entry = {
	    .name = name->text, .name_len = name->len, .type = name->type};
	char target[IPC_PATH_MAX];
	struct stat info;

	if (!listing_needs_no_stat(listing, name->type)) {
		if (fstatat(listing->dir_fd, name->text, &info, AT_SYMLINK_NOFOLLOW) !=
		    0) {
			return;
		}
		entry.info = &info;
		entry.type = (uint8_t)IFTODT(info.st_mode);
	}
	if (entry.type == DT_LNK && listing->format != AGENT_FORMAT_NAMES) {
		ssize_t len =
		    readlinkat(listing->dir_fd, name->text, target, sizeof(target));

		entry.target = target;
		entry.target_len = len > 0 ? (size_t)len : 0;
	}
	listing_put_entry(listing, &entry);
	if ((listing->options & AGENT_LIST_RECURSIVE) != 0) {
		listing->entries_left--;
		if (entry.type == DT_DIR) {
			walk_add(&listing->walk, name->text, name->len);
		}
	}
}

/* Go on to the next directory of a recursive listing that can be opened, else end. */
static void
next_directory(struct listing *listing)
{
	if (listing->dir_fd != listing->top_fd) {
		fd_close(&listing->dir_fd);
	}
	listing->dir_fd = listing->top_fd;
	if ((listing->options & AGENT_LIST_RECURSIVE) == 0 ||
	    listing->entries_left == 0 || !walk_next(&listing->walk)) {
		listing->phase = PHASE_END;
		return;
	}
	listing->walk_path_len = walk_path(&listing->walk, listing->walk_path);
	listing->dents.is_at_end = true; /* of a directory that cannot be opened */
	dents_clear(&listing->dents);
	listing->phase = PHASE_STREAM;
	listing->dir_fd =
	    resolve_below(listing->book->resolver, listing->top_fd, listing->walk_path,
	                  O_RDONLY | O_DIRECTORY | O_NONBLOCK);
	if (listing->dir_fd < 0) {
		listing->dir_fd = listing->top_fd;
		return;
	}
	if (!listing_enter(listing)) {
		return; /* a drop box: named above, and that is all */
	}
	listing_put_heading(listing);
	listing->dents.is_at_end = false;
	listing->phase = PHASE_READ;
}

/* Read names until it is known whether they can be sorted. */
static void
read_names(struct listing *listing)
{
	if (dents_read(&listing->dents, listing->dir_fd) && listing->is_sorting &&
	    listing->dents.count <= SORT_MAX) {
		return;
	}
	listing->item_count = 0;
	listing->item_at = 0;
	listing->phase = listing->is_sorting && listing->dents.is_at_end &&
	                         listing->dents.count <= SORT_MAX
	                     ? PHASE_KEYS
	                     : PHASE_STREAM;
}

/*
 * Find the place of the next name.
 * Returns: false when all have theirs, and the names are in order.
 */
static bool
find_key(struct listing *listing)
{
	struct sort_item item = {.at = (uint32_t)listing->dents.at};
	struct dents_name name;
	struct stat info;

	if (listing->dents.at == listing->dents.len) {
		sort_items(&listing->dents, listing->items, listing->spare,
		           listing->item_count);
		return false;
	}
	listing->dents.at = dents_name_at(&listing->dents, listing->dents.at, &name);
	if (!is_wanted(listing, &name)) {
		return true;
	}
	if ((listing->options & (AGENT_LIST_BY_TIME | AGENT_LIST_BY_SIZE)) == 0) {
		item.key = sort_key_name(name.text);
	} else if (fstatat(listing->dir_fd, name.text, &info, AT_SYMLINK_NOFOLLOW) == 0) {
		item.key = sort_key_descending(
		    (listing->options & AGENT_LIST_BY_TIME) != 0 ? info.st_mtim.tv_sec
								 : info.st_size);
	} else {
		return true; /* gone */
	}
	listing->items[listing->item_count++] = item;
	return true;
}

static void
list_next_sorted(struct listing *listing)
{
	struct dents_name name;
	size_t at = listing->item_at++;

	if (at == listing->item_count) {
		next_directory(listing);
		return;
	}
	if ((listing->options & AGENT_LIST_REVERSE) != 0) {
		at = listing->item_count - 1 - at;
	}
	(void)dents_name_at(&listing->dents, listing->items[at].at, &name);
	list_name(listing, &name);
}

static void
list_next_unsorted(struct listing *listing)
{
	struct dents *dents = &listing->dents;
	struct dents_name name;

	if (dents->at == dents->len) {
		dents_clear(dents);
		if (!dents->is_at_end) {
			/* at most one chunk at a time */
			(void)dents_read(dents, listing->dir_fd);
		}
		if (dents->len == 0) {
			next_directory(listing);
		}
		return;
	}
	dents->at = dents_name_at(dents, dents->at, &name);
	if (is_wanted(listing, &name)) {
		list_name(listing, &name);
	}
}

static void
step(struct listing *listing)
{
	switch (listing->phase) {
	case PHASE_READ: read_names(listing); break;
	case PHASE_KEYS:
		if (!find_key(listing)) {
			listing->phase = PHASE_SORTED;
		}
		break;
	case PHASE_SORTED: list_next_sorted(listing); break;
	case PHASE_STREAM: list_next_unsorted(listing); break;
	case PHASE_END: break;
	}
	if (listing->entries_left == 0) {
		listing->phase = PHASE_END;
	}
}

/*
 * Write what is in the buffer.
 * Returns: 0 when all is written, -EAGAIN when the pipe is full, else negative errno:
 *          nobody reads.
 */
static int
flush(struct listing *listing)
{
	while (listing->out_at < listing->out_len) {
		ssize_t written = write(listing->pipe_fd, listing->out + listing->out_at,
		                        listing->out_len - listing->out_at);

		if (written >= 0) {
			listing->out_at += (size_t)written;
			continue;
		}
		if (errno != EAGAIN) {
			return -errno;
		}
		if (listing->is_pipe_wide) {
			return -EAGAIN;
		}
		/*
		 * A long listing: fewer changes between the two processes. As it is will
		 * do where that is refused.
		 */
		listing->is_pipe_wide = true;
		(void)fcntl(listing->pipe_fd, F_SETPIPE_SZ, LISTING_PIPE_BYTES);
	}
	listing->out_at = 0;
	listing->out_len = 0;
	return 0;
}

enum listing_progress
listing_turn(struct listing *listing)
{
	int result = flush(listing);

	if (result == 0) {
		for (unsigned i = 0;
		     i < LISTING_TURN_STEPS && listing->phase != PHASE_END &&
		     listing->out_len < LISTING_PIECE;
		     i++) {
			step(listing);
		}
		result = flush(listing);
	}
	if (result == -EAGAIN || (result == 0 && listing->phase != PHASE_END)) {
		return LISTING_GOES_ON;
	}
	return LISTING_ENDED;
}
