#include "circles.h"

#include "record.h"
#include "views_int.h"

/* --- what they are called ------------------------------------------------------------------- */

/* The number of |circle| here, under its present name. */
static int number_of(struct al_views *v, int64_t *ret, const struct al_circle *circle)
{
    int64_t owner;
    int err = al_views_author(v, &owner, &circle->owner);
    if (err != 0)
        return err;
    struct al_slice name = al_slice_str(circle->name);
    sqlite3_stmt *st = v->sql[AL_SQL_CIRCLE_FIND];
    al_viewdb_bind_int(st, 1, owner);
    al_viewdb_bind_blob(st, 2, al_slice_of(circle->cid.b, sizeof(circle->cid.b)));
    int got = al_viewdb_step(st);
    bool named = got > 0 && al_slice_eq(al_viewdb_slice(st, 1), name);
    if (got > 0)
        *ret = sqlite3_column_int64(st, 0);
    (void)sqlite3_reset(st);
    if (got < 0 || named)
        return got < 0 ? got : 0;
    st = v->sql[got > 0 ? AL_SQL_CIRCLE_NAME : AL_SQL_CIRCLE_ADD];
    al_viewdb_bind_int(st, 1, got > 0 ? *ret : owner);
    al_viewdb_bind_text(st, 2, name);
    if (got == 0) {
        al_viewdb_bind_blob(st, 2, al_slice_of(circle->cid.b, sizeof(circle->cid.b)));
        al_viewdb_bind_text(st, 3, name);
    }
    err = al_viewdb_run(st);
    if (err == 0 && got == 0)
        *ret = sqlite3_last_insert_rowid(v->db);
    return err;
}

static int name_all(struct al_views *v)
{
    int64_t no;
    int err = 0;
    for (size_t i = 0; err == 0 && i < al_circles_count(v->circles); i++)
        err = number_of(v, &no, al_circles_at(v->circles, i));
    return err;
}

/* --- following ------------------------------------------------------------------------------ */

static int learn(struct al_views *v, bool *ret_new)
{
    struct al_record *record;
    int err = al_store_record(&record, NULL, v->store, &v->keyring.identity);
    if (err != 0)
        return err;
    al_keyring_learn(&v->keyring, ret_new, record);
    al_record_free(record);
    return 0;
}

int al_views_circles_load(struct al_views *v)
{
    bool is_new;
    int err = al_store_position(v->store, &v->circles_pos);
    if (err == 0)
        err = learn(v, &is_new);
    if (err == 0)
        err = al_circles_new(&v->circles, v->store, &v->keyring);
    v->circles_stale = true; /* their names have to be written */
    return err;
}

void al_views_circles_touch(struct al_views *v, uint64_t pos)
{
    /* The store is ahead of the views: mostly they know already. */
    v->circles_stale = v->circles_stale || pos > v->circles_pos;
}

int al_views_circles_refresh(struct al_views *v)
{
    if (!v->circles_stale)
        return 0;
    int err = al_store_position(v->store, &v->circles_pos);
    if (err == 0)
        err = al_circles_relearn(v->circles);
    if (err == 0)
        err = name_all(v);
    v->circles_stale = err != 0;
    return err;
}

int al_views_learn(struct al_views *v)
{
    bool is_new = false;
    int err = learn(v, &is_new);
    v->circles_stale = v->circles_stale || is_new;
    return err;
}

/* --- reading -------------------------------------------------------------------------------- */

int al_views_unseal(struct al_views *v, struct al_slice *ret, int64_t *ret_circle,
    const struct al_sealed *sealed, const struct al_place *place, const struct al_identity *author)
{
    struct al_unsealed u;
    int err = al_circles_decrypt(v->circles, v->plain, &u, sealed, place, author);
    if (err == AL_E_SEALED && v->circles_stale) {
        err = al_views_circles_refresh(v);
        if (err == 0)
            err = al_circles_decrypt(v->circles, v->plain, &u, sealed, place, author);
    }
    if (err != 0)
        return err;
    *ret = al_slice_of(v->plain, u.n);
    *ret_circle = 0;
    return u.circle == NULL ? 0 : number_of(v, ret_circle, u.circle);
}
