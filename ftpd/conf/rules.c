/*
 * rules: what must hold between the values of several keys.
 * Runs in: master.
 * Not here: what only the system can tell; see the master's check.
 */
#include "ftpd/conf/reader.h"

#include <inttypes.h>
#include <string.h>

#include "common/base.h"

static void
check_spare(struct conf *conf)
{
	const struct options *options = &conf->options;

	if (options->spare_min > options->spare_max) {
		conf_findings_add(
		    conf, conf_is_set(conf, "spare_min") ? "spare_min" : "spare_max",
		    "spare_min %" PRIu32 " is above spare_max %" PRIu32
		    "; lower the first or raise the second",
		    options->spare_min, options->spare_max);
	}
}

/* "*" takes a port of both families, an unspecified address that of its own. */
static bool
do_collide(const struct addr *a, const struct addr *b)
{
	static const uint8_t zero[ADDR_IPV6_BYTES];

	if (a->port != b->port) {
		return false;
	}
	if (a->family == ADDR_NONE || b->family == ADDR_NONE) {
		return true;
	}
	return a->family == b->family &&
	       (addr_same_host(a, b) || memcmp(a->bytes, zero, sizeof(zero)) == 0 ||
	        memcmp(b->bytes, zero, sizeof(zero)) == 0);
}

/* An entry of listen has a line of its own. */
static void
report_listen(struct conf *conf, uint32_t entry, const char *text)
{
	const struct reader_origin *origin =
	    reader_origin(conf, option_find("", "listen"));
	uint16_t port = conf->options.listen.entry[entry].port;

	if (origin->override[0] == '\0' && origin->line != 0) {
		reader_report(conf, origin->entry_line[entry], "listen: port %u %s", port,
		              text);
	} else {
		conf_findings_add(conf, "listen", "listen: port %u %s", port, text);
	}
}

static void
check_listen(struct conf *conf)
{
	const struct options_listen_list *listen = &conf->options.listen;

	if (listen->count == 0) {
		conf_findings_add(conf, "listen",
		                  "listen is empty; write at least one ADDRESS:PORT");
	}
	for (uint32_t i = 0; i < listen->count; i++) {
		for (uint32_t j = 0; j < i; j++) {
			if (do_collide(&listen->entry[i], &listen->entry[j])) {
				report_listen(conf, i,
				              "is taken by an entry before; remove one");
				break;
			}
		}
	}
}

static void
check_passive_ports(struct conf *conf)
{
	const struct options *options = &conf->options;
	bool is_chosen = conf_is_set(conf, "passive_ports");

	for (uint32_t i = 0; i < options->listen.count; i++) {
		uint16_t port = options->listen.entry[i].port;

		if (port < options->passive_ports.low ||
		    port > options->passive_ports.high) {
			continue;
		}
		if (is_chosen) {
			conf_findings_add(
			    conf, "passive_ports",
			    "passive_ports %u-%u hold port %u of listen; leave it out",
			    options->passive_ports.low, options->passive_ports.high,
			    port);
		} else {
			report_listen(
			    conf, i,
			    "lies in passive_ports; choose another or set passive_ports");
		}
	}
}

static void
check_user(struct conf *conf, const char *key, const char *user)
{
	if (strcmp(user, "root") == 0) {
		conf_findings_add(
		    conf, key,
		    "%s must not be root, whom nothing confines; name a user who owns nothing",
		    key);
	}
}

void
reader_check_rules(struct conf *conf)
{
	check_listen(conf);
	check_passive_ports(conf);
	check_spare(conf);
	check_user(conf, "worker_user", conf->options.worker_user);
	check_user(conf, "recorder_user", conf->options.recorder_user);
	check_user(conf, "anonymous.user", conf->options.anonymous.user);
}
