/*
 * value_net: checks of values that become addresses and ports.
 * Runs in: master, worker, recorder.
 * Source:  RFC 3986 3.2.2 for the brackets of IPv6 addresses.
 * Not here: whether an address is the machine's.
 */
#include "ftpd/conf/value.h"

#include <string.h>

#include "common/base.h"

enum {
	PORT_MAX = 65535,
	IPV4_BITS = 32,
};

bool
value_number(const char *text, size_t len, unsigned base, uint64_t *ret_number)
{
	uint64_t number = 0;

	for (size_t i = 0; i < len; i++) {
		unsigned digit = (unsigned)(unsigned char)text[i] - '0';

		if (digit >= base || number > (UINT64_MAX - digit) / base) {
			return false;
		}
		number = number * base + digit;
	}
	*ret_number = number;
	return len > 0;
}

static bool
read_port(const char *text, uint16_t *ret_port)
{
	uint64_t number;

	if (!value_number(text, strlen(text), 10, &number) || number == 0 ||
	    number > PORT_MAX) {
		return false;
	}
	*ret_port = (uint16_t)number;
	return true;
}

/* An address with an interface number behind '%', as link-local addresses need one. */
static bool
read_bracketed(const char *text, size_t len, struct addr *ret_addr)
{
	const char *percent = memchr(text, '%', len);
	uint64_t scope = 0;
	struct addr addr;

	if (percent != NULL) {
		const char *digits = percent + 1;

		if (!value_number(digits, len - (size_t)(digits - text), 10, &scope) ||
		    scope == 0 || scope > UINT32_MAX) {
			return false;
		}
		len = (size_t)(percent - text);
	}
	if (!addr_parse(text, len, &addr) || addr.family != ADDR_IPV6) {
		return false;
	}
	addr.scope = (uint32_t)scope;
	*ret_addr = addr;
	return true;
}

static bool
read_host(const char *text, size_t len, struct addr *ret_addr)
{
	if (len == 1 && text[0] == '*') {
		*ret_addr = (struct addr){0};
		return true;
	}
	if (len > 2 && text[0] == '[' && text[len - 1] == ']') {
		return read_bracketed(text + 1, len - 2, ret_addr);
	}
	return addr_parse(text, len, ret_addr) && ret_addr->family == ADDR_IPV4;
}

bool
value_listen(const char *text, struct addr *ret_addr, char mistake[OPTION_MISTAKE_MAX])
{
	const char *colon = strrchr(text, ':');
	char quoted[VALUE_QUOTED_MAX];
	struct addr addr;

	option_quote(text, strlen(text), quoted, sizeof(quoted));
	if (addr_parse(text, strlen(text), &addr) && addr.family == ADDR_IPV6) {
		return value_refuse(
		    mistake,
		    "\"%s\" is an IPv6 address without brackets and port; write \"[%s]:21\"",
		    quoted, quoted);
	}
	if (colon == NULL || colon[1] == '\0' || colon[1] == ']' ||
	    strchr(colon, ']') != NULL) {
		return value_refuse(
		    mistake, "\"%s\" has no port; append one, as in \"*:21\"", quoted);
	}
	if (!read_host(text, (size_t)(colon - text), &addr)) {
		return value_refuse(
		    mistake,
		    "\"%s\" does not begin with an address; write \"*:21\", "
		    "\"192.0.2.1:21\" or \"[2001:db8::1]:21\"",
		    quoted);
	}
	if (!read_port(colon + 1, &addr.port)) {
		return value_refuse(
		    mistake,
		    "\"%s\" has no port from 1 to 65535 behind the colon; write one",
		    quoted);
	}
	*ret_addr = addr;
	return true;
}

static bool
has_bits_beyond(const struct addr *addr, unsigned prefix_bits)
{
	for (unsigned bit = prefix_bits; bit < IPV4_BITS; bit++) {
		if ((addr->bytes[bit / 8] & (0x80U >> bit % 8)) != 0) {
			return true;
		}
	}
	return false;
}

bool
value_network(const char *text, struct options_network *ret_network,
              char mistake[OPTION_MISTAKE_MAX])
{
	const char *slash = strchr(text, '/');
	const char *equals = strchr(text, '=');
	struct options_network network = {0};
	char quoted[VALUE_QUOTED_MAX];
	uint64_t bits;

	option_quote(text, strlen(text), quoted, sizeof(quoted));
	if (slash == NULL || equals == NULL || equals < slash ||
	    !addr_parse(text, (size_t)(slash - text), &network.network) ||
	    !value_number(slash + 1, (size_t)(equals - slash - 1), 10, &bits) ||
	    !addr_parse(equals + 1, strlen(equals + 1), &network.address)) {
		return value_refuse(
		    mistake,
		    "\"%s\" is not NETWORK/PREFIX=ADDRESS; write as in \"10.0.0.0/8=192.168.1.1\"",
		    quoted);
	}
	if (network.network.family != ADDR_IPV4 || network.address.family != ADDR_IPV4) {
		return value_refuse(
		    mistake,
		    "\"%s\" has an IPv6 address, which no reply to PASV can carry; remove it",
		    quoted);
	}
	if (bits > IPV4_BITS) {
		return value_refuse(
		    mistake, "\"%s\" has a prefix above 32; write one from 0 to 32",
		    quoted);
	}
	if (has_bits_beyond(&network.network, (unsigned)bits)) {
		return value_refuse(
		    mistake,
		    "\"%s\" has address bits beyond its prefix; set them to 0 or lengthen the prefix",
		    quoted);
	}
	network.prefix_bits = (uint8_t)bits;
	*ret_network = network;
	return true;
}

bool
value_ports(const struct option_row *row, const char *text,
            struct options_ports *ret_ports, char mistake[OPTION_MISTAKE_MAX])
{
	const char *dash = strchr(text, '-');
	struct options_ports ports;
	char quoted[VALUE_QUOTED_MAX];
	uint64_t low;
	uint64_t high;

	option_quote(text, strlen(text), quoted, sizeof(quoted));
	if (dash == NULL || !value_number(text, (size_t)(dash - text), 10, &low) ||
	    !value_number(dash + 1, strlen(dash + 1), 10, &high) || high > row->max ||
	    low > row->max) {
		return value_refuse(
		    mistake,
		    "\"%s\" is not a range of ports; write LOW-HIGH, as in \"%s\"",
		    quoted, row->initial);
	}
	if (low > high) {
		return value_refuse(mistake,
		                    "\"%s\" begins above its end; write \"%u-%u\"",
		                    quoted, (unsigned)high, (unsigned)low);
	}
	if (low < row->min) {
		return value_refuse(
		    mistake,
		    "\"%s\" has ports below %u, where other services live; begin it at %u or above",
		    quoted, (unsigned)row->min, (unsigned)row->min);
	}
	ports.low = (uint16_t)low;
	ports.high = (uint16_t)high;
	*ret_ports = ports;
	return true;
}
