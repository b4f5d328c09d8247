/*
 * Long because finding what applies, admitting and expanding the root are one contract.
 * policy: what applies to one user: the options, and the overrides of user, group, host
 * and directory sections over them.
 * Runs in: master (reads, explains), deftpd-auth (decides by it).
 * Input:   trusted; the file belongs to the administrator.
 * Source:  deftpd.conf(5), "user", "group", "host" and "directory".
 * Not here: who a user is; see common/account.h. Whether the password is right.
 *
 * The innermost section decides each key by itself: user before group before host before
 * the key outside them; of several groups the first in the file. Anonymous clients have
 * the section anonymous only; no titled section is about them.
 */
#ifndef FTPD_CONF_POLICY_H
#define FTPD_CONF_POLICY_H

#include "ftpd/conf/options.h"
#include "common/base.h"

enum {
	POLICY_OVERRIDES_MAX = 256,  /* sections with a title */
	POLICY_DIRECTORIES_MAX = 64, /* of them about directories; agents take no more */
	/* groups of one user that are compared with sections */
	POLICY_GROUPS_MAX = 256,
};

enum policy_scope {
	POLICY_USER,
	POLICY_GROUP,
	POLICY_HOST,
	/* title: a client path; only the keys of uploads and read_only */
	POLICY_DIRECTORY,
	POLICY_SCOPE_COUNT,
};

/* The keys that a titled section may hold; each names the plain key that it overrides. */
enum policy_key {
	POLICY_LOGIN,          /* login = no: refused */
	POLICY_ROOT,           /* local_users.root, virtual_users.root, anonymous.root */
	POLICY_CHROOT,         /* local_users.chroot */
	POLICY_READ_ONLY,      /* no plain key but for anonymous */
	POLICY_UPLOAD_MODE,    /* uploads.mode */
	POLICY_UMASK,          /* uploads.umask */
	POLICY_KEEP_PARTIAL,   /* uploads.keep_partial */
	POLICY_MAX_FILE_SIZE,  /* uploads.max_file_size */
	POLICY_MIN_FREE_SPACE, /* uploads.min_free_space */
	POLICY_MAX_SESSIONS,   /* max_sessions_per_user */
	POLICY_IDLE_TIMEOUT,   /* idle_timeout */
	POLICY_RATE_DOWN,      /* rates.session_down */
	POLICY_RATE_UP,
	POLICY_USER_RATE_DOWN, /* rates.user_down */
	POLICY_USER_RATE_UP,
	POLICY_TLS_POLICY,  /* tls.policy */
	POLICY_CLIENT_NAME, /* tls.client_name */
	/* only of hosts, in struct policy_host */
	POLICY_BANNER,         /* banner */
	POLICY_ANONYMOUS_ROOT, /* anonymous.root */
	POLICY_USERS_FILE,     /* virtual_users.file */
	POLICY_CERTIFICATE,    /* tls.certificate */
	POLICY_PRIVATE_KEY,    /* tls.private_key */
	POLICY_OCSP_RESPONSE,  /* tls.ocsp_response */
	POLICY_KEY_COUNT,
};

/* A value for every key. Owns nothing. */
struct policy {
	bool may_log_in;
	bool chroot;
	bool read_only;
	bool keep_partial;
	uint8_t upload_mode; /* enum options_upload_mode */
	uint8_t tls_policy;  /* enum options_tls_policy */
	uint16_t umask;
	uint32_t max_sessions;
	uint32_t idle_timeout_s;
	uint64_t max_file_size;
	uint64_t min_free_space;
	uint64_t rate_down;
	uint64_t rate_up;
	uint64_t user_rate_down;
	uint64_t user_rate_up;
	char root[OPTIONS_TEXT_MAX];        /* as written: with ~, %u, %h and /./ */
	char client_name[OPTIONS_HOST_MAX]; /* as written: with %u */
};

/* What a virtual host has for itself; keys that it does not set are not valid here. */
struct policy_host {
	char banner[OPTIONS_TEXT_MAX];
	char anonymous_root[OPTIONS_TEXT_MAX];
	char users_file[OPTIONS_TEXT_MAX];
	struct options_path_list certificate;
	struct options_path_list private_key;
	struct options_path_list ocsp_response;
};

/* One titled section. */
struct policy_override {
	enum policy_scope scope;
	char title[OPTIONS_TEXT_MAX];
	uint32_t line;                       /* of the section; 0: not from a file */
	uint32_t keys;                       /* mask of 1 << enum policy_key: set here */
	uint32_t key_line[POLICY_KEY_COUNT]; /* of the file; only in the master */
	struct policy values;
	/* of a section host: its mask is `keys`, too; NULL for the others. Owned. */
	struct policy_host *host;
};

/* All titled sections, in the order of the file. Some megabytes at most: on the heap. */
struct overrides {
	size_t count;
	struct policy_override *entry;
};

enum policy_kind {
	POLICY_KIND_LOCAL,
	POLICY_KIND_VIRTUAL,
	POLICY_KIND_ANONYMOUS,
	POLICY_KIND_COUNT,
};

