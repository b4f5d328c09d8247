/*
 * session_record: tells the recorder which worker has which session.
 * Runs in: master.
 */
#include "ftpd/master/session_record.h"

#include "ftpd/master/recorder_link.h"
#include "ftpd/master/worker_link.h"
#include "common/base.h"

static struct record
make(enum record_type type, const struct session *session)
{
	return (struct record){.type = type,
	                       .worker = session->worker->number,
	                       .session = session->id,
	                       .peer = session->peer,
	                       .local = session->local};
}

static void
unmark(struct master *master, struct session *session)
{
	session->is_untold = false;
	TAILQ_REMOVE(&master->recorder.untold, session, in_untold);
}

void
session_record_pump(struct master *master)
{
	struct session *session;

	while ((session = TAILQ_FIRST(&master->recorder.untold)) != NULL) {
		/* One that waits for a worker is told of when it has one. */
		if (session->worker != NULL) {
			struct record record = make(RECORD_SESSION_BEGIN, session);

			if (!recorder_tell(master, &record)) {
				return;
			}
		}
		unmark(master, session);
	}
}

static void
add(struct master *master, struct session *session)
{
	if (!session->is_untold && !session->is_test) {
		session->is_untold = true;
		TAILQ_INSERT_TAIL(&master->recorder.untold, session, in_untold);
	}
}

void
session_record_begin(struct master *master, struct session *session)
{
	add(master, session);
	session_record_pump(master);
}

/*
 * Its worker may have told of a download already, which the recorder will believe only
 * when it has heard of the session.
 */
void
session_record_forget(struct master *master, struct session *session)
{
	if (!session->is_untold) {
		return;
	}
	unmark(master, session);
	if (session->worker != NULL) {
		struct record record = make(RECORD_SESSION_BEGIN, session);

		record_send(&master->recorder.sender, &record);
	}
}

void
session_record_end(struct master *master, struct session *session)
{
	struct record record = make(RECORD_SESSION_END, session);

	/* When all stop, the workers are alive and tell by themselves. */
	if (!master->is_stopping && !session->is_test) {
		session_record_forget(master, session);
		record_send(&master->recorder.sender, &record);
	}
}

void
session_record_all(struct master *master)
{
	struct worker *worker;
	struct session *session;

	LIST_FOREACH(worker, &master->workers, entry) {
		LIST_FOREACH(session, &worker->sessions, of_worker) {
			add(master, session);
		}
	}
}
