/*
 * listing_dents: the names of one directory, raw as getdents64 gave them, in one buffer.
 * Runs in: deftpd-agent.
 */
#include "ftpd/agent/listing_dents.h"

#include <dirent.h>
#include <string.h>
#include <unistd.h>

#include "common/base.h"

void
dents_clear(struct dents *dents)
{
	dents->len = 0;
	dents->at = 0;
	dents->count = 0;
}

static size_t
count_records(const struct dents *dents, size_t from)
{
	size_t count = 0;

	while (from < dents->len) {
		struct dents_name name;

		from = dents_name_at(dents, from, &name);
		count++;
	}
	return count;
}

bool
dents_read(struct dents *dents, int dir_fd)
{
	size_t room = dents->cap - dents->len;
	ssize_t got = getdents64(dir_fd, dents->bytes + dents->len,
	                         room < DENTS_CHUNK ? room : DENTS_CHUNK);

	if (got <= 0) {
		dents->is_at_end = true;
		return false;
	}
	dents->len += (size_t)got;
	dents->count += count_records(dents, dents->len - (size_t)got);
	return dents->cap - dents->len >= DENTS_RECORD_MAX;
}

size_t
dents_name_at(const struct dents *dents, size_t at, struct dents_name *ret_name)
{
	const char *record = dents->bytes + at;
	unsigned short record_len;

	/* Field by field: the buffer is bytes, not an array of struct dirent64. */
	memcpy(&record_len, record + offsetof(struct dirent64, d_reclen),
	       sizeof(record_len));
	ret_name->text = record + offsetof(struct dirent64, d_name);
	ret_name->len = strlen(ret_name->text);
	ret_name->type = (uint8_t)record[offsetof(struct dirent64, d_type)];
	return at + record_len;
}

bool
dents_is_dots(const struct dents_name *name)
{
	return name->text[0] == '.' &&
	       (name->len == 1 || (name->len == 2 && name->text[1] == '.'));
}
