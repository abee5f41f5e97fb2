#include "lines.h"
#include "read.h"
#include "views_int.h"

/*
 * Which entry an amendment is for is kept by the first bytes of its id and by its author: only the
 * author's own amendments count, so somebody who makes two ids alike in 64 bits fools nobody else.
 * An edit that does not count because its target is retracted is buried: should the retraction
 * turn out not to count, it is found again.
 */
static int64_t name_of(const struct al_hash *id)
{
    return al_line_id8(id->b);
}

/* Kinds that may have a content, which can be changed. */
static bool is_editable(int kind)
{
    const uint32_t others = 1U << AL_KIND_UNKNOWN | 1U << AL_KIND_ACCEPT;
    return ((AL_LINE_KINDS & ~others) >> kind & 1) != 0;
}

/* Who may read it, as one number: an edit for anybody else than its target is none. */
static int64_t fit_of(const struct al_entry_head *e)
{
    return e->circle * 4 + e->audience;
}

/* The entry with that id. Returns 1, 0 when it is not here, or an error. */
static int find(struct al_views *v, struct al_entry_head *ret, const struct al_hash *id)
{
    sqlite3_stmt *st = v->sql[AL_SQL_ENTRY_FIND];
    int64_t n;
    al_viewdb_bind_blob(st, 2, al_slice_of(id->b, sizeof(id->b)));
    int got = al_viewdb_int(st, &n, (int64_t[]){name_of(id)}, 1);
    return got > 0 ? al_shelf_head(v, ret, n) : got;
}

/* What the edit or retraction |n| is for. Returns 1, 0, or an error. */
static int target_of(struct al_views *v, struct al_hash *ret, int64_t n)
{
    sqlite3_stmt *st = v->sql[AL_SQL_ENTRY_REFS];
    struct al_ref ref = {.seq = 0};
    al_viewdb_bind_int(st, 1, n);
    int got = al_viewdb_step(st);
    if (got > 0) {
        struct al_read r = al_read_init(al_viewdb_slice(st, 0));
        al_read_ref(&r, &ref);
        got = al_read_end(&r) == 0;
    }
    (void)sqlite3_reset(st);
    if (got > 0)
        *ret = ref.id;
    return got;
}

/* Add or drop the amendment |e| of |target|; |what| is its kind, or AL_AMEND_BURIED. */
static int note(struct al_views *v, enum al_views_sql how, const struct al_entry_head *e,
    const struct al_hash *target, int what)
{
    int64_t fit = e->kind == AL_KIND_EDIT ? fit_of(e) : 0;
    return al_viewdb_run_ints(v->sql[how],
        (int64_t[]){name_of(target), e->author, what, fit, e->claimed, name_of(&e->id), e->n}, 7);
}

/* Some amendment of that sort. Returns 1, 0, or an error. */
static int any(struct al_views *v, int64_t *ret, int64_t author, const struct al_hash *id, int what)
{
    return al_viewdb_int(v->sql[AL_SQL_AMEND_ANY], ret, (int64_t[]){name_of(id), author, what}, 3);
}

int al_amend_retracted(struct al_views *v, int64_t author, const struct al_hash *id)
{
    int64_t n;
    return any(v, &n, author, id, AL_KIND_RETRACT);
}

/* --- edits ---------------------------------------------------------------------------------- */

static int apply(struct al_views *v, const struct al_entry_head *e, bool gone)
{
    if (e->state != AL_ENTRY_OK || !is_editable(e->kind))
        return 0;
    int64_t best = 0;
    int got = al_viewdb_int(v->sql[AL_SQL_AMEND_FITS], &best,
        (int64_t[]){name_of(&e->id), e->author, AL_KIND_EDIT, fit_of(e)}, 4);
    if (got < 0 || best == e->edit)
        return got < 0 ? got : 0;
    return al_shelf_show(v, e->n, best, gone);
}

int al_amend_apply(struct al_views *v, int64_t n)
{
    struct al_entry_head e;
    int got = al_shelf_head(v, &e, n);
    return got > 0 ? apply(v, &e, false) : got;
}

