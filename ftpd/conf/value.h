/*
 * value: checks of single values, each for one type of the option table.
 * Runs in: master, worker, recorder.
 * Not here: which key has which type; see option.h.
 */
#ifndef FTPD_CONF_VALUE_H
#define FTPD_CONF_VALUE_H

#include "ftpd/conf/option.h"

#include "common/base.h"

/*
 * Write a mistake.
 * Returns: false, so that a check can end with it.
 */
bool value_refuse(char mistake[OPTION_MISTAKE_MAX], const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/*
 * Read a number written in digits only.
 * Returns: true and the number, or false: no digits, other characters, more than 64 bits.
 */
bool value_number(const char *text, size_t len, unsigned base, uint64_t *ret_number);

/* Room for a value quoted in a mistake. */
enum { VALUE_QUOTED_MAX = 64 };

/*
 * Check and read "ADDRESS:PORT", with "*" as address for all of both families.
 * Returns: true and the address, or false and the mistake.
 */
bool value_listen(const char *text, struct addr *ret_addr,
                  char mistake[OPTION_MISTAKE_MAX]);

/*
 * Check and read "NETWORK/PREFIX=ADDRESS".
 * Returns: true and the entry, or false and the mistake.
 */
bool value_network(const char *text, struct options_network *ret_network,
                   char mistake[OPTION_MISTAKE_MAX]);

/*
 * Check and read "LOW-HIGH".
 * In:      row: its min and max bound the ports.
 * Returns: true and the range, or false and the mistake.
 */
bool value_ports(const struct option_row *row, const char *text,
                 struct options_ports *ret_ports, char mistake[OPTION_MISTAKE_MAX]);

/*
 * Check a name, a path, a host or a line of text, as the row's type says; the row's words
 * are allowed too.
 * Returns: true, or false and the mistake.
 */
bool value_text(const struct option_row *row, const char *text,
                char mistake[OPTION_MISTAKE_MAX]);

/*
 * Check one name of a list: one of the row's words if it has any, else any name that a
 * user or group may have, those of directory services included.
 * Returns: true, or false and the mistake.
 */
bool value_list_name(const struct option_row *row, const char *text,
                     char mistake[OPTION_MISTAKE_MAX]);

/*
 * Check one file of a list: an absolute path or "credential:NAME".
 * Returns: true, or false and the mistake.
 */
bool value_file(const struct option_row *row, const char *text,
                char mistake[OPTION_MISTAKE_MAX]);

/*
 * Check a host name and write it in lower case.
 * Returns: true and the name, or false and the mistake; ret_name is untouched then.
 */
bool value_host_name(const char *text, char ret_name[OPTIONS_HOST_MAX],
                     char mistake[OPTION_MISTAKE_MAX]);

#endif
