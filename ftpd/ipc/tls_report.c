/*
 * tls_report: what deftpd-worker tells the master of certificates when it is started to
 * check them or to make a pair, instead of serving.
 * Runs in: worker (tells), master (distrusts it as any worker).
 */
#include "ftpd/ipc/tls_report.h"

#include "common/wire.h"
#include "common/base.h"

static void
put_place(struct wire_writer *writer, const struct tls_report *report)
{
	wire_put_u8(writer, (uint8_t)report->kind);
	wire_put_u16(writer, report->host);
	wire_put_u16(writer, report->index);
}

size_t
tls_report_encode(const struct tls_report *report, uint8_t *bytes, size_t cap)
{
	struct wire_writer writer;

	if (report->text_len > TLS_REPORT_TEXT_MAX) {
		return 0;
	}
	wire_writer_init(&writer, bytes, cap);
	wire_put_u8(&writer, (uint8_t)report->type);
	switch (report->type) {
	case TLS_REPORT_MISTAKE:
	case TLS_REPORT_WARNING:
		put_place(&writer, report);
		wire_put_bytes(&writer, report->text, report->text_len);
		break;
	case TLS_REPORT_FACT:
		put_place(&writer, report);
		wire_put_u64(&writer, (uint64_t)report->begins);
		wire_put_u64(&writer, (uint64_t)report->expires);
		wire_put_bytes(&writer, report->text, report->text_len);
		break;
	case TLS_REPORT_CERTIFICATE:
	case TLS_REPORT_KEY:
		wire_put_bytes(&writer, report->text, report->text_len);
		break;
	case TLS_REPORT_END: break;
	case TLS_REPORT_COUNT: return 0;
	}
	return writer.has_failed ? 0 : writer.len;
}

static void
get_place(struct wire_reader *reader, struct tls_report *report)
{
	report->kind = wire_get_enum(reader, TLS_FILE_KIND_COUNT);
	report->host = wire_get_u16(reader);
	report->index = wire_get_u16(reader);
}

bool
tls_report_decode(const uint8_t *bytes, size_t len, struct tls_report *ret_report)
{
	struct tls_report report = {.text = ""};
	struct wire_reader reader;

	wire_reader_init(&reader, bytes, len);
	report.type = wire_get_enum(&reader, TLS_REPORT_COUNT);
	if (report.type <= TLS_REPORT_FACT) {
		get_place(&reader, &report);
	}
	if (report.type == TLS_REPORT_FACT) {
		report.begins = (int64_t)wire_get_u64(&reader);
		report.expires = (int64_t)wire_get_u64(&reader);
	}
	if (report.type != TLS_REPORT_END) {
		report.text =
		    wire_get_bytes(&reader, TLS_REPORT_TEXT_MAX, &report.text_len);
	}
	if (!wire_reader_is_done(&reader)) {
		return false;
	}
	*ret_report = report;
	return true;
}
