#include "views_thread.h"

#include <malloc.h>
#include <pthread.h>
#include <stdlib.h>

#include "check.h"
#include "store.h"
#include "views.h"

#define STEP_CHANGES 16384 /* in one transaction, a fifth of a second: smaller ones cost more */
#define TIDY_NS (20 * UINT64_C(1000000000))      /* after the first change since the last time */
#define TIDY_MORE_NS (100 * UINT64_C(1000000))   /* between the parts of much work */
#define TIDY_AGAIN_NS (1 * UINT64_C(1000000000)) /* after a reader was in the way */
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

/* What the thread alone knows. */
struct follower {
    struct al_store *log;   /* NULL: not open */
    struct al_views *views; /* NULL: not open */
    bool more;              /* there is work to be done now */
    uint64_t after;         /* else there is none before the log is beyond it */
    uint64_t tidy_ns;       /* when to tidy; UINT64_MAX: it is tidy */
};

static void close_all(struct follower *f)
{
    al_views_close(f->views);
    al_store_close(f->log);
    f->views = NULL;
    f->log = NULL;
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

/* Sleep until there is work, it is time to tidy, or the end has come. False: the end. */
static bool wait_for_work(struct al_views_thread *t, struct follower *f)
{
    uv_mutex_lock(&t->mutex);
    while (!t->stopping && !f->more && t->goal <= f->after) {
        uint64_t now = uv_hrtime();
        if (now >= f->tidy_ns)
            break;
        if (f->tidy_ns == UINT64_MAX)
            uv_cond_wait(&t->changed, &t->mutex);
        else
            (void)uv_cond_timedwait(&t->changed, &t->mutex, f->tidy_ns - now);
    }
    f->more = f->more || t->goal > f->after;
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
 * One step, or the first of many. Without views a node still gossips, so an error is logged, and
 * the next change is another chance: opening anew replaces a damaged file.
 */
static void follow(struct al_views_thread *t, struct follower *f)
{
    uint64_t goal = goal_of(t);
    uint64_t pos = 0;
    f->more = false;
    int err = open_all(t, f);
    if (err == 0)
        err = al_views_step(f->views, &pos, &f->more, STEP_CHANGES);
    if (err != 0) {
        al_logger_line(t->opts.logger, LOG_ERR, "the views cannot follow: %s", al_err_words(err));
        close_all(f);
        f->after = goal;
        return;
    }
    publish(t, pos);
    if (f->tidy_ns == UINT64_MAX)
        f->tidy_ns = uv_hrtime() + TIDY_NS;
    f->after = pos > goal ? pos : goal;
}

/* What is left to do when there was work and it has become calm, or has gone on for long. */
static void tidy(struct al_views_thread *t, struct follower *f)
{
    bool more = false;
    int err = f->views == NULL ? 0 : al_views_tidy(f->views, &more);
    if (err != 0 && err != AL_E_BUSY)
        al_logger_line(t->opts.logger, LOG_ERR, "the views are untidy: %s", al_err_words(err));
    f->tidy_ns = UINT64_MAX;
    if (err != 0)
        f->tidy_ns = uv_hrtime() + (err == AL_E_BUSY ? TIDY_AGAIN_NS : TIDY_NS);
    else if (more)
        f->tidy_ns = uv_hrtime() + TIDY_MORE_NS;
    (void)malloc_trim(0);
}

static void run(void *arg)
{
    struct al_views_thread *t = arg;
    struct follower f = {.more = true, .tidy_ns = UINT64_MAX};
    (void)pthread_setname_np(pthread_self(), "views");
    while (wait_for_work(t, &f)) {
        if (f.more)
            follow(t, &f);
        if (uv_hrtime() >= f.tidy_ns)
            tidy(t, &f);
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
