/*
 * test_arg_tls: the arguments of AUTH, PBSZ and PROT.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "ftpd/proto/arg_tls.h"
#include "common/base.h"

static void
mechanisms_and_levels_are_parsed(void **state)
{
	static const struct {
		const char *text;
		enum arg_result result;
		enum arg_auth auth;
		const char *why;
	} mechanisms[] = {
	    {"TLS", ARG_OK, ARG_AUTH_TLS, "RFC 4217 8"},
	    {"tls-c", ARG_OK, ARG_AUTH_TLS, "the same by an older name"},
	    {"TLS-P", ARG_OK, ARG_AUTH_DATA, "data is protected, too"},
	    {"SSL", ARG_OK, ARG_AUTH_DATA, "what clients said before there was TLS"},
	    {"TL", ARG_UNSUPPORTED, 0, "a beginning is no name"},
	    {"TLSX", ARG_UNSUPPORTED, 0, "nor is a longer one"},
	    {"GSSAPI", ARG_UNSUPPORTED, 0, "RFC 2228"},
	    {"", ARG_SYNTAX, 0, "nothing"},
	};
	static const struct {
		const char *text;
		enum arg_result result;
		enum arg_prot prot;
	} levels[] = {
	    {"C", ARG_OK, ARG_PROT_CLEAR}, {"p", ARG_OK, ARG_PROT_PRIVATE},
	    {"S", ARG_OK, ARG_PROT_SAFE},  {"e", ARG_OK, ARG_PROT_CONFIDENTIAL},
	    {"X", ARG_UNSUPPORTED, 0},     {"PP", ARG_UNSUPPORTED, 0},
	    {" P", ARG_UNSUPPORTED, 0},    {"", ARG_SYNTAX, 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(mechanisms); i++) {
		enum arg_auth auth = ARG_AUTH_TLS;

		if (arg_auth(mechanisms[i].text, strlen(mechanisms[i].text), &auth) !=
		        mechanisms[i].result ||
		    (mechanisms[i].result == ARG_OK && auth != mechanisms[i].auth)) {
			fail_msg("AUTH %s: %s", mechanisms[i].text, mechanisms[i].why);
		}
	}
	for (size_t i = 0; i < ARRAY_COUNT(levels); i++) {
		enum arg_prot prot = ARG_PROT_CLEAR;

		if (arg_prot(levels[i].text, strlen(levels[i].text), &prot) !=
		        levels[i].result ||
		    (levels[i].result == ARG_OK && prot != levels[i].prot)) {
			fail_msg("PROT %s", levels[i].text);
		}
	}
}

static void
buffer_sizes_have_32_bits(void **state)
{
	static const struct {
		const char *text;
		enum arg_result result;
	} cases[] = {
	    {"0", ARG_OK},
	    {"4294967295", ARG_OK},
	    {"4294967296", ARG_SYNTAX},
	    {"000", ARG_OK},
	    {"", ARG_SYNTAX},
	    {"-1", ARG_SYNTAX},
	    {"0x10", ARG_SYNTAX},
	    {"1 ", ARG_SYNTAX},
	    {"18446744073709551616", ARG_SYNTAX},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		if (arg_buffer_size(cases[i].text, strlen(cases[i].text)) !=
		    cases[i].result) {
			fail_msg("PBSZ %s", cases[i].text);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(mechanisms_and_levels_are_parsed),
	    cmocka_unit_test(buffer_sizes_have_32_bits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
