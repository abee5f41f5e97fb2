#include "readers.h"

#include <stdlib.h>
#include <sys/queue.h>

#include "check.h"
#include "heapbuf.h"
#include "node_thread.h"
#include "views.h"

struct job {
    TAILQ_ENTRY(job) link;
    uv_work_t work;
    struct al_readers *readers;
    struct al_read_call call;
    uint64_t deadline_ms; /* of the loop's clock */
    struct al_now now;
    struct al_views_reader *reader; /* on the pool: this thread's alone */
    int err;
    struct al_buf out;
    char why[128];
    uint8_t bytes[]; /* method and params */
};

TAILQ_HEAD(jobs, job);

struct al_readers {
    struct al_readers_opts opts;
    uv_timer_t timer; /* for the first that waits */
    bool is_ready;
    bool stopped;
    uint64_t pos;
    struct jobs waiting; /* for a position */
    struct jobs ready;   /* for a reader */
    unsigned running;
    struct al_views_reader *idle[AL_READERS_MAX];
    unsigned idle_count;
};

struct al_readers *al_readers_new(const struct al_readers_opts *opts)
{
    struct al_readers *r = calloc(1, sizeof(*r));
    if (r == NULL)
        return NULL;
    r->opts = *opts;
    TAILQ_INIT(&r->waiting);
    TAILQ_INIT(&r->ready);
    AL_ASSERT(uv_timer_init(opts->loop, &r->timer) == 0);
    r->timer.data = r;
    return r;
}

void al_readers_free(struct al_readers *r)
{
    if (r == NULL)
        return;
    AL_ASSERT(r->running == 0 && TAILQ_EMPTY(&r->waiting) && TAILQ_EMPTY(&r->ready));
    while (r->idle_count > 0)
        al_views_reader_close(r->idle[--r->idle_count]);
    free(r);
}

/* --- on the pool --------------------------------------------------------------------------- */

static void on_work(uv_work_t *work)
{
    struct job *j = work->data;
    const struct al_readers_opts *opts = &j->readers->opts;
    if (j->reader == NULL)
        j->err = al_views_reader_open(&j->reader, opts->views_db, opts->log_db, opts->keyring);
    if (j->err != 0)
        return;
    j->err = al_views_query(j->reader, &j->out, j->why, j->call.method, j->call.params, j->now);
    if (j->err == 0 && j->out.full)
        j->err = AL_E_SPACE;
    if (j->err == AL_E_IO || j->err == AL_E_CORRUPT) {
        al_views_reader_close(j->reader); /* the next call opens anew */
        j->reader = NULL;
    }
}

/* --- on the loop --------------------------------------------------------------------------- */

static void finish(struct job *j)
{
    struct al_slice result = j->err == 0 ? al_buf_slice(&j->out) : al_slice_of(NULL, 0);
    j->call.done(j->call.arg, j->call.id, j->err, result, j->why);
    al_heapbuf_free(&j->out);
    free(j);
}

/* An answer can bring the next question, so |jobs| is nobody else's list. */
static void fail_all(struct jobs *jobs, int err)
{
    struct job *j;
    while ((j = TAILQ_FIRST(jobs)) != NULL) {
        TAILQ_REMOVE(jobs, j, link);
        j->err = err;
        finish(j);
    }
}

static void dispatch(struct al_readers *r);

static void on_worked(uv_work_t *work, int status)
{
    struct job *j = work->data;
    struct al_readers *r = j->readers;
    if (status != 0)
        j->err = AL_E_CLOSED;
    if (j->reader != NULL)
        r->idle[r->idle_count++] = j->reader;
    r->running--;
    finish(j);
    dispatch(r);
}

static void dispatch(struct al_readers *r)
{
    struct job *j;
    while (r->running < AL_READERS_MAX && (j = TAILQ_FIRST(&r->ready)) != NULL) {
        TAILQ_REMOVE(&r->ready, j, link);
        j->reader = r->idle_count > 0 ? r->idle[--r->idle_count] : NULL;
        j->now = al_node_thread_now();
        r->running++;
        AL_ASSERT(uv_queue_work(r->opts.loop, &j->work, on_work, on_worked) == 0);
    }
}

static void on_timer(uv_timer_t *timer);

/* Move on what need not wait any more; without views an answer is not possible. */
static void sort_out(struct al_readers *r)
{
    struct jobs hopeless = TAILQ_HEAD_INITIALIZER(hopeless);
    uint64_t now_ms = uv_now(r->opts.loop);
    struct job *j, *next;
    TAILQ_FOREACH_SAFE (j, &r->waiting, link, next) {
        bool is_late = now_ms >= j->deadline_ms;
        if (!is_late && !(r->is_ready && r->pos >= j->call.pos))
            continue;
        TAILQ_REMOVE(&r->waiting, j, link);
        if (r->is_ready)
            TAILQ_INSERT_TAIL(&r->ready, j, link);
        else
            TAILQ_INSERT_TAIL(&hopeless, j, link);
    }
    j = TAILQ_FIRST(&r->waiting);
    if (j == NULL)
        (void)uv_timer_stop(&r->timer);
    else
        (void)uv_timer_start(
            &r->timer, on_timer, j->deadline_ms > now_ms ? j->deadline_ms - now_ms : 0, 0);
    dispatch(r);
    fail_all(&hopeless, AL_E_BUSY);
}

static void on_timer(uv_timer_t *timer)
{
    sort_out(timer->data);
}

void al_readers_query(struct al_readers *r, const struct al_read_call *call)
{
    struct job *j = calloc(1, sizeof(*j) + call->method.n + call->params.n);
    AL_ASSERT(j != NULL);
    j->readers = r;
    j->work.data = j;
    j->call = *call;
    j->out = al_heapbuf();
    memcpy(j->bytes, call->method.p, call->method.n);
    memcpy(j->bytes + call->method.n, call->params.p, call->params.n);
    j->call.method.p = j->bytes;
    j->call.params.p = j->bytes + call->method.n;
    j->deadline_ms = uv_now(r->opts.loop) + AL_READ_WAIT_MS;
    if (r->stopped) {
        j->err = AL_E_CLOSED;
        finish(j);
        return;
    }
    TAILQ_INSERT_TAIL(&r->waiting, j, link);
    sort_out(r);
}

void al_readers_position(struct al_readers *r, uint64_t pos)
{
    r->is_ready = true;
    r->pos = pos;
    if (!r->stopped)
        sort_out(r);
}

static void on_closed(uv_handle_t *handle)
{
    (void)handle; /* a part of struct al_readers */
}

void al_readers_stop(struct al_readers *r)
{
    r->stopped = true;
    uv_close((uv_handle_t *)&r->timer, on_closed);
    TAILQ_CONCAT(&r->waiting, &r->ready, link);
    fail_all(&r->waiting, AL_E_CLOSED);
}
