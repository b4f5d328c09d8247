/*
 * test_command: the table of commands is whole and agrees with itself and with RFC 959
 * 5.4.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ftpd/proto/command.h"

#include "common/base.h"

static void
rows_are_whole(void **state)
{
	(void)state;
	for (unsigned id = 0; id < CMD_COUNT; id++) {
		const struct command *row = command_row((enum command_id)id);
		size_t len;

		assert_non_null(row->name); /* an enumerator without a row */
		len = strlen(row->name);
		assert_in_range(len, 3, COMMAND_NAME_MAX);
		for (size_t i = 0; i < len; i++) {
			assert_in_range(row->name[i], 'A', 'Z');
		}
		assert_int_equal(command_find(row->name, len), id);
		assert_true(row->argument < COMMAND_ARG_COUNT);
		assert_true(row->states != 0);
		assert_non_null(row->syntax);
		assert_in_range(strlen(row->help), 1, COMMAND_HELP_MAX);
		assert_in_range(strlen(row->source), 1, 40);
		assert_int_not_equal(row->codes[0], 0);
		assert_int_equal(row->codes[COMMAND_CODES_MAX - 1], 0);
		for (size_t i = 0; row->codes[i] != 0; i++) {
			assert_in_range(row->codes[i], 100, 599);
			assert_true(
			    command_allows_code((enum command_id)id, row->codes[i]));
		}
	}
}

static void
rows_agree_with_themselves(void **state)
{
	unsigned silent = 1U << SESSION_AUTHENTICATING | 1U << SESSION_CLOSING;

	(void)state;
	for (unsigned id = 0; id < CMD_COUNT; id++) {
		const struct command *row = command_row((enum command_id)id);
		const struct command *same = command_row(row->same_as);

		/* No command is read while a password is checked, or at the end. */
		assert_int_equal(row->states & silent, 0);
		if ((row->flags & COMMAND_NEEDS_LOGIN) != 0) {
			assert_int_equal(row->states, 1U << SESSION_LOGGED_IN);
		}
		if ((row->flags & (COMMAND_WRITES | COMMAND_TRANSFERS)) != 0) {
			assert_true((row->flags & COMMAND_NEEDS_LOGIN) != 0);
		}
		/* Another name is the same command in all that matters. */
		assert_int_equal(row->argument, same->argument);
		assert_int_equal(row->states, same->states);
		assert_int_equal(row->flags, same->flags);
		assert_memory_equal(row->codes, same->codes, sizeof(row->codes));
		assert_int_equal(same->same_as, row->same_as);
		/* What is not built answers 502 and not 501. */
		if ((row->flags & COMMAND_NOT_BUILT) != 0) {
			assert_int_equal(row->argument, COMMAND_ARG_OPTIONAL_TEXT);
			assert_true(command_allows_code((enum command_id)id, 502));
		}
		/* A transfer can be opened, done, broken and be without a connection. */
		if ((row->flags & COMMAND_TRANSFERS) != 0) {
			static const uint16_t codes[] = {125, 150, 226, 425,
			                                 426, 451, 550};

			for (size_t i = 0; i < ARRAY_COUNT(codes); i++) {
				assert_true(
				    command_allows_code((enum command_id)id, codes[i]));
			}
		}
		assert_int_equal((row->flags & COMMAND_SECRET) != 0,
		                 id == CMD_PASS || id == CMD_ACCT || id == CMD_ADAT ||
		                     id == CMD_MIC || id == CMD_CONF || id == CMD_ENC);
	}
}

