/*
 * passwd_file: users in a text file of our own: the fields of passwd(5), a hash of
 * crypt(5) in the second. The format of ProFTPD's AuthUserFile.
 * Runs in: deftpd-auth (reads), deftp-passwd (reads and writes), master (checks).
 * Input:   trusted as to intent (the administrator's), hostile as to form.
 * Source:  passwd(5), crypt(5); SECURITY.md A6.
 * Not here: verifying a password; see crypt(3). Writing; see ftpd/tools. What needs
 * libcrypt is in passwd_hash.c, so that the master can do without.
 */
#ifndef COMMON_PASSWD_FILE_H
#define COMMON_PASSWD_FILE_H

#include <sys/types.h>

#include "common/base.h"

enum {
	PASSWD_NAME_MAX = 64,
	PASSWD_HASH_MAX = 383,  /* CRYPT_OUTPUT_SIZE less its end */
	PASSWD_HOME_MAX = 1023, /* as the options' texts */
	PASSWD_LINE_MAX = 4096, /* a longer line is wrong */
	PASSWD_FIELDS = 7,
};

/* One user. Texts are NUL-terminated. */
struct passwd_user {
	char name[PASSWD_NAME_MAX + 1];
	char hash[PASSWD_HASH_MAX + 1];
	uint32_t uid;
	uint32_t gid;
	char home[PASSWD_HOME_MAX + 1];
};

enum passwd_line {
	PASSWD_LINE_USER,
	PASSWD_LINE_EMPTY, /* blank, or a comment */
	PASSWD_LINE_WRONG,
};

/*
 * Parse one line.
 * In:      text, len: without the line's end.
 * Out:     ret_mistake: with PASSWD_LINE_WRONG: "what is wrong; the remedy".
 * Returns: what it is; *ret_user with PASSWD_LINE_USER only.
 */
enum passwd_line passwd_line_parse(const char *text, size_t len,
                                   struct passwd_user *ret_user,
                                   const char **ret_mistake);

/*
 * Ask whether a line is of this user. A wrong line may be, too: what stands before the
 * first colon counts, without blanks and control characters around it.
 * Returns: true if so; never for PASSWD_LINE_EMPTY.
 */
bool passwd_line_is_of(const char *text, size_t len, const char *name);

/*
 * Ask whether a name can stand in the file.
 * Returns: NULL, or what is wrong with it, a sentence.
 */
const char *passwd_name_mistake(const char *name);

/*
 * Ask whether a home can stand in the file: absolute, no ":" and no control characters.
 * Returns: NULL, or what is wrong with it, a sentence.
 */
const char *passwd_home_mistake(const char *home);

/*
 * Name the method by which a hash was made, by its form alone.
 * Returns: "yescrypt", "SHA-512", ...; NULL for what no method makes: an empty, locked
 *          ("*", "!" in front) or cut one.
 */
const char *passwd_hash_method(const char *hash);

/*
 * Ask whether a hash can ever match: its form is that of a method, and crypt(3) of this
 * machine knows the method (crypt_checksalt). Needs libcrypt.
 * Returns: true if so.
 */
bool passwd_hash_is_usable(const char *hash);

/*
 * Ask whether a file may hold users, by its owner and mode.
 * In:      fd: of the file.
 * Returns: 0, -EPERM or -EINVAL as passwd_file_find(); another negative errno.
 */
int passwd_file_check(int fd);

/*
 * Find a user. The whole file is read, and the time does not tell where he stands. His
 * first line decides, as with passwd(5); wrong lines of others do him no harm.
 * In:      path: of the file, opened anew each time, so that a change holds for the next
 *          login.
 * Out:     ret_line: with 0 and -EBADMSG, the number of his line.
 * Returns: 0; -ENOENT: no such user; -EBADMSG: his line is wrong; -EPERM: the file
 *          belongs to another than root or the caller, or may be written by others or
 *          read by everybody; -EINVAL: it is no regular file; -ENODATA: there is no
 *          such file; another negative errno.
 */
int passwd_file_find(const char *path, const char *name, struct passwd_user *ret_user,
                     unsigned *ret_line);

#endif
