#include "views_thread.h"

#include <stdlib.h>

#include "check.h"
#include "store.h"
#include "views.h"

#define STEP_CHANGES 4096 /* in one transaction: large ones index twice as fast as small ones */
#define STACK_BYTES (1024 * 1024)

struct al_views_thread {
    struct al_views_thread_opts opts;
    uv_thread_t thread;
    uv_mutex_t mutex; /* for all below */
    uv_cond_t changed;
    bool stopping;
    bool is_ready;
    uint64_t pos;  /* of the views */
    uint64_t goal; /* of the log */
};

/* What one attempt to follow holds open. */
struct follower {
    struct al_store *log;
    struct al_views *views;
};

static void close_all(struct follower *f)
{
    al_views_close(f->views);
    al_store_close(f->log);
    *f = (struct follower){NULL, NULL};
}

static int open_all(struct al_views_thread *t, struct follower *f)
{
    if (f->views != NULL)
        return 0;
    int err = al_store_open(&f->log, t->opts.log_db, AL_STORE_READ);
    if (err == 0)
        err = al_views_open(&f->views, t->opts.views_db, f->log, t->opts.keyring);
    return err;
}

/* True when there is something to do; false to stop. */
static bool wait_for_changes(struct al_views_thread *t, bool more, uint64_t after)
{
    uv_mutex_lock(&t->mutex);
    while (!t->stopping && !more && t->goal <= after)
        uv_cond_wait(&t->changed, &t->mutex);
    bool go_on = !t->stopping;
    uv_mutex_unlock(&t->mutex);
    return go_on;
}

static void publish(struct al_views_thread *t, uint64_t pos)
{
    uv_mutex_lock(&t->mutex);
    bool is_new = !t->is_ready || t->pos != pos;
    t->is_ready = true;
    t->pos = pos;
    uv_mutex_unlock(&t->mutex);
    if (is_new)
        AL_ASSERT(uv_async_send(t->opts.wake) == 0);
}

static uint64_t goal_of(struct al_views_thread *t)
{
    uv_mutex_lock(&t->mutex);
    uint64_t goal = t->goal;
    uv_mutex_unlock(&t->mutex);
    return goal;
}

/*
 * Without views a node still gossips, so an error is logged, and the next change is another
 * chance: opening anew replaces a damaged file.
 */
static void run(void *arg)
{
    struct al_views_thread *t = arg;
    struct follower f = {NULL, NULL};
    bool more = true;
    uint64_t after = 0; /* no need to look again before the log is beyond it */
    while (wait_for_changes(t, more, after)) {
        uint64_t goal = goal_of(t);
        uint64_t pos = 0;
        int err = open_all(t, &f);
        if (err == 0)
            err = al_views_step(f.views, &pos, &more, STEP_CHANGES);
        if (err == 0) {
            publish(t, pos);
            after = pos > goal ? pos : goal;
        } else {
            al_logger_line(
                t->opts.logger, LOG_ERR, "the views cannot follow: %s", al_err_words(err));
            close_all(&f);
            more = false;
            after = goal;
        }
    }
    close_all(&f);
}

struct al_views_thread *al_views_thread_start(const struct al_views_thread_opts *opts)
{
    struct al_views_thread *t = calloc(1, sizeof(*t));
    if (t == NULL)
        return NULL;
    t->opts = *opts;
    AL_ASSERT(uv_mutex_init(&t->mutex) == 0);
    AL_ASSERT(uv_cond_init(&t->changed) == 0);
    uv_thread_options_t options = {.flags = UV_THREAD_HAS_STACK_SIZE, .stack_size = STACK_BYTES};
    AL_ASSERT(uv_thread_create_ex(&t->thread, &options, run, t) == 0);
    return t;
}

void al_views_thread_stop(struct al_views_thread *t)
{
    if (t == NULL)
        return;
    uv_mutex_lock(&t->mutex);
    t->stopping = true;
    uv_mutex_unlock(&t->mutex);
    uv_cond_signal(&t->changed);
    AL_ASSERT(uv_thread_join(&t->thread) == 0);
    uv_cond_destroy(&t->changed);
    uv_mutex_destroy(&t->mutex);
    free(t);
}

void al_views_thread_changed(struct al_views_thread *t, uint64_t pos)
{
    uv_mutex_lock(&t->mutex);
    if (pos > t->goal)
        t->goal = pos;
    uv_mutex_unlock(&t->mutex);
    uv_cond_signal(&t->changed);
}

bool al_views_thread_position(struct al_views_thread *t, uint64_t *ret_pos)
{
    uv_mutex_lock(&t->mutex);
    bool is_ready = t->is_ready;
    if (is_ready)
        *ret_pos = t->pos;
    uv_mutex_unlock(&t->mutex);
    return is_ready;
}
