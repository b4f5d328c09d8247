/*
 * base: what every file of deftpd may rely on: fixed-width types, bool, and the calls
 * that nobody may use.
 * Runs in: every process.
 * Not here: anything with a function body that could fail.
 */
#ifndef COMMON_BASE_H
#define COMMON_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The compiler stops at a poisoned name from here on. The headers that declare such names
 * come first, so that no order of includes can make one of them fail.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/*
 * Under clang, the C library's fortified sprintf is a macro, which must not be poisoned
 * as such.
 */
#undef sprintf
#pragma GCC poison strcpy strcat sprintf vsprintf strncpy strncat strtok gets scanf \
    sscanf atoi atol
#pragma GCC poison system popen seteuid setegid setreuid setregid tmpnam mktemp

#define ARRAY_COUNT(array) (sizeof(array) / sizeof((array)[0]))

#endif
