/*
 * test_passwd_file: lines are users, comments or mistakes, and a file is believed only
 * when nobody else can have written it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <crypt.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/passwd_file.h"
#include "common/base.h"

#define SHA512                                                                         \
	"$6$J9GWKtF/L2lnuNZC$808aVoCEKHTAx1R8JzVRSBsEdU2ta.aEc6uqAcuMn4qTfzr1DtHKYjCG" \
	"xWsl9up8IH0H9rpwVYFqy.fH3Q44j/"
#define YESCRYPT \
	"$y$j9T$hV1GErwqIDB3ozQp.KcoJ.$/GvXAhmJ4rp9kTgs1Ly3aruLh0EBJdi8erClxZI8sq."

struct line_case {
	const char *text;
	enum passwd_line line;
	const char *why;
};

static const struct line_case lines[] = {
    {"bob:" YESCRYPT ":1001:1002:Bob B.:/home/bob:/bin/sh", PASSWD_LINE_USER, "usual"},
    {"bob:x:1:1::/home/bob:", PASSWD_LINE_USER, "no comment, no shell"},
    {"bob::1:1::/:", PASSWD_LINE_USER, "an empty hash is a user who cannot log in"},
    {"bob@example.org:!x:1:1::/srv/./bob:/bin/false", PASSWD_LINE_USER, "an address"},
    {"Jos\xc3\xa9 B:x:1:1::/:", PASSWD_LINE_USER, "UTF-8 and a blank inside"},
    {"bob:x:4294967294:0::/:", PASSWD_LINE_USER, "the last uid"},
    {"", PASSWD_LINE_EMPTY, "nothing"},
    {" \t ", PASSWD_LINE_EMPTY, "blanks"},
    {"# bob:x:1:1::/:", PASSWD_LINE_EMPTY, "a comment"},
    {"  # indented", PASSWD_LINE_EMPTY, "a comment after blanks"},
    {"bob", PASSWD_LINE_WRONG, "a name alone"},
    {"bob:x:1:1::/", PASSWD_LINE_WRONG, "six fields"},
    {"bob:x:1:1:::/:", PASSWD_LINE_WRONG, "eight fields"},
    {":x:1:1::/:", PASSWD_LINE_WRONG, "no name"},
    {"bob:x::1::/:", PASSWD_LINE_WRONG, "no uid"},
    {"bob:x:1:::/:", PASSWD_LINE_WRONG, "no gid"},
    {"bob:x:-1:1::/:", PASSWD_LINE_WRONG, "a negative uid"},
    {"bob:x:+1:1::/:", PASSWD_LINE_WRONG, "a sign"},
    {"bob:x: 1:1::/:", PASSWD_LINE_WRONG, "a blank before a number"},
    {"bob:x:0x1:1::/:", PASSWD_LINE_WRONG, "hexadecimal"},
    {"bob:x:4294967295:1::/:", PASSWD_LINE_WRONG, "the uid that means no change"},
    {"bob:x:1:4294967296::/:", PASSWD_LINE_WRONG, "a gid that would become 0"},
    {"bob:x:1:18446744073709551616::/:", PASSWD_LINE_WRONG, "one beyond 64 bits"},
    {"bob:x:1:1:::", PASSWD_LINE_WRONG, "no home"},
    {"bob:x:1:1::home/bob:", PASSWD_LINE_WRONG, "a relative home"},
    {"bob:x:1:1::/home\x01:", PASSWD_LINE_WRONG, "a control character"},
    {"bob:x:1:1::/:\r", PASSWD_LINE_WRONG, "a line of another system"},
    {"bo\tb:x:1:1::/:", PASSWD_LINE_WRONG, "a tab in the name"},
    {" bob:x:1:1::/:", PASSWD_LINE_WRONG, "a blank before the name"},
    {"bob :x:1:1::/:", PASSWD_LINE_WRONG, "a blank behind the name"},
    {"..:x:1:1::/:", PASSWD_LINE_WRONG, "a name that would climb as %u"},
    {"a/b:x:1:1::/:", PASSWD_LINE_WRONG, "a name that would descend as %u"},
    {"+:x:1:1::/:", PASSWD_LINE_WRONG, "a network's users"},
    {"-bob:x:1:1::/:", PASSWD_LINE_WRONG, "a name like an option"},
};

static void
lines_are_told_apart(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(lines); i++) {
		const struct line_case *row = &lines[i];
		struct passwd_user user;
		const char *mistake = NULL;
		enum passwd_line line =
		    passwd_line_parse(row->text, strlen(row->text), &user, &mistake);

		if (line != row->line) {
			print_error("%s\n", row->why);
		}
		assert_int_equal(line, row->line);
		assert_int_equal(mistake != NULL, line == PASSWD_LINE_WRONG);
		/* "What is wrong; the remedy" */
		assert_true(mistake == NULL || strstr(mistake, "; ") != NULL);
	}
}

