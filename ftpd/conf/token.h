/*
 * token: cuts the text of a configuration file into words, strings and signs.
 * Runs in: master.
 * Input:   any bytes.
 * Source:  libconfuse's lexer, of which this takes a subset: strings end on their line,
 *          \" and \\ are the only escapes, and ${NAME} is refused, as a daemon's settings
 *          must not hang on its environment.
 * Not here: what the tokens mean; see statement.h.
 */
#ifndef FTPD_CONF_TOKEN_H
#define FTPD_CONF_TOKEN_H

#include "common/base.h"

enum token_kind {
	TOKEN_END,
	TOKEN_WORD,
	TOKEN_STRING,
	TOKEN_EQUALS,
	TOKEN_APPEND, /* += */
	TOKEN_OPEN,   /* { */
	TOKEN_CLOSE,  /* } */
	TOKEN_COMMA,
	TOKEN_WRONG, /* `mistake` says why */
	TOKEN_KIND_COUNT,
};

struct token {
	enum token_kind kind;
	size_t start; /* offset into the text */
	size_t len;   /* with the quotes of a string */
	uint32_t line;
	const char *mistake; /* "what is wrong; the remedy", NULL unless TOKEN_WRONG */
};

/* The text is changed: comments become spaces. */
struct token_source {
	char *text;
	size_t len;
	size_t pos;
	uint32_t line;
};

/*
 * Take the next token.
 * Returns: it; TOKEN_END again and again at the end.
 */
struct token token_next(struct token_source *source);

/*
 * Replace text by spaces; ends of lines stay, so that line numbers do.
 * In:      start, end: offsets, start <= end <= source->len.
 */
void token_blank(struct token_source *source, size_t start, size_t end);

#endif
