/*
 * recorder: the process that keeps the logs: reads records from the master and every
 * worker, and never lets them wait.
 * Runs in: recorder.
 * Source: DESIGN.md section 2; ftpd/ipc/record.h; ftpd/ipc/PROTOCOL.md.
 * Not here: what a line says (report.h) and how it leaves (outlet.h).
 */
#ifndef FTPD_RECORDER_RECORDER_H
#define FTPD_RECORDER_RECORDER_H

#include "common/loop.h"
#include "ftpd/ipc/record.h"
#include "ftpd/recorder/channel.h"
#include "ftpd/recorder/report.h"
#include "ftpd/recorder/visit.h"
#include "common/base.h"

enum {
	RECORDER_TICK_MS = 1000,
	/*
	 * After records were read, others may gather for so long: being woken costs more
	 * than reading one. A channel holds some 280.
	 */
	RECORDER_GATHER_MS = 10,
	/*
	 * How long what is still unread or unwritten may take when the master has gone.
	 */
	RECORDER_END_MS = 2000,
};

/* Some 420 KiB, made once; few of its pages are ever touched. */
struct recorder {
	struct loop loop;
	struct loop_source master; /* fd -1: the master has gone */
	struct channel_table channels;
	struct visit_table visits;
	struct report report;
	uint64_t ticked_ms;
	/*
	 * A worker's record may be under way when the master's are read, but never two of
	 * one side.
	 */
	uint8_t master_bytes[IPC_MESSAGE_MAX];
	uint8_t worker_bytes[CHANNEL_READ][IPC_MESSAGE_MAX];
	/* in this turn: records were read; more than one turn takes are waiting */
	bool has_heard;
	bool is_behind;
	bool has_failed; /* the master broke the wire format: a bug */
};

/*
 * Begin, before the recorder is confined.
 * Returns: the recorder, or NULL when memory or descriptors ran out. Owner: the caller,
 *          as long as the process lives.
 */
struct recorder *recorder_new(void);

/*
 * Work until the master's end of file, then write out what is there.
 * In:      master_fd: the channel; layers: enum spawn_layer, told with RECORD_READY;
 *          journal_fd: or negative.
 * Returns: exit status of the program: 0, or 1 when the system or the wire format failed.
 */
int recorder_run(struct recorder *recorder, int master_fd, unsigned layers,
                 int journal_fd);

/* Read what the master has said up to now. */
void recorder_read_master(struct recorder *recorder);

#endif
