/*
 * base: what every file of deftpd may rely on: fixed-width types, bool, and the calls that nobody may use.
 * Runs in: every process. Include it last, after the system headers.
 * Not here: anything with a function body that could fail.
 */
#ifndef COMMON_BASE_H
#define COMMON_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* STYLE.md, "Never". The poison stops the compiler at the call. */
#pragma GCC poison strcpy strcat sprintf vsprintf strncpy strncat strtok gets scanf sscanf atoi atol alloca
#pragma GCC poison system popen seteuid setegid setreuid setregid tmpnam mktemp

#define ARRAY_COUNT(array) (sizeof(array) / sizeof((array)[0]))

#endif
