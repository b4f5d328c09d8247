/*
 * agent_queue: the questions that are put to the agents, and those that wait.
 * Runs in: deftpd-worker.
 * Not here: what agents say (agent_client.c).
 */
#ifndef FTPD_WORKER_AGENT_QUEUE_H
#define FTPD_WORKER_AGENT_QUEUE_H

#include "ftpd/worker/agent_client.h"
#include "common/base.h"

/* Give the agents that have nothing to do what waits for them. */
void agent_queue_serve(struct worker *worker);

/* Have the agent told, before anything else, that its upload was cut. */
void agent_queue_discard(struct agent_client *agent, uint32_t upload, const char *path,
                         size_t path_len);

/* The agent is gone: what only it could have answered has failed. */
void agent_queue_fail(struct worker *worker, uint32_t serial);

/* Forget what the agent was to be told. */
void agent_queue_free(struct agent_client *agent);

/* agent_client.c: ask the master for one more, unless one is on its way. */
void agent_ask_for_more(struct worker *worker);

#endif
