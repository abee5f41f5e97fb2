#include <stdlib.h>

#include "lines.h"
#include "read.h"
#include "views_int.h"

/* Places that are tried when an instant and its bits of an id are taken. */
#define PLACE_TRIES 100000

int al_shelf_head(struct al_views *v, struct al_entry_head *ret, int64_t n)
{
    sqlite3_stmt *st = v->sql[AL_SQL_ENTRY_HEAD];
    al_viewdb_bind_int(st, 1, n);
    int got = al_viewdb_step(st);
    if (got > 0) {
        *ret = (struct al_entry_head){
            .n = n,
            .k = sqlite3_column_int64(st, 0),
            .author = sqlite3_column_int64(st, 1),
            /* an unknown kind is stored by its name, which reads as 0: AL_KIND_UNKNOWN */
            .kind = sqlite3_column_type(st, 2) == SQLITE_INTEGER ? sqlite3_column_int(st, 2) : 0,
            .audience = sqlite3_column_int(st, 3),
            .state = sqlite3_column_int(st, 4),
            .edit = sqlite3_column_int64(st, 5),
            .time = sqlite3_column_int64(st, 7),
            .circle = sqlite3_column_int64(st, 8),
            .log_no = (uint32_t)sqlite3_column_int64(st, 9),
            .seq = al_viewdb_uint(st, 10),
            .claimed = sqlite3_column_int64(st, 11),
        };
        al_viewdb_bytes(st, 6, ret->id.b, sizeof(ret->id.b));
    }
    (void)sqlite3_reset(st);
    return got;
}

int al_shown_load(struct al_views *v, struct al_shown *ret, int64_t n)
{
    sqlite3_stmt *st = v->sql[AL_SQL_SHOWN];
    *ret = (struct al_shown){.st = st};
    al_viewdb_bind_int(st, 1, n);
    int got = al_viewdb_step(st);
    if (got <= 0) {
        al_shown_done(ret);
        return got;
    }
    ret->k = sqlite3_column_int64(st, 0);
    ret->author = sqlite3_column_int64(st, 1);
    ret->kind = sqlite3_column_type(st, 2) == SQLITE_INTEGER ? sqlite3_column_int(st, 2) : 0;
    ret->audience = sqlite3_column_int(st, 3);
    ret->circle = sqlite3_column_int64(st, 4);
    ret->text = al_viewdb_slice(st, 5);
    ret->tags = al_viewdb_slice(st, 6);
    ret->fields = al_viewdb_slice(st, 7);
    return 1;
}

void al_shown_done(struct al_shown *s)
{
    (void)sqlite3_reset(s->st);
}

int al_shelf_place(struct al_views *v, int64_t *ret_k, const struct al_entry_head *e)
{
    sqlite3_stmt *st = v->sql[AL_SQL_LINE_ADD];
    int64_t k = al_line_key((uint64_t)e->time, &e->id);
    al_viewdb_bind_int(st, 2, e->n);
    al_viewdb_bind_int(st, 3, e->author);
    al_viewdb_bind_int(st, 4, e->kind);
    al_viewdb_bind_int(st, 5, e->audience);
    for (int tries = 0; tries < PLACE_TRIES; tries++, k++) {
        al_viewdb_bind_int(st, 1, k);
        int rc = sqlite3_step(st);
        (void)sqlite3_reset(st);
        if (rc == SQLITE_DONE) {
            *ret_k = k;
            return 0;
        }
        if ((rc & 0xff) != SQLITE_CONSTRAINT)
            return al_viewdb_err(rc);
    }
    *ret_k = 0; /* a crowd that somebody made on purpose: the entry can still be shown by its id */
    return 0;
}

/* The number of a tag, made when it is new. */
static int tag_number(struct al_views *v, int64_t *ret, struct al_slice name)
{
    sqlite3_stmt *st = v->sql[AL_SQL_TAG_FIND];
    al_viewdb_bind_text(st, 1, name);
    int got = al_viewdb_int(st, ret, NULL, 0);
    if (got != 0)
        return got < 0 ? got : 0;
    st = v->sql[AL_SQL_TAG_ADD];
    al_viewdb_bind_text(st, 1, name);
    int err = al_viewdb_run(st);
    if (err == 0)
        *ret = sqlite3_last_insert_rowid(v->db);
    return err;
}

int al_shelf_tags(
    struct al_views *v, int64_t author, int64_t k, struct al_slice tags, int64_t delta)
{
    if (tags.n == 0)
        return 0;
    struct al_read r = al_read_init(tags);
    uint32_t count = al_read_array(&r, 0, AL_TAGS_MAX);
    int err = 0;
    for (uint32_t i = 0; err == 0 && i < count; i++) {
        int64_t tag;
        err = tag_number(v, &tag, al_read_str(&r, AL_TAG_MAX));
        enum al_views_sql which = delta > 0 ? AL_SQL_TAGGED_ADD : AL_SQL_TAGGED_DROP;
        if (err == 0)
            err = al_viewdb_run_ints(v->sql[which], (int64_t[]){tag, k}, 2);
        if (err == 0)
            err = al_tally_add(&v->tally, author, tag, delta, delta > 0 ? k >> AL_LINE_ID_BITS : 0);
    }
    return err;
}

