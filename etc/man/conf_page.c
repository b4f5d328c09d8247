/*
 * conf_page: prints deftpd.conf(5) from the option table, so that the page cannot differ
 * from the program.
 * Runs in: the build; it is not installed.
 * Source:  mdoc(7).
 *
 *   conf_page --page FILE   the man page; FILE is what stands behind the tables
 *   conf_page --list        each key and its default, "KEY = VALUE", as a reader of the
 *   page should find them
 *   conf_page --check FILE  read a configuration in which lines "#key = value" count;
 *   every key of this release has
 *                           to be in it, with its default
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ftpd/conf/conf.h"
#include "ftpd/conf/option.h"
#include "ftpd/conf/policy_table.h"

#include "common/base.h"

enum {
	DEFAULT_ENTRIES_MAX = 4,
	SHOWN_MAX = (DEFAULT_ENTRIES_MAX + 1) * OPTION_VALUE_MAX,
};

/* The default as it is written in the file. */
static void
format_default(const struct option_row *row, const struct options *options,
               char shown[SHOWN_MAX])
{
	const char *quote = option_is_quoted(row) ? "\"" : "";
	size_t entries = option_entries(row, options);
	char text[OPTION_VALUE_MAX] = "";
	size_t len = 0;

	shown[0] = '\0';
	if (entries > DEFAULT_ENTRIES_MAX) {
		abort(); /* the table has outgrown SHOWN_MAX */
	}
	if (option_is_list(row)) {
		len += (size_t)snprintf(shown + len, SHOWN_MAX - len, "{");
	}
	for (size_t i = 0; i < entries; i++) {
		option_format(row, options, i, text);
		len += (size_t)snprintf(shown + len, SHOWN_MAX - len, "%s%s%s%s",
		                        i == 0 ? "" : ", ", quote, text, quote);
	}
	if (option_is_list(row)) {
		/* four entries and a brace fit */
		(void)snprintf(shown + len, SHOWN_MAX - len, "}");
	}
}

/* Text in which nothing is a request, a macro or an escape. */
static void
print_roff(const char *text)
{
	for (const char *c = text; *c != '\0'; c++) {
		switch (*c) {
		case '\\':
			/* main() looks at the stream's error in the end */
			(void)fputs("\\e", stdout);
			break;
		case '-': (void)fputs("\\-", stdout); break;
		case '"': (void)fputs("\\(dq", stdout); break;
		case '~': (void)fputs("\\(ti", stdout); break;
		default: (void)putchar(*c); break;
		}
	}
}

/* One sentence a line, as mdoc wants it. */
static void
print_sentences(const char *text)
{
	printf("\\&");
	while (*text != '\0') {
		const char *end = strstr(text, ". ");
		size_t len = end != NULL ? (size_t)(end - text) + 1 : strlen(text);
		char *sentence = strndup(text, len);

		if (sentence == NULL) {
			abort();
		}
		print_roff(sentence);
		free(sentence);
		printf("\n");
		text += len;
		text += *text == ' ' ? 1 : 0;
		if (*text != '\0') {
			printf("\\&");
		}
	}
}

static void
print_words(const struct option_row *row, const char *separator)
{
	for (const char *const *word = row->words; *word != NULL; word++) {
		printf("%s", separator);
		print_roff("\"");
		print_roff(*word);
		print_roff("\"");
		separator = word[1] != NULL && word[2] == NULL ? " and " : ", ";
	}
	printf(".\n");
}

static void
print_kind(const struct option_row *row)
{
	switch (row->type) {
	case OPTION_BOOL: printf("Yes or no.\n"); break;
	case OPTION_PORT:
	case OPTION_COUNT_OF:
		printf("A number from %llu to %llu.\n", (unsigned long long)row->min,
		       (unsigned long long)row->max);
		break;
	case OPTION_SECONDS:
		printf("Seconds, from %llu to %llu.\n", (unsigned long long)row->min,
		       (unsigned long long)row->max);
		break;
	case OPTION_RATE:
		printf(
		    "Bytes a second; K, M, G or T behind the number multiplies it by a "
		    "power of 1024.\n");
		break;
	case OPTION_SIZE:
		printf(
		    "Bytes; K, M, G or T behind the number multiplies it by a power of "
		    "1024.\n");
		break;
	case OPTION_WORD: print_words(row, "One of "); break;
	case OPTION_TEXT:
		printf("One line of at most %zu bytes.\n", row->size - 1);
		break;
	case OPTION_FILE: printf("An absolute path or\n.Ql credential:NAME .\n"); break;
	case OPTION_FILES:
		printf("A list of at most %d, each an absolute path or\n"
		       ".Ql credential:NAME .\n",
		       OPTIONS_PATHS_MAX);
		break;
	case OPTION_HOSTS:
		printf("A list of at most %d host names.\n", OPTIONS_LIST_MAX);
		break;
	case OPTION_PATH:
		printf("An absolute path of at most %zu bytes.\n", row->size - 1);
		break;
	case OPTION_NAMES:
		if (row->words != NULL) {
			print_words(row, "A list of ");
			break;
		}
		printf("A list of at most %d names.\n", OPTIONS_LIST_MAX);
		break;
	case OPTION_LISTEN:
	case OPTION_NETWORKS:
		printf("A list of at most %d entries.\n", OPTIONS_LIST_MAX);
		break;
	case OPTION_UMASK:
	case OPTION_ROOT:
	case OPTION_NAME:
	case OPTION_HOST:
	case OPTION_PORTS:
	case OPTION_TYPE_COUNT: break;
	}
}

