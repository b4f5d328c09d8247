/*
 * suggest: finds what somebody may have meant by a key that does not exist.
 * Runs in: master.
 * Source:  the "optimal string alignment" distance: insert, delete, replace, swap
 *          neighbours.
 */
#include "ftpd/conf/titled.h"

#include <stdio.h>
#include <string.h>

#include "common/base.h"

static char
fold(char c)
{
	if (c >= 'A' && c <= 'Z') {
		return (char)(c - 'A' + 'a');
	}
	return c == '-' ? '_' : c;
}

static unsigned
min2(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

static size_t
capped_length(const char *text)
{
	return strnlen(text, OPTION_KEY_MAX - 1);
}

/*
 * Case and '-' for '_' count as nothing.  Texts are cut at OPTION_KEY_MAX, far beyond any
 * key.
 */
static unsigned
distance(const char *a, const char *b)
{
	unsigned rows[3][OPTION_KEY_MAX];
	size_t a_len = capped_length(a);
	size_t b_len = capped_length(b);

	for (unsigned j = 0; j <= b_len; j++) {
		rows[0][j] = j;
	}
	for (size_t i = 1; i <= a_len; i++) {
		unsigned *now = rows[i % 3];
		const unsigned *up = rows[(i + 2) % 3];
		const unsigned *up2 = rows[(i + 1) % 3];

		now[0] = (unsigned)i;
		for (size_t j = 1; j <= b_len; j++) {
			unsigned differs = fold(a[i - 1]) != fold(b[j - 1]);

			now[j] = min2(min2(up[j], now[j - 1]) + 1, up[j - 1] + differs);
			if (i > 1 && j > 1 && fold(a[i - 1]) == fold(b[j - 2]) &&
			    fold(a[i - 2]) == fold(b[j - 1])) {
				now[j] = min2(now[j], up2[j - 2] + 1);
			}
		}
	}
	return rows[a_len % 3][b_len];
}

struct best {
	char name[OPTION_KEY_MAX];
	unsigned distance;
};

static void
try(struct best *best, const char *key, const char *name)
{
	unsigned found = distance(key, name);

	if (found < best->distance) {
		best->distance = found;
		/* every name fits */
		(void)snprintf(best->name, sizeof(best->name), "%s", name);
	}
}

/* The key exists, but elsewhere.  In: section: where it was looked for. */
static bool
suggest_elsewhere(const char *section, const char *key, char *ret_remedy, size_t cap)
{
	const struct option_row *rows;
	size_t count;

	rows = option_table(&count);
	for (size_t i = 0; i < count; i++) {
		char name[OPTION_KEY_MAX];

		option_name(&rows[i], name);
		if (strcmp(rows[i].key, key) != 0 && strcmp(name, key) != 0) {
			continue;
		}
		if (section == NULL) {
			(void)snprintf(ret_remedy, cap, "did you mean %s?", name);
		} else if (rows[i].section[0] == '\0') {
			(void)snprintf(ret_remedy, cap, "write it outside of section %s",
			               section);
		} else {
			(void)snprintf(ret_remedy, cap, "write %s { %s = VALUE }",
			               rows[i].section, rows[i].key);
		}
		return true;
	}
	return false;
}

/*
 * Within a titled section: the key that stands for the plain one, else the nearest.
 * Returns: false if there is none.
 */
static bool
suggest_titled(const char *key, char *ret_remedy, size_t cap)
{
	struct best best = {.distance = (unsigned)capped_length(key) / 3 + 1};

	for (unsigned i = 0; i < POLICY_KEY_COUNT; i++) {
		const struct policy_row *row = policy_row_get((enum policy_key)i);
		const char *plain = row->plain[0] != NULL ? row->plain[0] : row->key;
		const char *dot = strchr(plain, '.');

		if (strcmp(plain, key) == 0 ||
		    (dot != NULL && strcmp(dot + 1, key) == 0)) {
			best.distance = 0;
			(void)snprintf(best.name, sizeof(best.name), "%s", row->key);
		}
		try(&best, key, row->key);
	}
	if (best.name[0] != '\0') {
		(void)snprintf(ret_remedy, cap, "did you mean %s?", best.name);
	}
	return best.name[0] != '\0';
}

void
reader_suggest(const char *section, const char *key, char *ret_remedy, size_t cap)
{
	const struct option_row *rows;
	const struct option_section *sections;
	struct best best = {.distance = (unsigned)capped_length(key) / 3 + 1};
	char name[OPTION_KEY_MAX];
	enum policy_scope scope;
	size_t count;

	if (section != NULL && titled_find_scope(section, &scope) &&
	    suggest_titled(key, ret_remedy, cap)) {
		return;
	}
	rows = option_table(&count);
	for (size_t i = 0; i < count; i++) {
		option_name(&rows[i], name);
		if (section == NULL) {
			try(&best, key, name);
		} else if (strcmp(rows[i].section, section) == 0) {
			try(&best, key, rows[i].key);
		}
	}
	sections = option_sections(&count);
	for (size_t i = 0; section != NULL && section[0] == '\0' && i < count; i++) {
		try(&best, key, sections[i].name);
	}
	if (suggest_elsewhere(section, key, ret_remedy, cap)) {
		return;
	}
	if (best.name[0] != '\0') {
		(void)snprintf(ret_remedy, cap, "did you mean %s?", best.name);
	} else {
		(void)snprintf(ret_remedy, cap, "deftpd.conf(5) has the list");
	}
}
