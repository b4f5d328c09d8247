/*
 * state: the states of a session and of its transfer, and which may follow which.
 * Runs in: deftpd-worker.
 */
#include "ftpd/proto/state.h"

#include "common/base.h"

/* Each row: the states that may follow, as a mask. */
static const unsigned session_next[SESSION_STATE_COUNT] = {
    [SESSION_GREETED] = 1U << SESSION_NAMED | 1U << SESSION_CLOSING,
    [SESSION_NAMED] = 1U << SESSION_GREETED | 1U << SESSION_AUTHENTICATING |
                      1U << SESSION_LOGGED_IN | 1U << SESSION_CLOSING,
    [SESSION_AUTHENTICATING] = 1U << SESSION_GREETED | 1U << SESSION_ASKED |
                               1U << SESSION_LOGGED_IN | 1U << SESSION_CLOSING,
    [SESSION_ASKED] = 1U << SESSION_GREETED | 1U << SESSION_NAMED |
                      1U << SESSION_AUTHENTICATING | 1U << SESSION_CLOSING,
    [SESSION_LOGGED_IN] = 1U << SESSION_GREETED | 1U << SESSION_CLOSING,
    [SESSION_CLOSING] = 0,
};

static const unsigned transfer_next[TRANSFER_STATE_COUNT] = {
    [TRANSFER_IDLE] = 1U << TRANSFER_ARMED | 1U << TRANSFER_OPENING,
    [TRANSFER_ARMED] =
	1U << TRANSFER_IDLE | 1U << TRANSFER_ARMED | 1U << TRANSFER_OPENING,
    [TRANSFER_OPENING] = 1U << TRANSFER_IDLE | 1U << TRANSFER_MOVING,
    [TRANSFER_MOVING] = 1U << TRANSFER_IDLE | 1U << TRANSFER_FINISHING,
    [TRANSFER_FINISHING] = 1U << TRANSFER_IDLE,
};

bool
session_state_may(enum session_state from, enum session_state to)
{
	return (session_next[from] >> to & 1) != 0;
}

bool
transfer_state_may(enum transfer_state from, enum transfer_state to)
{
	return (transfer_next[from] >> to & 1) != 0;
}

const char *
session_state_name(enum session_state state)
{
	static const char *const names[SESSION_STATE_COUNT] = {
	    [SESSION_GREETED] = "greeted",
	    [SESSION_NAMED] = "named",
	    [SESSION_AUTHENTICATING] = "authenticating",
	    [SESSION_ASKED] = "asked",
	    [SESSION_LOGGED_IN] = "logged in",
	    [SESSION_CLOSING] = "closing",
	};

	return names[state];
}

const char *
transfer_state_name(enum transfer_state state)
{
	static const char *const names[TRANSFER_STATE_COUNT] = {
	    [TRANSFER_IDLE] = "idle",           [TRANSFER_ARMED] = "armed",
	    [TRANSFER_OPENING] = "opening",     [TRANSFER_MOVING] = "moving",
	    [TRANSFER_FINISHING] = "finishing",
	};

	return names[state];
}
