/*
 * unseal: reads the options and titled sections that the master has sealed, and proves
 * them.
 * Runs in: worker, recorder, authenticator, before they confine themselves.
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
#include "ftpd/conf/policy_table.h"

#include "common/base.h"

static bool
get_text(struct wire_reader *reader, size_t cap, char *ret_text)
{
	size_t len;
	const char *bytes = wire_get_bytes(reader, cap - 1, &len);

	memcpy(ret_text, bytes, len);
	ret_text[len] = '\0';
	return !reader->has_failed && strlen(ret_text) == len;
}

/* In: base: of the struct that the row describes a field of; zeroed. */
static bool
decode_row(const struct option_row *row, struct wire_reader *reader, void *base)
{
	char mistake[OPTION_MISTAKE_MAX];
	char text[OPTION_VALUE_MAX];
	uint16_t entries = wire_get_u16(reader);

	if (reader->has_failed || entries > OPTIONS_LIST_MAX ||
	    (entries != 1 && !option_is_list(row))) {
		return false;
	}
	for (uint16_t i = 0; i < entries; i++) {
		if (!get_text(reader, sizeof(text), text) ||
		    !option_add_at(row, text, base, mistake)) {
			return false;
		}
	}
	return true;
}

static bool
decode_override(struct wire_reader *reader, struct policy_override *override)
{
	char mistake[OPTION_MISTAKE_MAX];
	struct option_row row;

	override->scope = (enum policy_scope)wire_get_enum(reader, POLICY_SCOPE_COUNT);
	if (!get_text(reader, sizeof(override->title), override->title) ||
	    !policy_title_check(override->scope, override->title, mistake)) {
		return false;
	}
	override->line = wire_get_u32(reader);
	override->keys = wire_get_u32(reader);
	if (override->keys >> POLICY_KEY_COUNT != 0 ||
	    !policy_override_prepare(override)) {
		return false;
	}
	for (unsigned key = 0; key < POLICY_KEY_COUNT; key++) {
		if ((override->keys & 1U << key) == 0) {
			continue;
		}
		policy_option((enum policy_key)key, &row);
		if (!policy_key_fits((enum policy_key)key, override->scope) ||
		    !decode_row(&row, reader,
		                policy_values(override, (enum policy_key)key))) {
			return false;
		}
	}
	return !reader->has_failed;
}

static int
decode_overrides(struct wire_reader *reader, struct overrides *ret_overrides)
{
	struct overrides overrides = {.count = wire_get_u16(reader)};

	if (overrides.count > POLICY_OVERRIDES_MAX) {
		return -EBADMSG;
	}
	if (overrides.count > 0) {
		overrides.entry = calloc(overrides.count, sizeof(overrides.entry[0]));
		if (overrides.entry == NULL) {
			return -ENOMEM;
		}
	}
	for (size_t i = 0; i < overrides.count; i++) {
		if (!decode_override(reader, &overrides.entry[i])) {
			overrides_free(&overrides);
			return -EBADMSG;
		}
	}
	*ret_overrides = overrides;
	return 0;
}

int
seal_decode(const uint8_t *bytes, size_t len, struct options *ret_options,
            struct overrides *ret_overrides)
{
	struct overrides overrides;
	int result;

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
	result = decode_overrides(&reader, &overrides);
	if (result == 0 && !wire_reader_is_done(&reader)) {
		overrides_free(&overrides);
		result = -EBADMSG;
	}
	if (result == 0 && ret_overrides != NULL) {
		*ret_overrides = overrides;
	} else if (result == 0) {
		overrides_free(&overrides);
	}
	return result;
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

/* In: ret_options, ret_overrides: NULL where not wanted. */
static int
unseal(int fd, struct options *ret_options, struct overrides *ret_overrides)
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
		result =
		    seal_decode(bytes, (size_t)status.st_size, options, ret_overrides);
	}
	if (result == 0 && ret_options != NULL) {
		*ret_options = *options;
	}
	free(options);
	free(bytes);
	return result;
}

int
conf_unseal(int fd, struct options *ret_options)
{
	return unseal(fd, ret_options, NULL);
}

int
overrides_unseal(int fd, struct overrides *ret_overrides)
{
	return unseal(fd, NULL, ret_overrides);
}
