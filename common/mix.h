/*
 * mix: makes a place in a table of a number that somebody else may have chosen.
 * Runs in: master.
 * Source: the mixer known as degski64: multiply, and fold the high half into the low one.
 * Not here: hashes that nobody can find collisions of; who looks for them is kept off by
 * a secret seed.
 */
#ifndef COMMON_MIX_H
#define COMMON_MIX_H

#include "common/base.h"

/*
 * Stir the bits, so that each of the result depends on all of the value's.
 * Returns: the result; no two values have the same.
 */
uint64_t mix_bits(uint64_t value);

#endif
