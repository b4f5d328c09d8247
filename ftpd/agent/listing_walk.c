/*
 * listing_walk: which directories a recursive listing has still to visit, in the order of
 * ls -R, in bounded memory.
 * Runs in: deftpd-agent.
 */
#include "ftpd/agent/listing_walk.h"

#include <string.h>

#include "common/base.h"

void
walk_begin(struct walk_queue *queue)
{
	queue->nodes[0] = (struct walk_node){0};
	queue->node_count = 1;
	queue->name_bytes = 0;
	queue->current = 0;
	queue->last = 0;
}

void
walk_add(struct walk_queue *queue, const char *name, size_t name_len)
{
	uint16_t depth = queue->nodes[queue->current].depth;
	uint16_t number = (uint16_t)queue->node_count;

	if (depth >= WALK_MAX_DEPTH || queue->node_count > WALK_MAX_ENTRIES ||
	    name_len > WALK_NAME_BYTES - queue->name_bytes) {
		return;
	}
	queue->nodes[number] = (struct walk_node){
	    .parent = queue->current,
	    .next = queue->nodes[queue->last].next,
	    .depth = (uint16_t)(depth + 1),
	    .name_len = (uint16_t)name_len,
	    .name_at = (uint32_t)queue->name_bytes,
	};
	queue->nodes[queue->last].next = number;
	queue->last = number;
	memcpy(queue->names + queue->name_bytes, name, name_len);
	queue->name_bytes += name_len;
	queue->node_count++;
}

bool
walk_next(struct walk_queue *queue)
{
	queue->current = queue->nodes[queue->current].next;
	queue->last = queue->current;
	return queue->current != 0;
}

size_t
walk_path(const struct walk_queue *queue, char path[WALK_PATH_MAX])
{
	size_t len = 0;
	size_t end;

	for (uint16_t i = queue->current; i != 0; i = queue->nodes[i].parent) {
		len += queue->nodes[i].name_len + 1U;
	}
	if (len == 0) {
		path[0] = '\0';
		return 0;
	}
	end = len;
	for (uint16_t i = queue->current; i != 0; i = queue->nodes[i].parent) {
		const struct walk_node *node = &queue->nodes[i];

		path[--end] = i == queue->current ? '\0' : '/';
		end -= node->name_len;
		memcpy(path + end, queue->names + node->name_at, node->name_len);
	}
	return len - 1;
}
