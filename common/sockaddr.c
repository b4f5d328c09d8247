/*
 * sockaddr: between struct addr and the kernel's socket addresses.
 * Runs in: master, worker.
 */
#include "common/sockaddr.h"

#include <netinet/in.h>
#include <string.h>

#include "common/base.h"

socklen_t
sockaddr_from_addr(const struct addr *addr, struct sockaddr_storage *ret_sockaddr)
{
	struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(addr->port)};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6,
	                          .sin6_port = htons(addr->port),
	                          .sin6_scope_id = addr->scope};

	memset(ret_sockaddr, 0, sizeof(*ret_sockaddr));
	if (addr->family == ADDR_IPV4) {
		memcpy(&v4.sin_addr, addr->bytes, ADDR_IPV4_BYTES);
		memcpy(ret_sockaddr, &v4, sizeof(v4));
		return sizeof(v4);
	}
	if (addr->family == ADDR_IPV6) {
		memcpy(&v6.sin6_addr, addr->bytes, ADDR_IPV6_BYTES);
		memcpy(ret_sockaddr, &v6, sizeof(v6));
		return sizeof(v6);
	}
	return 0;
}

struct addr
sockaddr_to_addr(const struct sockaddr_storage *sockaddr)
{
	struct addr addr = {0};
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;

	if (sockaddr->ss_family == AF_INET) {
		memcpy(&v4, sockaddr, sizeof(v4));
		addr.family = ADDR_IPV4;
		addr.port = ntohs(v4.sin_port);
		memcpy(addr.bytes, &v4.sin_addr, ADDR_IPV4_BYTES);
	} else if (sockaddr->ss_family == AF_INET6) {
		memcpy(&v6, sockaddr, sizeof(v6));
		addr.family = ADDR_IPV6;
		addr.port = ntohs(v6.sin6_port);
		addr.scope = v6.sin6_scope_id;
		memcpy(addr.bytes, &v6.sin6_addr, ADDR_IPV6_BYTES);
		addr_unmap(&addr);
	}
	return addr;
}
