/*
 * option_table: every key of the configuration: default, limits, documentation, and where
 * its value lies.
 * Runs in: master, worker, recorder, the generator of deftpd.conf(5).
 * Source:  DESIGN.md section 6.
 * Not here: any code beyond looking at the table.
 */
#include "ftpd/conf/option.h"

#include "common/base.h"

/* clang-format off */
#define FIELD(member) offsetof(struct options, member), sizeof(((struct options *)NULL)->member)

static const char *const words_empty[] = {"", NULL};
static const char *const words_sources[] = {"virtual", "local", NULL};
static const char *const words_events[] = {"journal", "stderr", NULL};
static const char *const words_sandbox[] = {"require", "prefer", "off", NULL};
static const char *const words_policy[] = {"off", "optional", "logins", "all", NULL};
static const char *const words_version[] = {"1.2", "1.3", NULL};
static const char *const words_resume[] = {"auto", "require", "off", NULL};
static const char *const words_close[] = {"auto", "require", "off", NULL};
static const char *const words_client[] = {"request", "require", NULL};
static const char *const words_login[] = {"off", "match", "enough", NULL};
static const char *const words_kernel[] = {"auto", "off", NULL};
static const char *const words_same[] = {"same", "off", "optional", "logins", "all", NULL};
static const char *const words_mode[] = {"direct", "atomic", "durable", NULL};
static const char *const words_format[] = {"xferlog", "json", NULL};

enum {
	SESSIONS_MAX = 1000000,
	WORKERS_MAX = 1024,
	RENEW_MAX = 100000000,
	SECONDS_MAX = 7 * 24 * 3600,
	TRIES_MAX = 100,
	DELAY_MAX = 300,
	CODE_DIGITS_MAX = 12,
	PORT_MAX = 65535,
	BUILT = 1,
	LATER = 0,
};

#define RATE_MAX UINT64_C(1000000000000)
#define SIZE_MAX_BYTES (UINT64_C(1) << 60)
/* 4294967295 is nobody: it means "unchanged" to chown(2). */
#define UID_MAX UINT64_C(4294967294)

