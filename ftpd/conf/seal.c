/*
 * seal: writes the options into a memory file whose content nobody can change.
 * Runs in: master.
 * Source:  memfd_create(2), fcntl(2) F_ADD_SEALS.
 * Not here: reading it; see unseal.c, which has to be free of everything the confined
 * programs do not need.
 */
#include "ftpd/conf/seal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/memory_file.h"
#include "common/wire.h"
#include "ftpd/conf/option.h"
#include "ftpd/conf/policy_table.h"

#include "common/base.h"

/* In: base: of the struct that the row describes a field of. */
static void
encode_row(struct wire_writer *writer, const struct option_row *row, const void *base)
{
	char text[OPTION_VALUE_MAX];
	size_t entries = option_entries_at(row, base);

	wire_put_u16(writer, (uint16_t)entries);
	for (size_t entry = 0; entry < entries; entry++) {
		option_format_at(row, base, entry, text);
		wire_put_bytes(writer, text, strlen(text));
	}
}

static void
encode_override(struct wire_writer *writer, const struct policy_override *override)
{
	wire_put_u8(writer, (uint8_t) override->scope);
	wire_put_bytes(writer, override->title, strlen(override->title));
	wire_put_u32(writer, override->line);
	wire_put_u32(writer, override->keys);
	for (unsigned key = 0; key < POLICY_KEY_COUNT; key++) {
		struct option_row row;

		if ((override->keys & 1U << key) != 0) {
			policy_option((enum policy_key)key, &row);
			encode_row(writer, &row,
			           policy_const_values(override, (enum policy_key)key));
		}
	}
}

int
seal_encode(const struct options *options, const struct overrides *overrides,
            uint8_t *bytes, size_t cap, size_t *ret_len)
{
	size_t section_count = overrides != NULL ? overrides->count : 0;
	struct wire_writer writer;
	const struct option_row *rows;
	size_t count;

	wire_writer_init(&writer, bytes, cap);
	wire_put_u32(&writer, SEAL_MAGIC);
	wire_put_u64(&writer, option_fingerprint());
	rows = option_table(&count);
	for (size_t i = 0; i < count; i++) {
		encode_row(&writer, &rows[i], options);
	}
	wire_put_u16(&writer, (uint16_t)section_count);
	for (size_t i = 0; i < section_count; i++) {
		encode_override(&writer, &overrides->entry[i]);
	}
	if (writer.has_failed) {
		return -EMSGSIZE;
	}
	*ret_len = writer.len;
	return 0;
}

int
conf_seal(const struct options *options, const struct overrides *overrides, int *ret_fd)
{
	uint8_t *bytes = malloc(SEAL_MAX_BYTES);
	size_t len = 0;
	int result;

	if (bytes == NULL) {
		return -ENOMEM;
	}
	result = seal_encode(options, overrides, bytes, SEAL_MAX_BYTES, &len);
	if (result == 0) {
		result = memory_file_make("deftpd.conf", bytes, len, ret_fd);
	}
	free(bytes);
	return result;
}
