/*
 * recorder_link: starts the recorder, passes it the logs and the workers' channels, and
 * starts it again when it dies.
 * Runs in: master. Input: the recorder's messages; it is unprivileged.
 * Source: DESIGN.md section 2, deftpd-recorder; ftpd/ipc/PROTOCOL.md.
 * Not here: log lines; see master_log().
 */
#ifndef FTPD_MASTER_RECORDER_LINK_H
#define FTPD_MASTER_RECORDER_LINK_H

#include "ftpd/conf/options.h"
#include "ftpd/master/logs.h"
#include "ftpd/master/master.h"
#include "ftpd/master/users.h"
#include "common/base.h"

/* Before the first start. */
void recorder_init(struct master *master);

/*
 * Start the recorder.
 * In:      logs: owned from now on, also when this fails.
 * Returns: 0 or negative errno. master->recorder.is_ready says later that it runs.
 */
int recorder_start(struct master *master, const struct options *options,
                   const struct users *users, struct logs *logs);

/* Pass other logs. logs: owned from now on. */
void recorder_pass_logs(struct master *master, struct logs *logs);

/*
 * Send a record that must not be lost.
 * Returns: true if it left; false when it must be sent again at the next
 *          session_record_pump().
 */
bool recorder_tell(struct master *master, const struct record *record);

/* A worker's recorder end waits in it: pass it when it is its turn. */
void recorder_pass_worker(struct master *master);

/* Let it end, after it has read what was sent. */
void recorder_end(struct master *master);

#endif
