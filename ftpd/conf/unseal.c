/*
 * unseal: reads the options that the master has sealed, and proves them.
 * Runs in: worker, recorder, before they confine themselves.
 * Input:   from the master; checked whole nevertheless, as a mix of builds must not go
 *          unnoticed.
 * Source:  fcntl(2) F_GET_SEALS.
 * Not here: libconfuse; the programs that link this must not carry a parser.
 */
#include "ftpd/conf/seal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/wire.h"
#include "ftpd/conf/option.h"

#include "common/base.h"

static bool
decode_row(const struct option_row *row, struct wire_reader *reader,
           struct options *options)
{
	char mistake[OPTION_MISTAKE_MAX];
	char text[OPTION_VALUE_MAX];
	uint16_t entries = wire_get_u16(reader);

	if (reader->has_failed || entries > OPTIONS_LIST_MAX ||
	    (entries != 1 && !option_is_list(row))) {
		return false;
	}
	for (uint16_t i = 0; i < entries; i++) {
		size_t len;
		const char *bytes = wire_get_bytes(reader, sizeof(text) - 1, &len);

		memcpy(text, bytes, len);
		text[len] = '\0';
		if (reader->has_failed || strlen(text) != len ||
		    !option_add(row, text, options, mistake)) {
			return false;
		}
	}
	return true;
}

int
seal_decode(const uint8_t *bytes, size_t len, struct options *ret_options)
{
	struct wire_reader reader;
	const struct option_row *rows;
	size_t count;

	wire_reader_init(&reader, bytes, len);
	if (wire_get_u32(&reader) != SEAL_MAGIC ||
	    wire_get_u64(&reader) != option_fingerprint()) {
		return -EBADMSG;
	}
	memset(ret_options, 0, sizeof(*ret_options));
	rows = option_table(&count);
	for (size_t i = 0; i < count; i++) {
		if (!decode_row(&rows[i], &reader, ret_options)) {
			return -EBADMSG;
		}
	}
	return wire_reader_is_done(&reader) ? 0 : -EBADMSG;
}

static int
read_all(int fd, uint8_t *bytes, size_t len)
{
	size_t pos = 0;

	while (pos < len) {
		ssize_t got = pread(fd, bytes + pos, len - pos, (off_t)pos);

		if (got < 0 && errno == EINTR) {
			continue;
		}
		if (got <= 0) {
			return got < 0 ? -errno : -EBADMSG;
		}
		pos += (size_t)got;
	}
	return 0;
}

/*
 * Without all four seals, whoever else holds the descriptor could change the file while
 * it is read.
 */
static int
check_seals(int fd)
{
	const int wanted = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL;
	int seals = fcntl(fd, F_GET_SEALS);

	if (seals < 0) {
		return errno == EINVAL ? -EBADMSG : -errno;
	}
	return (seals & wanted) == wanted ? 0 : -EBADMSG;
}

int
conf_unseal(int fd, struct options *ret_options)
{
	struct stat status;
	struct options *options;
	uint8_t *bytes;
	int result = check_seals(fd);

	if (result != 0) {
		return result;
	}
	if (fstat(fd, &status) != 0) {
		return -errno;
	}
	if (status.st_size <= 0 || status.st_size > SEAL_MAX_BYTES) {
		return -EBADMSG;
	}
	bytes = malloc((size_t)status.st_size);
	options = malloc(sizeof(*options));
	result = bytes != NULL && options != NULL
	             ? read_all(fd, bytes, (size_t)status.st_size)
	             : -ENOMEM;
	if (result == 0) {
		result = seal_decode(bytes, (size_t)status.st_size, options);
	}
	if (result == 0) {
		*ret_options = *options;
	}
	free(options);
	free(bytes);
	return result;
}
