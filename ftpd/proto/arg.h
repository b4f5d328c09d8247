/*
 * arg: parsers for the argument part of a control line.
 * Runs in: deftpd-worker. Pure. Input: hostile.
 * Source: RFC 959 5.3.2; RFC 2428 2 and 3; RFC 3659 2.3 and 7.8.
 * Not here: whether an address may be used; see ftpd/worker/cmd_data.c, and the master.
 */
#ifndef FTPD_PROTO_ARG_H
#define FTPD_PROTO_ARG_H

#include "ftpd/proto/request.h"
#include "common/base.h"

/*
 * Parse a decimal number: digits only, up to 2^63-1, what a file offset can hold.
 * Returns: true and *ret_number.
 */
bool arg_number(const char *text, size_t len, uint64_t *ret_number);

/*
 * Parse the argument of PORT, "h1,h2,h3,h4,p1,p2", each 0 to 255 without sign.
 * Returns: true and *ret_addr (IPv4, port in host order).
 */
bool arg_host_port(const char *text, size_t len, struct addr *ret_addr);

/*
 * Parse the argument of EPRT, "|1|132.235.1.2|6275|" with any printable delimiter.
 * Returns: REQUEST_OK, REQUEST_BAD_ARGUMENT, or REQUEST_BAD_FAMILY for a family other than 1 and 2.
 */
enum request_result arg_extended_port(const char *text, size_t len, struct addr *ret_addr);

/*
 * Parse the argument of EPSV: nothing, 1, 2 or ALL.
 * Returns: REQUEST_OK, REQUEST_BAD_ARGUMENT, or REQUEST_BAD_FAMILY for another number.
 */
enum request_result arg_extended_pasv(const char *text, size_t len, enum request_epsv *ret_epsv);

/*
 * Parse the argument of ALLO, "bytes [R bytes]".
 * Returns: true and *ret_number, the first one.
 */
bool arg_allocation(const char *text, size_t len, uint64_t *ret_number);

/*
 * Parse the argument of TYPE: A, A N, I, L 8.
 * Returns: REQUEST_OK and *ret_letter 'A' or 'I'; REQUEST_NOT_SUPPORTED for other types of RFC 959; REQUEST_BAD_ARGUMENT.
 */
enum request_result arg_type(const char *text, size_t len, char *ret_letter);

/*
 * Parse one letter of a set of known ones, the first of which is supported.
 * In:      known: upper case letters.
 * Returns: REQUEST_OK, REQUEST_NOT_SUPPORTED, REQUEST_BAD_ARGUMENT.
 */
enum request_result arg_letter(const char *text, size_t len, const char *known);

/*
 * Take ls options off the front of a listing's argument. They end at the first word that does not begin with "-", or behind "--";
 * unknown letters are ignored. A path that begins with a dash is written "./-x" or "-- -x".
 * Out:     ret_options: enum request_option.
 * Returns: how many bytes the options and the spaces behind them take.
 */
size_t arg_listing(const char *text, size_t len, unsigned *ret_options);

/*
 * Compare with a word, in either case.
 * Returns: true if text is the word.
 */
bool arg_is_word(const char *text, size_t len, const char *upper_case_word);

/*
 * Split the first word off.
 * Out:     ret_rest: offset of what follows the spaces behind it, at most len.
 * Returns: the word's length.
 */
size_t arg_word(const char *text, size_t len, size_t *ret_rest);

#endif
