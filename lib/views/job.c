#include <stdlib.h>

#include "views_int.h"

int al_job_begin(struct al_views *v, const struct al_store_change *change)
{
    struct al_views_job job = {
        .pos = change->pos,
        .log_no = change->log_no,
        .seq = change->seq,
    };
    al_views_circles_touch(v, change->pos);
    if (change->what == AL_CHANGE_UNLOCKED) {
        job.what = AL_JOB_UNLOCK;
        job.log = job.log_no;
    } else {
        struct al_views_log *lg;
        int err = al_views_log(v, &lg, change->log_no);
        if (err != 0)
            return err;
        job.what = AL_JOB_HIDE;
        job.below = change->seq;
        job.first = change->seq < lg->hidden ? change->seq : lg->hidden;
        job.last = change->seq < lg->hidden ? lg->hidden - 1 : change->seq - 1;
    }
    v->job = job;
    return 0;
}

/* --- a part of it --------------------------------------------------------------------------- */

/* Entries to work on, gathered first: to work on one moves others. */
struct part {
    int64_t *n;
    uint64_t *seq;
    uint32_t *log_no;
    uint32_t count;
    uint32_t max;
};

static int make_part(struct part *p, uint32_t max)
{
    *p = (struct part){.max = max};
    p->n = calloc(max, sizeof(*p->n));
    p->seq = calloc(max, sizeof(*p->seq));
    p->log_no = calloc(max, sizeof(*p->log_no));
    return p->n == NULL || p->seq == NULL || p->log_no == NULL ? AL_E_NOMEM : 0;
}

static void free_part(struct part *p)
{
    free(p->n);
    free(p->seq);
    free(p->log_no);
}

/* --- hiding --------------------------------------------------------------------------------- */

static int gather_log(struct al_views *v, struct part *p)
{
    sqlite3_stmt *st = v->sql[AL_SQL_ENTRY_RANGE];
    al_viewdb_bind_int(st, 1, v->job.log_no);
    al_viewdb_bind_int(st, 2, (int64_t)v->job.first);
    al_viewdb_bind_int(st, 3, (int64_t)(v->job.last < AL_SEQ_MAX ? v->job.last : AL_SEQ_MAX));
    al_viewdb_bind_int(st, 4, p->max);
    int got;
    while ((got = al_viewdb_step(st)) > 0) {
        p->n[p->count] = sqlite3_column_int64(st, 0);
        p->seq[p->count++] = al_viewdb_uint(st, 1);
    }
    (void)sqlite3_reset(st);
    return got;
}

/* The entry shows again, unless it was shown all the time. */
static int show(struct al_views *v, int64_t n)
{
    struct al_entry_head e;
    int got = al_shelf_head(v, &e, n);
    return got > 0 && e.state == AL_ENTRY_HIDDEN ? al_take_again(v, n) : got < 0 ? got : 0;
}

static int hide_part(struct al_views *v, struct part *p, bool *ret_done)
{
    struct al_views_log *lg;
    int err = al_views_log(v, &lg, v->job.log_no);
    if (err == 0)
        lg->hidden = v->job.below; /* what is taken again must be judged by that */
    if (err == 0)
        err = gather_log(v, p);
    for (uint32_t i = 0; err == 0 && i < p->count; i++) {
        bool hidden = p->seq[i] >= v->job.below;
        err = hidden ? al_take_hide(v, p->n[i]) : show(v, p->n[i]);
    }
    if (err != 0)
        return err;
    *ret_done = p->count < p->max;
    if (!*ret_done)
        v->job.first = p->seq[p->count - 1] + 1;
    else
        err = al_viewdb_run_ints(v->sql[AL_SQL_LOG_HIDDEN],
            (int64_t[]){
                v->job.log_no, (int64_t)(v->job.below < INT64_MAX ? v->job.below : INT64_MAX)},
            2);
    return err;
}

/* --- reading -------------------------------------------------------------------------------- */

static int gather_unreadable(struct al_views *v, struct part *p)
{
    bool one = v->job.what == AL_JOB_UNLOCK;
    sqlite3_stmt *st = v->sql[AL_SQL_ENTRY_UNREADABLE];
    al_viewdb_bind_int(st, 1, v->job.log);
    al_viewdb_bind_int(st, 2, v->job.n);
    al_viewdb_bind_int(st, 3, one ? v->job.log_no : INT64_MAX);
    al_viewdb_bind_int(st, 4, (int64_t)v->job.pos);
    al_viewdb_bind_int(st, 5, p->max);
    int got;
    while ((got = al_viewdb_step(st)) > 0) {
        p->n[p->count] = sqlite3_column_int64(st, 0);
        p->log_no[p->count] = (uint32_t)sqlite3_column_int64(st, 1);
        p->seq[p->count++] = al_viewdb_uint(st, 2);
    }
    (void)sqlite3_reset(st);
    return got;
}

struct attempt {
    struct al_views *v;
    int64_t n;
};

static int on_attempt(void *arg, const struct al_store_row *row)
{
    struct attempt *a = arg;
    return (int64_t)row->pos == a->n ? al_take_reads(a->v, row) : 0;
}

static int try_one(struct al_views *v, int64_t n, uint32_t log_no, uint64_t seq)
{
    struct attempt a = {v, n};
    int reads = al_store_entries(v->store, log_no, seq, seq, on_attempt, &a);
    if (reads <= 0)
        return reads;
    int err = al_take_again(v, n);
    bool recent = v->job.pos - (uint64_t)n <= AL_VIEWS_LATE_MAX;
    if (err == 0 && recent) /* the key came just after what it opens: whoever follows sees it */
        err = al_viewdb_run_ints(v->sql[AL_SQL_LATE_ADD], (int64_t[]){n, (int64_t)v->job.pos}, 2);
    return err;
}

static int read_part(struct al_views *v, struct part *p, bool *ret_done)
{
    int err = al_views_circles_refresh(v);
    if (err == 0)
        err = gather_unreadable(v, p);
    for (uint32_t i = 0; err == 0 && i < p->count; i++)
        err = try_one(v, p->n[i], p->log_no[i], p->seq[i]);
    if (err != 0)
        return err;
    *ret_done = p->count < p->max;
    if (!*ret_done) {
        v->job.log = p->log_no[p->count - 1];
        v->job.n = p->n[p->count - 1];
    }
    return 0;
}

int al_job_go_on(struct al_views *v, bool *ret_done, uint32_t limit)
{
    struct part p;
    int err = make_part(&p, limit);
    if (err == 0)
        err = v->job.what == AL_JOB_HIDE ? hide_part(v, &p, ret_done) : read_part(v, &p, ret_done);
    free_part(&p);
    return err;
}