static void
a_user_has_his_fields(void **state)
{
	static const char text[] = "bob:" SHA512 ":1001:1002:Bob B.:/home/./bob:/bin/sh";
	struct passwd_user user;
	const char *mistake;

	(void)state;
	assert_int_equal(passwd_line_parse(text, sizeof(text) - 1, &user, &mistake),
	                 PASSWD_LINE_USER);
	assert_string_equal(user.name, "bob");
	assert_string_equal(user.hash, SHA512);
	assert_int_equal(user.uid, 1001);
	assert_int_equal(user.gid, 1002);
	assert_string_equal(user.home, "/home/./bob");
}

/* Without the NUL at its end. */
static void
put(char *at, const char *text)
{
	while (*text != '\0') {
		*at++ = *text++;
	}
}

struct length_case {
	size_t name_len;
	size_t hash_len;
	size_t home_len;
	size_t comment_len;
	enum passwd_line line;
};

static const struct length_case lengths[] = {
    {PASSWD_NAME_MAX, 1, 1, 0, PASSWD_LINE_USER},
    {PASSWD_NAME_MAX + 1, 1, 1, 0, PASSWD_LINE_WRONG},
    {1, PASSWD_HASH_MAX, 1, 0, PASSWD_LINE_USER},
    {1, PASSWD_HASH_MAX + 1, 1, 0, PASSWD_LINE_WRONG},
    {1, 1, PASSWD_HOME_MAX, 0, PASSWD_LINE_USER},
    {1, 1, PASSWD_HOME_MAX + 1, 0, PASSWD_LINE_WRONG},
    {1, 1, 1, PASSWD_LINE_MAX - 11, PASSWD_LINE_USER},
    {1, 1, 1, PASSWD_LINE_MAX - 10, PASSWD_LINE_WRONG},
};

static void
lengths_are_limited(void **state)
{
	static char text[2 * PASSWD_LINE_MAX];

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(lengths); i++) {
		const struct length_case *row = &lengths[i];
		struct passwd_user user;
		const char *mistake;
		/* Zeros are the one letter that printf repeats. */
		int len =
		    snprintf(text, sizeof(text), "%0*d:%0*d:1:1:", (int)row->name_len, 7,
		             (int)row->hash_len, 7);

		memset(text + len, 'c', row->comment_len);
		len += (int)row->comment_len;
		put(text + len, ":/");
		memset(text + len + 2, 'h', row->home_len - 1);
		len += (int)row->home_len + 1;
		text[len++] = ':';
		assert_int_equal(passwd_line_parse(text, (size_t)len, &user, &mistake),
		                 row->line);
	}
}

static void
a_line_may_have_a_nul(void **state)
{
	static const char text[] = "bob\0x:x:1:1::/:";
	struct passwd_user user;
	const char *mistake;

	(void)state;
	assert_int_equal(passwd_line_parse(text, sizeof(text) - 1, &user, &mistake),
	                 PASSWD_LINE_WRONG);
}