static void
words_are_found_in_any_case(void **state)
{
	static const struct {
		const char *word;
		size_t len;
		enum command_id id;
		const char *why;
	} cases[] = {
	    {"USER", 4, CMD_USER, "as it is written"},
	    {"user", 4, CMD_USER, "lower case"},
	    {"rEtR", 4, CMD_RETR, "mixed case"},
	    {"CWD", 3, CMD_CWD, "three letters"},
	    {"XCWD", 4, CMD_XCWD, "an X form has its own row"},
	    {"CW", 2, CMD_COUNT, "a beginning is no word"},
	    {"CWDD", 4, CMD_COUNT, "nor is a longer word"},
	    {"USERS", 5, CMD_COUNT, "five letters"},
	    {"", 0, CMD_COUNT, "nothing"},
	    {"US\0R", 4, CMD_COUNT, "a NUL inside"},
	    {"CWD\0", 4, CMD_COUNT, "a NUL behind"},
	    {"\xd5SER", 4, CMD_COUNT, "U with the high bit"},
	    {"\xff\xf4\xff", 3, CMD_COUNT, "Telnet"},
	    {"@SER", 4, CMD_COUNT, "one below a letter"},
	    {"{SER", 4, CMD_COUNT, "one above a letter"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		if (command_find(cases[i].word, cases[i].len) != cases[i].id) {
			fail_msg("%s", cases[i].why);
		}
	}
	/* SECURITY.md P6: each byte at each place. */
	for (unsigned byte = 0; byte < 256; byte++) {
		for (size_t place = 0; place < 4; place++) {
			char word[] = "NOOP";
			char upper =
			    (char)(byte >= 'a' && byte <= 'z' ? byte - 32 : byte);
			bool is_same = upper == word[place];

			word[place] = (char)byte;
			assert_int_equal(command_find(word, 4),
			                 is_same ? CMD_NOOP : CMD_COUNT);
		}
	}
}

static void
codes_are_those_of_the_rfcs(void **state)
{
	static const struct {
		enum command_id id;
		unsigned code;
		bool is_allowed;
		const char *why;
	} cases[] = {
	    {CMD_NOOP, 200, true, "RFC 959 5.4"},
	    {CMD_NOOP, 421, true, "RFC 959 5.4: at any time"},
	    {CMD_NOOP, 250, false, "not in its list"},
	    {CMD_NOOP, 530, false, "NOOP needs no login"},
	    {CMD_NOOP, 502, false, "NOOP is built"},
	    {CMD_PWD, 257, true, "RFC 959 5.4"},
	    {CMD_PWD, 250, false, "257 is PWD's success"},
	    {CMD_PWD, 530, true, "PWD needs a login"},
	    {CMD_PWD, 503, false, "and then it is 530"},
	    {CMD_PASS, 503, true, "PASS without USER"},
	    {CMD_REST, 350, true, "RFC 959 5.4"},
	    {CMD_REST, 200, false, "REST is never done at once"},
	    {CMD_SMNT, 502, true, "not built"},
	    {CMD_STOR, 550, true, "the gate refuses who may not write"},
	    {CMD_MKD, 452, true, "a full disk can refuse a directory"},
	    {CMD_RNTO, 550, true, "as for all that write"},
	    {CMD_RETR, 452, false, "reading takes no space"},
	    {CMD_MFF, 504, true, "a fact that cannot be set"},
	    {CMD_ACCT, 332, true, "a module asks once more"},
	    {CMD_HOST, 503, true, "behind USER"},
	    {CMD_PORT, 503, true, "after EPSV ALL"},
	    {CMD_EPSV, 503, false, "EPSV stays allowed"},
	    {CMD_EPRT, 522, true, "RFC 2428 2"},
	    {CMD_FEAT, 211, true, "RFC 2389 3.2"},
	    {CMD_SIZE, 213, true, "RFC 3659 4"},
	    {CMD_MLST, 250, true, "RFC 3659 7.2"},
	    {CMD_STAT, 226, false, "STAT opens no data connection"},
	    {CMD_QUIT, 221, true, "RFC 959 5.4"},
	    {CMD_AUTH, 234, true, "RFC 2228 5.1"},
	    {CMD_AUTH, 502, true, "there is no certificate"},
	    {CMD_AUTH, 503, true, "it is on already, or somebody has logged in"},
	    {CMD_AUTH, 530, false, "AUTH comes before the login"},
	    {CMD_PBSZ, 503, true, "in clear"},
	    {CMD_PBSZ, 504, false, "every number is as good as 0"},
	    {CMD_PROT, 503, true, "in clear, or before PBSZ"},
	    {CMD_PROT, 536, true, "levels that TLS does not have"},
	    {CMD_CCC, 533, true, "tls.allow_ccc = no"},
	    {CMD_ADAT, 235, true, "RFC 2228 3, though not built"},
	    {CMD_RETR, 521, true, "RFC 4217 10: PROT C, and policy all"},
	    {CMD_LIST, 522, true, "RFC 4217 10: no TLS on the data connection"},
	    {CMD_SIZE, 521, false, "SIZE opens no data connection"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		if (command_allows_code(cases[i].id, cases[i].code) !=
		    cases[i].is_allowed) {
			fail_msg("%s %u: %s", command_row(cases[i].id)->name,
			         cases[i].code, cases[i].why);
		}
	}
}

static void
features_are_those_that_are_built(void **state)
{
	static const char *const wanted[] = {
	    "EPRT", "EPSV",     "HOST",        "MDTM", "MFF modify;UNIX.mode;",
	    "MFMT", "MLST",     "REST STREAM", "SIZE", "TVFS",
	    "UTF8", "AUTH TLS", "PBSZ",        "PROT", "CCC"};
	bool seen[ARRAY_COUNT(wanted)] = {false};
	size_t count = 0;

	(void)state;
	for (const char *line; (line = command_feature(count, 0)) != NULL; count++) {
		for (size_t i = 0; i < ARRAY_COUNT(wanted); i++) {
			if (strcmp(line, wanted[i]) == 0) {
				assert_false(seen[i]);
				seen[i] = true;
			}
		}
	}
	for (size_t i = 0; i < ARRAY_COUNT(wanted); i++) {
		assert_true(seen[i]);
	}
	for (unsigned id = 0; id < CMD_COUNT; id++) {
		const struct command *row = command_row((enum command_id)id);
		bool is_listed = false;

		for (size_t i = 0; i < count; i++) {
			is_listed = is_listed || command_feature(i, 0) == row->feat;
		}
		assert_int_equal(is_listed, row->feat != NULL &&
		                                (row->flags & COMMAND_NOT_BUILT) == 0);
	}
	assert_null(command_feature(count + 1, 0));
}

static void
features_of_tls_can_be_left_out(void **state)
{
	static const struct {
		unsigned without;
		unsigned lines; /* of AUTH, PBSZ, PROT and CCC */
		const char *why;
	} cases[] = {
	    {0, 4, "all"},
	    {COMMAND_CLEARS, 3, "CCC is not allowed"},
	    {COMMAND_TLS, 0, "there is no TLS"},
	};
	static const char *const of_tls[] = {"AUTH TLS", "PBSZ", "PROT", "CCC"};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		unsigned lines = 0;
		const char *line;

		for (size_t at = 0;
		     (line = command_feature(at, cases[i].without)) != NULL; at++) {
			for (size_t k = 0; k < ARRAY_COUNT(of_tls); k++) {
				lines += strcmp(line, of_tls[k]) == 0;
			}
		}
		if (lines != cases[i].lines) {
			fail_msg("%s: %u", cases[i].why, lines);
		}
	}
}

static void
transfers_leave_room_for_some(void **state)
{
	(void)state;
	/* RFC 959 4.1.3 and DESIGN.md section 4: these and no others. */
	for (unsigned id = 0; id < CMD_COUNT; id++) {
		bool is_wanted =
		    id == CMD_ABOR || id == CMD_STAT || id == CMD_NOOP || id == CMD_QUIT;

		assert_int_equal((command_row((enum command_id)id)->flags &
		                  COMMAND_DURING_TRANSFER) != 0,
		                 is_wanted);
	}
}

static void
rest_outlives_what_prepares_a_transfer(void **state)
{
	static const enum command_id keep[] = {CMD_PASV, CMD_EPSV, CMD_PORT, CMD_EPRT,
	                                       CMD_TYPE, CMD_NOOP, CMD_STAT, CMD_SIZE,
	                                       CMD_RETR, CMD_STOR, CMD_APPE};
	static const enum command_id forget[] = {CMD_CWD,  CMD_DELE, CMD_LIST, CMD_MLSD,
	                                         CMD_NLST, CMD_STOU, CMD_USER, CMD_REIN};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(keep); i++) {
		assert_true((command_row(keep[i])->flags & COMMAND_KEEPS_REST) != 0);
	}
	for (size_t i = 0; i < ARRAY_COUNT(forget); i++) {
		assert_true((command_row(forget[i])->flags & COMMAND_KEEPS_REST) == 0);
	}
	assert_true((command_row(CMD_RNTO)->flags & COMMAND_KEEPS_RNFR) != 0);
	assert_true((command_row(CMD_CWD)->flags & COMMAND_KEEPS_RNFR) == 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(rows_are_whole),
	    cmocka_unit_test(rows_agree_with_themselves),
	    cmocka_unit_test(words_are_found_in_any_case),
	    cmocka_unit_test(codes_are_those_of_the_rfcs),
	    cmocka_unit_test(features_are_those_that_are_built),
	    cmocka_unit_test(features_of_tls_can_be_left_out),
	    cmocka_unit_test(transfers_leave_room_for_some),
	    cmocka_unit_test(rest_outlives_what_prepares_a_transfer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
