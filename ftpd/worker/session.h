/*
 * Long because all that a client has said, and all that is being done for it, is one
 * struct.
 * session: one client: its control connection, what it has said, and what is being done
 * for it.
 * Runs in: deftpd-worker. Input: hostile.
 * Source: RFC 959 2.3 and 5; the states are drawn in ftpd/proto/state.h.
 * Not here: reading lines (control.c), what commands do (cmd_*.c), data (data.c,
 * transfer.c).
 *
 * An idle session costs this struct and nothing else: text, input, output and the
 * question are allocated while something is in them.
 */
#ifndef FTPD_WORKER_SESSION_H
#define FTPD_WORKER_SESSION_H

#include "common/addr.h"
#include "common/loop.h"
#include "common/timer.h"
#include "ftpd/ipc/agent.h"
#include "ftpd/ipc/master_worker.h"
#include "ftpd/proto/command.h"
#include "ftpd/proto/line.h"
#include "ftpd/proto/state.h"
#include "ftpd/tls/stream.h"
#include "ftpd/worker/data.h"
#include "ftpd/worker/transfer.h"
#include "common/base.h"

struct agent_client;
struct change;
struct copy_job;
struct login;
struct rate;
struct stat_listing;
struct worker;

enum {
	/* replies not yet taken by the client; above it no command is read */
	SESSION_OUTPUT_MAX = 64 * 1024,
	/*
	 * unknown commands before login; then the client is no FTP client (SECURITY.md
	 * T3)
	 */
	SESSION_UNKNOWN_MAX = 10,
	SESSION_NAME_MAX = 255,
	SESSION_CLIENT_MAX = 128, /* of CLNT; what is longer is cut off */
};

/* What the login has given; all but the shares zero before. */
struct session_rights {
	bool is_user; /* by a password; else anonymous */
	bool is_read_only;
	bool has_shared_rate;    /* the master is told when data moves */
	uint32_t idle_timeout_s; /* 0: as configured for all */
	uint64_t rate_down;      /* bytes per second of this session, 0: no limit */
	uint64_t rate_up;
	/*
	 * Of what user or address may move, 0: no limit (MW_SHARE). It is the master's
	 * word about the session, and not repeated before it changes.
	 */
	uint64_t share_down;
	uint64_t share_up;
	uint64_t max_file_bytes; /* 0: no limit */
	uint64_t min_free_bytes;
	uint8_t tls_policy; /* enum options_tls_policy: what holds now, login or not */
};

/* secure.c: where it is in a record that it passes over behind CCC or REIN. */
struct session_skip {
	uint8_t head[5];
	size_t head_len;
	size_t left;
	unsigned count;
};

/* What the session has of TLS. All zero before AUTH. */
struct session_tls {
	struct tls_stream *control; /* NULL in clear */
	bool is_wanted;             /* AUTH is accepted: 234 and the handshake follow */
	bool is_starting;           /* handshake */
	bool wants_room;            /* the handshake has more to say than is taken */
	bool is_dry;                /* nothing can be read before something happens */
	bool is_clearing;           /* CCC or REIN: a reply and close_notify follow */
	bool is_anew;               /* it is REIN: nothing of this outlives TLS */
	bool may_skip;              /* behind close_notify, before what is not TLS */
	struct session_skip skip;
	bool is_implicit; /* TLS begins the connection, and begins it anew */
	bool is_greeted;  /* if so */
	bool has_pbsz;
	bool is_data_private; /* PROT P; also behind CCC */
	/* what ties data connections to this control connection; new at each AUTH */
	struct tls_binding binding;
	/* the certificate that it has brought, to which its data connections are held */
	struct tls_client client;
	/* data.c and transfer.c: what this client can, and has been told of to the log */
	bool has_resumed;
	bool has_closed; /* it has ended a data connection with close_notify */
	bool is_unresumed_told;
	bool is_unclosed_told;
};

struct session {
	struct loop_source control; /* first: a source is its session */
	struct timer timer;
	struct worker *worker;
	struct session *next; /* in the worker's bucket, or among the ended */
	uint32_t id;
	enum session_state state; /* changed by session_set_state only */
	struct addr peer;
	struct addr local;
	/* last sign of life, from the client or its data connection */
	uint64_t active_ms;

