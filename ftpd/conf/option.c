/*
 * option: text into a field of struct options, and back into text.
 * Runs in: master, worker, recorder, the generator of deftpd.conf(5).
 * Not here: the table itself; see option_table.c.
 */
#include "ftpd/conf/option.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "ftpd/conf/value.h"

#include "common/base.h"

static void *
field(const struct option_row *row, void *base)
{
	return (unsigned char *)base + row->offset;
}

static const void *
const_field(const struct option_row *row, const void *base)
{
	return (const unsigned char *)base + row->offset;
}

bool
option_is_list(const struct option_row *row)
{
	return row->type == OPTION_LISTEN || row->type == OPTION_NETWORKS ||
	       row->type == OPTION_NAMES || row->type == OPTION_FILES ||
	       row->type == OPTION_HOSTS;
}

bool
option_is_quoted(const struct option_row *row)
{
	return row->type != OPTION_BOOL && row->type != OPTION_PORT &&
	       row->type != OPTION_COUNT_OF && row->type != OPTION_SECONDS &&
	       row->type != OPTION_RATE && row->type != OPTION_SIZE;
}

void
option_clear(const struct option_row *row, struct options *options)
{
	memset(field(row, options), 0, row->size);
}

static bool
add_bool(const char *text, const char *quoted, bool *ret_value,
         char mistake[OPTION_MISTAKE_MAX])
{
	/* The words of libconfuse's own booleans. */
	static const char *const words[] = {"no", "yes", "off", "on", "false", "true"};

	for (size_t i = 0; i < ARRAY_COUNT(words); i++) {
		if (strcasecmp(text, words[i]) == 0) {
			*ret_value = i % 2 == 1;
			return true;
		}
	}
	return value_refuse(mistake, "\"%s\" is neither yes nor no; write one of them",
	                    quoted);
}

static bool
add_word(const struct option_row *row, const char *text, const char *quoted,
         uint8_t *ret_value, char mistake[OPTION_MISTAKE_MAX])
{
	char list[OPTION_MISTAKE_MAX / 2] = "";
	size_t len = 0;

	for (uint8_t i = 0; row->words[i] != NULL; i++) {
		const char *separator = row->words[i + 1] != NULL ? ", " : " or ";

		if (strcmp(text, row->words[i]) == 0) {
			*ret_value = i;
			return true;
		}
		len += (size_t)snprintf(list + len, sizeof(list) - len, "%s\"%s\"",
		                        i == 0 ? "" : separator, row->words[i]);
	}
	return value_refuse(mistake, "\"%s\" is not known; write %s", quoted, list);
}

/* Returns: how far K, M, G or T at the end shifts the number; 0 without one. */
static unsigned
suffix_shift(const struct option_row *row, const char *text, size_t len)
{
	static const char suffixes[] = "KMGTkmgt";
	const char *found;

	if (len == 0 || (row->type != OPTION_RATE && row->type != OPTION_SIZE)) {
		return 0;
	}
	found = memchr(suffixes, text[len - 1], sizeof(suffixes) - 1);
	return found != NULL ? 10 * ((unsigned)(found - suffixes) % 4 + 1) : 0;
}

static bool
read_number(const struct option_row *row, const char *text, uint64_t *ret_value)
{
	size_t len = strlen(text);
	unsigned shift = suffix_shift(row, text, len);
	uint64_t number;

	if (!value_number(text, shift > 0 ? len - 1 : len, 10, &number) ||
	    number > UINT64_MAX >> shift) {
		return false;
	}
	number <<= shift;
	if (number < row->min || number > row->max) {
		return false;
	}
	*ret_value = number;
	return true;
}

static bool
add_number(const struct option_row *row, const char *text, const char *quoted,
           uint64_t *ret_value, char mistake[OPTION_MISTAKE_MAX])
{
	const char *unit = row->type == OPTION_SECONDS ? "of seconds "
	                   : row->type == OPTION_RATE  ? "of bytes a second "
	                   : row->type == OPTION_SIZE  ? "of bytes "
	                                               : "";
	const char *remedy = row->type == OPTION_RATE || row->type == OPTION_SIZE
	                         ? "write one, such as 1000000, 64K or 20M"
	                         : "write one";
	uint64_t number;

	if (row->type == OPTION_UMASK) {
		if (value_number(text, strlen(text), 8, &number) && number <= row->max) {
			*ret_value = number;
			return true;
		}
		return value_refuse(
		    mistake,
		    "\"%s\" is not a set of permission bits; write octal digits, as in \"%s\"",
		    quoted, row->initial);
	}
	if (read_number(row, text, ret_value)) {
		return true;
	}
	return value_refuse(
	    mistake, "\"%s\" is not a number %sfrom %" PRIu64 " to %" PRIu64 "; %s",
	    quoted, unit, row->min, row->max, remedy);
}