/* For whom. Texts are NUL-terminated. */
struct policy_subject {
	enum policy_kind kind;
	const char *user;
	const char *const *groups; /* names; NULL for one that has none */
	size_t group_count;
	const char *host; /* named by HOST; "" if none */
};

/* Which override decided a key: NULL, the plain key. */
struct policy_origins {
	const struct policy_override *by[POLICY_KEY_COUNT];
};

/*
 * Find what applies.
 * Out:     ret_origins: may be NULL.
 */
void policy_resolve(const struct options *options, const struct overrides *overrides,
                    const struct policy_subject *subject, struct policy *ret_policy,
                    struct policy_origins *ret_origins);

/*
 * Find what applies to a user beneath one directory: what applies to him elsewhere, and
 * over it the sections of the directories on the way, the innermost winning.
 * In:      policy, origins: from policy_resolve(). directory: one of the overrides, of
 *          scope POLICY_DIRECTORY.
 * Out:     ret_policy, ret_origins: may be the same as policy and origins; the latter may
 *          be NULL both.
 */
void policy_resolve_directory(const struct overrides *overrides,
                              const struct policy_override *directory,
                              const struct policy *policy,
                              const struct policy_origins *origins,
                              struct policy *ret_policy,
                              struct policy_origins *ret_origins);

/*
 * Find the section of a virtual host. Names are compared without regard to case, and
 * without a dot at the end.
 * Out:     ret_number: 1 for the first section host of the file, and so on; 0 for none.
 * Returns: it, or NULL.
 */
const struct policy_override *policy_host_find(const struct overrides *overrides,
                                               const char *name, size_t len,
                                               uint16_t *ret_number);

/*
 * Returns: the section with that number, or NULL.
 */
const struct policy_override *policy_host_get(const struct overrides *overrides,
                                              uint16_t number);

/*
 * Ask whether a section sets a key.
 * Returns: true if so; false for NULL.
 */
bool policy_sets(const struct policy_override *override, enum policy_key key);

/*
 * Write the name that a certificate must have to be this user's: client_name with %u
 * replaced.
 * Out:     ret_name: terminated.
 * Returns: false if it does not fit or is empty.
 */
bool policy_client_name(const struct policy *policy, const char *user,
                        char ret_name[OPTIONS_HOST_MAX]);

/* Whether a user may try to log in, apart from his password. */
enum policy_admission {
	POLICY_ADMITTED,
	POLICY_DENIED_USER,     /* logins.deny_users */
	POLICY_DENIED_GROUP,    /* logins.deny_groups */
	POLICY_NOT_ALLOWED,     /* logins.allow_users and allow_groups name others */
	POLICY_DENIED_BY_FILE,  /* logins.denied_file */
	POLICY_DENIED_SHELL,    /* local_users.valid_shell */
	POLICY_DENIED_UID,      /* local_users.min_uid, and always uid or gid 0 or -1 */
	POLICY_DENIED_BY_LOGIN, /* login = no */
	POLICY_ADMISSION_COUNT,
};

/*
 * Ask whether anybody can be denied, or given other settings, for being in a group: all
 * groups of a user must then be known by name.
 * Returns: true if so.
 */
bool policy_minds_groups(const struct options *options,
                         const struct overrides *overrides);

/* What only the system can tell of the user. */
struct policy_facts {
	bool is_in_denied_file;
	bool has_valid_shell; /* looked at for local users only */
	/* as whom files are opened; for virtual users, too: 0 and -1 are refused */
	uint32_t uid;
	uint32_t gid;
};

/*
 * Decide by the lists and limits.
 * Returns: the first reason to refuse, or POLICY_ADMITTED.
 */
enum policy_admission policy_admit(const struct options *options,
                                   const struct policy *policy,
                                   const struct policy_subject *subject,
                                   const struct policy_facts *facts);

/*
 * Returns: what the admission means, for a log line: "named in logins.deny_users".
 */
const char *policy_admission_text(enum policy_admission admission);

/*
 * Expand ~, %u, %h and split at "/./".
 * In:      root: as in struct policy; is_chrooted: false makes the root "/" and the start
 *          what root and start would have been, one behind the other.
 * Out:     ret_root, ret_start: absolute, NUL-terminated, normalised; ret_start is a
 *          client path, relative to ret_root, "/" if nothing is split off.
 * Returns: true; false if it does not fit, is not absolute, or a name in it has a slash
 *          or is "." or "..".
 */
bool policy_expand_root(const char *root, const char *user, const char *home,
                        bool is_chrooted, char ret_root[OPTIONS_TEXT_MAX],
                        char ret_start[OPTIONS_TEXT_MAX]);

/*
 * The titled sections that were sealed together with the options.
 * In:      fd: as for conf_unseal().
 * Returns: 0; -EBADMSG; another negative errno.
 * Owner:   the caller frees them by overrides_free().
 */
int overrides_unseal(int fd, struct overrides *ret_overrides);

/*
 * Make a copy that lives as long as its owner likes.
 * Returns: 0 or -ENOMEM.
 * Owner:   the caller frees it by overrides_free().
 */
int overrides_copy(const struct overrides *overrides, struct overrides *ret_overrides);

/* Free the entries; zeroed overrides are allowed. */
void overrides_free(struct overrides *overrides);

#endif
