/*
 * A bounded queue from one thread to another, in two lanes: what local people wait for goes
 * first. A lane above its mark says so; whoever fills it stops asking for more (stops reading a
 * socket, say) until it is below half. A push itself never fails and never blocks, so the overrun
 * is what one source had in its hands.
 */
#ifndef AL_QUEUE_H
#define AL_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

/* The head of everything that goes through a queue; whoever pops it frees it. */
struct al_item {
    STAILQ_ENTRY(al_item) link;
    size_t bytes; /* of memory it stands for */
};

enum al_lane { AL_LANE_LOCAL, AL_LANE_NET };
#define AL_LANES 2

struct al_queue;

struct al_queue_opts {
    size_t mark_bytes[AL_LANES];
    void (*on_room)(void *arg); /* a lane is below half again; on the thread that pops; or NULL */
    void *arg;
};

/* NULL: no memory. */
struct al_queue *al_queue_new(const struct al_queue_opts *opts);

/* Free the queue and, with |free_item|, what is left in it. NULL is allowed. */
void al_queue_free(struct al_queue *q, void (*free_item)(struct al_item *item));

/* Append; wakes whoever waits. */
void al_queue_push(struct al_queue *q, enum al_lane lane, struct al_item *item);

/* True from the push that went above the mark until the lane is below half of it. */
bool al_queue_full(struct al_queue *q, enum al_lane lane);

/* The next item, of the local lane first; NULL when there is none. */
struct al_item *al_queue_pop(struct al_queue *q);

/* Wait until there is an item, the queue is closed, or uv_hrtime() reaches |until_ns|. */
void al_queue_wait(struct al_queue *q, uint64_t until_ns);

/* Wait, as one who pushes, until |lane| is not full, or the queue is closed. */
void al_queue_wait_room(struct al_queue *q, enum al_lane lane);

/* No wait lasts from now on; pushes and pops work as before. */
void al_queue_close(struct al_queue *q);
bool al_queue_closed(struct al_queue *q);

bool al_queue_is_empty(struct al_queue *q);

#endif