static int take_edit(
    struct al_views *v, const struct al_entry_head *e, const struct al_hash *target)
{
    int retracted = al_amend_retracted(v, e->author, target);
    if (retracted < 0)
        return retracted;
    int err = note(v, AL_SQL_AMEND_ADD, e, target, retracted ? AL_AMEND_BURIED : AL_KIND_EDIT);
    if (err == 0 && retracted > 0)
        err = al_shelf_leave(v, e, AL_ENTRY_RETRACTED);
    if (err != 0 || retracted > 0)
        return err != 0 ? err : al_shelf_wipe(v, e->n);
    struct al_entry_head old;
    int got = find(v, &old, target);
    return got > 0 && old.author == e->author ? apply(v, &old, false) : got < 0 ? got : 0;
}

static int drop_edit(
    struct al_views *v, const struct al_entry_head *e, const struct al_hash *target)
{
    int err = note(v, AL_SQL_AMEND_DROP, e, target, AL_KIND_EDIT);
    if (err == 0)
        err = note(v, AL_SQL_AMEND_DROP, e, target, AL_AMEND_BURIED);
    if (err != 0)
        return err;
    struct al_entry_head old;
    int got = find(v, &old, target);
    return got > 0 && old.edit == e->n ? apply(v, &old, true) : got < 0 ? got : 0;
}

/* --- retractions ---------------------------------------------------------------------------- */

static int wipe(struct al_views *v, const struct al_entry_head *e)
{
    int err = al_shelf_leave(v, e, AL_ENTRY_RETRACTED);
    return err != 0 ? err : al_shelf_wipe(v, e->n);
}

static int bury(struct al_views *v, const struct al_entry_head *e, const struct al_hash *target)
{
    int err = note(v, AL_SQL_AMEND_DROP, e, target, AL_KIND_EDIT);
    if (err == 0)
        err = note(v, AL_SQL_AMEND_ADD, e, target, AL_AMEND_BURIED);
    return err != 0 ? err : wipe(v, e);
}

/* |id| and everything that |author| put in its place is gone. What takes back, can't be taken. */
static int retract(struct al_views *v, int64_t author, const struct al_hash *id)
{
    struct al_entry_head e;
    int got = find(v, &e, id);
    int err = got < 0 ? got : 0;
    if (got > 0 && e.author == author && e.kind != AL_KIND_RETRACT && e.state != AL_ENTRY_HIDDEN &&
        e.state != AL_ENTRY_RETRACTED) {
        if (e.kind == AL_KIND_EDIT && e.state == AL_ENTRY_OK)
            err = al_amend_drop(v, &e);
        if (err == 0)
            err = wipe(v, &e);
    }
    int64_t n;
    while (err == 0 && (got = any(v, &n, author, id, AL_KIND_EDIT)) > 0) {
        got = al_shelf_head(v, &e, n);
        err = got > 0 ? bury(v, &e, id) : got < 0 ? got : AL_E_CORRUPT;
    }
    return got < 0 ? got : err;
}

/* The last retraction of |id| does not count any more. */
static int restore(struct al_views *v, int64_t author, const struct al_hash *id)
{
    struct al_entry_head e;
    int got = find(v, &e, id);
    int err = got < 0 ? got : 0;
    if (got > 0 && e.author == author && e.state == AL_ENTRY_RETRACTED)
        err = al_take_again(v, e.n);
    int64_t n; /* each one taken again is buried no more */
    while (err == 0 && (got = any(v, &n, author, id, AL_AMEND_BURIED)) > 0)
        err = al_take_again(v, n);
    return got < 0 ? got : err;
}

/* --- both ----------------------------------------------------------------------------------- */

int al_amend_take(struct al_views *v, const struct al_entry_head *e)
{
    struct al_hash target;
    int got = target_of(v, &target, e->n);
    if (got <= 0)
        return got;
    v->amended = true;
    if (e->kind == AL_KIND_EDIT)
        return take_edit(v, e, &target);
    int retracted = al_amend_retracted(v, e->author, &target);
    int err = retracted < 0 ? retracted : note(v, AL_SQL_AMEND_ADD, e, &target, AL_KIND_RETRACT);
    return err != 0 || retracted > 0 ? err : retract(v, e->author, &target);
}

int al_amend_drop(struct al_views *v, const struct al_entry_head *e)
{
    struct al_hash target;
    int got = target_of(v, &target, e->n);
    if (got <= 0)
        return got;
    if (e->kind == AL_KIND_EDIT)
        return drop_edit(v, e, &target);
    int err = note(v, AL_SQL_AMEND_DROP, e, &target, AL_KIND_RETRACT);
    int retracted = err != 0 ? err : al_amend_retracted(v, e->author, &target);
    return retracted != 0 ? (retracted < 0 ? retracted : 0) : restore(v, e->author, &target);
}
