/*
 * statement: walks through a configuration file, so that every mistake in its form is
 * told at once.
 * Runs in: master.
 * Input:   any bytes.
 * Source:  libconfuse's grammar, less functions (include), += and sections within
 *          sections.
 * Not here: values; libconfuse reads them from what this leaves.  libconfuse alone would
 *          stop at the first mistake, take an unclosed section for closed, and drop signs
 *          that it does not know. Keys of sections with a title; see titled.h.
 */
#include "ftpd/conf/titled.h"

#include <string.h>

#include "common/base.h"

enum { SHOWN_MAX = 48 };

struct walk {
	struct conf *conf;
	struct token_source *source;
	const char *section;
	struct policy_override *titled; /* the section, if it has a title, else NULL */
	struct token name;              /* of the statement being looked at */
	char shown[SHOWN_MAX];          /* the same for messages */
	struct token ahead;             /* taken, but not used */
	bool has_ahead;
};

static struct token
next(struct walk *walk)
{
	if (walk->has_ahead) {
		walk->has_ahead = false;
		return walk->ahead;
	}
	return token_next(walk->source);
}

static void
put_back(struct walk *walk, const struct token *token)
{
	walk->ahead = *token;
	walk->has_ahead = true;
}

static size_t
end_of(const struct token *token)
{
	return token->start + token->len;
}

static bool
is_text(const struct token *token)
{
	return token->kind == TOKEN_WORD || token->kind == TOKEN_STRING;
}

/* Skip to the brace that closes one already taken.  Returns: false if there is none. */
static bool
skip_braces(struct walk *walk)
{
	for (size_t depth = 1; depth > 0;) {
		struct token token = next(walk);

		if (token.kind == TOKEN_END) {
			return false;
		}
		if (token.kind == TOKEN_OPEN) {
			depth++;
		} else if (token.kind == TOKEN_CLOSE) {
			depth--;
		}
	}
	return true;
}

/*
 * After a mistake go on with the next line, as a mistake seldom reaches farther.  Braces
 * opened on the way are skipped whole, or their content would give mistakes that are
 * none.
 */
static void
recover(struct walk *walk, const struct token *wrong)
{
	struct token token = *wrong;
	size_t start = walk->name.start;
	/* A word in the next line is the next key, as the value is missing. */
	uint32_t line = is_text(wrong) ? walk->name.line : wrong->line;

	while (token.kind != TOKEN_END && token.kind != TOKEN_CLOSE &&
	       token.line == line) {
		if (token.kind == TOKEN_OPEN) {
			/* without an end the next token is TOKEN_END */
			(void)skip_braces(walk);
		}
		token = next(walk);
	}
	token_blank(walk->source, start, token.start);
	put_back(walk, &token);
}

static void
rewind_to(struct walk *walk, const struct token *token)
{
	walk->source->pos = token->start;
	walk->source->line = token->line;
	walk->has_ahead = false;
}

/*
 * After a mistake in a list go on behind its closing brace.  If a statement begins before
 * one, the list was not closed, and that statement is the place.
 * In: before: the token before wrong, within the list.
 */
static void
recover_list(struct walk *walk, const struct token *before, const struct token *wrong)
{
	struct token last = *before;
	struct token token = *wrong;

	while (token.kind != TOKEN_END && token.kind != TOKEN_CLOSE) {
		bool is_statement = token.kind == TOKEN_EQUALS ||
		                    token.kind == TOKEN_APPEND ||
		                    token.kind == TOKEN_OPEN;

		if (is_statement && last.kind == TOKEN_WORD) {
			token_blank(walk->source, walk->name.start, last.start);
			rewind_to(walk, &last);
			return;
		}
		last = token;
		token = next(walk);
	}
	token_blank(walk->source, walk->name.start, end_of(&token));
}

/* Report what was found instead of what was wanted, once. */
static void
report_token(struct walk *walk, const struct token *token, const char *wanted)
{
	char shown[SHOWN_MAX];

	if (token->kind == TOKEN_WRONG) {
		reader_report(walk->conf, token->line, "%s", token->mistake);
	} else if (token->kind == TOKEN_END || token->line != walk->name.line) {
		reader_report(walk->conf, walk->name.line, "%s ends too early; %s",
		              walk->shown, wanted);
	} else {
		option_quote(walk->source->text + token->start, token->len, shown,
		             sizeof(shown));
		reader_report(walk->conf, token->line, "%s is followed by %s; %s",
		              walk->shown, shown, wanted);
	}
}

static void
refuse_token(struct walk *walk, const struct token *token, const char *wanted)
{
	report_token(walk, token, wanted);
	recover(walk, token);
}

