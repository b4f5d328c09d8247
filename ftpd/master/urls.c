/*
 * urls: prints the addresses under which deftpd --serve can be reached.
 * Runs in: master.
 */
#include "ftpd/master/urls.h"

#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "common/sockaddr.h"
#include "common/base.h"

enum {
	FTP_PORT = 21,
};

static void
print_host(const char *host, bool is_ipv6, uint16_t port)
{
	(void)printf("  ftp://%s%s%s", is_ipv6 ? "[" : "", host, is_ipv6 ? "]" : "");
	if (port != FTP_PORT) {
		(void)printf(":%u", (unsigned)port);
	}
	(void)printf("/\n");
}

static void
print_addr(const struct addr *addr, uint16_t port)
{
	char text[ADDR_TEXT_MAX];

	(void)addr_format(addr, text);
	print_host(text, addr->family == ADDR_IPV6, port);
}

static bool
is_link_local(const struct addr *addr)
{
	return addr->family == ADDR_IPV6 && addr->bytes[0] == 0xfe &&
	       (addr->bytes[1] & 0xc0) == 0x80;
}

/*
 * Returns: the interface's address, ADDR_NONE if it is of no use in a URL: loopback is
 *          printed as localhost.
 */
static struct addr
address_of(const struct ifaddrs *interface)
{
	struct sockaddr_storage sockaddr = {0};
	struct addr addr = {0};
	size_t size;

	if (interface->ifa_addr == NULL || (interface->ifa_flags & IFF_UP) == 0 ||
	    (interface->ifa_flags & IFF_LOOPBACK) != 0) {
		return addr;
	}
	if (interface->ifa_addr->sa_family == AF_INET) {
		size = sizeof(struct sockaddr_in);
	} else if (interface->ifa_addr->sa_family == AF_INET6) {
		size = sizeof(struct sockaddr_in6);
	} else {
		return addr;
	}
	memcpy(&sockaddr, interface->ifa_addr, size);
	addr = sockaddr_to_addr(&sockaddr);
	if (is_link_local(&addr)) {
		memset(&addr, 0, sizeof(addr)); /* few clients take a scope in a URL */
	}
	return addr;
}

static void
print_interfaces(uint16_t port)
{
	struct ifaddrs *list = NULL;

	print_host("localhost", false, port);
	if (getifaddrs(&list) != 0) {
		return; /* the one above is true all the same */
	}
	for (const struct ifaddrs *at = list; at != NULL; at = at->ifa_next) {
		struct addr addr = address_of(at);

		if (addr.family != ADDR_NONE) {
			print_addr(&addr, port);
		}
	}
	freeifaddrs(list);
}

void
urls_print(const struct options_listen_list *list)
{
	for (uint32_t i = 0; i < list->count; i++) {
		if (list->entry[i].family == ADDR_NONE) {
			print_interfaces(list->entry[i].port);
		} else {
			print_addr(&list->entry[i], list->entry[i].port);
		}
	}
	(void)fflush(stdout); /* what fails here, nobody could be told */
}
