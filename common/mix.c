/*
 * mix: makes a place in a table of a number that somebody else may have chosen.
 * Runs in: master.
 */
#include "common/mix.h"

#include "common/base.h"

uint64_t
mix_bits(uint64_t value)
{
	value ^= value >> 32;
	value *= UINT64_C(0xd6e8feb86659fd93);
	value ^= value >> 32;
	value *= UINT64_C(0xd6e8feb86659fd93);
	return value ^ value >> 32;
}