/* Returns: false if refused. */
static bool
take_list(struct walk *walk, struct reader_origin *origin, struct token *ret_end)
{
	struct token before = {.kind = TOKEN_OPEN};
	struct token token = next(walk);
	const char *wanted = "write { \"VALUE\", \"VALUE\" }";

	while (token.kind != TOKEN_CLOSE && is_text(&token)) {
		if (origin->entry_count < OPTIONS_LIST_MAX) {
			origin->entry_line[origin->entry_count] = token.line;
		}
		origin->entry_count++;
		before = token;
		token = next(walk);
		if (token.kind == TOKEN_COMMA) {
			before = token;
			token = next(walk);
		} else if (token.kind != TOKEN_CLOSE) {
			wanted =
			    "separate the values by commas and close the list with }";
			break;
		}
	}
	if (token.kind != TOKEN_CLOSE) {
		report_token(walk, &token, wanted);
		recover_list(walk, &before, &token);
		return false;
	}
	*ret_end = token;
	return true;
}

static void
report_unknown(struct walk *walk, const char *name)
{
	char remedy[OPTION_MISTAKE_MAX];

	if (walk->section[0] == '\0' && strcmp(name, "include") == 0) {
		reader_report(walk->conf, walk->name.line,
		              "include is not supported; write everything into one file");
		return;
	}
	if (walk->conf->finding_count >= CONF_FINDINGS_MAX) {
		/* it will not be shown; the search is not worth it */
		walk->conf->finding_count++;
		return;
	}
	reader_suggest(walk->section, name, remedy, sizeof(remedy));
	reader_report(walk->conf, walk->name.line, "unknown option %s; %s", walk->shown,
	              remedy);
}

static void
copy_name(const struct walk *walk, const struct token *token, char name[OPTION_KEY_MAX])
{
	size_t quotes = token->kind == TOKEN_STRING ? 1 : 0;
	size_t len = token->len - 2 * quotes;

	if (len >= OPTION_KEY_MAX) {
		len = OPTION_KEY_MAX - 1;
	}
	memcpy(name, walk->source->text + token->start + quotes, len);
	name[len] = '\0';
}

static bool
is_key(const struct walk *walk, const char *name)
{
	enum policy_key key;

	return walk->titled != NULL ? policy_key_find(name, &key)
	                            : option_find(walk->section, name) != NULL;
}

/* Returns: true if the assignment may stay for libconfuse. */
static bool
judge_assignment(struct walk *walk, const struct reader_origin *found, bool is_list)
{
	char name[OPTION_KEY_MAX];
	const struct option_row *row;
	struct reader_origin *origin;

	copy_name(walk, &walk->name, name);
	if (walk->titled != NULL && !is_key(walk, name)) {
		report_unknown(walk, name);
		return false;
	}
	if (walk->titled != NULL) {
		return titled_take_key(walk->conf, walk->titled, name, found, is_list);
	}
	row = option_find(walk->section, name);
	if (row == NULL && walk->section[0] == '\0' &&
	    option_section_find(name) != NULL) {
		reader_report(walk->conf, walk->name.line,
		              "%s is a section; write %s { KEY = VALUE }", name, name);
		return false;
	}
	if (row == NULL) {
		report_unknown(walk, name);
		return false;
	}
	if (is_list && !option_is_list(row)) {
		reader_report(walk->conf, walk->name.line,
		              "%s takes one value; remove the braces", name);
		return false;
	}
	if (found->entry_count > OPTIONS_LIST_MAX) {
		reader_report(walk->conf, walk->name.line,
		              "%s has more than %d entries; remove some", name,
		              OPTIONS_LIST_MAX);
		return false;
	}
	origin = reader_origin(walk->conf, row);
	if (origin->line != 0) {
		reader_report(
		    walk->conf, walk->name.line,
		    "%s is set a second time; it is in line %u already, keep one", name,
		    origin->line);
		return false;
	}
	*origin = *found;
	return true;
}

static void
take_assignment(struct walk *walk, const struct token *equals)
{
	struct reader_origin origin = {.line = walk->name.line};
	struct token value = next(walk);
	struct token end = value;
	bool is_list = value.kind == TOKEN_OPEN;

	if (value.line != equals->line || (!is_text(&value) && !is_list)) {
		refuse_token(walk, &value, "write KEY = VALUE on one line");
		return;
	}
	if (!is_list) {
		origin.entry_line[0] = value.line;
		origin.entry_count = 1;
	}
	if (is_list && !take_list(walk, &origin, &end)) {
		return;
	}
	if (!judge_assignment(walk, &origin, is_list)) {
		token_blank(walk->source, walk->name.start, end_of(&end));
	}
}

static void walk_body(struct walk *walk);

static void
drop_section(struct walk *walk)
{
	if (!skip_braces(walk) && walk->section[0] == '\0') {
		reader_report(walk->conf, walk->name.line,
		              "section %s has no end; close it with }", walk->shown);
	}
	token_blank(walk->source, walk->name.start, walk->source->pos);
}

