/*
 * serve_dir: deftpd --serve: what it means in terms of the configuration.
 * Runs in: master.
 */
#include "ftpd/master/serve_dir.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/privilege.h"
#include "ftpd/master/self_signed.h"
#include "common/base.h"

static void add(struct serve_texts *texts, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void
add(struct serve_texts *texts, const char *format, ...)
{
	va_list list;

	va_start(list, format);
	(void)vsnprintf(texts->text[texts->count], SERVE_TEXT_MAX, format, list);
	va_end(list);
	texts->count++;
}

static void
add_listen(const struct serve_request *request, struct serve_texts *texts)
{
	const char *address = request->address != NULL ? request->address : "*";
	bool is_bare_ipv6 = strchr(address, ':') != NULL && address[0] != '[';
	char port[16];

	(void)snprintf(port, sizeof(port), "%d", SERVE_PORT);
	add(texts, "listen=%s%s%s:%s", is_bare_ipv6 ? "[" : "", address,
	    is_bare_ipv6 ? "]" : "", request->port != NULL ? request->port : port);
}

static void
put_in_front(const struct serve_texts *texts, struct invocation *invocation)
{
	memmove(&invocation->overrides[texts->count], &invocation->overrides[0],
	        invocation->override_count * sizeof(invocation->overrides[0]));
	for (size_t i = 0; i < texts->count; i++) {
		invocation->overrides[i] = texts->text[i];
	}
	invocation->override_count += texts->count;
}

static bool
add_tls(struct serve_texts *texts, struct invocation *invocation)
{
	struct self_signed_names names;

	self_signed_collect(&names);
	if (!self_signed_obtain(&names, &texts->pair)) {
		return false;
	}
	/* A name that stands for the pair; see struct invocation. */
	add(texts, "tls.certificate=credential:self-signed");
	invocation->pair = &texts->pair;
	return true;
}

bool
serve_dir_apply(const struct serve_request *request, struct serve_texts *texts,
                struct invocation *invocation)
{
	char *path = realpath(request->directory, NULL);

	if (path == NULL) {
		master_complain("--serve %s: %s", request->directory, strerror(errno));
		return false;
	}
	texts->count = 0;
	add_listen(request, texts);
	add(texts, "anonymous.enabled=yes");
	add(texts, "anonymous.root=%s", path);
	if (request->is_writable) {
		add(texts, "anonymous.read_only=no");
		/* What one client has sent, the next may fetch. */
		add(texts, "anonymous.umask=022");
	}
	add(texts, "log.transfers=");
	add(texts, "log.events=stderr");
	add(texts,
	    "spare_min=2"); /* nobody has a password here: few are sent to a private worker */
	add(texts, "spare_max=8");
	if (!privilege_is_root()) {
		add(texts, "active_port=0"); /* port 20 is root's */
	}
	free(path);
	if (request->has_tls && !add_tls(texts, invocation)) {
		return false;
	}
	put_in_front(texts, invocation);
	invocation->conf_path = NULL;
	invocation->is_serving_directory = true;
	return true;
}
