/*
 * master: logging, deadlines and the turn of the loop, for all files of the master.
 * Runs in: master.
 */
#include "ftpd/master/master.h"

#include <stdarg.h>
#include <stdio.h>

#include "common/clock.h"
#include "ftpd/master/generation.h"
#include "common/base.h"

static void complain_list(const char *format, va_list list)
    __attribute__((format(printf, 1, 0)));

static void
complain_list(const char *format, va_list list)
{
	char text[RECORD_TEXT_MAX];

	(void)vsnprintf(text, sizeof(text), format, list);
	(void)fprintf(stderr, "deftpd: %s\n", text); /* there is nobody else to tell */
}

void
master_complain(const char *format, ...)
{
	va_list list;

	va_start(list, format);
	complain_list(format, list);
	va_end(list);
}

/*
 * The recorder is not there, and it is the recorder who escapes: what a client has sent
 * is kept from the terminal here.
 */
static void
complain_plain(char *text)
{
	for (char *at = text; *at != '\0'; at++) {
		if ((unsigned char)*at < ' ' || (unsigned char)*at > '~') {
			*at = '?';
		}
	}
	master_complain("%s", text);
}

static void log_list(struct master *master, const struct record *about,
                     const char *format, va_list list)
    __attribute__((format(printf, 3, 0)));

static void
log_list(struct master *master, const struct record *about, const char *format,
         va_list list)
{
	char text[RECORD_TEXT_MAX];
	struct record record = *about;
	int len = vsnprintf(text, sizeof(text), format, list);

	if (len < 0) {
		return;
	}
	if (!master->recorder.is_ready) {
		complain_plain(text);
		return;
	}
	record.type = RECORD_EVENT;
	record.text = text;
	record.text_len = (size_t)len < sizeof(text) ? (size_t)len : sizeof(text) - 1;
	record_send(&master->recorder.sender, &record);
}

void
master_log(struct master *master, enum record_level level, const char *format, ...)
{
	const struct record record = {.level = level};
	va_list list;

	va_start(list, format);
	log_list(master, &record, format, list);
	va_end(list);
}

void
master_log_of(struct master *master, const struct record *record, const char *format, ...)
{
	va_list list;

	va_start(list, format);
	log_list(master, record, format, list);
	va_end(list);
}

void
master_set_deadline(struct master *master, struct deadline *deadline, uint64_t delay_ms,
                    deadline_fire *fire, void *owner)
{
	deadline->fire = fire;
	deadline->owner = owner;
	timer_set(&master->wheel, &deadline->timer, clock_monotonic_ms() + delay_ms);
}

int
master_turn(struct master *master)
{
	int result = loop_turn(&master->loop, timer_wheel_sleep_ms(&master->wheel));
	struct timer *timer;

	if (result != 0) {
		return result;
	}
	master->now_ms = clock_monotonic_ms();
	while ((timer = timer_wheel_expire(&master->wheel, master->now_ms)) != NULL) {
		struct deadline *deadline =
		    (struct deadline *)timer; /* its first member */

		deadline->fire(master, deadline->owner);
	}
	moving_tell(master);
	generation_sweep(master);
	return 0;
}
