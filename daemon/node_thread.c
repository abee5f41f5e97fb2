#include "node_thread.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "batch.h"
#include "check.h"
#include "input.h"

#define TURN_NS (20 * UINT64_C(1000000))
#define BATCH_BYTES_MAX (4 * 1024 * 1024) /* then a batch leaves before the turn's effects end */
#define STACK_BYTES (1024 * 1024)

struct al_node_thread {
    struct al_node_thread_opts opts;
    uv_thread_t thread;
};

struct al_now al_node_thread_now(void)
{
    struct timespec wall;
    AL_ASSERT(clock_gettime(CLOCK_REALTIME, &wall) == 0);
    return (struct al_now){
        .mono_ms = uv_hrtime() / 1000000,
        .wall_ms = (uint64_t)wall.tv_sec * 1000 + (uint64_t)wall.tv_nsec / 1000000,
    };
}

/* Apply inputs until there is none, or the turn has had its share of bytes or time. */
static void take_inputs(struct al_node_thread *t, uint64_t started_ns)
{
    struct al_item *item;
    while ((item = al_queue_pop(t->opts.in)) != NULL) {
        const struct al_input *in = (const struct al_input *)item;
        bool is_call = in->type == AL_INPUT_CALL || in->type == AL_INPUT_CALL_GONE;
        if (is_call || !al_queue_closed(t->opts.in))
            al_input_apply(in, t->opts.node);
        al_input_free_item(item);
        if (al_node_turn_bytes(t->opts.node) >= AL_TURN_BYTES_MAX ||
            uv_hrtime() - started_ns >= TURN_NS)
            return;
    }
}

static void push_batch(struct al_node_thread *t, struct al_batch *b)
{
    al_batch_seal(b);
    al_queue_push(t->opts.out, AL_LANE_LOCAL, &b->item);
    AL_ASSERT(uv_async_send(t->opts.wake) == 0);
}

static void release_effects(struct al_node_thread *t)
{
    struct al_batch *b = NULL;
    struct al_effect e;
    while (al_node_poll(t->opts.node, &e)) {
        if (e.type == AL_EFFECT_CHANGED) {
            t->opts.on_changed(t->opts.arg, e.pos); /* the views need no loop in between */
            continue;
        }
        if (b == NULL)
            b = al_batch_new();
        al_batch_add(b, &e);
        if (b->n > BATCH_BYTES_MAX) {
            push_batch(t, b);
            b = NULL;
        }
    }
    if (b != NULL)
        push_batch(t, b);
}

static uint64_t deadline_ns(const struct al_node *node)
{
    uint64_t ms = al_node_deadline(node);
    return ms > UINT64_MAX / 1000000 ? UINT64_MAX : ms * 1000000;
}

static void run(void *arg)
{
    struct al_node_thread *t = arg;
    (void)pthread_setname_np(pthread_self(), "node");
    release_effects(t); /* of the turn in which the node was made: it may listen and dial */
    do {
        al_queue_wait(t->opts.in, deadline_ns(t->opts.node));
        al_queue_wait_room(t->opts.out, AL_LANE_LOCAL);
        al_node_begin(t->opts.node, al_node_thread_now());
        take_inputs(t, uv_hrtime());
        al_node_commit(t->opts.node);
        release_effects(t);
    } while (!al_queue_closed(t->opts.in) || !al_queue_is_empty(t->opts.in));
}

struct al_node_thread *al_node_thread_start(const struct al_node_thread_opts *opts)
{
    struct al_node_thread *t = calloc(1, sizeof(*t));
    if (t == NULL)
        return NULL;
    t->opts = *opts;
    uv_thread_options_t options = {.flags = UV_THREAD_HAS_STACK_SIZE, .stack_size = STACK_BYTES};
    if (uv_thread_create_ex(&t->thread, &options, run, t) != 0) {
        free(t);
        return NULL;
    }
    return t;
}

void al_node_thread_stop(struct al_node_thread *t)
{
    if (t == NULL)
        return;
    al_queue_close(t->opts.in);
    al_queue_close(t->opts.out); /* nobody makes room while this thread waits */
    AL_ASSERT(uv_thread_join(&t->thread) == 0);
    free(t);
}
