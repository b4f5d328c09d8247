/*
 * ftpload: a load generator that speaks FTP: many clients in one thread, counted and
 * timed.
 * Runs in: the benchmark (test), as any user. Input: the driver's options, a server under
 * test.
 * Not here: what one client says; see client.c. Which servers and cases there are; see
 * run.
 *
 * With --sync it stops twice, when all clients are logged in and when all have moved
 * their data, writes a line and waits for one on standard input, so that the driver can
 * read the server's CPU time and memory in between. The last line that it writes is the
 * result, in JSON.
 */
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "tests/bench/client.h"

#include "common/base.h"

enum { EVENTS_AT_ONCE = 256 };

struct options {
	unsigned int clients;
	unsigned int ramp; /* sessions that may be before their login at one time */
	/* sessions follow one another so long; 0: one for each client */
	unsigned int seconds;
	unsigned int stall_s; /* silence of all connections that ends the measurement */
	const char *source;   /* path of the file that STOR sends */
	bool is_tls;          /* commands and data are encrypted */
	struct plan plan;
};

/* Where all clients are. */
struct crowd {
	struct load load;
	struct options options;
	struct client *clients;
	unsigned int started;
	uint64_t begin_ns;
	uint64_t deadline_ns;
};

static unsigned int
number(const char *text)
{
	char *end;
	unsigned long value = strtoul(text, &end, 10);

	if (end == text || *end != '\0' || value > UINT32_MAX)
		errx(2, "not a number: %s", text);
	return (unsigned int)value;
}

static int64_t
big_number(const char *text)
{
	char *end;
	long long value = strtoll(text, &end, 10);

	if (end == text || *end != '\0')
		errx(2, "not a number: %s", text);
	return value;
}

static const struct option long_options[] = {
    {"port", required_argument, NULL, 'p'},
    {"clients", required_argument, NULL, 'n'},
    {"ramp", required_argument, NULL, 'r'},
    {"seconds", required_argument, NULL, 't'},
    {"stall", required_argument, NULL, 'T'},
    {"user", required_argument, NULL, 'u'},
    {"password", required_argument, NULL, 'w'},
    {"source", required_argument, NULL, 'o'},
    {"verb", required_argument, NULL, 'v'},
    {"path", required_argument, NULL, 'f'},
    {"numbered", no_argument, NULL, 'N'},
    {"transfers", required_argument, NULL, 'c'},
    {"type", required_argument, NULL, 'y'},
    {"size", required_argument, NULL, 's'},
    {"lines", required_argument, NULL, 'l'},
    {"discard", no_argument, NULL, 'd'},
    {"sync", no_argument, NULL, 'S'},
    {"tls", no_argument, NULL, 'X'},
    {NULL, 0, NULL, 0},
};

