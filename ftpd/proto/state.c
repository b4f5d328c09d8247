/*
 * state: the two state machines of a session, as data.
 * Runs in: deftpd-worker. Pure.
 */
#include "ftpd/proto/state.h"

#include "common/base.h"

#define TO(state) (1U << (state))

static const uint8_t session_next[SESSION_STATE_COUNT] = {
    [SESSION_GREETED] = TO(SESSION_GREETED) | TO(SESSION_NAMED) | TO(SESSION_CLOSING),
    [SESSION_NAMED] = TO(SESSION_NAMED) | TO(SESSION_GREETED) | TO(SESSION_AUTHENTICATING) |
                      TO(SESSION_CLOSING),
    [SESSION_AUTHENTICATING] = TO(SESSION_NAMED) | TO(SESSION_GREETED) |
                               TO(SESSION_LOGGED_IN) | TO(SESSION_CLOSING),
    [SESSION_LOGGED_IN] = TO(SESSION_GREETED) | TO(SESSION_CLOSING),
    [SESSION_CLOSING] = 0,
};

static const uint8_t transfer_next[TRANSFER_STATE_COUNT] = {
    [TRANSFER_IDLE] = TO(TRANSFER_IDLE) | TO(TRANSFER_ARMED),
    [TRANSFER_ARMED] = TO(TRANSFER_ARMED) | TO(TRANSFER_OPENING) | TO(TRANSFER_IDLE),
    [TRANSFER_OPENING] = TO(TRANSFER_MOVING) | TO(TRANSFER_FINISHING),
    [TRANSFER_MOVING] = TO(TRANSFER_FINISHING),
    [TRANSFER_FINISHING] = TO(TRANSFER_IDLE),
};

bool
session_state_may(enum session_state from, enum session_state to)
{
	return (session_next[from] & TO(to)) != 0;
}

bool
transfer_state_may(enum transfer_state from, enum transfer_state to)
{
	return (transfer_next[from] & TO(to)) != 0;
}

const char *
session_state_name(enum session_state state)
{
	static const char *const names[SESSION_STATE_COUNT] = {
	    "greeted", "named", "authenticating", "logged in", "closing"};

	return state < SESSION_STATE_COUNT ? names[state] : "unknown";
}

const char *
transfer_state_name(enum transfer_state state)
{
	static const char *const names[TRANSFER_STATE_COUNT] = {"idle", "armed", "opening",
	                                                        "moving", "finishing"};

	return state < TRANSFER_STATE_COUNT ? names[state] : "unknown";
}