static void
print_row(const struct option_row *row, const struct options *options)
{
	char shown[SHOWN_MAX];

	format_default(row, options, shown);
	printf(".It Ic %s No = ", row->key);
	print_roff(shown);
	printf("\n");
	print_sentences(row->text);
	print_kind(row);
	if (!row->is_built) {
		printf("Not built in this release: only the default is accepted.\n");
	}
}

static void
print_section(const char *section, const struct options *options)
{
	const struct option_row *rows;
	size_t count;

	printf(".Bl -tag -width Ds\n");
	rows = option_table(&count);
	for (size_t i = 0; i < count; i++) {
		if (strcmp(rows[i].section, section) == 0) {
			print_row(&rows[i], options);
		}
	}
	printf(".El\n");
}

static void
print_titled_key(enum policy_key key)
{
	struct option_row row;

	policy_option(key, &row);
	printf(".It Ic %s\n", row.key);
	print_sentences(row.text);
	if (!row.is_built) {
		printf("Not built in this release: the key is refused.\n");
	}
}

/* In: is_of_host: which keys. */
static void
print_titled_list(bool is_of_host)
{
	printf(".Bl -tag -width Ds\n");
	for (unsigned key = 0; key < POLICY_KEY_COUNT; key++) {
		if (policy_row_get((enum policy_key)key)->is_of_host == is_of_host) {
			print_titled_key((enum policy_key)key);
		}
	}
	printf(".El\n");
}

static void
print_directory_keys(void)
{
	const char *separator = "Its keys are ";

	for (unsigned key = 0; key < POLICY_KEY_COUNT; key++) {
		const struct policy_row *row = policy_row_get((enum policy_key)key);

		if (row->is_for_directories) {
			printf("%s%s", separator, row->key);
			separator = ", ";
		}
	}
	printf(".\n");
}

static void
print_titled_keys(enum policy_scope scope)
{
	switch (scope) {
	case POLICY_USER: print_titled_list(false); break;
	case POLICY_GROUP: printf("Its keys are those of a section\n.Ic user .\n"); break;
	case POLICY_HOST:
		printf("Its keys are those of a section\n.Ic user ,\nand these:\n");
		print_titled_list(true);
		break;
	case POLICY_DIRECTORY: print_directory_keys(); break;
	case POLICY_SCOPE_COUNT: break;
	}
}

static void
print_titled(const struct option_section *section)
{
	enum policy_scope scope = POLICY_USER;

	while (strcmp(policy_scope_name(scope), section->name) != 0) {
		scope++;
	}
	printf(".Ss %s \\(dq%s\\(dq { ... }\n%s\n", section->name,
	       scope == POLICY_DIRECTORY ? "/PATH" : "NAME", section->text);
	print_titled_keys(scope);
}

static void
print_sections(const struct options *options)
{
	const struct option_section *sections;
	size_t count;

	sections = option_sections(&count);
	for (size_t i = 0; i < count; i++) {
		if (sections[i].has_title) {
			print_titled(&sections[i]);
		} else {
			printf(".Ss %s { ... }\n%s\n", sections[i].name,
			       sections[i].text);
			print_section(sections[i].name, options);
		}
	}
}

