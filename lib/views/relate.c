#include "fields.h"
#include "id.h"
#include "lines.h"
#include "read.h"
#include "views_int.h"

static const struct {
    const char *prefix;
    enum al_views_sql sql;
    enum al_type type;
} relations[] = {
    {"follow/", AL_SQL_AUTHOR_FOLLOW, AL_TYPE_BOOL},
    {"admit/", AL_SQL_AUTHOR_ADMIT, AL_TYPE_BOOL},
    {"block/", AL_SQL_AUTHOR_BLOCK, AL_TYPE_BOOL},
    {"mute/", AL_SQL_AUTHOR_MUTE, AL_TYPE_BOOL},
    {"petname/", AL_SQL_AUTHOR_PETNAME, AL_TYPE_STR},
};

#define RELATION_COUNT (sizeof(relations) / sizeof(relations[0]))

/* The tags of a blocked author do not count for the list of all tags. */
static int block(struct al_views *v, int64_t author, bool on)
{
    int64_t was = 0;
    int err = al_shelf_count(v); /* what this step counted so far belongs to the old state */
    if (err == 0)
        err = al_viewdb_int(v->sql[AL_SQL_AUTHOR_BLOCKED], &was, &author, 1);
    if (err < 0 || (was != 0) == on)
        return err < 0 ? err : 0;
    return al_viewdb_run_ints(v->sql[AL_SQL_TAG_AUTHOR], (int64_t[]){author, on ? -1 : 1}, 2);
}

static int relate(
    struct al_views *v, size_t which, const struct al_identity *identity, struct al_slice value)
{
    struct al_read r = al_read_init(value);
    if (al_read_peek(&r) != relations[which].type)
        return 0; /* not of the form that we write: it says nothing */
    int64_t author;
    int err = al_views_author(v, &author, identity);
    if (err != 0)
        return err;
    sqlite3_stmt *st = v->sql[relations[which].sql];
    if (relations[which].type == AL_TYPE_BOOL) {
        bool on = al_read_bool(&r);
        if (relations[which].sql == AL_SQL_AUTHOR_BLOCK)
            err = block(v, author, on);
        al_viewdb_bind_int(st, 2, on ? 1 : 0);
    } else {
        al_viewdb_bind_text(st, 2, al_read_str(&r, AL_NAME_MAX));
    }
    al_viewdb_bind_int(st, 1, author);
    if (err == 0)
        err = al_viewdb_run(st);
    return err != 0 ? err : al_viewdb_run_ints(v->sql[AL_SQL_AUTHOR_SHOWN], &author, 1);
}

/* How far everything was read: the position of the choice that said so last. */
static int note_read(struct al_views *v, const struct al_hash *id)
{
    int64_t n;
    al_viewdb_bind_blob(v->sql[AL_SQL_ENTRY_FIND], 2, al_slice_of(id->b, sizeof(id->b)));
    int got = al_viewdb_int(v->sql[AL_SQL_ENTRY_FIND], &n, (int64_t[]){al_line_id8(id->b)}, 1);
    if (got <= 0)
        return got;
    al_viewdb_bind_text(v->sql[AL_SQL_META_PUT], 1, al_slice_str("read"));
    al_viewdb_bind_int(v->sql[AL_SQL_META_PUT], 2, n);
    return al_viewdb_run(v->sql[AL_SQL_META_PUT]);
}

/* One choice: |value| is [time_ms, id, what was chosen]. */
static int on_choice(void *arg, struct al_slice key, struct al_slice value)
{
    struct al_views *v = arg;
    struct al_hash id;
    struct al_read r = al_read_message(value);
    (void)al_read_array(&r, 3, 3);
    (void)al_read_uint(&r, AL_TIME_MAX);
    al_read_bytes(&r, id.b, sizeof(id.b));
    struct al_slice chosen = al_read_raw(&r);
    if (al_read_end(&r) != 0)
        return 0;
    if (al_slice_is(key, "read-up-to"))
        return note_read(v, &id);
    for (size_t i = 0; i < RELATION_COUNT; i++) {
        size_t n = strlen(relations[i].prefix);
        if (key.n != n + AL_ID_CHARS || memcmp(key.p, relations[i].prefix, n) != 0)
            continue;
        struct al_identity identity;
        if (al_id_parse_full(identity.b, al_slice_of(key.p + n, AL_ID_CHARS)) != 0)
            return 0;
        return relate(v, i, &identity, chosen);
    }
    return 0;
}

int al_relate_load(struct al_views *v)
{
    return al_store_kv_scan(v->store, AL_SPACE_STATE, al_slice_of(NULL, 0), on_choice, v);
}

static int set_profile(struct al_views *v, int64_t author, struct al_slice name, int64_t n)
{
    sqlite3_stmt *st = v->sql[AL_SQL_AUTHOR_NAME];
    al_viewdb_bind_int(st, 1, author);
    al_viewdb_bind_text(st, 2, name);
    (void)sqlite3_bind_null(st, 3);
    if (n != 0)
        al_viewdb_bind_int(st, 3, n);
    return al_viewdb_run(st);
}

int al_relate_profile(struct al_views *v, const struct al_entry_head *e, struct al_slice name)
{
    int64_t k;
    int got = al_viewdb_int(v->sql[AL_SQL_AUTHOR_PROFILE], &k, &e->author, 1);
    if (got < 0 || (got > 0 && k > e->k))
        return got < 0 ? got : 0;
    return set_profile(v, e->author, name, e->n);
}

int al_relate_profile_lost(struct al_views *v, int64_t author)
{
    int64_t n = 0;
    int got =
        al_viewdb_int(v->sql[AL_SQL_LINE_PROFILE], &n, (int64_t[]){author, AL_KIND_PROFILE}, 2);
    struct al_shown s;
    if (got > 0)
        got = al_shown_load(v, &s, n);
    if (got <= 0)
        return got < 0 ? got : set_profile(v, author, al_slice_of(NULL, 0), 0);
    int err = set_profile(v, author, al_fields_text(s.fields, "name"), n);
    al_shown_done(&s);
    return err;
}
