/*
 * Long because every setting of the server is in it.
 * options: every setting of deftpd as plain data, one field per key of the configuration.
 * Runs in: master (reads the file), worker, recorder (receive it sealed).
 * Input:   trusted; the file belongs to the administrator.
 * Source:  deftpd.conf(5), which is made from option_table.c as well.
 * Not here: the keys' names, limits and documentation; see option_table.c.
 *
 * The struct owns nothing and may be copied by assignment.  It is some 60 KiB, too large
 * for a deep stack. Every field holds a value within its limits once it has come from
 * conf_read(), conf_read_buffer() or conf_unseal(), or from options_set_defaults().
 */
#ifndef FTPD_CONF_OPTIONS_H
#define FTPD_CONF_OPTIONS_H

#include "common/addr.h"
#include "common/base.h"

enum {
	/*
	 * Paths and other free text, NUL included.  A longer one is a mistake in the
	 * file.
	 */
	OPTIONS_TEXT_MAX = 1024,
	/* User names, NUL included; shadow-utils allow 32 characters. */
	OPTIONS_NAME_MAX = 64,
	/* Entries of one list.  More of them is a mistake in the file. */
	OPTIONS_LIST_MAX = 32,
	/* Certificates side by side: RSA, ECDSA, Ed25519, and one to come. */
	OPTIONS_PATHS_MAX = 4,
	/* Host names, NUL included (RFC 1035 3.1). */
	OPTIONS_HOST_MAX = 256,
};

enum options_sandbox {
	OPTIONS_SANDBOX_REQUIRE, /* do not start unless every layer is there */
	OPTIONS_SANDBOX_PREFER,  /* use what the kernel has, say what is missing */
	OPTIONS_SANDBOX_OFF,
	OPTIONS_SANDBOX_COUNT,
};

enum options_tls_policy {
	OPTIONS_TLS_OFF,
	OPTIONS_TLS_OPTIONAL,
	OPTIONS_TLS_LOGINS,
	OPTIONS_TLS_ALL,
	OPTIONS_TLS_COUNT,
};

enum options_tls_version {
	OPTIONS_TLS_1_2,
	OPTIONS_TLS_1_3,
	OPTIONS_TLS_VERSION_COUNT,
};

enum options_tls_resume {
	OPTIONS_RESUME_AUTO,
	OPTIONS_RESUME_REQUIRE,
	OPTIONS_RESUME_OFF,
	OPTIONS_RESUME_COUNT,
};

enum options_tls_close {
	OPTIONS_CLOSE_AUTO,
	OPTIONS_CLOSE_REQUIRE,
	OPTIONS_CLOSE_OFF,
	OPTIONS_CLOSE_COUNT,
};

enum options_tls_client {
	OPTIONS_CLIENT_REQUEST,
	OPTIONS_CLIENT_REQUIRE,
	OPTIONS_CLIENT_COUNT,
};

/* What a client's certificate is worth at a login. */
enum options_tls_login {
	OPTIONS_CERTIFICATE_OFF,    /* nothing */
	OPTIONS_CERTIFICATE_MATCH,  /* it must be the user's; the password, too */
	OPTIONS_CERTIFICATE_ENOUGH, /* if it is the user's, any password will do */
	OPTIONS_CERTIFICATE_COUNT,
};

enum options_tls_kernel {
	OPTIONS_KERNEL_AUTO,
	OPTIONS_KERNEL_OFF,
	OPTIONS_KERNEL_COUNT,
};

enum options_upload_mode {
	OPTIONS_UPLOAD_DIRECT,
	OPTIONS_UPLOAD_ATOMIC,
	OPTIONS_UPLOAD_DURABLE,
	OPTIONS_UPLOAD_COUNT,
};

enum options_log_format {
	OPTIONS_LOG_XFERLOG,
	OPTIONS_LOG_JSON,
	OPTIONS_LOG_COUNT,
};

/*
 * Where to listen.  Family ADDR_NONE with a port is "*": every IPv4 and every IPv6
 * address.  An IPv6 address, [::] too, means IPv6 alone.
 */