static bool
add_listen(const char *text, struct options_listen_list *list,
           char mistake[OPTION_MISTAKE_MAX])
{
	if (list->count == OPTIONS_LIST_MAX) {
		return value_refuse(mistake, "has more than %d entries; remove some",
		                    OPTIONS_LIST_MAX);
	}
	if (!value_listen(text, &list->entry[list->count], mistake)) {
		return false;
	}
	list->count++;
	return true;
}

static bool
add_network(const char *text, struct options_network_list *list,
            char mistake[OPTION_MISTAKE_MAX])
{
	if (list->count == OPTIONS_LIST_MAX) {
		return value_refuse(mistake, "has more than %d entries; remove some",
		                    OPTIONS_LIST_MAX);
	}
	if (!value_network(text, &list->entry[list->count], mistake)) {
		return false;
	}
	list->count++;
	return true;
}

static bool
add_list_name(const struct option_row *row, const char *text,
              struct options_name_list *list, char mistake[OPTION_MISTAKE_MAX])
{
	if (list->count == OPTIONS_LIST_MAX) {
		return value_refuse(mistake, "has more than %d entries; remove some",
		                    OPTIONS_LIST_MAX);
	}
	if (!value_list_name(row, text, mistake)) {
		return false;
	}
	memcpy(list->entry[list->count], text, strlen(text) + 1);
	list->count++;
	return true;
}

static bool
add_file(const struct option_row *row, const char *text, struct options_path_list *list,
         char mistake[OPTION_MISTAKE_MAX])
{
	if (list->count == OPTIONS_PATHS_MAX) {
		return value_refuse(mistake, "has more than %d entries; remove some",
		                    OPTIONS_PATHS_MAX);
	}
	if (!value_file(row, text, mistake)) {
		return false;
	}
	memcpy(list->entry[list->count], text, strlen(text) + 1);
	list->count++;
	return true;
}

static bool
add_host_name(const char *text, struct options_host_list *list,
              char mistake[OPTION_MISTAKE_MAX])
{
	if (list->count == OPTIONS_LIST_MAX) {
		return value_refuse(mistake, "has more than %d entries; remove some",
		                    OPTIONS_LIST_MAX);
	}
	if (!value_host_name(text, list->entry[list->count], mistake)) {
		return false;
	}
	list->count++;
	return true;
}

static bool
add_text(const struct option_row *row, const char *text, char *ret_text,
         char mistake[OPTION_MISTAKE_MAX])
{
	if (!value_text(row, text, mistake)) {
		return false;
	}
	memset(ret_text, 0, row->size);
	memcpy(ret_text, text, strlen(text) + 1);
	return true;
}

bool
option_add(const struct option_row *row, const char *text, struct options *options,
           char mistake[OPTION_MISTAKE_MAX])
{
	return option_add_at(row, text, options, mistake);
}

bool
option_add_at(const struct option_row *row, const char *text, void *base,
              char mistake[OPTION_MISTAKE_MAX])
{
	char quoted[VALUE_QUOTED_MAX];
	void *target = field(row, base);
	uint64_t number = 0;

	option_quote(text, strlen(text), quoted, sizeof(quoted));
	switch (row->type) {
	case OPTION_BOOL: return add_bool(text, quoted, target, mistake);
	case OPTION_PORT:
	case OPTION_UMASK:
		if (!add_number(row, text, quoted, &number, mistake)) {
			return false;
		}
		*(uint16_t *)target = (uint16_t)number;
		return true;
	case OPTION_COUNT_OF:
	case OPTION_SECONDS:
		if (!add_number(row, text, quoted, &number, mistake)) {
			return false;
		}
		*(uint32_t *)target = (uint32_t)number;
		return true;
	case OPTION_RATE:
	case OPTION_SIZE: return add_number(row, text, quoted, target, mistake);
	case OPTION_WORD: return add_word(row, text, quoted, target, mistake);
	case OPTION_NAME:
	case OPTION_PATH:
	case OPTION_ROOT:
	case OPTION_HOST:
	case OPTION_TEXT:
	case OPTION_FILE: return add_text(row, text, target, mistake);
	case OPTION_PORTS: return value_ports(row, text, target, mistake);
	case OPTION_LISTEN: return add_listen(text, target, mistake);
	case OPTION_NETWORKS: return add_network(text, target, mistake);
	case OPTION_NAMES: return add_list_name(row, text, target, mistake);
	case OPTION_FILES: return add_file(row, text, target, mistake);
	case OPTION_HOSTS: return add_host_name(text, target, mistake);
	case OPTION_TYPE_COUNT: break;
	}
	return value_refuse(mistake,
	                    "has a type that this program does not know; report it");
}

bool
option_set(const struct option_row *row, const char *text, struct options *options,
           char mistake[OPTION_MISTAKE_MAX])
{
	char entry[OPTION_VALUE_MAX];

	option_clear(row, options);
	if (!option_is_list(row)) {
		return option_add(row, text, options, mistake);
	}
	while (*text != '\0') {
		size_t len = strcspn(text, ",");

		if (len >= sizeof(entry)) {
			return value_refuse(mistake,
			                    "has an entry that is too long; shorten it");
		}
		memcpy(entry, text, len);
		entry[len] = '\0';
		if (!option_add(row, entry, options, mistake)) {
			return false;
		}
		text += len + (text[len] == ',' ? 1 : 0);
	}
	return true;
}