struct hash_case {
	const char *hash;
	const char *method;
};

static const struct hash_case hashes[] = {
    {YESCRYPT, "yescrypt"},
    {"$gy$j9T$Zg2c8Vb57sxxBwVeBvpqg1$v.tohxVQsMSuz99bFPd2SB3dlOE7MVgFsqijHEfzJu5",
     "gost-yescrypt"},
    {"$7$CU..../....6oOYsB3NWb7.r3W/hoef7.$SIO.YtwcDi5OxWNMDtMls0l.D49lXigGz7kCovI/P71",
     "scrypt"},
    {"$2b$05$wiCFApgY4WSPf7vCqlGsxuFonGGyojb4vshzXq8eFCByhJ75bZA0.", "bcrypt"},
    {"$2y$05$M/PWNfmX/AvSHjw/DK0KYe2VlnLiq/a0OhP9XhMaspJUnh4zVlkye", "bcrypt"},
    {SHA512, "SHA-512"},
    {"$6$rounds=10000$saltstringsaltst$OW1/O6BYHV6BcXZu8QVeXbDWra3Oeqh0sbHbbMCVNSnCM/UrjmM0D"
     "p8vOuZeHBy/YTBmSK6H9qs/y3RnOaw5v.",
     "SHA-512"},
    {"$5$zZlMQidrazV6Qq6l$eIq9gKlQ8gy5au0/YeDE3puio5dplZdVXzFLyHOi6U2", "SHA-256"},
    {"$sha1$251283$vcQ0JEAzL4m3Mv8.Z9V7$O011jr542PvJbHWdsZuR5i.XAYx2", "PBKDF1-SHA1"},
    {"$md5,rounds=97176$0XQByRvR$$H08DepKBZL6ng5S2EctUx.", "SunMD5"},
    {"$1$VvMz7Be3$Z5xTWGliomvr4FQyoj57/0", "MD5"},
    {"$3$$e0fba38268d0ec66ef1cb452d5885e53", "NTHASH"},
    {"_J9..dysvFOMsY7OQEBo", "extended DES"},
    {"I8nsdMPsx8oB2", "DES"},
    /* What can never match (SECURITY: A6). */
    {"", NULL},
    {"*", NULL},
    {"!", NULL},
    {"!!", NULL},
    {"*0", NULL},
    {"*1", NULL},
    {"x", NULL},
    {"!" YESCRYPT, NULL},
    {"*" SHA512, NULL},
    {"$", NULL},
    {"$6$", NULL},
    {"$6$salt", NULL},
    {"$6$salt$", NULL},
    {"$6$salt$tooshort", NULL},
    {"$y$j9T$hV1GErwqIDB3ozQp.KcoJ.", NULL},
    {"$y$$/GvXAhmJ4rp9kTgs1Ly3aruLh0EBJdi8erClxZI8sq.", NULL},
    {"$2b$05$wiCFApgY4WSPf7vCqlGsxuFonGGyojb4vshzXq8eFCByhJ75bZA0", NULL},
    {"$2b$05$wiCFApgY4WSPf7vCqlGsxuFonGGyojb4vshzXq8eFCByhJ75bZA0..", NULL},
    {"$9$VvMz7Be3$Z5xTWGliomvr4FQyoj57/0", NULL},
    {"$1$VvMz7Be3$Z5xTWGliomvr4FQyoj57/;", NULL},
    {"I8nsdMPsx8oB", NULL},
    {"I8nsdMPsx8oB22", NULL},
};

static void
hashes_that_can_match_are_known(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(hashes); i++) {
		const char *method = passwd_hash_method(hashes[i].hash);

		if ((method == NULL) != (hashes[i].method == NULL)) {
			print_error("%s\n", hashes[i].hash);
		}
		assert_int_equal(method == NULL, hashes[i].method == NULL);
		if (method != NULL) {
			assert_string_equal(method, hashes[i].method);
		}
		assert_int_equal(passwd_hash_is_usable(hashes[i].hash), method != NULL);
	}
}