static const struct option_row table[] = {
	{"", "listen", OPTION_LISTEN, BUILT, "*:21", 0, 0, NULL, FIELD(listen),
	 "Where the server waits for clients: one ADDRESS:PORT or several. The address * means every IPv4 and every "
	 "IPv6 address of the machine. An IPv6 address stands in brackets, as in [::1]:21, and means IPv6 alone."},
	{"", "listen_implicit_tls", OPTION_LISTEN, BUILT, "", 0, 0, NULL, FIELD(listen_implicit_tls),
	 "As listen, for ports on which TLS begins before the first reply (usually 990). With it listen may be empty."},
	{"", "passive_ports", OPTION_PORTS, BUILT, "49152-65535", 1024, PORT_MAX, NULL, FIELD(passive_ports),
	 "The ports, LOW-HIGH, on which data connections of passive mode (PASV, EPSV) are awaited. A firewall in "
	 "front of the server must let them in. One port serves one waiting transfer. No port of listen or listen_implicit_tls may lie among them."},
	{"", "passive_address", OPTION_HOST, BUILT, "", 0, 0, words_empty, FIELD(passive_address),
	 "The address that clients are told in the reply to PASV, for a server behind address translation. A host name "
	 "is looked up when the configuration is read. Empty: the address that the client has connected to. "
	 "EPSV names no address and needs none."},
	{"", "passive_address_for", OPTION_NETWORKS, BUILT, "", 0, 0, NULL, FIELD(passive_address_for),
	 "Other addresses than passive_address for clients from certain networks: entries of the form "
	 "NETWORK/PREFIX=ADDRESS, such as 10.0.0.0/8=192.168.1.1. The first entry whose network holds the client's "
	 "address is taken. Both addresses are numeric IPv4 addresses, as PASV knows no others."},
	{"", "active_port", OPTION_PORT, BUILT, "20", 0, PORT_MAX, NULL, FIELD(active_port),
	 "The local port from which data connections of active mode (PORT, EPRT) are made. 0: any port. A server "
	 "that was not started by root uses any port if this one is below 1024."},

	{"", "max_sessions", OPTION_COUNT_OF, BUILT, "2000", 1, SESSIONS_MAX, NULL, FIELD(max_sessions),
	 "How many clients may be connected at once. One more is sent away with a 421 reply. When seven eighths of the places "
	 "are taken, each new client makes a few others, picked at random, lose theirs if they have not logged in within two "
	 "seconds, or less the fewer places are left, down to a quarter of a second."},
	{"", "max_sessions_per_address", OPTION_COUNT_OF, BUILT, "50", 0, SESSIONS_MAX, NULL,
	 FIELD(max_sessions_per_address),
	 "How many clients may be connected at once from one IPv4 address or one IPv6 /64 network. 0: no limit."},
	{"", "max_sessions_per_user", OPTION_COUNT_OF, BUILT, "0", 0, SESSIONS_MAX, NULL, FIELD(max_sessions_per_user),
	 "How many sessions one user may have at once. 0: no limit."},
	{"", "shared_workers", OPTION_COUNT_OF, BUILT, "0", 0, WORKERS_MAX, NULL, FIELD(shared_workers),
	 "How many processes serve anonymous clients; each serves many at a time. 0: one for each processor core. "
	 "They exist only while anonymous is enabled."},
	{"", "spare_min", OPTION_COUNT_OF, BUILT, "8", 1, WORKERS_MAX, NULL, FIELD(spare_min),
	 "How many private workers at least wait for clients. Each serves one client who is not anonymous."},
	{"", "spare_max", OPTION_COUNT_OF, BUILT, "32", 1, WORKERS_MAX, NULL, FIELD(spare_max),
	 "How many private workers at most wait for clients; while clients come fast, the number grows from spare_min "
	 "towards it."},
	{"", "renew_after", OPTION_COUNT_OF, BUILT, "1000", 1, RENEW_MAX, NULL, FIELD(renew_after),
	 "After how many workers the process that forks them is replaced by a new one, so that a memory layout learnt from "
	 "one worker is soon worth nothing. Sessions go on undisturbed."},
	{"", "auth_workers", OPTION_COUNT_OF, BUILT, "0", 0, WORKERS_MAX, NULL, FIELD(auth_workers),
	 "How many passwords at most are being checked at the same time; further ones wait. 0: twice the number of processor "
	 "cores. It bounds what a flood of logins can cost."},

	{"", "login_timeout", OPTION_SECONDS, BUILT, "60", 1, SECONDS_MAX, NULL, FIELD(login_timeout_s),
	 "How many seconds a client may take to log in."},
	{"", "idle_timeout", OPTION_SECONDS, BUILT, "300", 1, SECONDS_MAX, NULL, FIELD(idle_timeout_s),
	 "How many seconds a session that is logged in may wait without a command and without a transfer."},
	{"", "data_timeout", OPTION_SECONDS, BUILT, "60", 1, SECONDS_MAX, NULL, FIELD(data_timeout_s),
	 "How many seconds a data connection may take to come about."},
	{"", "stall_timeout", OPTION_SECONDS, BUILT, "120", 1, SECONDS_MAX, NULL, FIELD(stall_timeout_s),
	 "After how many seconds without a byte moved a transfer is given up."},

	{"", "banner", OPTION_TEXT, BUILT, "FTP server ready.", 0, 0, NULL, FIELD(banner),
	 "What clients are greeted with: the text of the reply 220."},
	{"", "sandbox", OPTION_WORD, BUILT, "prefer", 0, 0, words_sandbox, FIELD(sandbox),
	 "Whether the kernel's layers of confinement (seccomp, Landlock, name spaces, capabilities) must be there. require: the "
	 "server does not start if one is missing. prefer: it uses what the kernel has and says at the start what is missing. "
	 "off: system calls are not filtered, for debugging only."},
	{"", "worker_user", OPTION_NAME, BUILT, "deftpd", 0, 0, NULL, FIELD(worker_user),
	 "The user as whom the workers run. He should own nothing and run nothing else."},
	{"", "recorder_user", OPTION_NAME, BUILT, "deftpd-log", 0, 0, NULL, FIELD(recorder_user),
	 "The user as whom the recorder runs, who writes the log files."},

	{"tls", "certificate", OPTION_FILES, BUILT, "", 0, 0, NULL, FIELD(tls.certificate),
	 "File with the server's certificate and the certificates between it and its root, in PEM form; or several such files, for "
	 "keys of different kinds (RSA and ECDSA): each client gets the one that it can check. credential:NAME is the file NAME among the "
	 "credentials that systemd passes. The files are watched: new ones are checked and used for new sessions. Empty: no TLS."},
	{"tls", "private_key", OPTION_FILES, BUILT, "", 0, 0, NULL, FIELD(tls.private_key),
	 "File with the private key of each certificate, in the same order. Empty: keys are in the files of their certificates."},
	{"tls", "key_password", OPTION_FILE, BUILT, "", 0, 0, words_empty, FIELD(tls.key_password),
	 "File whose first line decrypts the private keys, best credential:NAME, which systemd keeps encrypted. Empty: they are not encrypted."},
	{"tls", "ocsp_response", OPTION_FILES, BUILT, "", 0, 0, NULL, FIELD(tls.ocsp_response),
	 "File with the OCSP response (DER) for each certificate, in the same order, which clients that ask for it are given. It is watched like "
	 "the certificates; another program has to fetch it. Empty: none."},
	{"tls", "policy", OPTION_WORD, BUILT, "optional", 0, 0, words_policy, FIELD(tls.policy),
	 "What must be encrypted. off: nothing can be. optional: what the client wants. logins: passwords. all: passwords and data. "
	 "Without a certificate the policy is off."},
	{"tls", "min_version", OPTION_WORD, BUILT, "1.2", 0, 0, words_version, FIELD(tls.min_version),
	 "The oldest version of TLS that is spoken."},
	{"tls", "ciphers", OPTION_TEXT, BUILT, "", 0, 0, NULL, FIELD(tls.ciphers),
	 "The ciphers of TLS 1.2, as openssl-ciphers(1) writes them. Empty: those with authenticated encryption and forward secrecy that the "
	 "system's OpenSSL policy allows."},
	{"tls", "ciphersuites", OPTION_TEXT, BUILT, "", 0, 0, NULL, FIELD(tls.ciphersuites),
	 "The ciphers of TLS 1.3, names with colons between them. Empty: those that the system's OpenSSL policy allows."},
	{"tls", "resume", OPTION_WORD, BUILT, "auto", 0, 0, words_resume, FIELD(tls.resume),
	 "Whether a data connection must resume the TLS session of its control connection, which proves that both are of the same client. "
	 "auto: a client that has done so once must go on doing so; one that never does is known by its address, and the log names it. "
	 "require: always. off: sessions cannot be resumed."},
	{"tls", "strict_close", OPTION_WORD, BUILT, "auto", 0, 0, words_close, FIELD(tls.strict_close),
	 "Whether an upload must end with TLS's close_notify, without which it may have been cut short by a stranger. auto: a client that has "
	 "ended a data connection so once must go on doing so; one that never does is served, and the log names it. require: always. off: never."},
	{"tls", "allow_ccc", OPTION_BOOL, BUILT, "no", 0, 0, NULL, FIELD(tls.allow_ccc),
	 "Whether clients may send their commands in clear again after logging in (CCC), so that a firewall can read them. Not where policy is all."},
	{"tls", "server_names", OPTION_HOSTS, BUILT, "", 0, 0, NULL, FIELD(tls.server_names),
	 "Names of this server. A client that names another one when TLS begins (SNI), and none of the sections host, is refused. Empty: all are welcome."},
	{"tls", "client_certificate", OPTION_WORD, BUILT, "request", 0, 0, words_client, FIELD(tls.client_certificate),
	 "Whether clients must bring a certificate that client_ca vouches for (require) or may (request). Without client_ca nobody is asked."},
	{"tls", "client_ca", OPTION_FILE, BUILT, "", 0, 0, words_empty, FIELD(tls.client_ca),
	 "File with the certificates of those who vouch for clients. Empty: clients are asked for no certificate."},
	{"tls", "client_crl", OPTION_FILE, BUILT, "", 0, 0, words_empty, FIELD(tls.client_crl),
	 "File with the lists of revoked certificates of client_ca, in PEM form, watched like the certificates. Empty: none is looked at."},
	{"tls", "client_login", OPTION_WORD, BUILT, "off", 0, 0, words_login, FIELD(tls.client_login),
	 "What a client's certificate is worth at a login. off: nothing. match: a user needs both his password and a certificate that names him. "
	 "enough: with a certificate that names him he needs no password; without one he needs it. The certificate is checked by the "
	 "process that speaks to the client, so with enough a fault there could become a login."},
	{"tls", "client_name", OPTION_TEXT, BUILT, "%u", 0, 0, NULL, FIELD(tls.client_name),
	 "Which certificate names a user: one of its alternative names (DNS name, e-mail address or URI) is exactly this text, with %u for the user's name."},
	{"tls", "kernel", OPTION_WORD, BUILT, "auto", 0, 0, words_kernel, FIELD(tls.kernel),
	 "Whether the kernel encrypts downloads, where it can: it saves a copy of all data. off: never."},

	{"logins", "sources", OPTION_NAMES, BUILT, "virtual,local", 0, 0, words_sources, FIELD(logins.sources),
	 "Where users are looked for: \"virtual\" is the file of virtual_users, \"local\" are the users of the machine. The first "
	 "source that knows the name decides; the others are not asked then, even if the password was wrong."},
	{"logins", "allow_users", OPTION_NAMES, BUILT, "", 0, 0, NULL, FIELD(logins.allow_users),
	 "If this list or allow_groups names anybody, nobody else may log in."},
	{"logins", "allow_groups", OPTION_NAMES, BUILT, "", 0, 0, NULL, FIELD(logins.allow_groups),
	 "Groups whose members may log in, as may those of allow_users."},
	{"logins", "deny_users", OPTION_NAMES, BUILT, "", 0, 0, NULL, FIELD(logins.deny_users),
	 "Users who may not log in, whatever else names them."},
	{"logins", "deny_groups", OPTION_NAMES, BUILT, "", 0, 0, NULL, FIELD(logins.deny_groups),
	 "Groups whose members may not log in, whatever else names them."},
	{"logins", "denied_file", OPTION_PATH, BUILT, "/etc/ftpusers", 0, 0, words_empty, FIELD(logins.denied_file),
	 "File with names of users who may not log in, one a line, as other servers have it. It need not exist. Empty: none."},
	{"logins", "tries", OPTION_COUNT_OF, BUILT, "5", 1, TRIES_MAX, NULL, FIELD(logins.tries),
	 "After how many wrong passwords a connection is closed."},
	{"logins", "max_delay", OPTION_SECONDS, BUILT, "10", 0, DELAY_MAX, NULL, FIELD(logins.max_delay_s),
	 "How many seconds the next try from an address waits at most after wrong passwords from there; the wait begins with the "
	 "fourth of them and doubles with each. A user's name that is guessed at from elsewhere costs 2 seconds at most. 0: no waiting."},

	{"anonymous", "enabled", OPTION_BOOL, BUILT, "no", 0, 0, NULL, FIELD(anonymous.enabled),
	 "Whether clients may log in as anonymous or ftp, with any password, to fetch the files beneath root."},
	{"anonymous", "root", OPTION_PATH, BUILT, "/srv/ftp", 0, 0, NULL, FIELD(anonymous.root),
	 "The directory that anonymous clients see as /. Nothing outside can be reached, and its files need not belong to anyone "
	 "in particular; they must be readable by user."},
	{"anonymous", "user", OPTION_NAME, BUILT, "ftp", 0, 0, NULL, FIELD(anonymous.user),
	 "The user as whom files are opened for anonymous clients."},
	{"anonymous", "upload_directory", OPTION_PATH, BUILT, "", 0, 0, words_empty, FIELD(anonymous.upload_directory),
	 "The directory, as anonymous clients see it, into which they may upload new files. What is in it they can neither list "
	 "nor fetch, replace, rename or delete. user must be able to write there. Empty: none."},
	{"anonymous", "read_only", OPTION_BOOL, BUILT, "yes", 0, 0, NULL, FIELD(anonymous.read_only),
	 "Whether anonymous clients only read, upload_directory excepted. no: they may change whatever user may change, and so "
	 "may everybody who reaches the server."},
	{"anonymous", "umask", OPTION_UMASK, BUILT, "077", 0, 0777, NULL, FIELD(anonymous.umask),
	 "Permission bits that files and directories of anonymous clients do not get, in octal."},
	{"anonymous", "max_rate", OPTION_RATE, BUILT, "0", 0, RATE_MAX, NULL, FIELD(anonymous.max_rate),
	 "How many bytes a second one anonymous session may move each way. It wins over rates.session_down and "
	 "rates.session_up. 0: those hold."},
	{"anonymous", "tls_policy", OPTION_WORD, BUILT, "same", 0, 0, words_same, FIELD(anonymous.tls_policy),
	 "What anonymous clients must encrypt, as tls.policy; same: what that says."},

	{"local_users", "enabled", OPTION_BOOL, BUILT, "no", 0, 0, NULL, FIELD(local_users.enabled),
	 "Whether the users of the machine may log in with their passwords."},
	{"local_users", "pam_service", OPTION_NAME, BUILT, "deftpd", 0, 0, NULL, FIELD(local_users.pam_service),
	 "The name of the PAM service that checks their passwords; a file of that name is in /etc/pam.d."},
	{"local_users", "pam_session", OPTION_BOOL, BUILT, "no", 0, 0, NULL, FIELD(local_users.pam_session),
	 "Whether a PAM session is opened for each login. It costs one waiting process for each session, which closes it "
	 "however the session ends. Without it, what a module keeps for the user's credentials, such as a Kerberos ticket cache, "
	 "is not removed at the end."},
	{"local_users", "chroot", OPTION_BOOL, BUILT, "yes", 0, 0, NULL, FIELD(local_users.chroot),
	 "Whether a user sees only what is beneath root. no: he sees the whole machine as far as his permissions reach, and "
	 "begins in root."},
	{"local_users", "root", OPTION_ROOT, BUILT, "~", 0, 0, NULL, FIELD(local_users.root),
	 "The directory that a user sees as /. ~ and %h stand for the home directory, %u for the user's name. If /./ is in it, "
	 "or in the home directory, what is before is the root and what is behind is where the user begins. The directory may be "
	 "writable by the user. If it cannot be used, the login fails; no other is taken instead."},
	{"local_users", "min_uid", OPTION_COUNT_OF, BUILT, "1000", 1, UID_MAX, NULL, FIELD(local_users.min_uid),
	 "Users with a lower user number may not log in. Root never may."},
	{"local_users", "valid_shell", OPTION_BOOL, BUILT, "yes", 0, 0, NULL, FIELD(local_users.valid_shell),
	 "Whether a user's shell must be one of those in /etc/shells."},
	{"local_users", "appended_code", OPTION_COUNT_OF, BUILT, "0", 0, CODE_DIGITS_MAX, NULL, FIELD(local_users.appended_code),
	 "If PAM asks a second question, such as for a one-time code, the client is asked for it by ACCT. For clients that cannot, "
	 "this many digits at the end of the password are taken for the answer. 0: none are."},

	{"virtual_users", "file", OPTION_PATH, BUILT, "", 0, 0, words_empty, FIELD(virtual_users.file),
	 "File with users who exist only here: one a line, fields as in passwd(5), the password hashed as by crypt(5). Changes hold "
	 "for the next login. It must not be readable by everybody; deftp-passwd(8) makes and edits it. Empty: none."},
	{"virtual_users", "user", OPTION_NAME, BUILT, "ftp", 0, 0, words_empty, FIELD(virtual_users.user),
	 "The user of the machine as whom their files are opened. Empty: the user and group numbers in the "
	 "file; such users are in no group, so that logins.deny_groups and the sections group do not concern them."},
	{"virtual_users", "root", OPTION_ROOT, BUILT, "~", 0, 0, NULL, FIELD(virtual_users.root),
	 "The directory that a virtual user sees as /, written as local_users.root; ~ is the directory in the file."},

	{"uploads", "mode", OPTION_WORD, BUILT, "direct", 0, 0, words_mode, FIELD(uploads.mode),
	 "When an uploaded file becomes visible. direct: as it grows. atomic: under its name only when it is complete. durable: as "
	 "atomic, and the client is told so only when it is on the disk."},
	{"uploads", "umask", OPTION_UMASK, BUILT, "022", 0, 0777, NULL, FIELD(uploads.umask),
	 "Permission bits that new files and directories do not get, in octal."},
	{"uploads", "keep_partial", OPTION_BOOL, BUILT, "yes", 0, 0, NULL, FIELD(uploads.keep_partial),
	 "Whether what has come of an interrupted upload is kept, so that the client can resume it."},
	{"uploads", "max_file_size", OPTION_SIZE, BUILT, "0", 0, SIZE_MAX_BYTES, NULL, FIELD(uploads.max_file_size),
	 "How large a file may become, in bytes. 0: no limit."},
	{"uploads", "min_free_space", OPTION_SIZE, BUILT, "0", 0, SIZE_MAX_BYTES, NULL, FIELD(uploads.min_free_space),
	 "No upload begins while the file system has fewer free bytes than this, and one that is under way ends with 452 when it "
	 "has come to that."},

	{"rates", "session_down", OPTION_RATE, BUILT, "0", 0, RATE_MAX, NULL, FIELD(rates.session_down),
	 "How many bytes a second one session may fetch. 0: no limit."},
	{"rates", "session_up", OPTION_RATE, BUILT, "0", 0, RATE_MAX, NULL, FIELD(rates.session_up),
	 "How many bytes a second one session may send. 0: no limit."},
	{"rates", "user_down", OPTION_RATE, BUILT, "0", 0, RATE_MAX, NULL, FIELD(rates.user_down),
	 "How many bytes a second all sessions of one user may fetch together; those that move data share it evenly. 0: no limit."},
	{"rates", "user_up", OPTION_RATE, BUILT, "0", 0, RATE_MAX, NULL, FIELD(rates.user_up),
	 "How many bytes a second all sessions of one user may send together. 0: no limit."},
	{"rates", "address_down", OPTION_RATE, BUILT, "0", 0, RATE_MAX, NULL, FIELD(rates.address_down),
	 "How many bytes a second all sessions from one IPv4 address or one IPv6 /64 network may fetch together. 0: no limit."},
	{"rates", "address_up", OPTION_RATE, BUILT, "0", 0, RATE_MAX, NULL, FIELD(rates.address_up),
	 "How many bytes a second all sessions from one IPv4 address or one IPv6 /64 network may send together. 0: no limit."},

	{"log", "transfers", OPTION_PATH, BUILT, "/var/log/deftpd/xferlog", 0, 0, words_empty, FIELD(log.transfers),
	 "File that gets one line for each transfer. Empty: none."},
	{"log", "format", OPTION_WORD, LATER, "xferlog", 0, 0, words_format, FIELD(log.format),
	 "The form of those lines. xferlog: as wu-ftpd had it and most evaluating programs read it. json: one object a line."},
	{"log", "events", OPTION_PATH, BUILT, "journal", 0, 0, words_events, FIELD(log.events),
	 "Where the server reports starts, ends, logins and troubles. journal: systemd's journal. stderr: standard error. Else a file."},
};

