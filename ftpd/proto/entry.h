/*
 * entry: one directory entry as a line of LIST, NLST or MLSD, or as the facts of MLST.
 * Runs in: deftpd-agent (listings), deftpd-worker (MLST). Names: hostile.
 * Source: RFC 3659 7; RFC 959 4.1.3; SECURITY.md P10, P22, P23.
 * Not here: reading directories, sorting, names of users.
 *
 * One line per entry, always. A name with CR, LF or NUL cannot be said in FTP: MLSD and
 * NLST, which programs read, leave such an entry out, because another name in its place
 * would make a client touch the wrong file; LIST shows '?' for each such byte. All other
 * bytes are sent as they are. Names never begin or end a fact: they come after the space
 * that ends the facts (RFC 3659 7.2). The data connection is no Telnet connection: byte
 * 255 stays single.
 */
#ifndef FTPD_PROTO_ENTRY_H
#define FTPD_PROTO_ENTRY_H

#include "common/base.h"

enum {
	/*
	 * The longest line there is: a prefix and name or path of 4,095 bytes each, a
	 * link target of 4,095, numbers, CRLF.
	 */
	ENTRY_LINE_MAX = 3 * 4096 + 256,
	ENTRY_FACTS_MAX = 256, /* facts without a name */
};

enum entry_type {
	ENTRY_FILE,
	ENTRY_DIR,
	ENTRY_CDIR, /* MLSD: the listed directory itself; LIST shows a directory */
	ENTRY_PDIR, /* MLSD: its parent */
	ENTRY_SYMLINK,
	ENTRY_OTHER, /* device, FIFO, socket */
};

/* Bits of entry.rights: what the session may do, for the fact "perm". */
enum entry_right {
	ENTRY_MAY_READ = 1,   /* read the file, list the directory: r, l */
	ENTRY_MAY_SEARCH = 2, /* change into the directory: e */
	/* write the file: a, w; make and remove entries in the directory: c, m, p */
	ENTRY_MAY_WRITE = 4,
	/* remove and rename the entry itself, a right on its parent: d, f */
	ENTRY_MAY_REMOVE = 8,
};

/* Bits of a fact selection, in the order in which facts are printed. */
enum entry_fact {
	ENTRY_FACT_TYPE = 1,
	ENTRY_FACT_SIZE = 2, /* files only */
	ENTRY_FACT_MODIFY = 4,
	ENTRY_FACT_PERM = 8,
	ENTRY_FACT_UNIQUE = 16,
	ENTRY_FACT_UNIX_MODE = 32,
	ENTRY_FACT_UNIX_OWNER = 64, /* a number */
	ENTRY_FACT_UNIX_GROUP = 128,
	ENTRY_FACTS_ALL = 255,
	/* Owner and group are told only to clients that ask for them. */
	ENTRY_FACTS_DEFAULT = 63,
};

struct entry {
	const char *name; /* not terminated */
	size_t name_len;
	enum entry_type type;
	unsigned rights; /* enum entry_right */
	uint32_t mode;   /* permission bits, 07777 */
	uint32_t link_count;
	uint32_t uid;
	uint32_t gid;
	uint64_t size_bytes;
	int64_t mtime_s;
	uint64_t device;
	uint64_t inode;
	const char *target; /* of a symbolic link, for LIST; NULL for none */
	size_t target_len;
};

/* What LIST lines need besides the entry. */
struct entry_look {
	/*
	 * terminated; names or numbers. A space or control character in them shows as '?'
	 */
	const char *owner;
	const char *group;
	/* times within the last half year show the hour, others the year */
	int64_t now_s;
	/* -F: "/" after directories, "*" after programs, "@" after links */
	bool is_classified;
};

/*
 * Ask whether MLSD and NLST can say a name.
 * Returns: false for an empty name and for names with CR, LF or NUL.
 */
bool entry_name_is_sayable(const char *name, size_t len);

/*
 * Write a line of ls -l, CRLF included:
 *   -rw-r--r--   1 ftp      ftp          1234 Jan 31 23:59 name
 * Times are UTC.
 * Returns: bytes in out; 0 if cap is too small.
 */
size_t entry_format_list(const struct entry *entry, const struct entry_look *look,
                         char *out, size_t cap);

/*
 * Write a line of NLST: prefix and name, CRLF included.
 * In:      prefix: what the client has to put before the name, "dir/"; prefix_len 0 for
 *          none.
 * Returns: bytes in out; 0 if the name or the prefix is not sayable, or cap is too small.
 */
size_t entry_format_name(const struct entry *entry, const char *prefix, size_t prefix_len,
                         char *out, size_t cap);

/*
 * Write a line of MLSD: facts, space, name, CRLF.
 * In:      facts: mask of enum entry_fact.
 * Returns: bytes in out; 0 if the name is not sayable, or cap is too small.
 */
size_t entry_format_facts(const struct entry *entry, unsigned facts, char *out,
                          size_t cap);

/*
 * Write the facts alone, "type=file;size=1;", for MLST, where space and path follow.
 * Returns: bytes in out; 0 if no fact is selected or cap is too small; ENTRY_FACTS_MAX
 *          always suffices.
 */
size_t entry_format_facts_only(const struct entry *entry, unsigned facts, char *out,
                               size_t cap);

/*
 * Write the names of facts, for FEAT ("type*;size*;UNIX.owner;", a star after the
 * selected ones) or OPTS MLST ("type;size;", the selected ones only).
 * Returns: bytes in out; 0 if nothing is to be written or cap is too small;
 *          ENTRY_FACTS_MAX always suffices.
 */
size_t entry_format_fact_names(unsigned facts, bool is_feat, char *out, size_t cap);

/*
 * Look a fact up by name, in any case.
 * Returns: its bit, or 0.
 */
unsigned entry_fact_find(const char *name, size_t len);

#endif
