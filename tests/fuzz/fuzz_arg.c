/*
 * fuzz_arg: any text as the argument of each command that has a typed one.
 * Wanted:  what was understood, written out again, is understood as the same; what was
 *          not leaves the out-parameter alone.
 */
#include "ftpd/proto/arg.h"

#include <stdio.h>
#include <string.h>

#include "ftpd/proto/datetime.h"
#include "ftpd/proto/entry.h"
#include "tests/fuzz/fuzz.h"
#include "common/base.h"

static bool
is_same(const struct addr *a, const struct addr *b)
{
	return addr_same_host(a, b) && a->port == b->port;
}

static void
check_host_port(const char *text, size_t len)
{
	struct addr before = {.family = ADDR_NONE, .port = 4711};
	struct addr addr = before;
	struct addr again;
	char line[64];
	int line_len;

	if (arg_host_port(text, len, &addr) != ARG_OK) {
		fuzz_require(is_same(&addr, &before));
		return;
	}
	line_len = snprintf(line, sizeof(line), "%u,%u,%u,%u,%u,%u", addr.bytes[0],
	                    addr.bytes[1], addr.bytes[2], addr.bytes[3], addr.port / 256U,
	                    addr.port % 256U);
	fuzz_require(len <= 23);
	fuzz_require(arg_host_port(line, (size_t)line_len, &again) == ARG_OK);
	fuzz_require(is_same(&addr, &again));
}

static void
check_eprt(const char *text, size_t len)
{
	struct addr before = {.family = ADDR_NONE, .port = 4711};
	struct addr addr = before;
	struct addr again;
	char host[ADDR_TEXT_MAX];
	char line[128];
	int line_len;

	if (arg_eprt(text, len, &addr) != ARG_OK) {
		fuzz_require(is_same(&addr, &before));
		return;
	}
	(void)addr_format(&addr, host); /* terminated */
	line_len = snprintf(line, sizeof(line), "|%u|%s|%u|",
	                    addr.family == ADDR_IPV4 ? 1U : 2U, host, addr.port);
	fuzz_require(arg_eprt(line, (size_t)line_len, &again) == ARG_OK);
	fuzz_require(is_same(&addr, &again));
}

static void
check_numbers(const char *text, size_t len)
{
	uint64_t before = 4711;
	uint64_t number = before;
	uint64_t size = before;
	char digits[32];
	size_t zeros = 0;
	int digits_len;

	if (arg_number(text, len, &number) == ARG_OK) {
		digits_len =
		    snprintf(digits, sizeof(digits), "%llu", (unsigned long long)number);
		while (zeros + 1 < len && text[zeros] == '0') {
			zeros++;
		}
		fuzz_require((size_t)digits_len == len - zeros);
		fuzz_require(memcmp(digits, text + zeros, len - zeros) == 0);
		fuzz_require(number <= INT64_MAX);
		/* ALLO takes all of them. */
		fuzz_require(arg_allocate(text, len, &size) == ARG_OK && size == number);
	} else {
		fuzz_require(number == before);
		fuzz_require(arg_allocate(text, len, &size) == ARG_OK || size == before);
	}
}

static void
check_facts(const char *text, size_t len)
{
	unsigned facts = 4711;
	unsigned again;
	char names[ENTRY_FACTS_MAX];
	size_t names_len;

	if (arg_facts(text, len, &facts) != ARG_OK) {
		fuzz_require(facts == 4711);
		return;
	}
	names_len = entry_format_fact_names(facts, false, names, sizeof(names));
	fuzz_require((names_len == 0) == (facts == 0));
	fuzz_require(arg_facts(names, names_len, &again) == ARG_OK && again == facts);
}

static void
check_time(const char *text, size_t len)
{
	int64_t epoch_s = 4711;
	int64_t again;
	char digits[DATETIME_TEXT_BYTES];

	if (!datetime_parse(text, len, &epoch_s)) {
		fuzz_require(epoch_s == 4711);
		return;
	}
	datetime_format(epoch_s, digits);
	fuzz_require(datetime_parse(digits, sizeof(digits), &again));
	/* The last second's leap second lies beyond the last year. */
	fuzz_require(again == epoch_s || epoch_s == 253402300800);
	fuzz_require(text[12] == '6' || memcmp(digits, text, sizeof(digits)) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = size > 0 ? (const char *)data : "";
	enum arg_epsv epsv = ARG_EPSV_ALL;
	enum arg_type type = ARG_TYPE_IMAGE;
	struct arg_opts opts = {.kind = ARG_OPTS_MLST, .facts = 4711};

	check_host_port(text, size);
	check_eprt(text, size);
	check_numbers(text, size);
	check_facts(text, size);
	check_time(text, size);
	fuzz_require(arg_epsv(text, size, &epsv) == ARG_OK || epsv == ARG_EPSV_ALL);
	fuzz_require(arg_type(text, size, &type) == ARG_OK || type == ARG_TYPE_IMAGE);
	fuzz_require(arg_host(text, size) != ARG_OK ||
	             (size > 0 && memchr(text, ' ', size) == NULL));
	fuzz_require(arg_mode(text, size) != ARG_OK || size == 1);
	fuzz_require(arg_structure(text, size) != ARG_OK || size == 1);
	fuzz_require(arg_opts(text, size, &opts) == ARG_OK || opts.facts == 4711);
	return 0;
}
