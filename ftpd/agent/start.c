/*
 * start: reads the start record that this process was given.
 * Runs in: deftpd-agent.
 */
#include "ftpd/agent/start.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/fd.h"
#include "common/base.h"

enum {
	SEALS = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE,
};

/*
 * Returns: the record's bytes and their number, or NULL.
 */
static uint8_t *
read_bytes(int fd, size_t *ret_len)
{
	struct stat info;
	uint8_t *bytes;
	int seals = fcntl(fd, F_GET_SEALS);

	if (seals < 0 || (seals & SEALS) != SEALS || fstat(fd, &info) != 0 ||
	    info.st_size < 1 || info.st_size > AGENT_START_MAX) {
		return NULL;
	}
	bytes = malloc((size_t)info.st_size);
	if (bytes != NULL && pread(fd, bytes, (size_t)info.st_size, 0) != info.st_size) {
		free(bytes);
		return NULL;
	}
	*ret_len = (size_t)info.st_size;
	return bytes;
}

bool
start_read(struct agent_start *ret_start)
{
	int fd = IPC_OPTIONS_FD;
	size_t len = 0;
	uint8_t *bytes = read_bytes(fd, &len);
	char *root;

	fd_close(&fd);
	if (bytes == NULL) {
		return false;
	}
	if (!agent_start_decode(bytes, len, ret_start)) {
		free(bytes);
		return false;
	}
	root = strndup(ret_start->root, ret_start->root_len);
	ret_start->root = root;
	return root != NULL;
}
