/*
 * fuzz_ascii: any file, converted in any pieces.
 * Wanted:  the same octets as a slow reference makes of the whole file; the count without
 *          converting agrees; converting again changes nothing; skipping leaves the tail.
 */
#include "ftpd/proto/ascii.h"

#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/fuzz.h"
#include "common/base.h"

static size_t
convert_slowly(const uint8_t *in, size_t len, char *out)
{
	size_t out_len = 0;

	for (size_t i = 0; i < len; i++) {
		if (in[i] == '\n' && (i == 0 || in[i - 1] != '\r')) {
			out[out_len++] = '\r';
		}
		out[out_len++] = (char)in[i];
	}
	return out_len;
}

/*
 * Convert in pieces, each into a buffer that is exactly as large as the contract asks
 * for.
 */
static size_t
convert_in_pieces(const uint8_t *in, size_t len, uint8_t pieces, uint64_t skip, char *out)
{
	struct ascii ascii = {0};
	struct ascii counting = {0};
	size_t out_len = 0;

	for (size_t at = 0; at < len;) {
		size_t piece = 1 + pieces % 5;
		char *exact;
		size_t made;
		size_t left_out;

		pieces = (uint8_t)(pieces * 5 + 1);
		piece = piece > len - at ? len - at : piece;
		exact = malloc(2 * piece);
		fuzz_require(exact != NULL);
		made = ascii_convert(&ascii, in + at, piece, exact);
		fuzz_require(made >= piece && made <= 2 * piece);
		fuzz_require(ascii_count(&counting, in + at, piece) == made);
		left_out = ascii_skip(&skip, made);
		memcpy(out + out_len, exact + left_out, made - left_out);
		out_len += made - left_out;
		free(exact);
		at += piece;
	}
	return out_len;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input input = {.data = data, .size = size};
	uint8_t pieces = fuzz_take_byte(&input);
	uint64_t skip = fuzz_take_byte(&input);
	size_t room = 2 * input.size + 1;
	char *wanted = malloc(room);
	char *got = malloc(room);
	char *twice = malloc(2 * room);
	struct ascii ascii = {0};
	size_t wanted_len;
	size_t left;

	fuzz_require(wanted != NULL && got != NULL && twice != NULL);
	wanted_len = convert_slowly(input.data, input.size, wanted);
	fuzz_require(convert_in_pieces(input.data, input.size, pieces, 0, got) ==
	             wanted_len);
	fuzz_require(memcmp(got, wanted, wanted_len) == 0);

	left = skip < wanted_len ? wanted_len - (size_t)skip : 0;
	fuzz_require(convert_in_pieces(input.data, input.size, pieces, skip, got) ==
	             left);
	fuzz_require(memcmp(got, wanted + wanted_len - left, left) == 0);

	fuzz_require(ascii_convert(&ascii, (const uint8_t *)wanted, wanted_len, twice) ==
	             wanted_len);
	fuzz_require(memcmp(twice, wanted, wanted_len) == 0);
	free(wanted);
	free(got);
	free(twice);
	return 0;
}
