/*
 * Noticing without asking that the network may be another one: an address came or went, or the
 * machine woke up (or its clock was set, which looks the same and does no harm).
 */
#ifndef AL_NETWATCH_H
#define AL_NETWATCH_H

#include <uv.h>

#include "queue.h"

#define AL_NETWATCH_CALM_MS 1000 /* changes come in bursts: the node hears of each burst once */

struct al_netwatch;

/* Tell the node behind |in|, which is borrowed, from now on. NULL: no memory. */
struct al_netwatch *al_netwatch_new(uv_loop_t *loop, struct al_queue *in);

/* Close its handles; it is freed by the loop then. NULL is allowed. */
void al_netwatch_stop(struct al_netwatch *w);

#endif