/* In: title: as for take_section(). */
static void
take_titled(struct walk *walk, const struct option_section *section,
            const struct token *title)
{
	struct token name = walk->name;
	enum policy_scope scope;
	bool is_right = false;

	if (titled_find_scope(section->name, &scope)) {
		walk->titled = titled_begin(walk->conf, scope, walk->source->text, &name,
		                            title, &is_right);
	}
	if (walk->titled == NULL) {
		drop_section(walk);
		return;
	}
	walk->section = section->name;
	walk_body(walk);
	walk->section = "";
	walk->titled = NULL;
	if (!is_right) {
		titled_drop_last(walk->conf);
		token_blank(walk->source, name.start, walk->source->pos);
	}
}

/* In: title: the token between name and brace, kind TOKEN_END if there is none. */
static void
take_section(struct walk *walk, const struct token *title)
{
	char name[OPTION_KEY_MAX];
	const struct option_section *section;

	copy_name(walk, &walk->name, name);
	section = option_section_find(name);
	if (walk->section[0] != '\0') {
		reader_report(
		    walk->conf, walk->name.line,
		    "a section begins within section %s; close that with } first",
		    walk->section);
	} else if (section == NULL && option_find("", name) != NULL) {
		reader_report(walk->conf, walk->name.line,
		              "%s is not a section; write %s = VALUE", name, name);
	} else if (section == NULL) {
		report_unknown(walk, name);
	} else if (!section->is_built) {
		reader_report(walk->conf, walk->name.line,
		              "section %s is not built in this release; remove it", name);
	} else if (section->has_title) {
		take_titled(walk, section, title);
		return;
	} else {
		if (title->kind != TOKEN_END) {
			reader_report(walk->conf, title->line,
			              "section %s takes no name; remove it", name);
			token_blank(walk->source, title->start, end_of(title));
		}
		walk->section = section->name;
		walk_body(walk);
		walk->section = "";
		return;
	}
	drop_section(walk);
}

/* Neither = nor { follows the key. */
static void
refuse_statement(struct walk *walk, const struct token *second)
{
	char name[OPTION_KEY_MAX];
	char value[SHOWN_MAX];

	copy_name(walk, &walk->name, name);
	if (!is_key(walk, name) && option_section_find(name) == NULL) {
		report_unknown(walk, name);
	} else if (is_text(second) && second->line == walk->name.line) {
		option_quote(walk->source->text + second->start, second->len, value,
		             sizeof(value));
		reader_report(walk->conf, second->line, "%s lacks its =; write %s = %s",
		              walk->shown, walk->shown, value);
	} else {
		report_token(walk, second, "write KEY = VALUE");
	}
	recover(walk, second);
}

static void
take_statement(struct walk *walk, const struct token *name)
{
	struct token second = next(walk);
	struct token third;

	switch (second.kind) {
	case TOKEN_EQUALS: take_assignment(walk, &second); return;
	case TOKEN_OPEN: take_section(walk, &(struct token){.kind = TOKEN_END}); return;
	case TOKEN_APPEND: refuse_token(walk, &second, "write = and all values"); return;
	case TOKEN_WORD:
	case TOKEN_STRING:
		if (second.line == name->line) {
			third = next(walk);
			if (third.kind == TOKEN_OPEN) {
				take_section(walk, &second);
				return;
			}
			put_back(walk, &third);
		}
		break;
	case TOKEN_END:
	case TOKEN_CLOSE:
	case TOKEN_COMMA:
	case TOKEN_WRONG:
	case TOKEN_KIND_COUNT: break;
	}
	refuse_statement(walk, &second);
}

static void
walk_body(struct walk *walk)
{
	struct token opened = walk->name;

	for (;;) {
		struct token token = next(walk);

		walk->name = token;
		option_quote(walk->source->text + token.start, token.len, walk->shown,
		             sizeof(walk->shown));
		if (token.kind == TOKEN_END) {
			if (walk->section[0] != '\0') {
				reader_report(walk->conf, opened.line,
				              "section %s has no end; close it with }",
				              walk->section);
			}
			return;
		}
		if (token.kind == TOKEN_CLOSE && walk->section[0] != '\0') {
			return;
		}
		if (is_text(&token)) {
			take_statement(walk, &token);
		} else if (token.kind == TOKEN_CLOSE) {
			reader_report(walk->conf, token.line,
			              "there is a } without a {; remove it");
			token_blank(walk->source, token.start, end_of(&token));
		} else {
			reader_report(
			    walk->conf, token.line, "%s%s",
			    token.kind == TOKEN_WRONG ? token.mistake : walk->shown,
			    token.kind == TOKEN_WRONG
				? ""
				: " stands where a key should; write KEY = VALUE");
			recover(walk, &token);
		}
	}
}

void
reader_check_statements(struct conf *conf, struct token_source *source)
{
	struct walk walk = {.conf = conf, .source = source, .section = ""};

	walk_body(&walk);
}