	/* control connection */
	struct line line;
	char *text;     /* the line being assembled; NULL between lines */
	uint8_t *input; /* bytes received that must wait; NULL if none */
	size_t input_len;
	char *output; /* replies that the client has not taken yet; NULL if none */
	size_t output_len;
	bool is_holding;      /* replies are kept for control_flush() */
	bool is_input_closed; /* the client has sent its FIN */
	bool is_quitting;     /* QUIT came during a transfer */
	/* shared worker before login: lines may have to stay in the socket */
	bool is_peeking;
	bool is_handing_over; /* as soon as the client has taken the last reply */
	bool is_stopped;      /* no command is read any more: closing or handed over */
	bool is_processing;   /* lines are being carried out further up the stack */
	bool has_line;        /* `line` and `text` hold a line that waits for its turn */
	enum line_result line_result;
	enum mw_end end;    /* why it is stopped */
	uint16_t low_water; /* SO_RCVLOWAT as set; 0: never */
	uint8_t failed_logins;
	uint8_t unknown_count;

	/* what commands have set */
	char *name;           /* of the user, terminated; NULL before USER */
	char *host;           /* named by HOST or SNI, terminated; NULL if none */
	uint16_t host_number; /* of its section, 0: it has none */
	char *client;         /* what CLNT has said, for the log; NULL if nothing */
	struct session_tls tls;
	struct session_rights rights;
	struct login *login; /* a try is under way; NULL otherwise. See login.h */
	char *rename_from;   /* RNFR, or SITE CPFR with is_copying; NULL otherwise */
	bool is_copying;     /* rename_from is the source of a copy */
	/* facts that are being set, one question after another; NULL otherwise */
	struct change *change;
	uint32_t umask; /* as SITE UMASK has set it; 0: never */
	/* the last file whose SIZE was told, for APPE; NULL if none */
	char *told_path;
	uint64_t told_size;
	char *cwd; /* client path; NULL stands for "/" */
	uint64_t restart_offset;
	uint64_t wanted_bytes; /* of ALLO, until the agent has told what there is */
	uint16_t facts;        /* OPTS MLST */
	bool is_ascii;
	bool is_epsv_only; /* EPSV ALL */
	/* the client path of the command being carried out, for the log; terminated */
	char *path;

	/* the command being carried out, and its question to an agent or to the master */
	enum command_id command;
	bool is_asking;        /* an agent owes an answer */
	bool is_asking_master; /* the master owes a data socket */
	enum agent_verb question_verb;
	struct agent_client *agent; /* who was asked */
	uint32_t agent_serial;      /* who answered last */
	uint8_t *question;          /* waits for an idle agent */
	size_t question_len;
	struct session *next_asker;
	struct stat_listing *stat_listing; /* STAT path is being sent; NULL otherwise */
	struct copy_job *copy;             /* SITE CPTO is under way; NULL otherwise */
	struct rate *rate;                 /* its token bucket; NULL without a limit */

	struct data data;
	struct transfer *transfer; /* NULL while idle or armed */
	enum transfer_state transfer_state;
};

/* Begin a session on an assigned control connection, which it owns from now on. */
void session_begin(struct worker *worker, const struct mw_message *assign,
                   int control_fd);

/*
 * End it: cut the transfer, tell master and recorder, close. The memory stays valid until
 * the loop's next turn. The client should have got its reply before.
 */
void session_end(struct session *session, enum mw_end end);

/*
 * Let go of it without closing the connection: it lives on elsewhere. The master and the
 * recorder are not told.
 */
void session_release(struct session *session);

/* The single setters of the two states: illegal changes are bugs, all are traced. */
void session_set_state(struct session *session, enum session_state state);
void session_set_transfer_state(struct session *session, enum transfer_state state);

/* Give it what a login has given. Of shares it keeps what the master has told last. */
void session_grant(struct session *session, const struct session_rights *rights);

/* Take back what a login has given: what holds for everybody holds again. */
void session_revoke(struct session *session);

/*
 * Forget what a login and commands have set, as REIN, AUTH and a new session want it; but
 * not the host.
 */
void session_reset(struct session *session);

/*
 * The client has named a virtual host.
 * Returns: false without memory.
 */
bool session_set_host(struct session *session, const char *name, size_t len);
void session_forget_host(struct session *session);

/*
 * Returns: what the client is greeted with: the host's banner, or that of all.
 */
const char *session_banner(const struct session *session);

/* Forget what RNFR or SITE CPFR has named. */
void session_forget_rename(struct session *session);

/* Free the sessions that have ended. Called between two turns of the loop. */
void session_free_ended(struct worker *worker);

/*
 * Returns: the current directory as the client sees it, terminated.
 */
const char *session_cwd(const struct session *session);

/*
 * Ask whether the session waits for an answer, so that no further command may be taken
 * up.
 * Returns: true while an agent, the master or an authenticator owes one, or a listing or
 *          a copy is under way.
 */
bool session_is_waiting(const struct session *session);

/*
 * Ask whether a transfer command is being carried out.
 * Returns: true from its acceptance to its final reply.
 */
bool session_is_transferring(const struct session *session);

#endif
