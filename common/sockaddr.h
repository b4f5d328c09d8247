/*
 * sockaddr: between struct addr and the kernel's socket addresses.
 * Runs in: master, worker.
 * Not here: making sockets; that is the master's.
 */
#ifndef COMMON_SOCKADDR_H
#define COMMON_SOCKADDR_H

#include <sys/socket.h>

#include "common/addr.h"
#include "common/base.h"

/*
 * Fill a socket address for bind or connect.
 * Returns: its length, 0 for ADDR_NONE.
 */
socklen_t sockaddr_from_addr(const struct addr *addr,
                             struct sockaddr_storage *ret_sockaddr);

/*
 * Read a socket address as the kernel gave it. IPv4-mapped addresses come out as IPv4;
 * other families as ADDR_NONE.
 * Returns: the address.
 */
struct addr sockaddr_to_addr(const struct sockaddr_storage *sockaddr);

#endif
