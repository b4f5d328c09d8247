/*
 * test_master_passive_plan: which ports are tried, and which address a client is told.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

#include "ftpd/master/passive_plan.h"
#include "common/base.h"

struct port_row {
	uint16_t low;
	uint16_t high;
	uint32_t start;
	uint32_t try;
	uint16_t expected;
	const char *why;
};

static void
test_port(void **state)
{
	static const struct port_row rows[] = {
	    {5000, 5009, 0, 0, 5000, "the first"},
	    {5000, 5009, 7, 0, 5007, "a start within"},
	    {5000, 5009, 7, 3, 5000, "round the end"},
	    {5000, 5009, 1234567891, 9, 5000, "a start far beyond"},
	    {5000, 5009, 7, 10, 0, "all have been tried"},
	    {5000, 5000, 99, 0, 5000, "a range of one"},
	    {5000, 5000, 99, 1, 0, "a range of one, tried"},
	    {1024, 65535, UINT32_MAX, 0, 1024 + UINT32_MAX % 64512, "no overflow"},
	    {1024, 65535, 0, PASSIVE_TRIES_MAX - 1, 1024 + PASSIVE_TRIES_MAX - 1,
	     "last try"},
	    {1024, 65535, 0, PASSIVE_TRIES_MAX, 0, "the cap of tries"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		const struct options_ports ports = {.low = rows[i].low,
		                                    .high = rows[i].high};

		assert_int_equal(passive_plan_port(&ports, rows[i].start, rows[i].try),
		                 rows[i].expected);
	}
}

/* Whatever the start, a small range is tried whole and each port once. */
static void
test_every_port_once(void **state)
{
	const struct options_ports ports = {.low = 60000, .high = 60099};

	(void)state;
	for (uint32_t start = 0; start < 1000; start += 37) {
		bool has_seen[100] = {false};
		uint16_t port;
		uint32_t count = 0;

		while ((port = passive_plan_port(&ports, start, count)) != 0) {
			assert_in_range(port, 60000, 60099);
			assert_false(has_seen[port - 60000]);
			has_seen[port - 60000] = true;
			count++;
		}
		assert_int_equal(count, 100);
	}
}

static struct addr
parse(const char *text, uint16_t port)
{
	struct addr addr = {0};

	assert_true(text[0] == '\0' || addr_parse(text, strlen(text), &addr));
	addr.port = port;
	return addr;
}

struct announce_row {
	const char *resolved;
	const char *peer;
	const char *bound;
	const char *expected;
	const char *why;
};

static void
test_announce(void **state)
{
	static const struct announce_row rows[] = {
	    {"", "198.51.100.1", "192.0.2.1", "192.0.2.1", "where the client connected"},
	    {"203.0.113.9", "198.51.100.1", "192.0.2.1", "203.0.113.9",
	     "passive_address"},
	    {"203.0.113.9", "10.1.2.3", "192.0.2.1", "192.168.1.1",
	     "the first that holds"},
	    {"", "10.1.2.3", "192.0.2.1", "192.168.1.1", "a network without the other"},
	    {"203.0.113.9", "10.200.0.1", "192.0.2.1", "192.168.1.2",
	     "the second network"},
	    {"203.0.113.9", "2001:db8::5", "2001:db8::1", "2001:db8::1", "IPv6 as it is"},
	};
	struct options_network_list networks = {.count = 2};

	(void)state;
	networks.entry[0] = (struct options_network){.network = parse("10.1.0.0", 0),
	                                             .address = parse("192.168.1.1", 0),
	                                             .prefix_bits = 16};
	networks.entry[1] = (struct options_network){.network = parse("10.0.0.0", 0),
	                                             .address = parse("192.168.1.2", 0),
	                                             .prefix_bits = 8};
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		struct addr resolved = parse(rows[i].resolved, 0);
		struct addr peer = parse(rows[i].peer, 1111);
		struct addr bound = parse(rows[i].bound, 50123);
		struct addr expected = parse(rows[i].expected, 50123);
		struct addr told =
		    passive_plan_announce(&networks, &resolved, &peer, &bound);

		assert_true(addr_same_host(&told, &expected));
		assert_int_equal(told.port, 50123);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_port),
	    cmocka_unit_test(test_every_port_once),
	    cmocka_unit_test(test_announce),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
