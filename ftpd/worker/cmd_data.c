/*
 * cmd_data: where to transfer: PORT, EPRT, PASV, EPSV.
 * Runs in: deftpd-worker.
 * Source: RFC 959 4.1.2; RFC 2428; RFC 2577 3 (bounce).
 * Not here: the sockets. The master checks every address again by itself.
 */
#include "ftpd/worker/cmd.h"
#include "ftpd/worker/cmd_tls.h"
#include "ftpd/worker/control.h"
#include "ftpd/worker/session.h"
#include "ftpd/worker/worker.h"
#include "common/base.h"

enum {
	/* RFC 2577 3: below are services that could be attacked by our connection */
	LOWEST_PORT = 1024,
};

bool
cmd_port_check(struct session *session, const struct request *request)
{
	const struct addr *target = &request->value.addr;
	struct addr host = *target;

	/*
	 * A link-local address has no scope in EPRT: it can only be on the link that the
	 * client is on.
	 */
	host.scope = session->peer.scope;
	if (target->family != session->peer.family) {
		control_reply(session,
		              session->command == CMD_EPRT ? REPLY_BAD_FAMILY
		                                           : REPLY_BAD_ARGUMENT,
		              "Network protocol not supported here, use (%s)",
		              session->peer.family == ADDR_IPV6 ? "2" : "1");
		return false;
	}
	if (!addr_same_host(&host, &session->peer)) {
		control_reply(
		    session, REPLY_BAD_ARGUMENT,
		    "Data goes only to the address that you are connected from.");
		return false;
	}
	if (target->port < LOWEST_PORT) {
		control_reply(session, REPLY_BAD_ARGUMENT,
		              "The port must be %d or above.", LOWEST_PORT);
		return false;
	}
	return true;
}

void
cmd_port(struct session *session, const struct request *request)
{
	struct addr target = session->peer;

	target.port = request->value.addr.port;
	data_arm_active(session, &target);
	session_set_transfer_state(session, TRANSFER_ARMED);
	cmd_tls_offer_ticket(session);
	control_reply(session, REPLY_OK, "Done.");
}

static bool
is_family_right(const struct session *session, enum arg_epsv wanted)
{
	return wanted == ARG_EPSV_ANY || wanted == ARG_EPSV_ALL ||
	       (wanted == ARG_EPSV_IPV6) == (session->local.family == ADDR_IPV6);
}

bool
cmd_passive_check(struct session *session, const struct request *request)
{
	if (request->id == CMD_PASV && session->local.family == ADDR_IPV6) {
		control_reply(session, REPLY_NOT_IMPLEMENTED,
		              "PASV cannot name an IPv6 address; use EPSV.");
		return false;
	}
	if (request->id == CMD_EPSV && !is_family_right(session, request->value.epsv)) {
		control_reply(session, REPLY_BAD_FAMILY,
		              "Network protocol not supported, use (%s)",
		              session->local.family == ADDR_IPV6 ? "2" : "1");
		return false;
	}
	return true;
}

void
cmd_passive(struct session *session, const struct request *request)
{
	if (request->id == CMD_EPSV && request->value.epsv == ARG_EPSV_ALL) {
		session->is_epsv_only = true;
		control_reply(session, REPLY_OK, "From now on only EPSV.");
		return;
	}
	if (session->transfer_state == TRANSFER_ARMED) {
		session_set_transfer_state(session, TRANSFER_IDLE);
	}
	data_arm_passive(session);
}

void
cmd_passive_armed(struct session *session, enum ipc_result result)
{
	const struct addr *announced = &session->data.announced;
	const uint8_t *bytes = announced->bytes;

	if (result != IPC_OK) {
		control_reply(session, REPLY_NO_DATA_CONNECTION,
		              "No port is free for a data connection; try again.");
		return;
	}
	session_set_transfer_state(session, TRANSFER_ARMED);
	cmd_tls_offer_ticket(session);
	if (session->command == CMD_PASV) {
		control_reply(session, REPLY_PASSIVE,
		              "Entering Passive Mode (%u,%u,%u,%u,%u,%u).", bytes[0],
		              bytes[1], bytes[2], bytes[3], announced->port >> 8,
		              announced->port & 0xff);
	} else {
		control_reply(session, REPLY_EXTENDED_PASSIVE,
		              "Entering Extended Passive Mode (|||%u|)", announced->port);
	}
}