/* Long because it is one table of options: a line each. */
static void
parse_options(int argc, char **argv, struct options *options)
{
	struct plan *plan = &options->plan;
	int letter;

	while ((letter = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
		switch (letter) {
		case 'p': plan->address.sin_port = htons((uint16_t)number(optarg)); break;
		case 'n': options->clients = number(optarg); break;
		case 'r': options->ramp = number(optarg); break;
		case 't': options->seconds = number(optarg); break;
		case 'T': options->stall_s = number(optarg); break;
		case 'u': plan->user = optarg; break;
		case 'w': plan->password = optarg; break;
		case 'o': options->source = optarg; break;
		case 'v': plan->verb = optarg; break;
		case 'f': plan->path = optarg; break;
		case 'N': plan->is_numbered = true; break;
		case 'c': plan->transfers = number(optarg); break;
		case 'y': plan->type = optarg[0]; break;
		case 's': plan->size_bytes = big_number(optarg); break;
		case 'l': plan->lines = big_number(optarg); break;
		case 'd': plan->is_discarding = true; break;
		case 'S': plan->is_synchronous = true; break;
		case 'X': options->is_tls = true; break;
		default: exit(2);
		}
	}
	if (plan->address.sin_port == 0 || options->clients == 0 || optind != argc)
		errx(2, "needs --port and --clients, and takes no arguments");
	if (plan->is_discarding && plan->lines >= 0)
		errx(2, "--lines needs the data that --discard throws away");
	if ((strcmp(plan->verb, "STOR") == 0) != (options->source != NULL) ||
	    (options->source != NULL && plan->size_bytes < 0))
		errx(2,
		     "STOR needs --source and --size, and nothing else takes a source");
}

/* Open what STOR sends. */
static void
open_source(struct load *load, const char *path)
{
	struct stat facts;

	load->source_fd = -1;
	if (path == NULL)
		return;
	load->source_fd = open(path, O_RDONLY | O_CLOEXEC);
	if (load->source_fd < 0 || fstat(load->source_fd, &facts) < 0)
		err(2, "%s", path);
	load->source_bytes = facts.st_size;
	if (load->source_bytes == 0)
		errx(2, "%s is empty", path);
	load->source = mmap(NULL, (size_t)load->source_bytes, PROT_READ,
	                    MAP_SHARED | MAP_POPULATE, load->source_fd, 0);
	if (load->source == MAP_FAILED)
		err(2, "%s", path);
}

/* Start as many sessions as may be before their login at one time. */
static void
start_sessions(struct crowd *crowd)
{
	while (crowd->started < crowd->options.clients &&
	       client_count_logging_in(&crowd->load) < crowd->options.ramp)
		client_start(&crowd->clients[crowd->started++]);
}

static unsigned int
count_missing(const struct crowd *crowd, enum client_state state)
{
	return client_count_missing(&crowd->load, crowd->options.clients, state);
}

static void
fail_the_rest(struct crowd *crowd, enum client_state state)
{
	for (unsigned int i = 0; i < crowd->options.clients; i++) {
		struct client *client = &crowd->clients[i];

		if (client->state != state && !client_is_over(client))
			client_fail(client, "stalled");
	}
	crowd->started = crowd->options.clients;
}

/* A session that has ended well is followed by another one while time is left. */
static void
serve(struct crowd *crowd, struct endpoint *endpoint)
{
	struct client *client = endpoint->client;

	client_event(endpoint);
	if (client->state == CLIENT_DONE && client_now_ns() < crowd->deadline_ns)
		client_start(client);
	start_sessions(crowd);
}

/* Serve events until every client is in the state, or is over. */
static void
run_until(struct crowd *crowd, enum client_state state)
{
	struct epoll_event events[EVENTS_AT_ONCE];

	start_sessions(crowd);
	while (count_missing(crowd, state) > 0) {
		int count = epoll_wait(crowd->load.epoll_fd, events, EVENTS_AT_ONCE,
		                       (int)crowd->options.stall_s * 1000);

		if (count < 0 && errno != EINTR)
			err(1, "epoll_wait");
		if (count == 0)
			fail_the_rest(crowd, state);
		for (int i = 0; i < count; i++)
			serve(crowd, events[i].data.ptr);
	}
}

/* Say where all clients are, wait for the driver, and let them go on. */
static void
meet(struct crowd *crowd, const char *name, enum client_state state)
{
	char line[16];

	printf("%s %u %lu %.6f\n", name, crowd->load.in_state[state],
	       crowd->load.tally.failures,
	       (double)(client_now_ns() - crowd->begin_ns) / 1e9);
	fflush(stdout);
	/* The end of the input is as good a sign as a line. */
	(void)!fgets(line, sizeof(line), stdin);
	crowd->begin_ns = client_now_ns();
	for (unsigned int i = 0; i < crowd->options.clients; i++)
		client_go(&crowd->clients[i]);
}

/* What a server said is printed, so it must not break the JSON around it. */
static void
print_escaped(const char *text)
{
	for (; *text != '\0'; text++) {
		bool is_plain =
		    *text >= ' ' && *text <= '~' && *text != '"' && *text != '\\';

		putchar(is_plain ? *text : '?');
	}
}

static void
print_samples(const char *name, struct samples *samples)
{
	printf(
	    "\"%s_ms\": {\"min\": %.3f, \"p50\": %.3f, \"p99\": %.3f, \"max\": %.3f}, ",
	    name, samples_percentile_ms(samples, 0), samples_percentile_ms(samples, 50),
	    samples_percentile_ms(samples, 99), samples_percentile_ms(samples, 100));
	samples_free(samples);
}

static void
print_result(struct tally *tally, double seconds)
{
	printf(
	    "{\"sessions\": %lu, \"failures\": %lu, \"transfers\": %lu, \"resumed\": %lu, \"bytes\": %llu, ",
	    tally->sessions, tally->failures, tally->transfers, tally->resumed,
	    (unsigned long long)tally->bytes);
	print_samples("greeting", &tally->greeting);
	print_samples("login", &tally->login);
	print_samples("transfer", &tally->transfer);
	print_samples("moved", &tally->moved);
	printf("\"seconds\": %.6f, \"first_failure\": \"", seconds);
	print_escaped(tally->first_failure);
	printf("\"}\n");
}

/* Returns: the seconds of the part that is measured. */
static double
run(struct crowd *crowd)
{
	uint64_t begin_ns = client_now_ns();
	uint64_t end_ns = 0;

	crowd->begin_ns = begin_ns;
	crowd->deadline_ns = begin_ns + crowd->options.seconds * 1000000000ULL;
	if (crowd->load.plan.is_synchronous) {
		run_until(crowd, CLIENT_READY);
		meet(crowd, "ready", CLIENT_READY);
		begin_ns = crowd->begin_ns;
		if (crowd->load.plan.transfers > 0) {
			run_until(crowd, CLIENT_MOVED);
			end_ns = client_now_ns();
			meet(crowd, "moved", CLIENT_MOVED);
		}
	}
	run_until(crowd, CLIENT_DONE);
	if (end_ns == 0)
		end_ns = client_now_ns();
	return (double)(end_ns - begin_ns) / 1e9;
}

int
main(int argc, char **argv)
{
	struct crowd crowd = {0};
	struct load *load = &crowd.load;
	double seconds;

	/* A server that breaks an upload off is a failure of the server, not of this. */
	signal(SIGPIPE, SIG_IGN);
	load->plan = (struct plan){
	    .address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)},
	    .user = "anonymous",
	    .password = "bench@localhost",
	    .verb = "RETR",
	    .path = "",
	    .type = 'I',
	    .size_bytes = -1,
	    .lines = -1,
	};
	crowd.options = (struct options){.ramp = 64, .stall_s = 60, .plan = load->plan};
	parse_options(argc, argv, &crowd.options);
	load->plan = crowd.options.plan;
	open_source(load, crowd.options.source);
	if (crowd.options.is_tls)
		load->tls = link_client_context();
	load->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	load->buffer = malloc(CLIENT_READ_BYTES);
	crowd.clients = calloc(crowd.options.clients, sizeof(*crowd.clients));
	if (load->epoll_fd < 0 || load->buffer == NULL || crowd.clients == NULL)
		err(1, "ftpload");
	load->in_state[CLIENT_NEW] = crowd.options.clients;
	for (unsigned int i = 0; i < crowd.options.clients; i++)
		crowd.clients[i].load = load;
	seconds = run(&crowd);
	print_result(&load->tally, seconds);
	SSL_CTX_free(load->tls);
	free(crowd.clients);
	free(load->buffer);
	return load->tally.failures > 0 ? 1 : 0;
}
