/*
 * fuzz_conf: any bytes as configuration file, the text behind the first NUL as an
 * override.
 * Wanted:  no crash, findings that can be printed on one line each, options and titled
 *          sections that seal and unseal to the same, and roots that are absolute.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "ftpd/conf/conf.h"
#include "ftpd/conf/option.h"
#include "ftpd/conf/seal.h"

#include "common/base.h"

/* The name is libFuzzer's.  NOLINTNEXTLINE(readability-identifier-naming) */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_findings(const struct conf *conf)
{
	const struct conf_finding *finding;

	for (size_t i = 0; (finding = conf_finding_get(conf, i)) != NULL; i++) {
		if (finding->text[0] == '\0' ||
		    strpbrk(finding->text, "\n\r\x1b\x7f") != NULL) {
			abort();
		}
		/*
		 * The walk through the statements must leave nothing that libconfuse
		 * stumbles over.
		 */
		if (strncmp(finding->text, "libconfuse does", 15) == 0 ||
		    strncmp(finding->text, "libconfuse reads", 16) == 0) {
			abort();
		}
	}
}

static void
check_seal(const struct options *options, const struct overrides *overrides)
{
	static uint8_t bytes[SEAL_MAX_BYTES];
	static uint8_t again[SEAL_MAX_BYTES];
	static struct options back;
	struct overrides back_overrides;
	size_t len;
	size_t again_len;

	if (seal_encode(options, overrides, bytes, sizeof(bytes), &len) != 0 ||
	    seal_decode(bytes, len, &back, &back_overrides) != 0 ||
	    seal_encode(&back, &back_overrides, again, sizeof(again), &again_len) != 0 ||
	    len != again_len || memcmp(bytes, again, len) != 0) {
		abort();
	}
	overrides_free(&back_overrides);
}

/* Whatever a section has for a root, it becomes an absolute path or nothing. */
static void
check_roots(const struct overrides *overrides)
{
	char root[OPTIONS_TEXT_MAX];
	char start[OPTIONS_TEXT_MAX];

	for (size_t i = 0; i < overrides->count; i++) {
		const struct policy_override *override = &overrides->entry[i];

		if ((override->keys & 1U << POLICY_ROOT) != 0 &&
		    policy_expand_root(override->values.root, override->title,
		                       "/home/./user", i % 2 == 0, root, start) &&
		    (root[0] != '/' || start[0] != '/' || strstr(root, "//") != NULL ||
		     strstr(root, "/../") != NULL || strstr(start, "/../") != NULL)) {
			abort();
		}
	}
}

/*
 * A host is found by its name in any spelling, and is the same in a copy. A user's
 * certificate is named within bounds.
 */
static void
check_hosts(const struct overrides *overrides)
{
	struct overrides copy;
	uint16_t hosts = 0;

	if (overrides_copy(overrides, &copy) != 0) {
		return;
	}
	for (size_t i = 0; i < overrides->count; i++) {
		const struct policy_override *override = &overrides->entry[i];
		char name[OPTIONS_TEXT_MAX + 1];
		char client_name[OPTIONS_HOST_MAX];
		uint16_t number;

		if (policy_client_name(&override->values, override->title, client_name) &&
		    memchr(client_name, '\0', sizeof(client_name)) == NULL) {
			abort();
		}
		if ((override->scope == POLICY_HOST) != (override->host != NULL)) {
			abort();
		}
		if (override->scope != POLICY_HOST) {
			continue;
		}
		hosts++;
		(void)snprintf(name, sizeof(name), "%s.", override->title);
		if (policy_host_find(overrides, name, strlen(name), &number) !=
		        override ||
		    number != hosts || policy_host_get(&copy, number) != &copy.entry[i] ||
		    memcmp(copy.entry[i].host, override->host, sizeof(*override->host)) !=
		        0) {
			abort();
		}
	}
	overrides_free(&copy);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *nul = size > 0 ? memchr(data, '\0', size) : NULL;
	size_t file_size = nul != NULL ? (size_t)(nul - data) : size;
	size_t rest = nul != NULL ? size - file_size - 1 : 0;
	char *override = calloc(1, rest + 1);
	const char *overrides[1];
	struct conf *conf;

	if (override == NULL) {
		return 0;
	}
	if (rest > 0) {
		memcpy(override, nul + 1, rest);
	}
	overrides[0] = override;
	conf = conf_read_buffer("fuzz", data, file_size, overrides, nul != NULL ? 1 : 0);
	if (conf != NULL) {
		check_findings(conf);
		check_seal(conf_options(conf), conf_overrides(conf));
		check_roots(conf_overrides(conf));
		check_hosts(conf_overrides(conf));
	}
	conf_free(conf);
	free(override);
	return 0;
}