struct options_listen_list {
	uint32_t count;
	struct addr entry[OPTIONS_LIST_MAX];
};

/*
 * "NETWORK/PREFIX=ADDRESS": clients from the network are told the address.  Ports are 0.
 */
struct options_network {
	struct addr network;
	struct addr address;
	uint8_t prefix_bits;
};

struct options_network_list {
	uint32_t count;
	struct options_network entry[OPTIONS_LIST_MAX];
};

/* User or group names. */
struct options_name_list {
	uint32_t count;
	char entry[OPTIONS_LIST_MAX][OPTIONS_NAME_MAX];
};

/* Files, absolute or "credential:NAME" (systemd.exec(5), LoadCredential). */
struct options_path_list {
	uint32_t count;
	char entry[OPTIONS_PATHS_MAX][OPTIONS_TEXT_MAX];
};

/* Host names in lower case. */
struct options_host_list {
	uint32_t count;
	char entry[OPTIONS_LIST_MAX][OPTIONS_HOST_MAX];
};

/* Both ends belong to the range; low <= high. */
struct options_ports {
	uint16_t low;
	uint16_t high;
};

struct options_tls {
	struct options_path_list certificate; /* count 0: there is no TLS */
	struct options_path_list private_key; /* by index; missing: in the certificate */
	char key_password[OPTIONS_TEXT_MAX];  /* of all keys; its first line; "": none */
	struct options_path_list ocsp_response; /* DER, by index; may be shorter */
	uint8_t policy;                         /* enum options_tls_policy */
	uint8_t min_version;                    /* enum options_tls_version */
	char ciphers[OPTIONS_TEXT_MAX];         /* of TLS 1.2; "": the system's policy */
	char ciphersuites[OPTIONS_TEXT_MAX];    /* of TLS 1.3; "": the system's policy */
	uint8_t resume;                         /* enum options_tls_resume */
	uint8_t strict_close;                   /* enum options_tls_close */
	bool allow_ccc;
	struct options_host_list server_names; /* not empty: others in SNI are refused */
	uint8_t client_certificate;            /* enum options_tls_client */
	char client_ca[OPTIONS_TEXT_MAX];      /* "": clients are asked for none */
	char client_crl[OPTIONS_TEXT_MAX];
	uint8_t client_login;               /* enum options_tls_login */
	char client_name[OPTIONS_HOST_MAX]; /* SAN that names a user; %u is his name */
	uint8_t kernel;                     /* enum options_tls_kernel */
};

struct options_anonymous {
	bool enabled;
	char root[OPTIONS_TEXT_MAX]; /* absolute */
	char user[OPTIONS_NAME_MAX];
	/* client path below which files may be created, and nothing else; "": none */
	char upload_directory[OPTIONS_TEXT_MAX];
	bool read_only;    /* but for upload_directory */
	uint16_t umask;    /* of what anonymous clients create */
	uint64_t max_rate; /* bytes per second, 0: no limit */
	/* 0: as tls.policy, else enum options_tls_policy + 1 */
	uint8_t tls_policy;
};

/* Who may log in at all, and how often somebody may guess. */
struct options_logins {
	/* "virtual", "local": the first source that knows the name decides */
	struct options_name_list sources;
	struct options_name_list allow_users; /* not empty: nobody else */
	struct options_name_list allow_groups;
	struct options_name_list deny_users;
	struct options_name_list deny_groups;
	char denied_file[OPTIONS_TEXT_MAX]; /* /etc/ftpusers; "": none */
	uint32_t tries;                     /* wrong passwords on one connection */
	/* that guessing from one address costs at most */
	uint32_t max_delay_s;
};

struct options_local_users {
	bool enabled;
	bool pam_session;
	bool chroot;
	bool valid_shell; /* the shell must be in /etc/shells */
	char pam_service[OPTIONS_NAME_MAX];
	/*
	 * "~": the home directory; %u and %h stand for name and home; "/./" parts root
	 * and start directory
	 */
	char root[OPTIONS_TEXT_MAX];
	uint32_t min_uid; /* lower ones are refused */
	/* digits at the end of the password that answer PAM's second question; 0: none */
	uint32_t appended_code;
};

