/*
 * fuzz_conf: any bytes as configuration file, the text behind the first NUL as an
 * override.
 * Wanted:  no crash, findings that can be printed on one line each, and options that seal
 *          and unseal to the same.
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
check_seal(const struct options *options)
{
	static uint8_t bytes[SEAL_MAX_BYTES];
	static uint8_t again[SEAL_MAX_BYTES];
	static struct options back;
	size_t len;
	size_t again_len;

	if (seal_encode(options, NULL, bytes, sizeof(bytes), &len) != 0 ||
	    seal_decode(bytes, len, &back, NULL) != 0 ||
	    seal_encode(&back, NULL, again, sizeof(again), &again_len) != 0 ||
	    len != again_len || memcmp(bytes, again, len) != 0) {
		abort();
	}
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
		check_seal(conf_options(conf));
	}
	conf_free(conf);
	free(override);
	return 0;
}