/* Each method of the table, as this machine's library makes it. */
static void
what_crypt_makes_is_usable(void **state)
{
	static const char *const prefixes[] = {"$y$",  "$gy$", "$7$", "$2b$",  "$2a$",
	                                       "$2y$", "$6$",  "$5$", "$sha1", "$md5",
	                                       "$1$",  "$3$",  "_",   ""};
	static struct crypt_data data;
	unsigned made = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(prefixes); i++) {
		char salt[CRYPT_GENSALT_OUTPUT_SIZE];

		/* A library may leave old methods out. */
		if (crypt_gensalt_rn(prefixes[i], 0, NULL, 0, salt, sizeof(salt)) !=
		    NULL) {
			const char *hash =
			    crypt_rn("password", salt, &data, sizeof(data));

			assert_non_null(hash);
			assert_true(passwd_hash_is_usable(hash));
			made++;
		}
	}
	assert_true(made >= 3);
}

/* A file of the test, with a name of its own. */
static void
write_file(char *path, const char *text, size_t len, mode_t mode)
{
	int fd;

	(void)snprintf(path, 64, "/tmp/test_passwd_file.XXXXXX");
	fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, len), len);
	assert_int_equal(fchmod(fd, mode), 0);
	assert_int_equal(close(fd), 0);
}

static const char users[] = "# our users\n"
			    "\n"
			    "ann:" SHA512 ":2001:2001::/srv/ann:\n"
			    "broken line\n"
			    "bob:" YESCRYPT ":2002:2002::/srv/bob:\n"
			    "bob:second:2003:2003::/srv/other:\n"
			    " eve:x:2004:2004::/srv/eve:\n"
			    "eve:x:2004:2004::/srv/eve:\n"
			    "dan:x:2005:2005::relative:\n"
			    "\t\rfay\r:x:1:1::/:\n"
			    "last:x:2006:2006::/srv/last:/bin/sh";

struct find_case {
	const char *name;
	int error;
	uint32_t uid;
	unsigned line;
	const char *why;
};

static const struct find_case finds[] = {
    {"ann", 0, 2001, 3, "behind a comment"},
    {"bob", 0, 2002, 5, "the first of two decides; a wrong line of others harms nobody"},
    {"eve", -EBADMSG, 0, 7, "a wrong line is hers all the same"},
    {"dan", -EBADMSG, 0, 9, "a wrong home"},
    {"fay", -EBADMSG, 0, 10, "control characters around the name"},
    {"last", 0, 2006, 11, "no line end"},
    {"broken line", -EBADMSG, 0, 4, "the whole line is the name"},
    {"an", -ENOENT, 0, 0, "part of a name"},
    {"Ann", -ENOENT, 0, 0, "another case"},
    {"", -ENOENT, 0, 0, "nobody"},
    {"# our users", -ENOENT, 0, 0, "a comment is no user"},
    {"ann:" SHA512, -ENOENT, 0, 0, "a name has no colon"},
};

static void
users_are_found(void **state)
{
	char path[64];

	(void)state;
	write_file(path, users, sizeof(users) - 1, 0640);
	for (size_t i = 0; i < ARRAY_COUNT(finds); i++) {
		const struct find_case *row = &finds[i];
		struct passwd_user user = {.uid = 0};
		unsigned line = 0;
		int error = passwd_file_find(path, row->name, &user, &line);

		if (error != row->error) {
			print_error("%s\n", row->why);
		}
		assert_int_equal(error, row->error);
		assert_int_equal(user.uid, row->uid);
		assert_int_equal(line, row->line);
	}
	assert_int_equal(unlink(path), 0);
}

