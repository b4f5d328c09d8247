/*
 * addr: an internet address with a port, as plain bytes that can be compared, printed and
 * sent.
 * Runs in: every process.
 */
#include "common/addr.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "common/base.h"

bool
addr_parse(const char *text, size_t len, struct addr *ret_addr)
{
	char copy[INET6_ADDRSTRLEN + 1];
	struct addr addr = {0};

	if (len == 0 || len >= sizeof(copy) || memchr(text, '\0', len) != NULL) {
		return false;
	}
	memcpy(copy, text, len);
	copy[len] = '\0';
	if (inet_pton(AF_INET, copy, addr.bytes) == 1) {
		addr.family = ADDR_IPV4;
	} else if (inet_pton(AF_INET6, copy, addr.bytes) == 1) {
		addr.family = ADDR_IPV6;
	} else {
		return false;
	}
	*ret_addr = addr;
	return true;
}

size_t
addr_format(const struct addr *addr, char text[ADDR_TEXT_MAX])
{
	int family = addr->family == ADDR_IPV6 ? AF_INET6 : AF_INET;
	size_t len;

	if (addr->family == ADDR_NONE ||
	    inet_ntop(family, addr->bytes, text, ADDR_TEXT_MAX) == NULL) {
		text[0] = '-';
		text[1] = '\0';
		return 1;
	}
	len = strlen(text);
	if (addr->scope != 0) {
		len += (size_t)snprintf(text + len, ADDR_TEXT_MAX - len, "%%%u",
		                        addr->scope);
	}
	return len;
}

size_t
addr_format_port(const struct addr *addr, char text[ADDR_TEXT_MAX])
{
	char host[ADDR_TEXT_MAX];

	(void)addr_format(addr, host); /* the length is measured again below */
	if (addr->family == ADDR_IPV6) {
		return (size_t)snprintf(text, ADDR_TEXT_MAX, "[%.60s]:%u", host,
		                        addr->port);
	}
	return (size_t)snprintf(text, ADDR_TEXT_MAX, "%.60s:%u", host, addr->port);
}

bool
addr_same_host(const struct addr *a, const struct addr *b)
{
	return a->family == b->family && a->scope == b->scope &&
	       memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

bool
addr_in_network(const struct addr *addr, const struct addr *network, unsigned prefix_bits)
{
	unsigned whole = prefix_bits / 8;
	unsigned rest = prefix_bits % 8;
	unsigned size = addr->family == ADDR_IPV4 ? ADDR_IPV4_BYTES : ADDR_IPV6_BYTES;

	if (addr->family == ADDR_NONE || addr->family != network->family ||
	    prefix_bits > size * 8) {
		return false;
	}
	if (memcmp(addr->bytes, network->bytes, whole) != 0) {
		return false;
	}
	return rest == 0 ||
	       (addr->bytes[whole] ^ network->bytes[whole]) >> (8 - rest) == 0;
}

void
addr_unmap(struct addr *addr)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

	if (addr->family != ADDR_IPV6 ||
	    memcmp(addr->bytes, mapped, sizeof(mapped)) != 0) {
		return;
	}
	memmove(addr->bytes, addr->bytes + sizeof(mapped), ADDR_IPV4_BYTES);
	memset(addr->bytes + ADDR_IPV4_BYTES, 0, sizeof(addr->bytes) - ADDR_IPV4_BYTES);
	addr->family = ADDR_IPV4;
	addr->scope = 0;
}

struct addr
addr_for_limit(const struct addr *addr)
{
	struct addr reduced = *addr;

	reduced.port = 0;
	reduced.scope = 0;
	if (reduced.family == ADDR_IPV6) {
		memset(reduced.bytes + 8, 0, 8);
	}
	return reduced;
}
