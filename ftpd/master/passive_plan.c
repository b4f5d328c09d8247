/*
 * passive_plan: which port a passive listener tries, and which address the client is
 * told.
 * Runs in: master.
 */
#include "ftpd/master/passive_plan.h"

#include "common/base.h"

uint16_t
passive_plan_port(const struct options_ports *ports, uint32_t start, uint32_t try)
{
	uint32_t count = (uint32_t)ports->high - ports->low + 1;

	if (try >= count || try >= PASSIVE_TRIES_MAX) {
		return 0;
	}
	return (uint16_t)(ports->low + (start % count + try) % count);
}

struct addr
passive_plan_announce(const struct options_network_list *networks,
                      const struct addr *resolved, const struct addr *peer,
                      const struct addr *bound)
{
	struct addr told = *bound;

	if (bound->family != ADDR_IPV4) {
		return told;
	}
	if (resolved->family == ADDR_IPV4) {
		told = *resolved;
	}
	for (uint32_t i = 0; i < networks->count; i++) {
		const struct options_network *entry = &networks->entry[i];

		if (addr_in_network(peer, &entry->network, entry->prefix_bits)) {
			told = entry->address;
			break;
		}
	}
	told.port = bound->port;
	return told;
}
