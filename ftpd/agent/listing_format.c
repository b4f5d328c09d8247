/*
 * listing_format: from what the kernel tells about a name to a line in the listing's
 * buffer.
 * Runs in: deftpd-agent, as the user, confined.
 * Not here: the lines themselves; see ftpd/proto/entry.h.
 *
 * LIST shows "ftp" as everybody's owner and group: anonymous clients have no use for the
 * accounts of the host. The facts UNIX.owner and UNIX.group are numbers, told to who asks
 * for them. Permission facts come from permission bits, and from the rights of the
 * directories.
 */
#include <dirent.h>
#include <string.h>

#include "ftpd/agent/listing_job.h"
#include "ftpd/proto/entry.h"
#include "common/base.h"

_Static_assert((int)LISTING_LINE_MAX >= (int)ENTRY_LINE_MAX,
               "a line must fit behind a full piece");
_Static_assert((int)LISTING_LINE_MAX >= (int)IPC_PATH_MAX + (int)WALK_PATH_MAX + 8,
               "and so must a heading");

bool
listing_needs_no_stat(const struct listing *listing, uint8_t type)
{
	return listing->format == AGENT_FORMAT_NAMES &&
	       (type != DT_UNKNOWN || (listing->options & AGENT_LIST_RECURSIVE) == 0);
}

static enum entry_type
type_of(uint8_t type)
{
	return type == DT_REG   ? ENTRY_FILE
	       : type == DT_DIR ? ENTRY_DIR
	       : type == DT_LNK ? ENTRY_SYMLINK
	                        : ENTRY_OTHER;
}

bool
listing_enter(struct listing *listing)
{
	struct stat info;

	if (rulebook_rights(listing->book, listing->dir_fd, &listing->rights) != 0 ||
	    listing->rights->is_dropbox) {
		return false;
	}
	listing->is_dir_writable = false;
	if (policy_may_change(listing->rights) && fstat(listing->dir_fd, &info) == 0) {
		listing->is_dir_writable =
		    (viewer_rights(listing->viewer, &info) & 3) == 3;
		listing->is_dir_sticky =
		    (info.st_mode & S_ISVTX) != 0 && info.st_uid != listing->viewer->uid;
	}
	return true;
}

/* A directory with rules of its own has its own rights, and stays where it is. */
static unsigned
changes_of(const struct listing *listing, const struct stat *info, unsigned bits)
{
	const struct agent_rights *own = rulebook_rule_of(listing->book, info);
	bool is_writable = S_ISDIR(info->st_mode) ? (bits & 3) == 3 : (bits & 2) != 0;
	unsigned rights = 0;

	if (is_writable && policy_may_change(own != NULL ? own : listing->rights)) {
		rights |= ENTRY_MAY_WRITE;
	}
	if (own == NULL && listing->is_dir_writable &&
	    (!listing->is_dir_sticky || info->st_uid == listing->viewer->uid)) {
		rights |= ENTRY_MAY_REMOVE;
	}
	return rights;
}

static unsigned
rights_of(const struct listing *listing, const struct stat *info)
{
	unsigned bits = viewer_rights(listing->viewer, info);
	unsigned rights = (bits & 4) != 0 ? ENTRY_MAY_READ : 0;

	if (S_ISDIR(info->st_mode) && (bits & 1) != 0) {
		rights |= ENTRY_MAY_SEARCH;
	}
	return rights | changes_of(listing, info, bits);
}

static void
describe(const struct listing *listing, const struct stat *info, struct entry *entry)
{
	entry->rights = rights_of(listing, info);
	entry->mode = info->st_mode & 07777;
	entry->link_count = (uint32_t)info->st_nlink;
	entry->uid = info->st_uid;
	entry->gid = info->st_gid;
	entry->size_bytes = (uint64_t)info->st_size;
	entry->mtime_s = info->st_mtim.tv_sec;
	entry->device = info->st_dev;
	entry->inode = info->st_ino;
}