struct options_virtual_users {
	char file[OPTIONS_TEXT_MAX];
	char user[OPTIONS_NAME_MAX]; /* "": the ids in the file */
	char root[OPTIONS_TEXT_MAX]; /* as local_users.root */
};

struct options_uploads {
	uint8_t mode; /* enum options_upload_mode */
	uint16_t umask;
	bool keep_partial;
	uint64_t max_file_size;  /* bytes, 0: no limit */
	uint64_t min_free_space; /* bytes */
};

/* Bytes per second, 0: no limit. Down is towards the client. */
struct options_rates {
	uint64_t session_down;
	uint64_t session_up;
	uint64_t user_down; /* shared by all sessions of one user */
	uint64_t user_up;
	uint64_t address_down; /* shared by all sessions of one address or IPv6 /64 */
	uint64_t address_up;
};

struct options_log {
	char transfers[OPTIONS_TEXT_MAX]; /* absolute, or "": none */
	char events[OPTIONS_TEXT_MAX];    /* "journal", "stderr" or an absolute path */
	uint8_t format;                   /* enum options_log_format */
};

struct options {
	struct options_listen_list listen;
	struct options_listen_list listen_implicit_tls;
	struct options_ports passive_ports;
	char passive_address[OPTIONS_TEXT_MAX]; /* numeric, a host name, or "" */
	struct options_network_list passive_address_for;
	uint16_t active_port; /* 0: any */

	uint32_t max_sessions;
	uint32_t max_sessions_per_address; /* 0: no limit */
	uint32_t max_sessions_per_user;    /* 0: no limit */
	uint32_t shared_workers;           /* 0: one per core */
	uint32_t spare_min;
	uint32_t spare_max;
	uint32_t renew_after;
	uint32_t auth_workers; /* 0: twice the cores */

	uint32_t login_timeout_s;
	uint32_t idle_timeout_s;
	uint32_t data_timeout_s;
	uint32_t stall_timeout_s;

	char banner[OPTIONS_TEXT_MAX]; /* text of 220 */
	uint8_t sandbox;               /* enum options_sandbox */
	char worker_user[OPTIONS_NAME_MAX];
	char recorder_user[OPTIONS_NAME_MAX];

	struct options_tls tls;
	struct options_logins logins;
	struct options_anonymous anonymous;
	struct options_local_users local_users;
	struct options_virtual_users virtual_users;
	struct options_uploads uploads;
	struct options_rates rates;
	struct options_log log;
};

/*
 * Fill every field with its default from the option table.
 * Out:     ret_options: every byte is set, padding and unused entries are zero.
 */
void options_set_defaults(struct options *ret_options);

/*
 * Ask whether there is TLS at all.
 * Returns: true if a certificate is configured and the policy is not off.
 */
bool options_has_tls(const struct options *options);

/*
 * Returns: what anonymous clients must encrypt; OPTIONS_TLS_OFF if there is no TLS.
 */
enum options_tls_policy options_anonymous_tls(const struct options *options);

struct overrides;

/*
 * Write the options and the titled sections into a sealed memory file, for a program that
 * the master starts.
 * In:      options: within their limits. overrides: NULL means none; see policy.h.
 * Out:     ret_fd: close-on-exec, for reading by pread; its content can never change
 *          again.
 * Returns: 0, or a negative errno.
 * Owner:   the caller closes *ret_fd.
 */
int conf_seal(const struct options *options, const struct overrides *overrides,
              int *ret_fd);

/*
 * Read what conf_seal() wrote, and prove it: the seals, the table's fingerprint, every
 * limit, the last byte.
 * In:      fd: stays open and its offset does not move, so that many processes can share
 *          it.
 * Returns: 0; -EBADMSG if it is not the work of conf_seal() of this very build; another
 *          negative errno.
 */
int conf_unseal(int fd, struct options *ret_options);

#endif
