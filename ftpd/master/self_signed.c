/*
 * self_signed: a certificate that nobody vouches for, for a first try.
 * Runs in: master, while the command line is obeyed.
 */
#include "ftpd/master/self_signed.h"

#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <limits.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/addr.h"
#include "common/fd.h"
#include "common/secret.h"
#include "common/sockaddr.h"
#include "ftpd/conf/value.h"
#include "ftpd/master/master.h"
#include "ftpd/master/program.h"
#include "common/base.h"

static const char default_directory[] = "/etc/deftpd";
static const char certificate_name[] = "deftpd.crt";
static const char key_name[] = "deftpd.key";

void
self_signed_add(struct self_signed_names *names, const char *text)
{
	char mistake[OPTION_MISTAKE_MAX];
	char name[OPTIONS_HOST_MAX];
	size_t len = strlen(text);
	struct addr addr;

	if (names->count == SELF_SIGNED_WORDS_MAX || len >= sizeof(name)) {
		return;
	}
	memcpy(name, text, len + 1);
	if (!addr_parse(text, len, &addr) && !value_host_name(text, name, mistake)) {
		return;
	}
	for (size_t i = 0; i < names->count; i++) {
		if (strcmp(names->text[i], name) == 0) {
			return;
		}
	}
	memcpy(names->text[names->count++], name, sizeof(name));
}

/* With its domain first, as far as the machine knows it. */
static void
add_host_names(struct self_signed_names *names)
{
	static const struct addrinfo hints = {.ai_flags = AI_CANONNAME,
	                                      .ai_socktype = SOCK_STREAM};
	struct addrinfo *list = NULL;
	char host[OPTIONS_HOST_MAX] = "";

	if (gethostname(host, sizeof(host) - 1) != 0) {
		return; /* localhost is left */
	}
	if (getaddrinfo(host, NULL, &hints, &list) == 0) {
		if (list->ai_canonname != NULL) {
			self_signed_add(names, list->ai_canonname);
		}
		freeaddrinfo(list);
	}
	self_signed_add(names, host);
}

static void
add_interface(struct self_signed_names *names, const struct ifaddrs *interface)
{
	const struct sockaddr *from = interface->ifa_addr;
	struct sockaddr_storage sockaddr = {0};
	char text[ADDR_TEXT_MAX];
	struct addr addr;

	if (from == NULL || (from->sa_family != AF_INET && from->sa_family != AF_INET6)) {
		return;
	}
	memcpy(&sockaddr, from,
	       from->sa_family == AF_INET ? sizeof(struct sockaddr_in)
	                                  : sizeof(struct sockaddr_in6));
	addr = sockaddr_to_addr(&sockaddr);
	/* What holds on one link only is in no URL. */
	if (addr.scope == 0) {
		(void)addr_format(&addr, text); /* its length is not needed */
		self_signed_add(names, text);
	}
}

void
self_signed_collect(struct self_signed_names *ret_names)
{
	struct ifaddrs *list = NULL;

	ret_names->count = 0;
	add_host_names(ret_names);
	self_signed_add(ret_names, "localhost");
	self_signed_add(ret_names, "127.0.0.1");
	self_signed_add(ret_names, "::1");
	if (getifaddrs(&list) != 0) {
		return; /* the names are enough */
	}
	for (const struct ifaddrs *at = list; at != NULL; at = at->ifa_next) {
		add_interface(ret_names, at);
	}
	freeifaddrs(list);
}

bool
self_signed_obtain(const struct self_signed_names *names, struct tls_pair *ret_pair)
{
	const char *words[SELF_SIGNED_WORDS_MAX];
	char directory[MASTER_PATH_MAX];
	int result;

	for (size_t i = 0; i < names->count; i++) {
		words[i] = names->text[i];
	}
	if (!program_find(directory)) {
		return false;
	}
	result = tls_program_self_signed(directory, words, names->count, ret_pair);
	if (result != 0) {
		master_complain("no certificate can be made: deftpd-worker self-signed: "
		                "%s",
		                strerror(-result));
		return false;
	}
	return true;
}

/* Returns: 0 or negative errno. */
static int
write_all(int fd, const char *text)
{
	size_t len = strlen(text);

	while (len > 0) {
		ssize_t written = write(fd, text, len);

		if (written < 0 && errno != EINTR) {
			return -errno;
		}
		if (written > 0) {
			text += written;
			len -= (size_t)written;
		}
	}
	return fsync(fd) == 0 ? 0 : -errno;
}

/* Returns: false, which has been complained of; there is no new file then. */
static bool
write_file(int directory_fd, const char *directory, const char *name, mode_t mode,
           const char *text)
{
	int fd = openat(directory_fd, name,
	                O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
	int result;

	if (fd < 0 && errno == EEXIST) {
		master_complain("%s/%s is there already; move it away, or name another "
		                "directory",
		                directory, name);
		return false;
	}
	if (fd < 0) {
		master_complain("%s/%s: %s", directory, name, strerror(errno));
		return false;
	}
	result = write_all(fd, text);
	fd_close(&fd);
	if (result != 0) {
		master_complain("%s/%s: %s", directory, name, strerror(-result));
		(void)unlinkat(directory_fd, name, 0); /* it is ours and worth nothing */
	}
	return result == 0;
}

bool
self_signed_write(const char *directory, const struct tls_pair *pair)
{
	int fd;
	bool is_written;

	if (mkdir(directory, 0755) != 0 && errno != EEXIST) {
		master_complain("%s: %s", directory, strerror(errno));
		return false;
	}
	fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0) {
		master_complain("%s: %s", directory, strerror(errno));
		return false;
	}
	is_written = write_file(fd, directory, key_name, 0600, pair->key);
	if (is_written &&
	    !write_file(fd, directory, certificate_name, 0644, pair->certificate)) {
		is_written = false;
		(void)unlinkat(fd, key_name, 0); /* it is ours and fits nothing */
	}
	fd_close(&fd);
	return is_written;
}

/* In: text: of a file's name; a quote or a backslash in it is escaped. */
static void
print_setting(const char *key, const char *directory, const char *name)
{
	(void)printf("\t%s = \"", key);
	for (const char *at = directory; *at != '\0'; at++) {
		(void)printf("%s%c", *at == '"' || *at == '\\' ? "\\" : "", *at);
	}
	(void)printf("/%s\"\n", name);
}

static void
print_result(const char *directory, const struct self_signed_names *names)
{
	char *path = realpath(directory, NULL);
	const char *shown = path != NULL ? path : directory;

	(void)printf("%s/%s and %s/%s are made, for a year, for\n ", shown,
	             certificate_name, shown, key_name);
	for (size_t i = 0; i < names->count; i++) {
		(void)printf(" %s", names->text[i]);
	}
	(void)printf("\n\nTo use them, write into the configuration:\n\ntls {\n");
	print_setting("certificate", shown, certificate_name);
	print_setting("private_key", shown, key_name);
	(void)printf(
	    "}\n\n"
	    "Nobody vouches for this certificate: clients refuse it, or ask whether to "
	    "trust it.\ndeftpd(8) tells how to get one that they trust.\n");
	free(path);
}

int
self_signed_run(const char *directory)
{
	struct self_signed_names names;
	struct tls_pair pair;
	bool is_done;

	if (directory == NULL) {
		directory = default_directory;
	}
	self_signed_collect(&names);
	if (!self_signed_obtain(&names, &pair)) {
		return EXIT_FAILURE;
	}
	is_done = self_signed_write(directory, &pair);
	secret_wipe(&pair, sizeof(pair));
	if (is_done) {
		print_result(directory, &names);
	}
	return is_done && fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
