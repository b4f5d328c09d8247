/*
 * fs_protection: whether the kernel keeps users of this machine from planting links and
 * FIFOs before others' programs.
 * Runs in: master.
 */
#include "ftpd/master/fs_protection.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include "common/fd.h"
#include "common/text.h"
#include "common/base.h"

static const char *const protections[] = {
    "protected_hardlinks",
    "protected_symlinks",
    "protected_fifos",
    "protected_regular",
};

static bool
is_off(const char *directory, const char *name)
{
	char path[PATH_MAX];
	char value[2] = "";
	ssize_t got;
	int fd;

	(void)snprintf(path, sizeof(path), "%s/%s", directory, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		return false;
	}
	got = read(fd, value, sizeof(value));
	fd_close(&fd);
	return got > 0 && value[0] == '0' && (got == 1 || value[1] == '\n');
}

const char *
fs_protection_describe(const char *directory, char text[FS_PROTECTION_TEXT_MAX])
{
	struct text found;

	text_init(&found, text, FS_PROTECTION_TEXT_MAX);
	for (size_t i = 0; i < ARRAY_COUNT(protections); i++) {
		if (is_off(directory, protections[i])) {
			text_add(&found, "%sfs.%s=0", text[0] != '\0' ? ", " : "",
			         protections[i]);
		}
	}
	if (text[0] != '\0') {
		text_add(&found, ": users of this machine can put links and FIFOs where "
		                 "others write; set each to 1 in /etc/sysctl.d");
	}
	return text;
}
