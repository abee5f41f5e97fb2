#include "lines.h"
#include "read.h"
#include "views_int.h"

#define MISFITS_MAX 64 /* edits for another audience that are passed over */

/*
 * Which entry an amendment is for, by the first bytes of its id and by its author: only the
 * author's own amendments count, so somebody who makes two ids alike in 64 bits fools nobody else.
 */
static int64_t target_of(const struct al_hash *id)
{
    return al_line_id8(id->b);
}

/* The entry with that id. Returns 1, 0 when it is not here, or an error. */
static int find(struct al_views *v, struct al_entry_head *ret, const struct al_hash *id)
{
    sqlite3_stmt *st = v->sql[AL_SQL_ENTRY_FIND];
    int64_t n;
    int err = al_shelf_names(v);
    if (err != 0)
        return err;
    al_viewdb_bind_blob(st, 2, al_slice_of(id->b, sizeof(id->b)));
    int got = al_viewdb_int(st, &n, (int64_t[]){target_of(id)}, 1);
    return got > 0 ? al_shelf_head(v, ret, n) : got;
}

/* The newest edit but |skip| by |author|. Returns 1, 0, or an error. */
static int newest_edit(
    struct al_views *v, int64_t *ret_n, const struct al_hash *id, int64_t author, int64_t skip)
{
    return al_viewdb_int(v->sql[AL_SQL_AMEND_NEWEST], ret_n,
        (int64_t[]){target_of(id), author, AL_KIND_EDIT, skip}, 4);
}

int al_amend_retracted(struct al_views *v, int64_t author, const struct al_hash *id)
{
    int64_t n;
    return al_viewdb_int(
        v->sql[AL_SQL_AMEND_NEWEST], &n, (int64_t[]){target_of(id), author, AL_KIND_RETRACT, 0}, 4);
}

static bool counts_for(const struct al_entry_head *edit, const struct al_entry_head *e)
{
    return edit->state == AL_ENTRY_OK && edit->audience == e->audience;
}

static int apply(struct al_views *v, int64_t n, bool gone)
{
    struct al_entry_head e;
    int got = al_shelf_head(v, &e, n);
    if (got <= 0 || e.state != AL_ENTRY_OK)
        return got < 0 ? got : 0;
    int64_t best = 0;
    for (int64_t skip = 0; best == 0 && skip < MISFITS_MAX; skip++) {
        int64_t candidate;
        struct al_entry_head edit;
        got = newest_edit(v, &candidate, &e.id, e.author, skip);
        if (got > 0)
            got = al_shelf_head(v, &edit, candidate);
        if (got < 0)
            return got;
        if (got == 0)
            break;
        if (counts_for(&edit, &e))
            best = candidate;
    }
    return best == e.edit ? 0 : al_shelf_show(v, n, best, gone);
}

int al_amend_apply(struct al_views *v, int64_t n)
{
    return apply(v, n, false);
}

/* What the edit or retraction |n| is for. Returns 1, 0, or an error. */
static int target_ref(struct al_views *v, struct al_ref *ret, int64_t n)
{
    sqlite3_stmt *st = v->sql[AL_SQL_ENTRY_OF];
    al_viewdb_bind_int(st, 1, n);
    int got = al_viewdb_step(st);
    if (got > 0) {
        struct al_read r = al_read_init(al_viewdb_slice(st, 0));
        al_read_ref(&r, ret);
        got = al_read_end(&r) == 0;
    }
    (void)sqlite3_reset(st);
    return got;
}

int al_amend_withdraw(struct al_views *v, int64_t n)
{
    struct al_entry_head edit;
    struct al_ref target;
    int got = al_shelf_head(v, &edit, n);
    if (got > 0)
        got = target_ref(v, &target, n);
    if (got <= 0)
        return got;
    int64_t k = al_line_key((uint64_t)edit.time, &edit.id);
    int err = al_viewdb_run_ints(v->sql[AL_SQL_AMEND_DROP],
        (int64_t[]){target_of(&target.id), edit.author, AL_KIND_EDIT, k, n}, 5);
    if (err != 0)
        return err;
    struct al_entry_head e;
    got = find(v, &e, &target.id);
    if (got <= 0 || e.edit != n)
        return got < 0 ? got : 0;
    return apply(v, e.n, true);
}

/* |id| and everything that |author| put in its place is gone. */
static int retract(struct al_views *v, int64_t author, const struct al_hash *id)
{
    struct al_entry_head e;
    int got = find(v, &e, id);
    int err = got < 0 ? got : 0;
    if (got > 0 && e.author == author && e.state != AL_ENTRY_HIDDEN)
        err = al_shelf_wipe(v, e.n, AL_ENTRY_RETRACTED);
    int64_t n = 0;
    int64_t last = 0;
    while (err == 0 && (got = newest_edit(v, &n, id, author, 0)) > 0 && n != last) {
        err = al_shelf_wipe(v, n, AL_ENTRY_RETRACTED); /* which withdraws it */
        last = n;
    }
    return got < 0 ? got : err;
}

int al_amend_take(struct al_views *v, const struct al_entry_head *e, const struct al_ref *target)
{
    int retracted = al_amend_retracted(v, e->author, &target->id);
    if (retracted < 0)
        return retracted;
    if (e->kind == AL_KIND_RETRACT && retracted > 0)
        return 0;
    int64_t k = al_line_key((uint64_t)e->time, &e->id);
    v->amended = true;
    int err = al_viewdb_run_ints(v->sql[AL_SQL_AMEND_ADD],
        (int64_t[]){target_of(&target->id), e->author, e->kind, k, e->n}, 5);
    if (err != 0)
        return err;
    if (e->kind == AL_KIND_RETRACT)
        return retract(v, e->author, &target->id);
    if (retracted > 0)
        return al_shelf_wipe(v, e->n, AL_ENTRY_RETRACTED);
    struct al_entry_head old;
    int got = find(v, &old, &target->id);
    return got > 0 ? al_amend_apply(v, old.n) : got;
}