/* A name that cannot be said gives a line of no bytes. */
static void
put_line(struct listing *listing, const struct entry *entry)
{
	struct entry_look look = {
	    .owner = "ftp",
	    .group = "ftp",
	    .now_s = listing->now_s,
	    .is_classified = (listing->options & AGENT_LIST_CLASSIFY) != 0,
	};
	char *out = listing->out + listing->out_len;
	size_t room = LISTING_OUT_BYTES - listing->out_len;
	size_t len = 0;

	switch (listing->format) {
	case AGENT_FORMAT_LONG: len = entry_format_list(entry, &look, out, room); break;
	case AGENT_FORMAT_NAMES:
		len = entry_format_name(entry, listing->prefix, listing->prefix_len, out,
		                        room);
		break;
	case AGENT_FORMAT_FACTS:
		len = entry_format_facts(entry, listing->facts, out, room);
		break;
	case AGENT_FORMAT_COUNT: break; /* the message would not have been decoded */
	}
	listing->out_len += len;
}

void
listing_put_entry(struct listing *listing, const struct listing_entry *found)
{
	char path[WALK_PATH_MAX + NAME_MAX + 1];
	struct entry entry = {
	    .name = found->name,
	    .name_len = found->name_len,
	    .type = type_of(found->type),
	    .target = found->target,
	    .target_len = found->target_len,
	};

	if (found->info != NULL) {
		describe(listing, found->info, &entry);
	}
	if (listing->format == AGENT_FORMAT_NAMES && listing->walk_path_len != 0) {
		memcpy(path, listing->walk_path, listing->walk_path_len);
		path[listing->walk_path_len] = '/';
		memcpy(path + listing->walk_path_len + 1, found->name, found->name_len);
		entry.name = path;
		entry.name_len += listing->walk_path_len + 1;
	}
	put_line(listing, &entry);
}

void
listing_put_self(struct listing *listing, const struct stat *self,
                 const struct stat *parent)
{
	bool is_facts = listing->format == AGENT_FORMAT_FACTS;
	struct entry entry = {.name = "..", .name_len = 1};

	entry.type = is_facts ? ENTRY_CDIR : ENTRY_DIR;
	describe(listing, self, &entry);
	entry.rights &= ~(unsigned)ENTRY_MAY_REMOVE; /* its own directory's business */
	put_line(listing, &entry);
	if (parent == NULL) {
		return;
	}
	entry.type = is_facts ? ENTRY_PDIR : ENTRY_DIR;
	entry.name_len = 2;
	describe(listing, parent, &entry);
	entry.rights &= ENTRY_MAY_READ | ENTRY_MAY_SEARCH;
	put_line(listing, &entry);
}

static void
put_bytes(struct listing *listing, const char *bytes, size_t len)
{
	memcpy(listing->out + listing->out_len, bytes, len);
	listing->out_len += len;
}

/* The path as the client sees it: below what was asked for, or below ".". */
void
listing_put_heading(struct listing *listing)
{
	size_t prefix_len = listing->prefix_len;
	size_t start;

	if (listing->format != AGENT_FORMAT_LONG) {
		return;
	}
	if (listing->walk_path_len != 0) {
		put_bytes(listing, "\r\n", 2);
	}
	start = listing->out_len;
	while (prefix_len > 0 && listing->prefix[prefix_len - 1] == '/') {
		prefix_len--;
	}
	if (listing->prefix_len == 0) {
		put_bytes(listing, ".", 1);
	} else {
		put_bytes(listing, listing->prefix, prefix_len);
	}
	if (listing->walk_path_len != 0) {
		put_bytes(listing, "/", 1);
		put_bytes(listing, listing->walk_path, listing->walk_path_len);
	} else if (listing->prefix_len != 0 && prefix_len == 0) {
		put_bytes(listing, "/", 1);
	}
	/* One line, whatever the names are. */
	for (size_t i = start; i < listing->out_len; i++) {
		if (listing->out[i] == '\r' || listing->out[i] == '\n') {
			listing->out[i] = '?';
		}
	}
	put_bytes(listing, ":\r\n", 3);
}
