/*
 * options: the defaults, and comparing with them.
 * Runs in: master, worker, recorder, the generator of deftpd.conf(5).
 */
#include "ftpd/conf/options.h"

#include <stdio.h>
#include <string.h>

#include "ftpd/conf/option.h"
#include "ftpd/conf/policy_table.h"

#include "common/base.h"

void
options_set_defaults(struct options *ret_options)
{
	char mistake[OPTION_MISTAKE_MAX];
	const struct option_row *rows;
	size_t count;

	memset(ret_options, 0, sizeof(*ret_options));
	rows = option_table(&count);
	for (size_t i = 0; i < count; i++) {
		/* A default is never refused: test_option tries each. */
		(void)option_set(&rows[i], rows[i].initial, ret_options, mistake);
	}
}

bool
options_has_tls(const struct options *options)
{
	return options->tls.certificate.count > 0 &&
	       options->tls.policy != OPTIONS_TLS_OFF;
}

enum options_tls_policy
options_anonymous_tls(const struct options *options)
{
	uint8_t own = options->anonymous.tls_policy;

	if (!options_has_tls(options)) {
		return OPTIONS_TLS_OFF;
	}
	/* 0 is "same"; the other words are those of tls.policy, one place farther. */
	return (enum options_tls_policy)(own != 0 ? own - 1 : options->tls.policy);
}

bool
option_is_default(const struct option_row *row, const struct options *options)
{
	char text[OPTION_VALUE_MAX];
	char initial[OPTION_VALUE_MAX];
	char mistake[OPTION_MISTAKE_MAX];
	struct options defaults;
	size_t count;

	if (!option_set(row, row->initial, &defaults, mistake)) {
		return false;
	}
	count = option_entries(row, options);
	if (count != option_entries(row, &defaults)) {
		return false;
	}
	for (size_t i = 0; i < count; i++) {
		option_format(row, options, i, text);
		option_format(row, &defaults, i, initial);
		if (strcmp(text, initial) != 0) {
			return false;
		}
	}
	return true;
}

static uint64_t
hash_bytes(uint64_t hash, const void *bytes, size_t len)
{
	const unsigned char *at = bytes;

	for (size_t i = 0; i < len; i++) {
		hash = (hash ^ at[i]) * UINT64_C(0x100000001b3);
	}
	return hash;
}

/*
 * FNV-1a: this guards against a mix of builds, not against forgery, which the seals and
 * the descriptor prevent.
 */
uint64_t
option_fingerprint(void)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);
	const struct option_row *rows;
	size_t count;

	rows = option_table(&count);
	hash = hash_bytes(hash, DEFTPD_VERSION, sizeof(DEFTPD_VERSION));
	for (size_t i = 0; i < count; i++) {
		uint64_t numbers[] = {rows[i].type, rows[i].min, rows[i].max,
		                      rows[i].offset, rows[i].size};

		hash = hash_bytes(hash, rows[i].section, strlen(rows[i].section) + 1);
		hash = hash_bytes(hash, rows[i].key, strlen(rows[i].key) + 1);
		hash = hash_bytes(hash, numbers, sizeof(numbers));
		for (size_t word = 0;
		     rows[i].words != NULL && rows[i].words[word] != NULL; word++) {
			hash = hash_bytes(hash, rows[i].words[word],
			                  strlen(rows[i].words[word]) + 1);
		}
	}
	for (unsigned key = 0; key < POLICY_KEY_COUNT; key++) {
		const struct policy_row *row = policy_row_get((enum policy_key)key);
		uint64_t numbers[] = {row->offset, row->size, row->is_of_host};

		hash = hash_bytes(hash, row->key, strlen(row->key) + 1);
		hash = hash_bytes(hash, numbers, sizeof(numbers));
	}
	return hash;
}
