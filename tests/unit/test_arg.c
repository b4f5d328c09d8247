/*
 * test_arg: each kind of argument, what it takes and what it refuses.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ftpd/proto/arg.h"
#include "ftpd/proto/entry.h"

#include "common/base.h"

static const struct addr untouched = {.family = 77, .port = 4711};

struct address_case {
	const char *text;
	enum arg_result result;
	const char *wanted; /* address and port */
	const char *why;
};

static void
check_addresses(const struct address_case *cases, size_t count,
                enum arg_result (*parse)(const char *, size_t, struct addr *))
{
	for (size_t i = 0; i < count; i++) {
		struct addr addr = untouched;
		char text[ADDR_TEXT_MAX] = "";
		enum arg_result result =
		    parse(cases[i].text, strlen(cases[i].text), &addr);

		if (result == ARG_OK) {
			(void)addr_format_port(&addr, text); /* terminated */
		} else {
			assert_memory_equal(&addr, &untouched, sizeof(addr));
		}
		if (result != cases[i].result || strcmp(text, cases[i].wanted) != 0) {
			fail_msg("\"%s\": %s (got %s)", cases[i].text, cases[i].why,
			         text);
		}
	}
}

static void
port_is_parsed(void **state)
{
	static const struct address_case cases[] = {
	    {"192,168,0,1,4,1", ARG_OK, "192.168.0.1:1025", "the usual"},
	    {"255,255,255,255,255,255", ARG_OK, "255.255.255.255:65535",
	     "all at their most"},
	    {"001,02,3,4,000,80", ARG_OK, "1.2.3.4:80",
	     "leading zeros, up to three digits"},
	    {"1,2,3,4,0,0", ARG_SYNTAX, "", "port 0 is none"},
	    {"256,2,3,4,5,6", ARG_SYNTAX, "", "no byte"},
	    {"1,2,3,4,5,256", ARG_SYNTAX, "", "no byte at the end"},
	    {"0001,2,3,4,5,6", ARG_SYNTAX, "", "four digits"},
	    {"00000000000000000000,2,3,4,5,6", ARG_SYNTAX, "", "twenty digits (P8)"},
	    {"99999999999999999999,2,3,4,5,6", ARG_SYNTAX, "", "twenty digits (P8)"},
	    {"1,2,3,4,5", ARG_SYNTAX, "", "one is missing"},
	    {"1,2,3,4,5,", ARG_SYNTAX, "", "the last is empty"},
	    {",2,3,4,5,6", ARG_SYNTAX, "", "the first is empty"},
	    {"1,2,3,4,5,6,7", ARG_SYNTAX, "", "one too many"},
	    {"1,2,3,4,5,6 ", ARG_SYNTAX, "", "a space behind"},
	    {" 1,2,3,4,5,6", ARG_SYNTAX, "", "a space before"},
	    {"1.2.3.4,5,6", ARG_SYNTAX, "", "points"},
	    {"-1,2,3,4,5,6", ARG_SYNTAX, "", "a sign"},
	    {"+1,2,3,4,5,6", ARG_SYNTAX, "", "a sign"},
	    {"0x1,2,3,4,5,6", ARG_SYNTAX, "", "hexadecimal"},
	    {"", ARG_SYNTAX, "", "nothing"},
	};

	(void)state;
	check_addresses(cases, ARRAY_COUNT(cases), arg_host_port);
}

