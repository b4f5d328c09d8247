/*
 * test_addr: texts, comparison, networks, and the forms that the kernel gives.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <netinet/in.h>

#include "common/addr.h"
#include "common/sockaddr.h"
#include "common/base.h"

static struct addr
parsed(const char *text)
{
	struct addr addr;

	assert_true(addr_parse(text, strlen(text), &addr));
	return addr;
}

struct text_case {
	const char *in;
	const char *out; /* NULL: refused */
};

static const struct text_case texts[] = {
    {"192.0.2.1", "192.0.2.1"},
    {"0.0.0.0", "0.0.0.0"},
    {"255.255.255.255", "255.255.255.255"},
    {"::", "::"},
    {"::1", "::1"},
    {"2001:DB8:0:0:0:0:0:1", "2001:db8::1"},
    {"::ffff:192.0.2.1", "::ffff:192.0.2.1"},
    {"ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255",
     "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"},
    {"", NULL},
    {"256.0.0.1", NULL},
    {"1.2.3", NULL},
    {"1.2.3.4.5", NULL},
    {"1.2.3.4 ", NULL},
    {" 1.2.3.4", NULL},
    {"0x7f.0.0.1", NULL},
    {"2130706433", NULL},
    {"localhost", NULL},
    {"[::1]", NULL},
    {"fe80::1%1", NULL},
    {":::", NULL},
    {"1:2:3:4:5:6:7:8:9", NULL},
    {"ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.2555", NULL},
    {"1111111111111111111111111111111111111111111111111111111111", NULL},
};

static void
numeric_texts_only(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(texts); i++) {
		char text[ADDR_TEXT_MAX];
		struct addr addr = {.family = 77};

		assert_int_equal(addr_parse(texts[i].in, strlen(texts[i].in), &addr),
		                 texts[i].out != NULL);
		if (texts[i].out == NULL) {
			assert_int_equal(addr.family, 77);
			continue;
		}
		assert_int_equal(addr_format(&addr, text), strlen(texts[i].out));
		assert_string_equal(text, texts[i].out);
		assert_int_equal(addr.port, 0);
		assert_int_equal(addr.scope, 0);
	}
	assert_false(addr_parse("1.2.3.4\0", 8, &(struct addr){0}));
	/* Only len bytes count. */
	assert_true(addr_parse("1.2.3.456", 7, &(struct addr){0}));
}

static void
ports_and_scopes_are_printed(void **state)
{
	struct addr addr = parsed("192.0.2.1");
	char text[ADDR_TEXT_MAX];

	(void)state;
	addr.port = 21;
	assert_int_equal(addr_format_port(&addr, text), 12);
	assert_string_equal(text, "192.0.2.1:21");
	addr = parsed("fe80::1");
	addr.port = 65535;
	addr.scope = UINT32_MAX;
	(void)addr_format_port(&addr, text);
	assert_string_equal(text, "[fe80::1%4294967295]:65535");
	/* The longest of all is whole. */
	addr = parsed("ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255");
	addr.port = 65535;
	addr.scope = UINT32_MAX;
	assert_int_equal(addr_format_port(&addr, text), 39 + 11 + 8);
	assert_string_equal(text,
	                    "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff%4294967295]:65535");
	addr = (struct addr){0};
	(void)addr_format(&addr, text);
	assert_string_equal(text, "-");
}

struct network_case {
	const char *addr;
	const char *network;
	unsigned prefix_bits;
	bool is_inside;
};

static const struct network_case networks[] = {
    {"192.0.2.1", "192.0.2.0", 24, true},
    {"192.0.3.1", "192.0.2.0", 24, false},
    {"192.0.3.1", "192.0.2.0", 23, true},
    {"192.0.2.255", "192.0.2.254", 31, true},
    {"192.0.2.253", "192.0.2.254", 31, false},
    {"192.0.2.1", "192.0.2.1", 32, true},
    {"192.0.2.1", "192.0.2.0", 32, false},
    {"203.0.113.9", "0.0.0.0", 0, true},
    {"192.0.2.1", "192.0.2.1", 33, false},
    {"128.0.0.0", "0.0.0.0", 1, false},
    {"127.255.255.255", "0.0.0.0", 1, true},
    {"2001:db8::1", "2001:db8::", 64, true},
    {"2001:db8:0:1::1", "2001:db8::", 64, false},
    {"2001:db8:0:1::1", "2001:db8::", 63, true},
    {"::1", "::1", 128, true},
    {"::2", "::1", 128, false},
    {"::1", "::1", 129, false},
    {"::", "0.0.0.0", 0, false},
    {"0.0.0.0", "::", 0, false},
};

