/*
 * bare_data: what bare sends that is not a file as it is: listings, and TYPE A.
 * Runs in: the benchmark (test). Input: trusted.
 * Source: RFC 3659 7 for the facts; listings as ls -l writes them.
 * Not here: the connection; see bare.c.
 */
#include "tests/bench/bare_data.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/base.h"

enum {
	OUT_BYTES = 128 * 1024,
	/* The longest line of a listing: a name of 255 bytes and the facts before it. */
	ENTRY_BYTES = 512,
	STAMP_BYTES = 32
};

struct out {
	int fd;
	size_t len;
	char bytes[OUT_BYTES];
};

/* The time of many files is the same; to write it once is part of the least work. */
struct stamp {
	time_t seconds;
	char text[STAMP_BYTES];
};

static void
flush(struct out *out)
{
	size_t done = 0;

	while (done < out->len) {
		ssize_t sent =
		    send(out->fd, out->bytes + done, out->len - done, MSG_NOSIGNAL);

		if (sent < 0)
			break;
		done += (size_t)sent;
	}
	out->len = 0;
}

static void
put(struct out *out, const char *text, size_t len)
{
	while (len > 0) {
		size_t part = OUT_BYTES - out->len < len ? OUT_BYTES - out->len : len;

		memcpy(out->bytes + out->len, text, part);
		out->len += part;
		text += part;
		len -= part;
		if (out->len == OUT_BYTES)
			flush(out);
	}
}

void
bare_send_ascii(int data_fd, int file_fd, size_t size_bytes)
{
	struct out out = {.fd = data_fd};
	char *text =
	    mmap(NULL, size_bytes, PROT_READ, MAP_SHARED | MAP_POPULATE, file_fd, 0);
	const char *at = text;
	const char *end;

	if (text == MAP_FAILED)
		return;
	end = text + size_bytes;
	while (at < end) {
		const char *line_end = memchr(at, '\n', (size_t)(end - at));

		if (line_end == NULL) {
			put(&out, at, (size_t)(end - at));
			break;
		}
		put(&out, at, (size_t)(line_end - at));
		put(&out, "\r\n", 2);
		at = line_end + 1;
	}
	flush(&out);
	munmap(text, size_bytes);
}

static const char *
stamp_text(struct stamp *stamp, time_t seconds, bool is_mlsd)
{
	struct tm parts;

	if (stamp->seconds != seconds || stamp->text[0] == '\0') {
		gmtime_r(&seconds, &parts);
		strftime(stamp->text, sizeof(stamp->text),
		         is_mlsd ? "%Y%m%d%H%M%S" : "%b %e %H:%M", &parts);
		stamp->seconds = seconds;
	}
	return stamp->text;
}

static void
put_entry(struct out *out, const struct stat *facts, const char *stamp, const char *name)
{
	bool is_directory = S_ISDIR(facts->st_mode);
	int len;

	if (OUT_BYTES - out->len < ENTRY_BYTES)
		flush(out);
	len = snprintf(out->bytes + out->len, ENTRY_BYTES,
	               "%s   1 ftp      ftp      %12lld %s %s\r\n",
	               is_directory ? "drwxr-xr-x" : "-rw-r--r--",
	               (long long)facts->st_size, stamp, name);
	out->len += (size_t)len;
}

static void
put_facts(struct out *out, const struct stat *facts, const char *stamp, const char *name)
{
	bool is_directory = S_ISDIR(facts->st_mode);
	int len;

	if (OUT_BYTES - out->len < ENTRY_BYTES)
		flush(out);
	len = snprintf(out->bytes + out->len, ENTRY_BYTES,
	               "type=%s;size=%lld;modify=%s;unique=%llxg%llx; %s\r\n",
	               is_directory ? "dir" : "file", (long long)facts->st_size, stamp,
	               (unsigned long long)facts->st_dev,
	               (unsigned long long)facts->st_ino, name);
	out->len += (size_t)len;
}

void
bare_send_list(int data_fd, int root_fd, const char *path, bool is_mlsd)
{
	struct out out = {.fd = data_fd};
	struct stamp stamp = {0};
	DIR *directory =
	    fdopendir(openat(root_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	const struct dirent *entry;
	struct stat facts;

	if (directory == NULL)
		return;
	while ((entry = readdir(directory)) != NULL) {
		const char *when;

		if (entry->d_name[0] == '.' || fstatat(dirfd(directory), entry->d_name,
		                                       &facts, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		when = stamp_text(&stamp, facts.st_mtime, is_mlsd);
		if (is_mlsd)
			put_facts(&out, &facts, when, entry->d_name);
		else
			put_entry(&out, &facts, when, entry->d_name);
	}
	closedir(directory);
	flush(&out);
}
