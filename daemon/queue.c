#include "queue.h"

#include <stdlib.h>
#include <uv.h>

#include "check.h"

STAILQ_HEAD(al_items, al_item);

struct lane {
    struct al_items items;
    size_t bytes;
    bool full;
};

struct al_queue {
    struct al_queue_opts opts;
    uv_mutex_t mutex;
    uv_cond_t filled; /* for al_queue_wait() */
    uv_cond_t room;   /* for al_queue_wait_room() */
    struct lane lanes[AL_LANES];
    bool waiting; /* so that a push without a waiter costs no system call */
    bool closed;
};

struct al_queue *al_queue_new(const struct al_queue_opts *opts)
{
    struct al_queue *q = calloc(1, sizeof(*q));
    if (q == NULL)
        return NULL;
    q->opts = *opts;
    for (int i = 0; i < AL_LANES; i++)
        STAILQ_INIT(&q->lanes[i].items);
    AL_ASSERT(uv_mutex_init(&q->mutex) == 0);
    AL_ASSERT(uv_cond_init(&q->filled) == 0);
    AL_ASSERT(uv_cond_init(&q->room) == 0);
    return q;
}

void al_queue_free(struct al_queue *q, void (*free_item)(struct al_item *item))
{
    if (q == NULL)
        return;
    for (struct al_item *item; (item = al_queue_pop(q)) != NULL;)
        free_item(item);
    uv_cond_destroy(&q->room);
    uv_cond_destroy(&q->filled);
    uv_mutex_destroy(&q->mutex);
    free(q);
}

void al_queue_push(struct al_queue *q, enum al_lane lane, struct al_item *item)
{
    uv_mutex_lock(&q->mutex);
    struct lane *l = &q->lanes[lane];
    STAILQ_INSERT_TAIL(&l->items, item, link);
    l->bytes += item->bytes;
    if (l->bytes > q->opts.mark_bytes[lane])
        l->full = true;
    bool wake = q->waiting;
    q->waiting = false;
    uv_mutex_unlock(&q->mutex);
    if (wake)
        uv_cond_signal(&q->filled);
}

bool al_queue_full(struct al_queue *q, enum al_lane lane)
{
    uv_mutex_lock(&q->mutex);
    bool full = q->lanes[lane].full;
    uv_mutex_unlock(&q->mutex);
    return full;
}

struct al_item *al_queue_pop(struct al_queue *q)
{
    struct al_item *item = NULL;
    bool room = false;
    uv_mutex_lock(&q->mutex);
    for (int i = 0; i < AL_LANES && item == NULL; i++) {
        struct lane *l = &q->lanes[i];
        item = STAILQ_FIRST(&l->items);
        if (item == NULL)
            continue;
        STAILQ_REMOVE_HEAD(&l->items, link);
        l->bytes -= item->bytes;
        room = l->full && l->bytes <= q->opts.mark_bytes[i] / 2;
        if (room)
            l->full = false;
    }
    uv_mutex_unlock(&q->mutex);
    if (room) {
        uv_cond_broadcast(&q->room);
        if (q->opts.on_room != NULL)
            q->opts.on_room(q->opts.arg);
    }
    return item;
}

static bool is_empty(const struct al_queue *q)
{
    for (int i = 0; i < AL_LANES; i++) {
        if (!STAILQ_EMPTY(&q->lanes[i].items))
            return false;
    }
    return true;
}

void al_queue_wait(struct al_queue *q, uint64_t until_ns)
{
    uv_mutex_lock(&q->mutex);
    while (is_empty(q) && !q->closed) {
        uint64_t now = uv_hrtime();
        if (now >= until_ns)
            break;
        q->waiting = true;
        if (until_ns == UINT64_MAX)
            uv_cond_wait(&q->filled, &q->mutex);
        else
            (void)uv_cond_timedwait(&q->filled, &q->mutex, until_ns - now);
    }
    q->waiting = false;
    uv_mutex_unlock(&q->mutex);
}

void al_queue_wait_room(struct al_queue *q, enum al_lane lane)
{
    uv_mutex_lock(&q->mutex);
    while (q->lanes[lane].full && !q->closed)
        uv_cond_wait(&q->room, &q->mutex);
    uv_mutex_unlock(&q->mutex);
}

void al_queue_close(struct al_queue *q)
{
    uv_mutex_lock(&q->mutex);
    q->closed = true;
    uv_mutex_unlock(&q->mutex);
    uv_cond_broadcast(&q->filled);
    uv_cond_broadcast(&q->room);
}

bool al_queue_closed(struct al_queue *q)
{
    uv_mutex_lock(&q->mutex);
    bool closed = q->closed;
    uv_mutex_unlock(&q->mutex);
    return closed;
}

bool al_queue_is_empty(struct al_queue *q)
{
    uv_mutex_lock(&q->mutex);
    bool empty = is_empty(q);
    uv_mutex_unlock(&q->mutex);
    return empty;
}
