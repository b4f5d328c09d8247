/*
 * stop: ends everything in good order: clients get their 421, workers end, the recorder
 * writes the last line.
 * Runs in: master.
 * Not here: why it stops; see signals.h.
 */
#ifndef FTPD_MASTER_STOP_H
#define FTPD_MASTER_STOP_H

#include "ftpd/master/master.h"
#include "common/base.h"

enum {
	/*
	 * All others have so long, then the recorder is told to end; after STOP_ALL_MS
	 * the rest is killed, and a second later who keeps a session of PAM.
	 */
	STOP_OTHERS_MS = 2500,
	STOP_ALL_MS = 3000,
};

/*
 * End every process and close everything. Takes a little over STOP_ALL_MS at most, and
 * two seconds more where processes do not end by themselves.
 */
void stop_run(struct master *master);

#endif
