/*
 * worker: one event loop over sessions: one of them in a private worker, thousands in a
 * shared one.
 * Runs in: deftpd-worker, a child of its forkserver.
 */
#include "ftpd/worker/worker.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "common/clock.h"
#include "common/fd.h"
#include "ftpd/tls/context.h"
#include "ftpd/worker/control.h"
#include "ftpd/worker/linger.h"
#include "ftpd/worker/offload.h"
#include "ftpd/worker/pace.h"
#include "ftpd/worker/sandbox.h"
#include "ftpd/worker/session.h"
#include "ftpd/worker/session_timer.h"
#include "common/base.h"

enum {
	EXIT_CONFINEMENT = 20, /* limits or filter could not be set */
	EXIT_SYSTEM = 21,      /* no loop, no memory */
	/* turns in which data gives way to all else; then it has its turn, too */
	BULK_PASSES_MAX = 8,
};

struct session *
worker_find(const struct worker *worker, uint32_t id)
{
	struct session *session = worker->sessions[id % WORKER_SESSION_SLOTS];

	while (session != NULL && session->id != id) {
		session = session->next;
	}
	return session;
}

struct loop *
worker_data_loop(struct worker *worker)
{
	return worker->kind == WORKER_PRIVATE ? &worker->loop : &worker->bulk;
}

void
worker_log(struct worker *worker, uint32_t session, enum record_level level,
           const char *format, ...)
{
	char text[RECORD_TEXT_MAX];
	struct record record = {
	    .type = RECORD_EVENT, .session = session, .level = level, .text = text};
	va_list arguments;
	int len;

	va_start(arguments, format);
	len = vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	record.text_len = len < 0                      ? 0
	                  : (size_t)len < sizeof(text) ? (size_t)len
	                                               : sizeof(text) - 1;
	record_send(&worker->recorder, &record);
}

static void
tell_denied(struct worker *worker)
{
	static const char role[] = "worker";
	struct record record = {
	    .type = RECORD_DENIED_CALL, .text = role, .text_len = sizeof(role) - 1};
	int call = worker->recorder.fd >= 0 ? sandbox_take_denied() : -1;

	if (call >= 0) {
		record.value = (uint64_t)call;
		record_send(&worker->recorder, &record);
	}
}

static void
handle_timers(struct worker *worker)
{
	struct timer *timer;

	while ((timer = timer_wheel_expire(&worker->wheel, worker->loop.now_ms)) !=
	       NULL) {
		session_handle_timer(session_of_timer(timer));
	}
}

/* The service ends: the clients are told before their connections close. */
static void
end_all(struct worker *worker)
{
	for (size_t i = 0; i < WORKER_SESSION_SLOTS; i++) {
		struct session *session;

		while ((session = worker->sessions[i]) != NULL) {
			control_shut_down(session);
		}
	}
}

/* A private worker has one client in its life; a retired one takes no further. */
static bool
has_work(const struct worker *worker)
{
	if (worker->is_over) {
		return false;
	}
	if (worker->kind == WORKER_PRIVATE && worker->has_served) {
		return worker->session_count > 0 || worker->master.first != NULL ||
		       worker->lingering.count > 0;
	}
	return !worker->is_retired || worker->session_count > 0 ||
	       worker->master.first != NULL;
}

/*
 * Records that the recorder had no time for are sent again even when nothing else
 * happens.
 */
static int
sleep_ms(struct worker *worker)
{
	int until_timer_ms = timer_wheel_sleep_ms(&worker->wheel);
	bool is_flushed = record_flush(&worker->recorder);

	if (until_timer_ms < 0 && !is_flushed) {
		until_timer_ms = TIMER_TICK_MS;
	}
	return pace_sleep_ms(worker, linger_sleep_ms(worker, until_timer_ms));
}

static int
run_loop(struct worker *worker)
{
	while (has_work(worker)) {
		if (loop_turn(&worker->loop, sleep_ms(worker)) != 0) {
			return EXIT_SYSTEM;
		}
		pace_run(worker);
		linger_run(worker);
		handle_timers(worker);
		session_free_ended(worker);
		tell_denied(worker);
	}
	end_all(worker);
	session_free_ended(worker);
	linger_end_all(worker);
	return 0;
}

static void
handle_bulk(struct loop_source *source, uint32_t events)
{
	struct worker *worker =
	    (struct worker *)(void *)((char *)source -
	                              offsetof(struct worker, bulk_source));
	bool is_crowd = worker->transfer_count > TRANSFER_CROWD;

	(void)events; /* there is only one kind */
	/*
	 * Whoever is not yet being served comes first, or those who are would be done
	 * before the last of a crowd begins.
	 */
	if (is_crowd && worker->loop.batch_count > 1 &&
	    ++worker->bulk_passed < BULK_PASSES_MAX) {
		return;
	}
	worker->bulk_passed = 0;
	/* fails only without its descriptor */
	(void)loop_turn_few(&worker->bulk, 0,
	                    is_crowd ? TRANSFER_CROWD_SLICES : LOOP_BATCH);
}

static int
init_loops(struct worker *worker)
{
	int result = loop_init(&worker->loop);

	if (result == 0) {
		result = loop_init(&worker->bulk);
	}
	if (result == 0) {
		worker->bulk_source.handle = handle_bulk;
		result = loop_watch(&worker->loop, &worker->bulk_source,
		                    worker->bulk.epoll_fd, EPOLLIN);
	}
	return result;
}

int
worker_run(enum worker_kind kind, int master_fd, const struct worker_setup *setup)
{
	/* Of its tables only what is used takes memory; its end is the process's. */
	struct worker *worker = mmap(NULL, sizeof(*worker), PROT_READ | PROT_WRITE,
	                             MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (worker == MAP_FAILED) {
		return EXIT_SYSTEM;
	}
	worker->kind = kind;
	worker->options = &setup->options;
	worker->overrides = &setup->overrides;
	worker->tls = setup->tls;
	worker->recorder.fd = -1;
	timer_wheel_init(&worker->wheel, clock_monotonic_ms());
	agent_pool_init(worker);
	(void)signal(SIGXFSZ, SIG_IGN); /* EFBIG says as much; valid arguments */
	if (setup->tls != NULL && tls_context_seed(setup->tls) != 0) {
		return EXIT_SYSTEM;
	}
	if (fd_set_nonblocking(master_fd, true) != 0 || init_loops(worker) != 0 ||
	    offload_init(worker) != 0) {
		return EXIT_SYSTEM;
	}
	if (sandbox_confine_worker(&setup->confinement) != 0) {
		return EXIT_CONFINEMENT;
	}
	if (master_client_start(worker, master_fd) != 0) {
		return EXIT_SYSTEM;
	}
	return run_loop(worker);
}