static void
eprt_is_parsed(void **state)
{
	static const struct address_case cases[] = {
	    {"|1|132.235.1.2|6275|", ARG_OK, "132.235.1.2:6275", "RFC 2428 2, example 1"},
	    {"|2|1080::8:800:200C:417A|5282|", ARG_OK, "[1080::8:800:200c:417a]:5282",
	     "RFC 2428 2, example 2"},
	    {"!1!1.2.3.4!1025!", ARG_OK, "1.2.3.4:1025", "another delimiter"},
	    {"~2~::1~65535~", ARG_OK, "[::1]:65535", "the last of the delimiters"},
	    {"|3|1.2.3.4|1025|", ARG_FAMILY, "", "unknown family: 522"},
	    {"|0|1.2.3.4|1025|", ARG_FAMILY, "", "unknown family: 522"},
	    {"|99|x|y|", ARG_FAMILY, "", "the rest of it cannot be judged then"},
	    {"|99999|x|y|", ARG_SYNTAX, "", "no family number"},
	    {"|2|1.2.3.4|1025|", ARG_SYNTAX, "", "family and address disagree"},
	    {"|1|::1|1025|", ARG_SYNTAX, "", "family and address disagree"},
	    {"|1|1.2.3.4|0|", ARG_SYNTAX, "", "port 0"},
	    {"|1|1.2.3.4|65536|", ARG_SYNTAX, "", "port above 65535"},
	    {"|1|1.2.3.4|1025", ARG_SYNTAX, "", "no end"},
	    {"|1|1.2.3.4|1025||", ARG_SYNTAX, "", "more behind the end"},
	    {"|1|1.2.3.4|1025|x", ARG_SYNTAX, "", "more behind the end"},
	    {"||1.2.3.4|1025|", ARG_SYNTAX, "", "no family"},
	    {"|1||1025|", ARG_SYNTAX, "", "no address"},
	    {"|1|1.2.3.4||", ARG_SYNTAX, "", "no port"},
	    {"|2|fe80::1%eth0|1025|", ARG_SYNTAX, "", "no scope"},
	    {"|1|1.2.3|1025|", ARG_SYNTAX, "", "no address"},
	    {" 1 1.2.3.4 1025 ", ARG_SYNTAX, "", "a space is no delimiter"},
	    {"\xff"
	     "1\xff"
	     "1.2.3.4\xff"
	     "1025\xff",
	     ARG_SYNTAX, "", "nor is a high byte"},
	    {"|", ARG_SYNTAX, "", "only a delimiter"},
	    {"", ARG_SYNTAX, "", "nothing"},
	};

	(void)state;
	check_addresses(cases, ARRAY_COUNT(cases), arg_eprt);
}

static void
epsv_is_parsed(void **state)
{
	static const struct {
		const char *text;
		enum arg_result result;
		enum arg_epsv epsv;
	} cases[] = {
	    {"", ARG_OK, ARG_EPSV_ANY},       {"1", ARG_OK, ARG_EPSV_IPV4},
	    {"2", ARG_OK, ARG_EPSV_IPV6},     {"ALL", ARG_OK, ARG_EPSV_ALL},
	    {"all", ARG_OK, ARG_EPSV_ALL},    {"3", ARG_FAMILY, ARG_EPSV_ANY},
	    {"0", ARG_FAMILY, ARG_EPSV_ANY},  {"ALLE", ARG_SYNTAX, ARG_EPSV_ANY},
	    {"AL", ARG_SYNTAX, ARG_EPSV_ANY}, {" ", ARG_SYNTAX, ARG_EPSV_ANY},
	    {"1 ", ARG_SYNTAX, ARG_EPSV_ANY}, {"-1", ARG_SYNTAX, ARG_EPSV_ANY},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		enum arg_epsv epsv = ARG_EPSV_ANY;

		assert_int_equal(arg_epsv(cases[i].text, strlen(cases[i].text), &epsv),
		                 cases[i].result);
		assert_int_equal(epsv, cases[i].epsv);
	}
}

static void
numbers_are_bounded(void **state)
{
	static const struct {
		const char *text;
		enum arg_result result;
		uint64_t number;
	} cases[] = {
	    {"0", ARG_OK, 0},
	    {"1", ARG_OK, 1},
	    {"000012", ARG_OK, 12},
	    {"2147483648", ARG_OK, 2147483648U},
	    {"4294967296", ARG_OK, 4294967296U},
	    {"9223372036854775807", ARG_OK, INT64_MAX},
	    {"9223372036854775808", ARG_SYNTAX, 0},
	    {"18446744073709551615", ARG_SYNTAX, 0},
	    {"18446744073709551616", ARG_SYNTAX, 0},
	    {"10000000000000000000000000000000000000000", ARG_SYNTAX, 0},
	    {"-1", ARG_SYNTAX, 0},
	    {"+1", ARG_SYNTAX, 0},
	    {" 1", ARG_SYNTAX, 0},
	    {"1 ", ARG_SYNTAX, 0},
	    {"0x10", ARG_SYNTAX, 0},
	    {"1e3", ARG_SYNTAX, 0},
	    {"", ARG_SYNTAX, 0},
	};

	(void)state;
	/* SECURITY.md P19 */
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		uint64_t number = 4711;
		uint64_t wanted = cases[i].result == ARG_OK ? cases[i].number : 4711;

		assert_int_equal(
		    arg_number(cases[i].text, strlen(cases[i].text), &number),
		    cases[i].result);
		assert_int_equal(number, wanted);
		assert_int_equal(
		    arg_allocate(cases[i].text, strlen(cases[i].text), &number),
		    cases[i].result);
		assert_int_equal(number, wanted);
	}
}

