/*
 * test_request: lines become commands with typed arguments, or the refusal that is due.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ftpd/proto/request.h"

#include "common/base.h"

static void
lines_are_judged(void **state)
{
	static const struct {
		const char *line;
		enum request_result result;
		enum command_id id;
		const char *text;
		const char *why;
	} cases[] = {
	    {"USER ftp", REQUEST_OK, CMD_USER, "ftp", "the usual"},
	    {"user  ftp ", REQUEST_OK, CMD_USER, " ftp ",
	     "one space separates, others stay"},
	    {"RETR a b ", REQUEST_OK, CMD_RETR, "a b ", "trailing spaces are the name's"},
	    {"RETR  x", REQUEST_OK, CMD_RETR, " x", "a name may begin with a space"},
	    {"RETR  ", REQUEST_OK, CMD_RETR, " ", "and be one"},
	    {"RETR", REQUEST_SYNTAX, CMD_RETR, "", "a path is needed"},
	    {"RETR ", REQUEST_SYNTAX, CMD_RETR, "", "an empty one is none"},
	    {"RETR \"\\", REQUEST_OK, CMD_RETR, "\"\\", "no quotes, no escapes (P5)"},
	    {"CWD %s%n", REQUEST_OK, CMD_CWD, "%s%n", "no formats (P7)"},
	    {"", REQUEST_UNKNOWN, CMD_COUNT, "", "an empty line"},
	    {" ", REQUEST_UNKNOWN, CMD_COUNT, " ", "no word"},
	    {" NOOP", REQUEST_UNKNOWN, CMD_COUNT, " NOOP", "a word begins the line"},
	    {"NOOP\t", REQUEST_UNKNOWN, CMD_COUNT, "NOOP\t", "a tab is no space"},
	    {"XYZZY x", REQUEST_UNKNOWN, CMD_COUNT, "XYZZY x", "an unknown word"},
	    {"NOOP", REQUEST_OK, CMD_NOOP, "", "no argument"},
	    {"NOOP   ", REQUEST_OK, CMD_NOOP, "  ", "spaces are forgiven"},
	    {"NOOP x", REQUEST_SYNTAX, CMD_NOOP, "x", "an argument is not"},
	    {"PASS", REQUEST_OK, CMD_PASS, "", "an empty password is one"},
	    {"USER", REQUEST_SYNTAX, CMD_USER, "", "an empty name is none"},
	    {"MLSD", REQUEST_OK, CMD_MLSD, "", "a path may be missing"},
	    {"MLST type=file;size=0; x", REQUEST_OK, CMD_MLST, "type=file;size=0; x",
	     "P23"},
	    {"MLSD -a", REQUEST_OK, CMD_MLSD, "-a", "MLSD has no options"},
	    {"TYPE X", REQUEST_SYNTAX, CMD_TYPE, "X", "no such type"},
	    {"TYPE E", REQUEST_UNSUPPORTED, CMD_TYPE, "E", "a type that we do not have"},
	    {"MODE B", REQUEST_UNSUPPORTED, CMD_MODE, "B", "a mode that we do not have"},
	    {"STRU R", REQUEST_UNSUPPORTED, CMD_STRU, "R", "nor this structure"},
	    {"EPRT |3|a|1|", REQUEST_FAMILY, CMD_EPRT, "|3|a|1|", "an unknown family"},
	    {"EPSV 3", REQUEST_FAMILY, CMD_EPSV, "3", "an unknown family"},
	    {"REST -1", REQUEST_SYNTAX, CMD_REST, "-1", "P19"},
	    {"MFMT 20200101000000 a", REQUEST_OK, CMD_MFMT, "20200101000000 a",
	     "time, path"},
	    {"MFMT 20200101000000", REQUEST_SYNTAX, CMD_MFMT, "20200101000000",
	     "no path"},
	    {"MFMT 20201301000000 a", REQUEST_SYNTAX, CMD_MFMT, "20201301000000 a",
	     "month"},
	    {"MFMT", REQUEST_SYNTAX, CMD_MFMT, "", "nothing (P14)"},
	    {"ADAT", REQUEST_OK, CMD_ADAT, "", "what is not built is 502, never 501"},
	    {"AUTH", REQUEST_SYNTAX, CMD_AUTH, "", "by which mechanism"},
	    {"auth tls", REQUEST_OK, CMD_AUTH, "tls", "RFC 4217 8"},
	    {"AUTH GSSAPI", REQUEST_UNSUPPORTED, CMD_AUTH, "GSSAPI", "another mechanism"},
	    {"AUTH TLS ", REQUEST_UNSUPPORTED, CMD_AUTH, "TLS ", "not that name"},
	    {"PBSZ 0", REQUEST_OK, CMD_PBSZ, "0", "RFC 4217 9"},
	    {"PBSZ 4294967296", REQUEST_SYNTAX, CMD_PBSZ, "4294967296", "2^32"},
	    {"PBSZ", REQUEST_SYNTAX, CMD_PBSZ, "", "no number"},
	    {"PROT p", REQUEST_OK, CMD_PROT, "p", "in any case"},
	    {"PROT X", REQUEST_UNSUPPORTED, CMD_PROT, "X", "no such level"},
	    {"PROT", REQUEST_SYNTAX, CMD_PROT, "", "no level"},
	    {"CCC now", REQUEST_SYNTAX, CMD_CCC, "now", "CCC has no argument"},
	    {"OPTS", REQUEST_SYNTAX, CMD_OPTS, "", "options of what"},
	    {"HELP", REQUEST_OK, CMD_HELP, "", "all commands"},
	    {"LIST", REQUEST_OK, CMD_LIST, "", "the current directory"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		struct request request;
		enum request_result result =
		    request_parse(cases[i].line, strlen(cases[i].line), &request);

		if (result != cases[i].result || request.id != cases[i].id ||
		    request.text_len != strlen(cases[i].text) ||
		    memcmp(request.text, cases[i].text, request.text_len) != 0) {
			fail_msg("\"%s\": %s", cases[i].line, cases[i].why);
		}
	}
}

static void
values_are_typed(void **state)
{
	struct request request;

	(void)state;
	assert_int_equal(request_parse("REST 100", 8, &request), REQUEST_OK);
	assert_int_equal(request.value.number, 100);
	assert_int_equal(request_parse("ALLO 5 R 7", 10, &request), REQUEST_OK);
	assert_int_equal(request.value.number, 5);
	assert_int_equal(request_parse("TYPE I", 6, &request), REQUEST_OK);
	assert_int_equal(request.value.type, ARG_TYPE_IMAGE);
	assert_int_equal(request_parse("TYPE A", 6, &request), REQUEST_OK);
	assert_int_equal(request.value.type, ARG_TYPE_ASCII);
	assert_int_equal(request_parse("EPSV ALL", 8, &request), REQUEST_OK);
	assert_int_equal(request.value.epsv, ARG_EPSV_ALL);
	assert_int_equal(request_parse("EPSV", 4, &request), REQUEST_OK);
	assert_int_equal(request.value.epsv, ARG_EPSV_ANY);
	assert_int_equal(request_parse("PORT 1,2,3,4,5,6", 16, &request), REQUEST_OK);
	assert_int_equal(request.value.addr.port, 5 * 256 + 6);
	assert_int_equal(request_parse("EPRT |2|::1|99|", 15, &request), REQUEST_OK);
	assert_int_equal(request.value.addr.family, ADDR_IPV6);
	assert_int_equal(request_parse("OPTS MLST size;", 15, &request), REQUEST_OK);
	assert_int_equal(request.value.opts.kind, ARG_OPTS_MLST);
	assert_int_equal(request_parse("AUTH TLS", 8, &request), REQUEST_OK);
	assert_int_equal(request.value.auth, ARG_AUTH_TLS);
	assert_int_equal(request_parse("PROT e", 6, &request), REQUEST_OK);
	assert_int_equal(request.value.prot, ARG_PROT_CONFIDENTIAL);
	assert_int_equal(request_parse("LIST -la x", 10, &request), REQUEST_OK);
	assert_int_equal(request.value.list.flags, LIST_LONG | LIST_HIDDEN);
	assert_int_equal(request.value.list.path_len, 1);
	assert_int_equal(request_parse("MFMT 19700101000001 a b", 23, &request),
	                 REQUEST_OK);
	assert_true(request.value.facts.set.has_time);
	assert_false(request.value.facts.set.has_mode);
	assert_int_equal(request.value.facts.set.time_s, 1);
	assert_int_equal(request.value.facts.path_len, 3);
	assert_int_equal(request_parse("MFF UNIX.mode=640; a b", 22, &request),
	                 REQUEST_OK);
	assert_int_equal(request.value.facts.set.mode, 0640);
	assert_int_equal(request.value.facts.path_len, 3);
	assert_int_equal(request_parse("MFF Size=1; a", 13, &request),
	                 REQUEST_UNSUPPORTED);
}

static void
mdtm_tells_and_sets(void **state)
{
	static const struct {
		const char *line;
		enum request_result result;
		bool is_setting;
		const char *path;
		const char *why;
	} cases[] = {
	    {"MDTM a", REQUEST_OK, false, "a", "RFC 3659 3"},
	    {"MDTM 19700101000001 a b", REQUEST_OK, true, "a b",
	     "the older setting form"},
	    {"MDTM 19700101000001", REQUEST_OK, false, "19700101000001",
	     "a file of that name"},
	    {"MDTM 19700101000001 ", REQUEST_OK, false, "19700101000001 ",
	     "no path to set: a name with a space at its end"},
	    {"MDTM 19701301000001 a", REQUEST_OK, false, "19701301000001 a",
	     "no such month"},
	    {"MDTM ./19700101000001 a", REQUEST_OK, false, "./19700101000001 a",
	     "how such a name is asked for"},
	    {"MDTM", REQUEST_SYNTAX, false, NULL, "no path at all"},
	    {"MDTM ", REQUEST_SYNTAX, false, NULL, "an empty one"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		struct request request;
		enum request_result result =
		    request_parse(cases[i].line, strlen(cases[i].line), &request);

		if (result != cases[i].result) {
			fail_msg("%s", cases[i].why);
		}
		if (result == REQUEST_OK) {
			assert_int_equal(request.value.facts.set.has_time,
			                 cases[i].is_setting);
			assert_int_equal(request.value.facts.path_len,
			                 strlen(cases[i].path));
			assert_memory_equal(request.value.facts.path, cases[i].path,
			                    strlen(cases[i].path));
		}
	}
}

static void
every_word_meets_every_argument(void **state)
{
	static const char *const arguments[] = {
	    "",   " ", "x",    "\"", "\\", "\"\\",      "\\\"", "%n", "-",   "--",
	    "-1", "0", "\xff", "|",  ",",  "{{*},{*}}", "~{",   "[",  "a\tb"};
	char line[128];

	(void)state;
	/*
	 * SECURITY.md P5: none of them surprises any command; the oracle is the
	 * sanitizer.
	 */
	for (unsigned id = 0; id < CMD_COUNT; id++) {
		for (size_t i = 0; i < ARRAY_COUNT(arguments); i++) {
			struct request request;
			int len = snprintf(line, sizeof(line), "%s %s",
			                   command_row((enum command_id)id)->name,
			                   arguments[i]);
			char *exact = malloc((size_t)len);

			assert_non_null(exact);
			memcpy(exact, line, (size_t)len);
			assert_int_not_equal(request_parse(exact, (size_t)len, &request),
			                     REQUEST_UNKNOWN);
			assert_int_equal(request.id, id);
			assert_int_equal(request.text_len, strlen(arguments[i]));
			free(exact);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(lines_are_judged),
	    cmocka_unit_test(values_are_typed),
	    cmocka_unit_test(mdtm_tells_and_sets),
	    cmocka_unit_test(every_word_meets_every_argument),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
