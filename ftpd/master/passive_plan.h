/*
 * passive_plan: which port a passive listener tries, and which address the client is
 * told.
 * Runs in: master. Input: addresses of clients; random numbers.
 * Source: RFC 959 5.3.2; RFC 2428 3; DESIGN.md section 6, passive_*.
 * Not here: the socket; see data_passive.h. No system call is made here.
 */
#ifndef FTPD_MASTER_PASSIVE_PLAN_H
#define FTPD_MASTER_PASSIVE_PLAN_H

#include "common/addr.h"
#include "ftpd/conf/options.h"
#include "common/base.h"

enum {
	/* One question costs at most so many calls of bind, however full the range is. */
	PASSIVE_TRIES_MAX = 2048,
};

/*
 * Choose the port of the try-th attempt: a random start, then one after the other, round
 * the range's end.
 * In:      start: random, the same for all tries.
 * Returns: the port; 0 when every port, or PASSIVE_TRIES_MAX of them, has been tried.
 */
uint16_t passive_plan_port(const struct options_ports *ports, uint32_t start,
                           uint32_t try);

/*
 * Choose what the client is told.
 * In:      resolved: passive_address as an address; ADDR_NONE: empty or not known.
 *          bound: where the listener is. IPv6 is always told as it is: EPSV names a port
 *          alone.
 * Returns: the address, with the listener's port.
 */
struct addr passive_plan_announce(const struct options_network_list *networks,
                                  const struct addr *resolved, const struct addr *peer,
                                  const struct addr *bound);

#endif