static void
networks_contain_by_bits(void **state)
{
	const struct addr nothing = {0};
	struct addr any = parsed("0.0.0.0");

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(networks); i++) {
		struct addr addr = parsed(networks[i].addr);
		struct addr network = parsed(networks[i].network);

		if (addr_in_network(&addr, &network, networks[i].prefix_bits) !=
		    networks[i].is_inside) {
			print_error("%s in %s/%u\n", networks[i].addr,
			            networks[i].network, networks[i].prefix_bits);
		}
		assert_int_equal(
		    addr_in_network(&addr, &network, networks[i].prefix_bits),
		    networks[i].is_inside);
	}
	assert_false(addr_in_network(&nothing, &nothing, 0));
	assert_false(addr_in_network(&nothing, &any, 0));
}

static void
hosts_are_compared_without_ports(void **state)
{
	struct addr a = parsed("fe80::1");
	struct addr b = a;

	(void)state;
	b.port = 9;
	assert_true(addr_same_host(&a, &b));
	b.scope = 2;
	assert_false(addr_same_host(&a, &b));
	b = parsed("fe80::2");
	assert_false(addr_same_host(&a, &b));
	a = parsed("0.0.0.0");
	b = parsed("::");
	assert_false(addr_same_host(&a, &b));
}

static void
mapped_addresses_become_ipv4(void **state)
{
	struct addr addr = parsed("::ffff:192.0.2.1");
	struct addr expected = parsed("192.0.2.1");

	(void)state;
	addr.scope = 3;
	addr_unmap(&addr);
	assert_memory_equal(&addr, &expected, sizeof(addr));
	addr_unmap(&addr);
	assert_memory_equal(&addr, &expected, sizeof(addr));
	/* IPv4-compatible is something else. */
	addr = parsed("::192.0.2.1");
	addr_unmap(&addr);
	assert_int_equal(addr.family, ADDR_IPV6);
}

static void
limits_count_networks_of_ipv6(void **state)
{
	struct addr addr = parsed("2001:db8:1:2:3:4:5:6");
	struct addr expected = parsed("2001:db8:1:2::");
	struct addr reduced;

	(void)state;
	addr.port = 5;
	addr.scope = 6;
	reduced = addr_for_limit(&addr);
	assert_memory_equal(&reduced, &expected, sizeof(reduced));
	addr = parsed("192.0.2.1");
	expected = addr;
	addr.port = 5;
	reduced = addr_for_limit(&addr);
	assert_memory_equal(&reduced, &expected, sizeof(reduced));
}

static void
socket_addresses_come_and_go(void **state)
{
	struct sockaddr_storage storage;
	struct addr addr = parsed("192.0.2.1");
	struct addr back;

	(void)state;
	addr.port = 2121;
	assert_int_equal(sockaddr_from_addr(&addr, &storage), sizeof(struct sockaddr_in));
	assert_int_equal(storage.ss_family, AF_INET);
	back = sockaddr_to_addr(&storage);
	assert_memory_equal(&back, &addr, sizeof(addr));
	addr = parsed("fe80::1");
	addr.port = 1;
	addr.scope = 4;
	assert_int_equal(sockaddr_from_addr(&addr, &storage),
	                 sizeof(struct sockaddr_in6));
	back = sockaddr_to_addr(&storage);
	assert_memory_equal(&back, &addr, sizeof(addr));
	addr = parsed("::ffff:192.0.2.1");
	addr.port = 9;
	(void)sockaddr_from_addr(&addr, &storage);
	back = sockaddr_to_addr(&storage);
	assert_int_equal(back.family, ADDR_IPV4);
	assert_int_equal(back.port, 9);
	assert_int_equal(sockaddr_from_addr(&(struct addr){0}, &storage), 0);
	storage = (struct sockaddr_storage){.ss_family = AF_UNIX};
	assert_int_equal(sockaddr_to_addr(&storage).family, ADDR_NONE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(numeric_texts_only),
	    cmocka_unit_test(ports_and_scopes_are_printed),
	    cmocka_unit_test(networks_contain_by_bits),
	    cmocka_unit_test(hosts_are_compared_without_ports),
	    cmocka_unit_test(mapped_addresses_become_ipv4),
	    cmocka_unit_test(limits_count_networks_of_ipv6),
	    cmocka_unit_test(socket_addresses_come_and_go),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