/* A list begins with the number of its entries, whatever they are. */
size_t
option_entries_at(const struct option_row *row, const void *base)
{
	uint32_t count = 1;

	if (option_is_list(row)) {
		memcpy(&count, const_field(row, base), sizeof(count));
	}
	return count;
}

size_t
option_entries(const struct option_row *row, const struct options *options)
{
	return option_entries_at(row, options);
}

static void
format_listen(const struct addr *addr, char text[OPTION_VALUE_MAX])
{
	char host[ADDR_TEXT_MAX];

	if (addr->family == ADDR_NONE) {
		(void)snprintf(text, OPTION_VALUE_MAX, "*:%u", addr->port);
	} else {
		/* fits: ADDR_TEXT_MAX is made for it */
		(void)addr_format_port(addr, host);
		(void)snprintf(text, OPTION_VALUE_MAX, "%s", host);
	}
}

static void
format_network(const struct options_network *network, char text[OPTION_VALUE_MAX])
{
	char from[ADDR_TEXT_MAX];
	char to[ADDR_TEXT_MAX];

	(void)addr_format(&network->network, from); /* the lengths are not needed */
	(void)addr_format(&network->address, to);
	(void)snprintf(text, OPTION_VALUE_MAX, "%s/%u=%s", from,
	               (unsigned)network->prefix_bits, to);
}

void
option_format(const struct option_row *row, const struct options *options, size_t index,
              char text[OPTION_VALUE_MAX])
{
	option_format_at(row, options, index, text);
}

/*
 * Of one entry of a list. Neither here nor below snprintf's count is looked at:
 * OPTION_VALUE_MAX is above every field's text.
 */
static void
format_entry(const struct option_row *row, const void *source, size_t index,
             char text[OPTION_VALUE_MAX])
{
	const struct options_listen_list *listen = source;
	const struct options_network_list *networks = source;
	const struct options_name_list *names = source;
	const struct options_path_list *files = source;
	const struct options_host_list *hosts = source;
	const char *entry = "";

	if (row->type == OPTION_LISTEN) {
		format_listen(&listen->entry[index], text);
		return;
	}
	if (row->type == OPTION_NETWORKS) {
		format_network(&networks->entry[index], text);
		return;
	}
	if (row->type == OPTION_NAMES) {
		entry = names->entry[index];
	} else if (row->type == OPTION_FILES) {
		entry = files->entry[index];
	} else if (row->type == OPTION_HOSTS) {
		entry = hosts->entry[index];
	}
	(void)snprintf(text, OPTION_VALUE_MAX, "%s", entry);
}

void
option_format_at(const struct option_row *row, const void *base, size_t index,
                 char text[OPTION_VALUE_MAX])
{
	const void *source = const_field(row, base);
	const struct options_ports *ports = source;

	switch (row->type) {
	case OPTION_BOOL:
		(void)snprintf(text, OPTION_VALUE_MAX, "%s",
		               *(const bool *)source ? "yes" : "no");
		break;
	case OPTION_PORT:
		(void)snprintf(text, OPTION_VALUE_MAX, "%u", *(const uint16_t *)source);
		break;
	case OPTION_UMASK:
		(void)snprintf(text, OPTION_VALUE_MAX, "%03o", *(const uint16_t *)source);
		break;
	case OPTION_COUNT_OF:
	case OPTION_SECONDS:
		(void)snprintf(text, OPTION_VALUE_MAX, "%" PRIu32,
		               *(const uint32_t *)source);
		break;
	case OPTION_RATE:
	case OPTION_SIZE:
		(void)snprintf(text, OPTION_VALUE_MAX, "%" PRIu64,
		               *(const uint64_t *)source);
		break;
	case OPTION_WORD:
		(void)snprintf(text, OPTION_VALUE_MAX, "%s",
		               row->words[*(const uint8_t *)source]);
		break;
	case OPTION_NAME:
	case OPTION_PATH:
	case OPTION_ROOT:
	case OPTION_HOST:
	case OPTION_TEXT:
	case OPTION_FILE:
		(void)snprintf(text, OPTION_VALUE_MAX, "%s", (const char *)source);
		break;
	case OPTION_PORTS:
		(void)snprintf(text, OPTION_VALUE_MAX, "%u-%u", ports->low, ports->high);
		break;
	case OPTION_LISTEN:
	case OPTION_NETWORKS:
	case OPTION_NAMES:
	case OPTION_FILES:
	case OPTION_HOSTS: format_entry(row, source, index, text); break;
	case OPTION_TYPE_COUNT: text[0] = '\0'; break;
	}
}
