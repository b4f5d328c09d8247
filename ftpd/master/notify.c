/*
 * notify: tells the service manager what we are doing.
 * Runs in: master.
 */
#include "ftpd/master/notify.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "common/clock.h"
#include "common/fd.h"
#include "common/base.h"

enum {
	TEXT_MAX = 64,
};

static void
format(enum notify_state state, char text[TEXT_MAX])
{
	switch (state) {
	case NOTIFY_READY: (void)snprintf(text, TEXT_MAX, "READY=1"); return;
	case NOTIFY_RELOADING:
		/*
		 * Type=notify-reload wants to know that this is the answer to its signal.
		 */
		(void)snprintf(text, TEXT_MAX, "RELOADING=1\nMONOTONIC_USEC=%" PRIu64,
		               clock_monotonic_us());
		return;
	case NOTIFY_STOPPING: (void)snprintf(text, TEXT_MAX, "STOPPING=1"); return;
	}
}

void
notify(enum notify_state state)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	const char *path = getenv("NOTIFY_SOCKET");
	size_t len = path != NULL ? strlen(path) : 0;
	char text[TEXT_MAX];
	int fd;

	if (len == 0 || len >= sizeof(address.sun_path) ||
	    (path[0] != '/' && path[0] != '@')) {
		return;
	}
	memcpy(address.sun_path, path, len);
	if (path[0] == '@') {
		address.sun_path[0] = '\0'; /* the abstract name space */
	}
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0) {
		return;
	}
	format(state, text);
	/* A manager that does not listen will notice by itself. */
	(void)sendto(fd, text, strlen(text), MSG_DONTWAIT | MSG_NOSIGNAL,
	             (struct sockaddr *)&address,
	             (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len));
	fd_close(&fd);
}
