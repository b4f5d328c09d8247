/*
 * addr: an internet address with a port, as plain bytes that can be compared, printed and
 * sent.
 * Runs in: every process. Pure: no system call, so proto may use it; socket addresses are
 * in sockaddr.h.
 * Source: RFC 4291 2.2 and 2.5.5.2.
 * Not here: names and their resolution.
 */
#ifndef COMMON_ADDR_H
#define COMMON_ADDR_H

#include "common/base.h"

enum addr_family {
	ADDR_NONE,
	ADDR_IPV4,
	ADDR_IPV6,
};

enum {
	ADDR_IPV4_BYTES = 4,
	ADDR_IPV6_BYTES = 16,
	/* "[" 45 characters "%" ten digits "]:" five digits, and NUL. */
	ADDR_TEXT_MAX = 72,
};

/*
 * An IPv4 address uses the first four bytes. Unused bytes are zero, so that memory
 * compares.
 */
struct addr {
	uint8_t family;    /* enum addr_family */
	uint8_t bytes[16]; /* network order */
	uint8_t unused;    /* would be padding, which assignment does not keep */
	uint16_t port;     /* host order */
	uint32_t scope;    /* interface of a link-local IPv6 address, else 0 */
};

/*
 * Parse a numeric address without port: dotted quad, or IPv6 text without brackets and
 * scope.
 * In:      text, len: not NUL-terminated.
 * Returns: true and *ret_addr (port and scope 0), or false and *ret_addr untouched.
 */
bool addr_parse(const char *text, size_t len, struct addr *ret_addr);

/*
 * Print the address without its port.
 * Returns: length of the text in `text`, which is always terminated.
 */
size_t addr_format(const struct addr *addr, char text[ADDR_TEXT_MAX]);

/*
 * Print address and port: 192.0.2.1:21 or [2001:db8::1]:21.
 * Returns: length of the text in `text`, which is always terminated.
 */
size_t addr_format_port(const struct addr *addr, char text[ADDR_TEXT_MAX]);

/*
 * Compare two addresses without their ports.
 * Returns: true if they name the same host interface.
 */
bool addr_same_host(const struct addr *a, const struct addr *b);

/*
 * Ask whether `addr` lies in network/prefix.
 * Returns: true if the families agree and the first prefix_bits bits are equal.
 */
bool addr_in_network(const struct addr *addr, const struct addr *network,
                     unsigned prefix_bits);

/*
 * Turn an IPv4-mapped IPv6 address (::ffff:a.b.c.d) into the IPv4 address that it means;
 * others stay. A listener for both families sees IPv4 clients in that form.
 */
void addr_unmap(struct addr *addr);

/*
 * Reduce an address to what limits count: IPv4 whole, IPv6 by /64; port and scope
 * cleared.
 * Returns: the reduced address.
 */
struct addr addr_for_limit(const struct addr *addr);

#endif