static void
allo_has_a_record_size(void **state)
{
	static const struct {
		const char *text;
		enum arg_result result;
	} cases[] = {
	    {"10 R 20", ARG_OK},
	    {"10 r 20", ARG_OK},
	    {"10 R", ARG_SYNTAX},
	    {"10 R ", ARG_SYNTAX},
	    {"10 20", ARG_SYNTAX},
	    {"10  R 20", ARG_SYNTAX},
	    {"R 20", ARG_SYNTAX},
	    {" R 20", ARG_SYNTAX},
	    {"10 R -1", ARG_SYNTAX},
	    {"10 X 20", ARG_SYNTAX},
	    {"10 R 9223372036854775808", ARG_SYNTAX},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		uint64_t size = 4711;

		assert_int_equal(
		    arg_allocate(cases[i].text, strlen(cases[i].text), &size),
		    cases[i].result);
		assert_int_equal(size, cases[i].result == ARG_OK ? 10 : 4711);
	}
}

static void
type_mode_and_structure_are_parsed(void **state)
{
	static const struct {
		char what; /* T, M, S */
		const char *text;
		enum arg_result result;
		enum arg_type type;
	} cases[] = {
	    {'T', "A", ARG_OK, ARG_TYPE_ASCII},
	    {'T', "a n", ARG_OK, ARG_TYPE_ASCII},
	    {'T', "I", ARG_OK, ARG_TYPE_IMAGE},
	    {'T', "i", ARG_OK, ARG_TYPE_IMAGE},
	    {'T', "L 8", ARG_OK, ARG_TYPE_IMAGE},
	    {'T', "L 7", ARG_UNSUPPORTED, 0},
	    {'T', "L 36", ARG_UNSUPPORTED, 0},
	    {'T', "L", ARG_SYNTAX, 0},
	    {'T', "L ", ARG_SYNTAX, 0},
	    {'T', "L 999", ARG_SYNTAX, 0},
	    {'T', "L8", ARG_SYNTAX, 0},
	    {'T', "A T", ARG_UNSUPPORTED, 0},
	    {'T', "A C", ARG_UNSUPPORTED, 0},
	    {'T', "E", ARG_UNSUPPORTED, 0},
	    {'T', "E N", ARG_UNSUPPORTED, 0},
	    {'T', "I N", ARG_SYNTAX, 0},
	    {'T', "AN", ARG_SYNTAX, 0},
	    {'T', "A X", ARG_SYNTAX, 0},
	    {'T', "A ", ARG_SYNTAX, 0},
	    {'T', "", ARG_SYNTAX, 0},
	    {'M', "S", ARG_OK, 0},
	    {'M', "s", ARG_OK, 0},
	    {'M', "B", ARG_UNSUPPORTED, 0},
	    {'M', "C", ARG_UNSUPPORTED, 0},
	    {'M', "z", ARG_UNSUPPORTED, 0},
	    {'M', "X", ARG_SYNTAX, 0},
	    {'M', "", ARG_SYNTAX, 0},
	    {'M', "S ", ARG_SYNTAX, 0},
	    {'S', "F", ARG_OK, 0},
	    {'S', "R", ARG_UNSUPPORTED, 0},
	    {'S', "P", ARG_UNSUPPORTED, 0},
	    {'S', "X", ARG_SYNTAX, 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		const char *text = cases[i].text;
		size_t len = strlen(text);
		enum arg_type type = ARG_TYPE_ASCII;
		enum arg_result result = cases[i].what == 'T' ? arg_type(text, len, &type)
		                         : cases[i].what == 'M'
		                             ? arg_mode(text, len)
		                             : arg_structure(text, len);

		if (result != cases[i].result ||
		    (result == ARG_OK && cases[i].what == 'T' && type != cases[i].type)) {
			fail_msg("%c \"%s\": %d", cases[i].what, text, (int)result);
		}
	}
}

static void
opts_are_parsed(void **state)
{
	static const struct {
		const char *text;
		enum arg_result result;
		enum arg_opts_kind kind;
		unsigned facts;
		const char *why;
	} cases[] = {
	    {"UTF8 ON", ARG_OK, ARG_OPTS_UTF8, 0, "what Windows sends"},
	    {"utf8", ARG_OK, ARG_OPTS_UTF8, 0, "without a value"},
	    {"UTF-8 on", ARG_OK, ARG_OPTS_UTF8, 0, "the other spelling"},
	    {"UTF8 OFF", ARG_SYNTAX, 0, 0, "it is always on"},
	    {"UTF8 ON x", ARG_SYNTAX, 0, 0, "more than a value"},
	    {"MLST type;size;", ARG_OK, ARG_OPTS_MLST, ENTRY_FACT_TYPE | ENTRY_FACT_SIZE,
	     "RFC 3659 7.9"},
	    {"mlst TYPE;unix.MODE", ARG_OK, ARG_OPTS_MLST,
	     ENTRY_FACT_TYPE | ENTRY_FACT_UNIX_MODE, "any case, no last semicolon"},
	    {"MLST", ARG_OK, ARG_OPTS_MLST, 0, "no facts at all"},
	    {"MLST ", ARG_OK, ARG_OPTS_MLST, 0, "no facts at all"},
	    {"MLST foo;type;bar;", ARG_OK, ARG_OPTS_MLST, ENTRY_FACT_TYPE,
	     "unknown ones"},
	    {"MLST type;;size", ARG_OK, ARG_OPTS_MLST, ENTRY_FACT_TYPE | ENTRY_FACT_SIZE,
	     "an empty name is an unknown one"},
	    {"MLST type; size;", ARG_SYNTAX, 0, 0, "a space"},
	    {"HASH SHA-1", ARG_SYNTAX, 0, 0, "options of what we do not have"},
	    {"", ARG_SYNTAX, 0, 0, "nothing"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		struct arg_opts opts = {.kind = ARG_OPTS_UTF8, .facts = 4711};
		enum arg_result result =
		    arg_opts(cases[i].text, strlen(cases[i].text), &opts);

		if (result != cases[i].result ||
		    (result == ARG_OK &&
		     (opts.kind != cases[i].kind || opts.facts != cases[i].facts)) ||
		    (result != ARG_OK && opts.facts != 4711)) {
			fail_msg("\"%s\": %s", cases[i].text, cases[i].why);
		}
	}
}

static void
hosts_are_checked(void **state)
{
	static const struct {
		const char *text;
		enum arg_result result;
		const char *why;
	} cases[] = {
	    {"ftp.example.net", ARG_OK, "RFC 7151 3.1"},
	    {"localhost", ARG_OK, "one label"},
	    {"xn--bcher-kva.example", ARG_OK, "a name of another script"},
	    {"1.example", ARG_OK, "a digit first, RFC 1123 2.1"},
	    {"192.0.2.1", ARG_OK, "an IPv4 address looks like a name"},
	    {"[2001:db8::1]", ARG_OK, "IPv6 in brackets"},
	    {"2001:db8::1", ARG_SYNTAX, "IPv6 without"},
	    {"[192.0.2.1]", ARG_SYNTAX, "IPv4 in brackets"},
	    {"[]", ARG_SYNTAX, "nothing in brackets"},
	    {"", ARG_SYNTAX, "nothing"},
	    {".example", ARG_SYNTAX, "an empty label"},
	    {"example.", ARG_SYNTAX, "an empty last label"},
	    {"-a.example", ARG_SYNTAX, "a hyphen first"},
	    {"a-.example", ARG_SYNTAX, "a hyphen last"},
	    {"a b", ARG_SYNTAX, "a space"},
	    {"a/../b", ARG_SYNTAX, "a path"},
	    {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
	     ARG_SYNTAX, "a label of 64"},
	};
	char longest[ARG_HOST_MAX + 1];

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		if (arg_host(cases[i].text, strlen(cases[i].text)) != cases[i].result) {
			fail_msg("%s", cases[i].why);
		}
	}
	for (size_t i = 0; i < sizeof(longest); i++) {
		longest[i] = i % 2 == 0 ? 'a' : '.';
	}
	assert_int_equal(arg_host(longest, ARG_HOST_MAX), ARG_OK);
	longest[ARG_HOST_MAX] = 'a';
	assert_int_equal(arg_host(longest, ARG_HOST_MAX + 1), ARG_SYNTAX);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(port_is_parsed),
	    cmocka_unit_test(eprt_is_parsed),
	    cmocka_unit_test(epsv_is_parsed),
	    cmocka_unit_test(numbers_are_bounded),
	    cmocka_unit_test(allo_has_a_record_size),
	    cmocka_unit_test(type_mode_and_structure_are_parsed),
	    cmocka_unit_test(opts_are_parsed),
	    cmocka_unit_test(hosts_are_checked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
