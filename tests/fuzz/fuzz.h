/*
 * fuzz: what fuzz targets share: libFuzzer's entry and a check that does not go away with
 * NDEBUG.
 */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include "common/base.h"

/*
 * One run. libFuzzer, or standalone.c, calls it.
 * Returns: 0; other values are reserved.
 */
/* The name is libFuzzer's.  NOLINTNEXTLINE(readability-identifier-naming) */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What must hold, holds; or this input is a finding. */
static inline void
fuzz_require(bool holds)
{
	if (!holds) {
		abort();
	}
}

/* Input that is used up from its front. */
struct fuzz_input {
	const uint8_t *data;
	size_t size;
};

/*
 * Take a byte.
 * Returns: it; 0 at the end.
 */
static inline uint8_t
fuzz_take_byte(struct fuzz_input *input)
{
	if (input->size == 0) {
		return 0;
	}
	input->size--;
	return *input->data++;
}

/*
 * Take a number of eight bytes.
 * Returns: it; with zeros for bytes behind the end.
 */
static inline uint64_t
fuzz_take_number(struct fuzz_input *input)
{
	uint64_t number = 0;

	for (unsigned i = 0; i < 8; i++) {
		number = number << 8 | fuzz_take_byte(input);
	}
	return number;
}

/*
 * Take at most max bytes: a length of two bytes, and the bytes.
 * Returns: the bytes, not terminated, and *ret_len; never NULL.
 */
static inline const char *
fuzz_take_text(struct fuzz_input *input, size_t max, size_t *ret_len)
{
	size_t len = (size_t)fuzz_take_byte(input) << 8;
	const char *text;

	len |= fuzz_take_byte(input);
	len = len > max ? max : len;
	len = len > input->size ? input->size : len;
	text = (const char *)input->data;
	input->data += len;
	input->size -= len;
	*ret_len = len;
	return text != NULL ? text : "";
}

#endif
