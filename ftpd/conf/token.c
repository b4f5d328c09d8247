/*
 * token: cuts the text of a configuration file into words, strings and signs.
 * Runs in: master.
 */
#include "ftpd/conf/token.h"

#include <string.h>

#include "common/base.h"

void
token_blank(struct token_source *source, size_t start, size_t end)
{
	for (size_t i = start; i < end; i++) {
		if (source->text[i] != '\n') {
			source->text[i] = ' ';
		}
	}
}

static char
peek(const struct token_source *source, size_t ahead)
{
	return source->len - source->pos > ahead ? source->text[source->pos + ahead]
	                                         : '\0';
}

static void
skip_line(struct token_source *source)
{
	size_t start = source->pos;

	while (source->pos < source->len && source->text[source->pos] != '\n') {
		source->pos++;
	}
	token_blank(source, start, source->pos);
}

/*
 * Returns: false if the comment has no end; everything behind its beginning belongs to it
 *          then.
 */
static bool
skip_comment(struct token_source *source)
{
	size_t start = source->pos;
	bool has_end = false;

	source->pos += 2;
	while (source->pos < source->len && !has_end) {
		has_end = peek(source, 0) == '*' && peek(source, 1) == '/';
		source->line += peek(source, 0) == '\n';
		source->pos += has_end ? 2 : 1;
	}
	token_blank(source, start, source->pos);
	return has_end;
}

/* Returns: false at a comment without end. */
static bool
skip_space(struct token_source *source)
{
	while (source->pos < source->len) {
		char c = peek(source, 0);

		if (c == '#' || (c == '/' && peek(source, 1) == '/')) {
			skip_line(source);
		} else if (c == '/' && peek(source, 1) == '*') {
			if (!skip_comment(source)) {
				return false;
			}
		} else if (c == ' ' || c == '\t' || c == '\n') {
			source->line += c == '\n';
			source->pos++;
		} else {
			break;
		}
	}
	return true;
}

static bool
is_word_byte(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9') || (unsigned char)c >= 0x80 ||
	       (c != '\0' && strchr("_.:/~%@-", c) != NULL);
}

static void
take_word(struct token_source *source, struct token *token)
{
	token->kind = TOKEN_WORD;
	while (source->pos < source->len && is_word_byte(peek(source, 0))) {
		if (peek(source, 0) == '/' &&
		    (peek(source, 1) == '/' || peek(source, 1) == '*')) {
			token->kind = TOKEN_WRONG;
			token->mistake =
			    "a comment begins in the middle of a word; put the value "
			    "in quotes, or a space before the comment";
			source->pos++; /* the second sign, which may be no word byte */
		}
		source->pos++;
	}
}

static const char *
mistake_in_string(const struct token_source *source, char quote)
{
	unsigned char byte = (unsigned char)peek(source, 0);

	if (byte == '\\' && peek(source, 1) != quote && peek(source, 1) != '\\') {
		return "a backslash in a string escapes nothing but a quote and itself; write \\\\";
	}
	if (byte == '$' && peek(source, 1) == '{' && quote == '"') {
		return "${NAME} is not replaced from the environment; write the value itself";
	}
	if (byte < ' ' || byte == 0x7f) {
		return "a string has a control character in it; remove it";
	}
	return NULL;
}

static void
take_string(struct token_source *source, struct token *token)
{
	char quote = source->text[source->pos++];
	const char *mistake = NULL;

	while (source->pos < source->len && peek(source, 0) != '\n') {
		char c = peek(source, 0);

		if (mistake == NULL && c != quote) {
			mistake = mistake_in_string(source, quote);
		}
		source->pos++;
		if (c == quote) {
			token->kind = mistake == NULL ? TOKEN_STRING : TOKEN_WRONG;
			token->mistake = mistake;
			return;
		}
		if (c == '\\' && (peek(source, 0) == quote || peek(source, 0) == '\\')) {
			source->pos++;
		}
	}
	token->kind = TOKEN_WRONG;
	token->mistake = "a string has no end on its line; close the quote";
}

static void
take_sign(struct token_source *source, struct token *token)
{
	static const char signs[] = "={},";
	static const enum token_kind kinds[] = {TOKEN_EQUALS, TOKEN_OPEN, TOKEN_CLOSE,
	                                        TOKEN_COMMA};
	char c = peek(source, 0);
	const char *sign = c != '\0' ? strchr(signs, c) : NULL;

	if (c == '+' && peek(source, 1) == '=') {
		token->kind = TOKEN_APPEND;
		source->pos += 2;
		return;
	}
	source->pos++;
	if (sign != NULL) {
		token->kind = kinds[sign - signs];
		return;
	}
	token->kind = TOKEN_WRONG;
	token->mistake =
	    (unsigned char)c < ' ' || c == 0x7f
		? "there is a control character; remove it"
	    : c == ';' ? "there is a semicolon, which ends nothing here; remove it"
	    : c == '$' && peek(source, 0) == '{'
		? "${NAME} is not replaced from the environment; write the value itself"
		: "there is a sign that needs quotes; put the value in quotes";
}

struct token
token_next(struct token_source *source)
{
	struct token token = {.kind = TOKEN_END};
	uint32_t line_before = source->line;
	bool is_clean = skip_space(source);
	char c = peek(source, 0);

	token.start = source->pos;
	token.line = source->line;
	if (!is_clean) {
		token.kind = TOKEN_WRONG;
		token.line = line_before;
		token.mistake =
		    "a comment begun here or below has no end; close it with */";
	} else if (source->pos == source->len) {
		return token;
	} else if (is_word_byte(c)) {
		take_word(source, &token);
	} else if (c == '"' || c == '\'') {
		take_string(source, &token);
	} else {
		take_sign(source, &token);
	}
	token.len = source->pos - token.start;
	return token;
}
