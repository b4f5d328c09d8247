/*
 * wire: what lies between OpenSSL and the socket of one connection: records that leave
 * are gathered, those that come are counted.
 * Runs in: deftpd-worker. Input: hostile.
 */
#include "ftpd/tls/wire.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "common/base.h"

enum {
	GROW_BYTES = 4096,
	HIGH_BIT = 0x80,
	LENGTH_AT = 3, /* of the body, in a record's header: two bytes */
	BITS_OF_BYTE = 8,
};

/* Follow the records through bytes that have come. */
static void
count_records(struct wire *wire, const uint8_t *bytes, size_t len)
{
	size_t at = 0;

	while (at < len) {
		size_t part = wire->body_left;

		if (wire->header_len < WIRE_HEADER_BYTES) {
			wire->header[wire->header_len++] = bytes[at++];
			if (wire->header_len < WIRE_HEADER_BYTES) {
				continue;
			}
			wire->body_left =
			    (uint16_t)(wire->header[LENGTH_AT] << BITS_OF_BYTE |
			               wire->header[LENGTH_AT + 1]);
			part = wire->body_left;
		}
		part = part < len - at ? part : len - at;
		at += part;
		wire->body_left = (uint16_t)(wire->body_left - part);
		if (wire->body_left == 0) {
			wire->header_len = 0;
			wire->records++;
		}
	}
}

/*
 * A hello of SSL 2.0 has no header such as those that are counted. OpenSSL would still
 * take it; no client of TLS 1.2 sends one.
 */
static bool
is_old_hello(const struct wire *wire, const uint8_t *bytes)
{
	return wire->records == 0 && wire->header_len == 0 && (bytes[0] & HIGH_BIT) != 0;
}

static int
wire_bio_read(BIO *bio, char *bytes, size_t cap, size_t *ret_len)
{
	struct wire *wire = BIO_get_data(bio);
	ssize_t len = -1;

	BIO_clear_retry_flags(bio);
	BIO_set_retry_read(bio);
	if (wire->is_drained || wire->is_stopped || wire->has_ended ||
	    wire->read_error != 0) {
		return 0;
	}
	len = recv(wire->fd, bytes, cap, MSG_DONTWAIT);
	/* What is shorter than asked for has emptied the socket. */
	wire->is_drained = len < (ssize_t)cap;
	if (len == 0) {
		wire->has_ended = true;
	} else if (len < 0 && errno != EAGAIN && errno != EINTR) {
		wire->read_error = -errno;
	} else if (len > 0 && is_old_hello(wire, (const uint8_t *)bytes)) {
		wire->read_error = -EPROTO;
	}
	if (len <= 0 || wire->read_error != 0) {
		return 0;
	}
	count_records(wire, (const uint8_t *)bytes, (size_t)len);
	BIO_clear_retry_flags(bio);
	*ret_len = (size_t)len;
	return 1;
}

/* Takes everything: OpenSSL never has to be called again to write the same. */
static int
wire_bio_write(BIO *bio, const char *bytes, size_t len, size_t *ret_len)
{
	struct wire *wire = BIO_get_data(bio);

	BIO_clear_retry_flags(bio);
	if (!wire_reserve(wire, len)) {
		wire->write_error = -ENOBUFS;
		return 0;
	}
	memcpy(wire->bytes + wire->end, bytes, len);
	wire->end += len;
	*ret_len = len;
	return 1;
}

static long
wire_bio_control(BIO *bio, int command, long number, void *argument)
{
	struct wire *wire = BIO_get_data(bio);

	(void)number;
	(void)argument;
	switch (command) {
	case BIO_CTRL_FLUSH: return 1; /* the stream sends, when OpenSSL has returned */
	case BIO_CTRL_WPENDING: return (long)(wire->end - wire->start);
	default: return 0;
	}
}

BIO *
wire_bio(struct wire *wire)
{
	BIO *bio = NULL;

	wire->method = BIO_meth_new(BIO_TYPE_START | BIO_TYPE_SOURCE_SINK, "wire");
	if (wire->method == NULL ||
	    BIO_meth_set_read_ex(wire->method, wire_bio_read) != 1 ||
	    BIO_meth_set_write_ex(wire->method, wire_bio_write) != 1 ||
	    BIO_meth_set_ctrl(wire->method, wire_bio_control) != 1) {
		return NULL;
	}
	bio = BIO_new(wire->method);
	if (bio != NULL) {
		BIO_set_data(bio, wire);
		BIO_set_init(bio, 1);
	}
	return bio;
}

void
wire_clear(struct wire *wire)
{
	BIO_meth_free(wire->method);
	free(wire->bytes);
	*wire = (struct wire){.fd = -1};
}

void
wire_wake(struct wire *wire)
{
	wire->is_drained = false;
}

bool
wire_reserve(struct wire *wire, size_t len)
{
	size_t wanted = wire->end + len;
	uint8_t *bytes = NULL;

	if (wanted <= wire->cap) {
		return true;
	}
	if (wanted > WIRE_OUT_MAX) {
		return false;
	}
	wanted = (wanted + GROW_BYTES - 1) / GROW_BYTES * GROW_BYTES;
	bytes = realloc(wire->bytes, wanted);
	if (bytes == NULL) {
		return false;
	}
	wire->bytes = bytes;
	wire->cap = wanted;
	return true;
}

/* An idle connection of commands holds no buffer; one of data keeps it to its end. */
static void
forget_sent(struct wire *wire)
{
	wire->start = 0;
	wire->end = 0;
	if (wire->is_frugal) {
		free(wire->bytes);
		wire->bytes = NULL;
		wire->cap = 0;
	}
}

int
wire_flush(struct wire *wire)
{
	while (wire->write_error == 0 && wire->start < wire->end) {
		ssize_t sent = send(wire->fd, wire->bytes + wire->start,
		                    wire->end - wire->start, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (sent < 0 && errno == EAGAIN) {
			return -EAGAIN;
		}
		if (sent < 0 && errno != EINTR) {
			wire->write_error = -errno;
		}
		if (sent > 0) {
			wire->start += (size_t)sent;
		}
	}
	if (wire->write_error == 0 && wire->end > 0) {
		forget_sent(wire);
	}
	return wire->write_error;
}

bool
wire_has_output(const struct wire *wire)
{
	return wire->start < wire->end && wire->write_error == 0;
}

bool
wire_is_within_record(const struct wire *wire)
{
	return wire->header_len > 0;
}
