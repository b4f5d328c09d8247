/*
 * tls_report: what deftpd-worker tells the master of certificates when it is started to
 * check them or to make a pair, instead of serving.
 * Runs in: worker (tells), master (distrusts it as any worker).
 * Source: DESIGN.md section 2: OpenSSL is in deftpd-worker only.
 *
 * deftpd-worker check UID GID         3: this channel; 4: options; 5: tls_files.
 *      any number of MISTAKE, WARNING and FACT, then END.
 * deftpd-worker self-signed NAME...   3: this channel.
 *      CERTIFICATE, KEY, END.
 */
#ifndef FTPD_IPC_TLS_REPORT_H
#define FTPD_IPC_TLS_REPORT_H

#include "ftpd/ipc/message.h"
#include "ftpd/ipc/tls_files.h"
#include "common/base.h"

enum tls_report_type {
	TLS_REPORT_MISTAKE, /* these files must not be used */
	TLS_REPORT_WARNING, /* they can be, but somebody should look after them */
	/* one certificate: begins, expires; text: its subject, kind of key, names */
	TLS_REPORT_FACT,
	TLS_REPORT_CERTIFICATE, /* text: PEM */
	TLS_REPORT_KEY,         /* text: PEM */
	TLS_REPORT_END,         /* that was all */
	TLS_REPORT_COUNT,
};

enum {
	TLS_REPORT_TEXT_MAX = 8 * 1024,
};

/* One message. Only the fields named for its type travel. Texts are not terminated. */
struct tls_report {
	enum tls_report_type type;
	enum tls_file_kind kind; /* MISTAKE, WARNING, FACT: which file it is about */
	uint16_t host;
	uint16_t index;
	int64_t begins;  /* FACT: seconds since the epoch; it is not valid before */
	int64_t expires; /* FACT: likewise; it is not valid from then on */
	/* all but END; MISTAKE, WARNING: what is wrong, and the remedy */
	const char *text;
	size_t text_len;
};

/*
 * Encode.
 * Returns: length, 0 if it does not fit.
 */
size_t tls_report_encode(const struct tls_report *report, uint8_t *bytes, size_t cap);

/*
 * Decode to the last byte.
 * Returns: true and *ret_report, whose text points into bytes; false if the bytes are no
 *          such message.
 */
bool tls_report_decode(const uint8_t *bytes, size_t len, struct tls_report *ret_report);

#endif
