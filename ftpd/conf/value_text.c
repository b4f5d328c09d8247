/*
 * value_text: checks of values that stay text: names, paths, hosts.
 * Runs in: master, worker, recorder.
 * Source:  RFC 1123 2.1 for host names; useradd(8) for user names.
 * Not here: whether they exist.
 */
#include "ftpd/conf/value.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/base.h"

enum { HOST_NAME_MAX_BYTES = 253 };

bool
value_refuse(char mistake[OPTION_MISTAKE_MAX], const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(mistake, OPTION_MISTAKE_MAX, format, arguments); /* cut is fine */
	va_end(arguments);
	return false;
}

void
option_quote(const char *text, size_t len, char *ret_text, size_t cap)
{
	size_t kept = len < cap ? len : cap - 4;

	for (size_t i = 0; i < kept; i++) {
		unsigned char byte = (unsigned char)text[i];

		ret_text[i] = text[i];
		if (byte < ' ' || byte == 0x7f) {
			ret_text[i] = '?';
		}
	}
	if (kept < len) {
		memcpy(ret_text + kept, "...", 4);
	} else {
		ret_text[kept] = '\0';
	}
}

/*
 * The C library's isalnum() depends on the locale, which the confined programs must not
 * import.
 */
static bool
is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
is_word(const struct option_row *row, const char *text)
{
	for (const char *const *word = row->words; word != NULL && *word != NULL;
	     word++) {
		if (strcmp(*word, text) == 0) {
			return true;
		}
	}
	return false;
}

static bool
check_name(const char *text, const char *quoted, char mistake[OPTION_MISTAKE_MAX])
{
	if (text[0] == '\0') {
		return value_refuse(mistake, "is empty; write a name");
	}
	for (size_t i = 0; text[i] != '\0'; i++) {
		if (!is_letter(text[i]) && text[i] != '_' &&
		    (i == 0 || (!is_digit(text[i]) && strchr(".-$", text[i]) == NULL))) {
			return value_refuse(
			    mistake,
			    "\"%s\" is not a name; use letters, digits, '.', '_' and '-', "
			    "and begin with a letter",
			    quoted);
		}
	}
	return true;
}

static bool
check_path(const struct option_row *row, const char *text, const char *quoted,
           char mistake[OPTION_MISTAKE_MAX])
{
	if (text[0] == '/') {
		return true;
	}
	if (text[0] == '\0') {
		return value_refuse(mistake, "is empty; write an absolute path");
	}
	if (row->words != NULL && row->words[0][0] != '\0') {
		bool has_two = row->words[1] != NULL;

		return value_refuse(
		    mistake,
		    "\"%s\" is not known; write \"%s\"%s%s%s or an absolute path", quoted,
		    row->words[0], has_two ? ", \"" : "", has_two ? row->words[1] : "",
		    has_two ? "\"" : "");
	}
	return value_refuse(mistake, "\"%s\" is not an absolute path; begin it with /",
	                    quoted);
}

static bool
check_credential(const char *name, const char *quoted, char mistake[OPTION_MISTAKE_MAX])
{
	if (name[0] == '\0' || name[0] == '.' || strchr(name, '/') != NULL) {
		return value_refuse(
		    mistake,
		    "\"%s\" names no credential; write \"credential:NAME\" with the NAME "
		    "of LoadCredential in the unit",
		    quoted);
	}
	return true;
}

static bool
check_file(const struct option_row *row, const char *text, const char *quoted,
           char mistake[OPTION_MISTAKE_MAX])
{
	static const char prefix[] = "credential:";

	if (strncmp(text, prefix, sizeof(prefix) - 1) == 0) {
		return check_credential(text + sizeof(prefix) - 1, quoted, mistake);
	}
	return check_path(row, text, quoted, mistake);
}

/* Returns: the first "%" that is neither %u nor %h, NULL if there is none. */
static const char *
find_unknown_percent(const char *text)
{
	for (const char *c = strchr(text, '%'); c != NULL; c = strchr(c + 2, '%')) {
		if (c[1] != 'u' && c[1] != 'h') {
			return c;
		}
	}
	return NULL;
}

static bool
has_dot_dot(const char *text)
{
	for (const char *at = strstr(text, ".."); at != NULL; at = strstr(at + 1, "..")) {
		if ((at == text || at[-1] == '/') && (at[2] == '/' || at[2] == '\0')) {
			return true;
		}
	}
	return false;
}

static bool
check_root(const char *text, const char *quoted, char mistake[OPTION_MISTAKE_MAX])
{
	bool is_home = text[0] == '~' && (text[1] == '/' || text[1] == '\0');

	if (text[0] != '/' && !is_home && strncmp(text, "%h", 2) != 0) {
		return value_refuse(
		    mistake,
		    "\"%s\" is no directory; write \"~\" for the home directory, or an "
		    "absolute path",
		    quoted);
	}
	if (find_unknown_percent(text) != NULL) {
		return value_refuse(mistake,
		                    "\"%s\" has a %% that is neither %%u, the name, nor "
		                    "%%h, the home directory; remove it",
		                    quoted);
	}
	if (has_dot_dot(text)) {
		return value_refuse(mistake,
		                    "\"%s\" has \"..\" in it; write the directory itself",
		                    quoted);
	}
	return true;
}