/* Take what shows of |n| from the line and the tags. */
static int take_down(struct al_views *v, int64_t n)
{
    struct al_shown s;
    int got = al_shown_load(v, &s, n);
    if (got <= 0)
        return got;
    int err = al_shelf_tags(v, s.author, s.k, s.tags, -1);
    if (err == 0)
        err = al_viewdb_run_ints(v->sql[AL_SQL_LINE_DROP], &s.k, 1);
    al_shown_done(&s);
    return err;
}

int al_shelf_leave(struct al_views *v, const struct al_entry_head *e, enum al_entry_state state)
{
    int err = al_words_remove(v, e->n, true);
    if (err == 0 && e->k != 0)
        err = take_down(v, e->n);
    if (err == 0)
        err = al_viewdb_run_ints(v->sql[AL_SQL_ENTRY_LEAVE], (int64_t[]){e->n, state}, 2);
    if (err == 0 && e->kind == AL_KIND_PROFILE)
        err = al_relate_profile_lost(v, e->author);
    return err;
}

int al_shelf_wipe(struct al_views *v, int64_t n)
{
    return al_viewdb_run_ints(v->sql[AL_SQL_ENTRY_WIPE], &n, 1);
}

int al_shelf_show(struct al_views *v, int64_t n, int64_t edit, bool gone)
{
    struct al_shown s;
    int got = al_shown_load(v, &s, n);
    if (got < 0)
        return got;
    int err = 0;
    bool indexed = false;
    if (got > 0) {
        int64_t r;
        indexed = al_viewdb_int(v->sql[AL_SQL_DOC_FIND], &r, &n, 1) > 0;
        err = al_shelf_tags(v, s.author, s.k, s.tags, -1);
        al_shown_done(&s);
        if (err == 0)
            err = al_words_remove(v, n, gone);
    }
    if (err == 0) {
        al_viewdb_bind_int(v->sql[AL_SQL_ENTRY_EDIT], 1, n);
        (void)sqlite3_bind_null(v->sql[AL_SQL_ENTRY_EDIT], 2);
        if (edit != 0)
            al_viewdb_bind_int(v->sql[AL_SQL_ENTRY_EDIT], 2, edit);
        err = al_viewdb_run(v->sql[AL_SQL_ENTRY_EDIT]);
    }
    if (err != 0 || got == 0)
        return err;
    got = al_shown_load(v, &s, n);
    if (got > 0) {
        err = al_shelf_tags(v, s.author, s.k, s.tags, 1);
        al_shown_done(&s);
    }
    if (got < 0 || err != 0)
        return got < 0 ? got : err;
    return indexed ? al_words_add(v, n) : 0;
}

/* Count for one author, and gather what counts for all in |tags|. */
static int count_one(struct al_views *v, const struct al_tally_item *t, struct al_tally *tags)
{
    if (t->tag == 0)
        return t->delta == 0 ? 0
                             : al_viewdb_run_ints(v->sql[AL_SQL_AUTHOR_COUNT],
                                   (int64_t[]){t->author, t->delta}, 2);
    int err = al_viewdb_run_ints(
        v->sql[AL_SQL_AUTHOR_TAG], (int64_t[]){t->author, t->tag, t->delta, t->last}, 4);
    if (err == 0 && t->delta <= 0)
        err = al_viewdb_run_ints(v->sql[AL_SQL_AUTHOR_TAG_DROP], (int64_t[]){t->author, t->tag}, 2);
    if (err != 0)
        return err;
    int64_t blocked = 0;
    int got = al_viewdb_int(v->sql[AL_SQL_AUTHOR_BLOCKED], &blocked, &t->author, 1);
    if (got < 0 || blocked != 0)
        return got < 0 ? got : 0;
    return al_tally_add(tags, 1, t->tag, t->delta, t->last);
}

int al_shelf_count(struct al_views *v)
{
    struct al_tally tags = {.count = 0};
    int err = 0;
    for (size_t i = 0; err == 0 && i < v->tally.cap; i++) {
        if (v->tally.items[i].author != 0)
            err = count_one(v, &v->tally.items[i], &tags);
    }
    for (size_t i = 0; err == 0 && i < tags.cap; i++) {
        const struct al_tally_item *t = &tags.items[i];
        if (t->author != 0)
            err = al_viewdb_run_ints(
                v->sql[AL_SQL_TAG_COUNT], (int64_t[]){t->tag, t->delta, t->last}, 3);
        if (err == 0 && t->author != 0 && t->delta <= 0) /* its name may be of a retracted text */
            err = al_viewdb_run_ints(v->sql[AL_SQL_TAG_DROP], &t->tag, 1);
    }
    al_tally_free(&tags);
    al_tally_clear(&v->tally);
    return err;
}
