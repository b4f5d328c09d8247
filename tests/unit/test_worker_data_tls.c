/*
 * test_worker_data_tls: what a private data connection is worth, and what the end of an
 * upload is worth, by the rules and by what the client has shown before.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ftpd/worker/data_tls.h"
#include "common/base.h"

enum {
	ACTIVE = false,
	PASSIVE = true,
	NEVER = false,
	BEFORE = true,
	NOT_NOW = false,
	NOW = true,
};

static void
a_connection_is_judged(void **state)
{
	static const struct {
		enum options_tls_resume rule;
		bool is_passive;
		bool has_before;
		bool has_now;
		enum data_tls_verdict verdict;
	} cases[] = {
	    {OPTIONS_RESUME_REQUIRE, PASSIVE, NEVER, NOW, DATA_TLS_SERVED},
	    {OPTIONS_RESUME_REQUIRE, PASSIVE, BEFORE, NOW, DATA_TLS_SERVED},
	    {OPTIONS_RESUME_REQUIRE, PASSIVE, NEVER, NOT_NOW, DATA_TLS_REFUSED},
	    {OPTIONS_RESUME_REQUIRE, PASSIVE, BEFORE, NOT_NOW, DATA_TLS_STRANGER},
	    {OPTIONS_RESUME_REQUIRE, ACTIVE, NEVER, NOW, DATA_TLS_SERVED},
	    {OPTIONS_RESUME_REQUIRE, ACTIVE, BEFORE, NOW, DATA_TLS_SERVED},
	    {OPTIONS_RESUME_REQUIRE, ACTIVE, NEVER, NOT_NOW, DATA_TLS_REFUSED},
	    {OPTIONS_RESUME_REQUIRE, ACTIVE, BEFORE, NOT_NOW, DATA_TLS_REFUSED},
	    {OPTIONS_RESUME_AUTO, PASSIVE, NEVER, NOW, DATA_TLS_SERVED},
	    {OPTIONS_RESUME_AUTO, PASSIVE, BEFORE, NOW, DATA_TLS_SERVED},
	    {OPTIONS_RESUME_AUTO, PASSIVE, NEVER, NOT_NOW, DATA_TLS_UNPROVEN},
	    {OPTIONS_RESUME_AUTO, PASSIVE, BEFORE, NOT_NOW, DATA_TLS_STRANGER},
	    {OPTIONS_RESUME_AUTO, ACTIVE, NEVER, NOW, DATA_TLS_SERVED},
	    {OPTIONS_RESUME_AUTO, ACTIVE, BEFORE, NOW, DATA_TLS_SERVED},
	    {OPTIONS_RESUME_AUTO, ACTIVE, NEVER, NOT_NOW, DATA_TLS_UNPROVEN},
	    {OPTIONS_RESUME_AUTO, ACTIVE, BEFORE, NOT_NOW, DATA_TLS_REFUSED},
	    {OPTIONS_RESUME_OFF, PASSIVE, NEVER, NOT_NOW, DATA_TLS_SERVED},
	    {OPTIONS_RESUME_OFF, PASSIVE, BEFORE, NOT_NOW, DATA_TLS_SERVED},
	    {OPTIONS_RESUME_OFF, ACTIVE, NEVER, NOT_NOW, DATA_TLS_SERVED},
	    {OPTIONS_RESUME_OFF, ACTIVE, BEFORE, NOT_NOW, DATA_TLS_SERVED},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		assert_int_equal(data_tls_judge(cases[i].rule, cases[i].is_passive,
		                                cases[i].has_before, cases[i].has_now),
		                 cases[i].verdict);
	}
}

/* SECURITY.md T4: an upload that ends by the connection's end alone. */
static void
an_end_is_judged(void **state)
{
	static const struct {
		enum options_tls_close rule;
		bool has_before;
		bool is_cut;
	} cases[] = {
	    {OPTIONS_CLOSE_REQUIRE, NEVER, true}, {OPTIONS_CLOSE_REQUIRE, BEFORE, true},
	    {OPTIONS_CLOSE_AUTO, NEVER, false},   {OPTIONS_CLOSE_AUTO, BEFORE, true},
	    {OPTIONS_CLOSE_OFF, NEVER, false},    {OPTIONS_CLOSE_OFF, BEFORE, false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		assert_int_equal(data_tls_is_cut(cases[i].rule, cases[i].has_before),
		                 cases[i].is_cut);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_connection_is_judged),
	    cmocka_unit_test(an_end_is_judged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