static const char head[] =
    ".\\\" Made by conf_page from the option table; changes belong there.\n"
    ".Dd November 23, 2026\n"
    ".Dt DEFTPD.CONF 5\n"
    ".Os\n"
    ".Sh NAME\n"
    ".Nm deftpd.conf\n"
    ".Nd configuration of the FTP server deftpd\n"
    ".Sh DESCRIPTION\n"
    "The file holds settings of the form\n"
    ".Ic KEY No = Ar VALUE\n"
    "on one line each, and sections\n"
    ".Ic NAME No { ... }\n"
    "with settings that belong together.\n"
    "Every key has a default, so that an empty file is a valid one.\n"
    ".Pp\n"
    "A value made of letters, digits and the characters\n"
    ".Ql _.:/\\(ti%@\\-\n"
    "may stand without quotes.\n"
    "Others stand in double or single quotes and end on the same line; a quote or a backslash within is\n"
    "preceded by a backslash.\n"
    "A list is\n"
    ".Brq \\(dqA\\(dq , \\(dqB\\(dq ;\n"
    "a list of one value needs no braces.\n"
    "Comments begin with\n"
    ".Ql #\n"
    "or\n"
    ".Ql //\n"
    "and reach to the end of the line, or stand between\n"
    ".Ql /*\n"
    "and\n"
    ".Ql */ .\n"
    "The form is that of libconfuse, with these differences: there is no\n"
    ".Ic include ,\n"
    "no\n"
    ".Ql += ,\n"
    "and no replacement of\n"
    ".Ql ${NAME}\n"
    "from the environment, on which the settings of a daemon must not depend.\n"
    ".Pp\n"
    "Any mistake keeps the server from starting, or, at a reload, from taking the new settings.\n"
    ".Ql deftpd --check\n"
    "reports all of them at once.\n"
    "A file may have at most 256 KiB.\n"
    ".Pp\n"
    "On the command line\n"
    ".Fl o Ar KEY Ns = Ns Ar VALUE\n"
    "sets one key for the time that the server runs and wins over the file; a key in a section is written\n"
    ".Ar SECTION . Ns Ar KEY ,\n"
    "the value is taken without quotes as it is, and the entries of a list are separated by commas:\n"
    ".Dl deftpd -o anonymous.enabled=yes -o listen=127.0.0.1:2121,[::1]:2121\n"
    "Sections with a name cannot be set that way.\n"
    ".Sh SETTINGS OUTSIDE OF SECTIONS\n";

/* What no table has, written by hand. Returns: false if it cannot be read. */
static bool
print_prose(const char *path)
{
	FILE *stream = fopen(path, "re");
	char line[512];

	if (stream == NULL) {
		perror(path);
		return false;
	}
	while (fgets(line, sizeof(line), stream) != NULL) {
		/* the stream's error is looked at in the end */
		(void)fputs(line, stdout);
	}
	return fclose(stream) == 0;
}

static int
print_page(const struct options *options, const char *prose)
{
	bool is_printed;

	(void)fputs(head, stdout); /* the stream's error is looked at in the end */
	print_section("", options);
	printf(".Sh SECTIONS\n");
	print_sections(options);
	is_printed = print_prose(prose);
	return is_printed && fflush(stdout) == 0 && !ferror(stdout) ? EXIT_SUCCESS
	                                                            : EXIT_FAILURE;
}

static int
print_list(const struct options *options)
{
	const struct option_row *rows;
	size_t count;

	rows = option_table(&count);
	for (size_t i = 0; i < count; i++) {
		char shown[SHOWN_MAX];

		format_default(&rows[i], options, shown);
		printf("%s = %s\n", rows[i].key, shown);
	}
	return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* "#key" and "#}" are settings with a comment sign before them, "# text" is not. */
static void
uncomment(char *text, size_t len)
{
	for (size_t i = 0; i + 1 < len; i++) {
		bool is_first = i == 0 || text[i - 1] == '\n';
		char next = text[i + 1];

		if (is_first && text[i] == '#' && next != '#' && next != ' ' &&
		    next != '\n') {
			text[i] = ' ';
		}
	}
}

static size_t
find_missing(const struct conf *conf, const char *path)
{
	const struct option_row *rows;
	size_t count;
	size_t missing = 0;

	rows = option_table(&count);
	for (size_t i = 0; i < count; i++) {
		char name[OPTION_KEY_MAX];

		option_name(&rows[i], name);
		if (!option_is_default(&rows[i], conf_options(conf))) {
			fprintf(stderr, "%s: %s is not the default; correct it\n", path,
			        name);
			missing++;
		}
		if (rows[i].is_built && !conf_is_set(conf, name)) {
			fprintf(stderr, "%s: %s is missing; add it\n", path, name);
			missing++;
		}
	}
	return missing;
}

static int
check_file(const char *path)
{
	char *text = calloc(1, CONF_FILE_MAX_BYTES);
	FILE *stream = fopen(path, "re");
	struct conf *conf;
	size_t len;
	size_t wrong;

	if (text == NULL || stream == NULL) {
		perror(path);
		free(text);
		return EXIT_FAILURE;
	}
	len = fread(text, 1, CONF_FILE_MAX_BYTES, stream);
	(void)fclose(stream); /* only read */
	uncomment(text, len);
	conf = conf_read_buffer(path, text, len, NULL, 0);
	free(text);
	if (conf == NULL) {
		return EXIT_FAILURE;
	}
	conf_findings_print(conf, stderr);
	wrong = conf_findings_count(conf) + find_missing(conf, path);
	conf_free(conf);
	return wrong == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

int
main(int argc, char **argv)
{
	struct options options;

	options_set_defaults(&options);
	if (argc == 3 && strcmp(argv[1], "--page") == 0) {
		return print_page(&options, argv[2]);
	}
	if (argc == 2 && strcmp(argv[1], "--list") == 0) {
		return print_list(&options);
	}
	if (argc == 3 && strcmp(argv[1], "--check") == 0) {
		return check_file(argv[2]);
	}
	(void)fputs("usage: conf_page --page FILE | --list | --check FILE\n", stderr);
	return 2;
}
