/*
 * fuzz_tls_report: any bytes as a message of deftpd-worker about certificates.
 * Wanted:  no crash; what decodes encodes to the same bytes and keeps to the caps.
 */
#include <string.h>

#include "ftpd/ipc/tls_report.h"
#include "tests/fuzz/fuzz.h"
#include "common/base.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t bytes[IPC_MESSAGE_MAX];
	struct tls_report report;

	if (size > sizeof(bytes) || !tls_report_decode(data, size, &report)) {
		return 0;
	}
	fuzz_require(report.type < TLS_REPORT_COUNT);
	fuzz_require(report.kind < TLS_FILE_KIND_COUNT);
	fuzz_require(report.text != NULL && report.text_len <= TLS_REPORT_TEXT_MAX);
	if (report.type == TLS_REPORT_END) {
		fuzz_require(report.text_len == 0);
	}
	if (report.type != TLS_REPORT_FACT) {
		fuzz_require(report.begins == 0 && report.expires == 0);
	}
	fuzz_require(tls_report_encode(&report, bytes, sizeof(bytes)) == size);
	fuzz_require(memcmp(bytes, data, size) == 0);
	return 0;
}