static const struct option_section sections[] = {
	{"tls", false, true, "Encryption."},
	{"logins", false, true, "Who may log in, and how often passwords may be tried."},
	{"anonymous", false, true, "Clients without an account."},
	{"local_users", false, true, "Clients with an account on the machine."},
	{"virtual_users", false, true, "Clients with an account in a file of their own."},
	{"uploads", false, true, "Files that clients send."},
	{"rates", false, true, "How fast data may move."},
	{"log", false, true, "What is recorded."},
	{"user", true, true, "Settings for one user."},
	{"group", true, true, "Settings for the members of one group."},
	{"host", true, true, "Settings for those who name this host before logging in, by HOST or when TLS begins (SNI)."},
	{"directory", true, true, "Settings for what is beneath one directory."},
};
/* clang-format on */

const struct option_row *
option_table(size_t *ret_count)
{
	*ret_count = ARRAY_COUNT(table);
	return table;
}

const struct option_section *
option_sections(size_t *ret_count)
{
	*ret_count = ARRAY_COUNT(sections);
	return sections;
}

const struct option_row *
option_find(const char *section, const char *key)
{
	for (size_t i = 0; i < ARRAY_COUNT(table); i++) {
		if (strcmp(table[i].section, section) == 0 &&
		    strcmp(table[i].key, key) == 0) {
			return &table[i];
		}
	}
	return NULL;
}

const struct option_row *
option_find_dotted(const char *name)
{
	char text[OPTION_KEY_MAX];

	for (size_t i = 0; i < ARRAY_COUNT(table); i++) {
		option_name(&table[i], text);
		if (strcmp(text, name) == 0) {
			return &table[i];
		}
	}
	return NULL;
}

const struct option_section *
option_section_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_COUNT(sections); i++) {
		if (strcmp(sections[i].name, name) == 0) {
			return &sections[i];
		}
	}
	return NULL;
}

void
option_name(const struct option_row *row, char text[OPTION_KEY_MAX])
{
	(void)snprintf(text, OPTION_KEY_MAX, "%s%s%s", row->section,
	               row->section[0] == '\0' ? "" : ".",
	               row->key); /* a test proves that all fit */
}
