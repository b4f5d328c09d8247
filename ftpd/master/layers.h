/*
 * layers: which layers of confinement this machine offers, which are active, and why one
 * is not.
 * Runs in: master.
 * Source: DESIGN.md section 3, last paragraph.
 * Not here: applying them; see common/sandbox.h and common/privilege.h.
 */
#ifndef FTPD_MASTER_LAYERS_H
#define FTPD_MASTER_LAYERS_H

#include "common/forkserver.h"
#include "common/base.h"

enum {
	LAYERS_TEXT_MAX = 512,
};

/*
 * Find out what a worker could be confined by.
 * Returns: mask of enum spawn_layer.
 */
uint8_t layers_probe(void);

/*
 * Describe a mask in one line: the layers that are there, then those that are not and
 * why.
 * Returns: the text.
 */
const char *layers_describe(uint8_t layers, char text[LAYERS_TEXT_MAX]);

/* Print the report of deftpd --check: one line a layer. */
void layers_print(void);

#endif