/* The last label must not be a number, or a mistyped address would pass as a name. */
static bool
is_host_name(const char *text)
{
	size_t label = 0;
	bool has_letter = false;
	size_t i;

	for (i = 0; text[i] != '\0'; i++) {
		if (text[i] == '.') {
			if (i == label || text[i - 1] == '-') {
				return false;
			}
			label = i + 1;
			has_letter = false;
		} else if (is_letter(text[i])) {
			has_letter = true;
		} else if (!is_digit(text[i]) && (text[i] != '-' || i == label)) {
			return false;
		}
	}
	return has_letter && text[i - 1] != '-' && i <= HOST_NAME_MAX_BYTES;
}

static bool
check_host(const char *text, const char *quoted, char mistake[OPTION_MISTAKE_MAX])
{
	static const struct addr unspecified = {.family = ADDR_IPV4};
	struct addr addr;

	if (!addr_parse(text, strlen(text), &addr)) {
		return is_host_name(text) ||
		       value_refuse(
			   mistake,
			   "\"%s\" is neither an address nor a host name; write one, "
			   "such as 192.0.2.1 or ftp.example.org",
			   quoted);
	}
	if (addr.family == ADDR_IPV6) {
		return value_refuse(
		    mistake,
		    "\"%s\" is an IPv6 address, which no reply to PASV can carry; "
		    "write an IPv4 address or a name",
		    quoted);
	}
	if (addr_same_host(&addr, &unspecified)) {
		return value_refuse(
		    mistake,
		    "\"%s\" is no address that clients can reach; write the one they see, "
		    "or \"\" for the one they have connected to",
		    quoted);
	}
	return true;
}

/* In: cap: room for the text, NUL included. */
static bool
check_form(const char *text, const char *quoted, size_t cap,
           char mistake[OPTION_MISTAKE_MAX])
{
	size_t len = strlen(text);

	if (len >= cap) {
		return value_refuse(mistake, "\"%s\" has %zu bytes; shorten it to %zu",
		                    quoted, len, cap - 1);
	}
	for (size_t i = 0; i < len; i++) {
		unsigned char byte = (unsigned char)text[i];

		if (byte < ' ' || byte == 0x7f) {
			return value_refuse(
			    mistake, "\"%s\" has a control character in it; remove it",
			    quoted);
		}
	}
	return true;
}

bool
value_list_name(const struct option_row *row, const char *text,
                char mistake[OPTION_MISTAKE_MAX])
{
	char quoted[VALUE_QUOTED_MAX];

	option_quote(text, strlen(text), quoted, sizeof(quoted));
	if (text[0] == '\0') {
		return value_refuse(mistake,
		                    "has an empty name; write one, or remove it");
	}
	if (!check_form(text, quoted, OPTIONS_NAME_MAX, mistake)) {
		return false;
	}
	if (row->words != NULL && !is_word(row, text)) {
		return value_refuse(mistake,
		                    "\"%s\" is not known; write \"%s\" or \"%s\"", quoted,
		                    row->words[0], row->words[1]);
	}
	/* It would name nobody, and nobody would notice who is let in by that. */
	if (text[0] == ' ' || text[strlen(text) - 1] == ' ') {
		return value_refuse(
		    mistake, "\"%s\" begins or ends with a blank; remove it", quoted);
	}
	/* A comma separates, and the others part the fields of passwd(5). */
	if (strpbrk(text, ",:/") != NULL) {
		return value_refuse(
		    mistake,
		    "\"%s\" is no name: it has a comma, colon or slash; remove it",
		    quoted);
	}
	return true;
}

bool
value_text(const struct option_row *row, const char *text,
           char mistake[OPTION_MISTAKE_MAX])
{
	char quoted[VALUE_QUOTED_MAX];

	option_quote(text, strlen(text), quoted, sizeof(quoted));
	if (!check_form(text, quoted, row->size, mistake)) {
		return false;
	}
	if (is_word(row, text)) {
		return true;
	}
	if (row->type == OPTION_ROOT) {
		return check_root(text, quoted, mistake);
	}
	if (row->type == OPTION_NAME) {
		return check_name(text, quoted, mistake);
	}
	if (row->type == OPTION_HOST) {
		return check_host(text, quoted, mistake);
	}
	if (row->type == OPTION_FILE) {
		return check_file(row, text, quoted, mistake);
	}
	if (row->type == OPTION_TEXT) {
		return true; /* its form is all */
	}
	return check_path(row, text, quoted, mistake);
}

bool
value_file(const struct option_row *row, const char *text,
           char mistake[OPTION_MISTAKE_MAX])
{
	char quoted[VALUE_QUOTED_MAX];

	option_quote(text, strlen(text), quoted, sizeof(quoted));
	return check_form(text, quoted, OPTIONS_TEXT_MAX, mistake) &&
	       check_file(row, text, quoted, mistake);
}

bool
value_host_name(const char *text, char ret_name[OPTIONS_HOST_MAX],
                char mistake[OPTION_MISTAKE_MAX])
{
	char quoted[VALUE_QUOTED_MAX];
	size_t len = strlen(text);

	option_quote(text, len, quoted, sizeof(quoted));
	if (!is_host_name(text)) {
		return value_refuse(
		    mistake, "\"%s\" is no host name; write one, such as ftp.example.org",
		    quoted);
	}
	for (size_t i = 0; i <= len; i++) {
		bool is_capital = text[i] >= 'A' && text[i] <= 'Z';

		ret_name[i] = (char)(is_capital ? text[i] - 'A' + 'a' : text[i]);
	}
	return true;
}