/* Lines beyond every length, at every place of the buffer that they are read through. */
static void
overlong_lines_hide_nobody(void **state)
{
	static const char bob[] = "\nbob:x:2002:2002::/srv/bob:\n";
	static char text[16 * PASSWD_LINE_MAX];

	(void)state;
	for (size_t len = PASSWD_LINE_MAX - 2; len < 9 * PASSWD_LINE_MAX; len += 1021) {
		char path[64];
		struct passwd_user user;
		unsigned line;

		memset(text, 'c', len);
		put(text, "ann:x:1:1:");
		put(text + len - 24, "bob:x:6666:6666::/srv/a:");
		memcpy(text + len, bob, sizeof(bob));
		write_file(path, text, len + sizeof(bob) - 1, 0600);
		assert_int_equal(passwd_file_find(path, "bob", &user, &line), 0);
		assert_int_equal(user.uid, 2002);
		assert_int_equal(line, 2);
		assert_int_equal(passwd_file_find(path, "ann", &user, &line), -EBADMSG);
		assert_int_equal(line, 1);
		assert_int_equal(unlink(path), 0);
	}
}

static void
many_users_are_read(void **state)
{
	enum { USERS = 3000, SIZE = USERS * 64 };
	char *text = malloc(SIZE);
	size_t len = 0;
	char path[64];

	(void)state;
	assert_non_null(text);
	for (int i = 0; i < USERS; i++) {
		len += (size_t)snprintf(text + len, SIZE - len,
		                        "user%d:x:%d:%d::/srv/%d:\n", i, i + 1, i + 1, i);
	}
	write_file(path, text, len, 0600);
	for (int i = 0; i < USERS; i += 311) {
		char name[32];
		struct passwd_user user;
		unsigned line;

		(void)snprintf(name, sizeof(name), "user%d", i);
		assert_int_equal(passwd_file_find(path, name, &user, &line), 0);
		assert_int_equal(user.uid, i + 1);
		assert_int_equal(line, i + 1);
	}
	assert_int_equal(unlink(path), 0);
	free(text);
}

struct mode_case {
	mode_t mode;
	int error;
};

static const struct mode_case modes[] = {
    {0600, 0},      {0640, 0},      {0400, 0},      {0440, 0},
    {0700, 0},      {0660, -EPERM}, {0644, -EPERM}, {0604, -EPERM},
    {0602, -EPERM}, {0620, -EPERM}, {0666, -EPERM}, {0777, -EPERM},
};

static void
a_file_of_others_is_not_believed(void **state)
{
	static const char text[] = "bob:x:1:1::/:\n";
	struct passwd_user user;
	unsigned line;
	char path[64];

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(modes); i++) {
		write_file(path, text, sizeof(text) - 1, modes[i].mode);
		assert_int_equal(passwd_file_find(path, "bob", &user, &line),
		                 modes[i].error);
		assert_int_equal(unlink(path), 0);
	}
	if (geteuid() == 0) {
		write_file(path, text, sizeof(text) - 1, 0600);
		assert_int_equal(chown(path, 54321, 0), 0);
		assert_int_equal(passwd_file_find(path, "bob", &user, &line), -EPERM);
		assert_int_equal(unlink(path), 0);
	}
	assert_int_equal(passwd_file_find(path, "bob", &user, &line), -ENODATA);
	assert_int_equal(passwd_file_find("/dev/null", "bob", &user, &line), -EINVAL);
	assert_int_equal(passwd_file_find("/etc", "bob", &user, &line), -EINVAL);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(passwd_file_find(path, "bob", &user, &line), -EINVAL);
	assert_int_equal(unlink(path), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(lines_are_told_apart),
	    cmocka_unit_test(a_user_has_his_fields),
	    cmocka_unit_test(lengths_are_limited),
	    cmocka_unit_test(a_line_may_have_a_nul),
	    cmocka_unit_test(hashes_that_can_match_are_known),
	    cmocka_unit_test(what_crypt_makes_is_usable),
	    cmocka_unit_test(users_are_found),
	    cmocka_unit_test(overlong_lines_hide_nobody),
	    cmocka_unit_test(many_users_are_read),
	    cmocka_unit_test(a_file_of_others_is_not_believed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
