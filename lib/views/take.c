#include "fields.h"
#include "heapbuf.h"
#include "lines.h"
#include "prev.h"
#include "sealed.h"
#include "views_int.h"
#include "write.h"

/* What could be read of an entry. */
struct content {
    enum al_entry_state state;
    int audience; /* -1 when not even that is known */
    struct al_payload p;
};

/* The id before |seq|, which is nearly always of the entry taken in just before. */
static int find_prev(struct al_views *v, struct al_hash *out, const struct al_views_log *lg,
    uint32_t log_no, uint64_t seq)
{
    if (lg->last_seq == seq - 1 && seq > 1) {
        *out = lg->last_id;
        return 0;
    }
    struct al_store_log log;
    int err = al_store_log_get(v->store, &log, log_no);
    return err != 0 ? err : al_prev_find(v->store, out, &log, seq);
}

/* Open a sealed payload of our own; |ret| is its map. */
static int open_own(struct al_views *v, struct al_slice *ret, const struct al_views_log *lg,
    const struct al_store_row *row)
{
    struct al_sealed sealed;
    int err = al_sealed_open(&sealed, row->payload);
    if (err != 0)
        return err;
    struct al_place place = {.device = lg->device, .log = lg->name, .seq = row->seq};
    err = find_prev(v, &place.prev, lg, row->log_no, row->seq);
    if (err != 0)
        return err;
    for (uint32_t g = v->keyring->generation; g >= 1; g--) {
        uint8_t key[32];
        err = al_keyring_me_key(key, v->keyring, g);
        if (err != 0)
            return err;
        if (!al_sealed_hint_matches(&sealed, key))
            continue;
        size_t n;
        err = al_sealed_decrypt(v->plain, &n, &sealed, key, &place);
        if (err == 0)
            *ret = al_slice_of(v->plain, n);
        return err;
    }
    return AL_E_SEALED;
}

/* Whatever is wrong with a payload is its own matter: it shows as what it is, and we go on. */
static void read_content(struct al_views *v, struct content *c, const struct al_views_log *lg,
    const struct al_store_row *row)
{
    *c = (struct content){.state = AL_ENTRY_MISSING, .audience = -1};
    if (row->payload.n == 0)
        return;
    struct al_slice open = row->payload;
    bool sealed = al_payload_is_sealed(row->payload);
    int err = 0;
    if (sealed) {
        c->audience = lg->mine ? AL_AUDIENCE_ME : AL_AUDIENCE_CIRCLE;
        err = lg->mine ? open_own(v, &open, lg, row) : AL_E_SEALED;
    }
    if (err == 0)
        err = al_payload_open(&c->p, open, sealed);
    c->state = err == 0 ? AL_ENTRY_OK : AL_ENTRY_UNREADABLE;
    if (err == 0 && !sealed)
        c->audience = (int)c->p.audience;
    if (err != 0)
        v->unreadable++;
}

static void write_ref(struct al_buf *b, const struct al_ref *ref)
{
    if (ref->seq != 0)
        al_write_ref(b, ref);
}

static void write_tags(struct al_buf *b, const struct al_payload *p)
{
    if (p->tag_count == 0)
        return;
    al_write_array(b, p->tag_count);
    for (uint32_t i = 0; i < p->tag_count; i++)
        al_write_str(b, p->tags[i]);
}

static void bind_optional(sqlite3_stmt *st, int i, bool there, int64_t value)
{
    if (there)
        al_viewdb_bind_int(st, i, value);
    else
        (void)sqlite3_bind_null(st, i);
}

/* Write the row of an entry. |tags| is its encoded tags. */
static int add_row(struct al_views *v, const struct al_entry_head *e, const struct content *c,
    const struct al_store_row *row, struct al_slice tags)
{
    const struct al_payload *p = &c->p;
    bool ok = e->state == AL_ENTRY_OK;
    bool known = ok || e->state == AL_ENTRY_RETRACTED;
    uint8_t room[2][128];
    struct al_buf re = al_buf_fixed(room[0], sizeof(room[0]));
    struct al_buf rt = al_buf_fixed(room[1], sizeof(room[1]));
    struct al_buf fields = al_heapbuf();
    if (known) {
        bool amends = p->kind == AL_KIND_EDIT || p->kind == AL_KIND_RETRACT;
        write_ref(&re, amends ? &p->of : &p->re);
        write_ref(&rt, &p->rt);
    }
    if (ok)
        al_fields_write(&fields, p);
    sqlite3_stmt *st = v->sql[AL_SQL_ENTRY_ADD];
    al_viewdb_bind_int(st, 1, e->n);
    bind_optional(st, 2, e->k != 0, e->k);
    al_viewdb_bind_blob(st, 3, al_slice_of(e->id.b, sizeof(e->id.b)));
    al_viewdb_bind_int(st, 4, row->log_no);
    al_viewdb_bind_int(st, 5, (int64_t)row->seq);
    al_viewdb_bind_int(st, 6, e->author);
    if (known && p->kind == AL_KIND_UNKNOWN)
        al_viewdb_bind_text(st, 7, p->kind_name);
    else
        bind_optional(st, 7, known, p->kind);
    bind_optional(st, 8, e->audience >= 0, e->audience);
    al_viewdb_bind_int(st, 9, e->time);
    bind_optional(st, 10, p->at_ms != 0, (int64_t)p->at_ms);
    al_viewdb_bind_int(st, 11, (int64_t)row->time_ms);
    al_viewdb_bind_int(st, 12, (int64_t)row->arrived_ms);
    al_viewdb_bind_int(st, 13, e->state);
    al_viewdb_bind_blob(st, 14, al_buf_slice(&re));
    al_viewdb_bind_blob(st, 15, al_buf_slice(&rt));
    al_viewdb_bind_blob(st, 16, ok ? tags : al_slice_of(NULL, 0));
    al_viewdb_bind_blob(st, 17, al_buf_slice(&fields));
    al_viewdb_bind_text(st, 18, ok ? p->text : al_slice_of(NULL, 0));
    int err = fields.full ? AL_E_NOMEM : al_viewdb_run(st);
    al_heapbuf_free(&fields);
    if (err == 0)
        err =
            al_viewdb_run_ints(v->sql[AL_SQL_NAME_ADD], (int64_t[]){al_line_id8(e->id.b), e->n}, 2);
    return err;
}

static int add_replies(struct al_views *v, int64_t n, const struct al_payload *p)
{
    int err = 0;
    if (p->re.seq != 0)
        err = al_viewdb_run_ints(
            v->sql[AL_SQL_REPLY_ADD], (int64_t[]){al_line_id8(p->re.id.b), n, 1}, 3);
    if (err == 0 && p->rt.seq != 0 && !al_hash_eq(&p->rt.id, &p->re.id))
        err = al_viewdb_run_ints(
            v->sql[AL_SQL_REPLY_ADD], (int64_t[]){al_line_id8(p->rt.id.b), n, 0}, 3);
    return err;
}

/* What follows from an entry that can be read, beyond its own row. */
static int spread(struct al_views *v, const struct al_entry_head *e, const struct al_payload *p,
    struct al_slice tags)
{
    if (p->kind == AL_KIND_EDIT || p->kind == AL_KIND_RETRACT)
        return al_amend_take(v, e, &p->of);
    if (p->kind == AL_KIND_STATE)
        return al_relate_state(v, e, p);
    int err = al_shelf_tags(v, e->author, e->k, e->k == 0 ? al_slice_of(NULL, 0) : tags, 1);
    if (err == 0)
        err = add_replies(v, e->n, p);
    if (err == 0 && p->kind == AL_KIND_PROFILE)
        err = al_relate_profile(v, e, p->name);
    if (err == 0 && v->amended)
        err = al_amend_apply(v, e->n);
    if (err == 0 && v->fresh_count++ < AL_VIEWS_FRESH_MAX)
        v->fresh[v->fresh_count - 1] = e->n;
    return err;
}

/* Where the entry stands in time: never later than it was here. */
static int64_t time_of(const struct content *c, const struct al_store_row *row)
{
    bool at = c->state == AL_ENTRY_OK && c->p.at_ms != 0;
    uint64_t t = at ? c->p.at_ms : row->time_ms;
    return (int64_t)(t < row->arrived_ms ? t : row->arrived_ms);
}

/* |count|: by how much the entries of its author grow. */
static int take(struct al_views *v, const struct al_store_row *row, int64_t count)
{
    struct al_views_log *lg;
    int err = al_views_log(v, &lg, row->log_no);
    if (err != 0)
        return err;
    int64_t n = (int64_t)row->pos;
    struct content c;
    read_content(v, &c, lg, row);
    lg->last_seq = row->seq;
    lg->last_id = row->id;
    struct al_entry_head e = {
        .n = n,
        .author = lg->author,
        .kind = (int)c.p.kind,
        .audience = c.audience,
        .state = (int)c.state,
        .id = row->id,
        .time = time_of(&c, row),
    };
    if (row->seq >= lg->hidden)
        e.state = AL_ENTRY_HIDDEN;
    if (v->amended && (e.state == AL_ENTRY_OK || e.state == AL_ENTRY_MISSING)) {
        int retracted = al_amend_retracted(v, e.author, &e.id);
        if (retracted < 0)
            return retracted;
        if (retracted > 0)
            e.state = AL_ENTRY_RETRACTED;
    }
    if (e.state == AL_ENTRY_OK && (AL_LINE_KINDS_ALL >> c.p.kind & 1) != 0)
        err = al_shelf_place(v, &e.k, &e);
    uint8_t room[AL_TAGS_MAX * (AL_TAG_MAX + 2) + 4];
    struct al_buf tags = al_buf_fixed(room, sizeof(room));
    write_tags(&tags, &c.p);
    if (err == 0)
        err = add_row(v, &e, &c, row, al_buf_slice(&tags));
    if (err == 0)
        err = al_tally_add(&v->tally, e.author, 0, count, 0);
    if (err == 0 && e.state == AL_ENTRY_OK)
        err = spread(v, &e, &c.p, al_buf_slice(&tags));
    else if (err == 0 && e.state == AL_ENTRY_RETRACTED)
        err = add_replies(v, n, &c.p); /* its place in a thread stays */
    return err;
}

int al_take_entry(struct al_views *v, const struct al_store_row *row)
{
    return take(v, row, 1);
}

int al_take_payload(struct al_views *v, const struct al_store_row *row, uint64_t late_pos)
{
    int64_t n = (int64_t)row->pos;
    int64_t state;
    int got = al_viewdb_int(v->sql[AL_SQL_ENTRY_STATE], &state, &n, 1);
    if (got <= 0 || (state != AL_ENTRY_MISSING && state != AL_ENTRY_UNREADABLE))
        return got < 0 ? got : 0;
    int err = al_viewdb_run_ints(v->sql[AL_SQL_ENTRY_DROP], &n, 1);
    if (err == 0 && late_pos != 0)
        err = al_viewdb_run_ints(v->sql[AL_SQL_LATE_ADD], (int64_t[]){(int64_t)late_pos, n}, 2);
    return err != 0 ? err : take(v, row, 0);
}

int al_take_drop(struct al_views *v, uint32_t log_no, uint64_t seq)
{
    struct al_store_row row;
    int err = al_store_get(v->store, &row, log_no, seq);
    if (err != 0)
        return err == AL_E_NOT_FOUND ? 0 : err;
    int64_t n = (int64_t)row.pos;
    int64_t state;
    int got = al_viewdb_int(v->sql[AL_SQL_ENTRY_STATE], &state, &n, 1);
    if (got <= 0 || state == AL_ENTRY_RETRACTED || row.payload.n != 0)
        return got < 0 ? got : 0;
    return al_shelf_wipe(v, n, state == AL_ENTRY_HIDDEN ? AL_ENTRY_HIDDEN : AL_ENTRY_MISSING);
}

static int on_hide(void *arg, const struct al_store_row *row)
{
    return al_shelf_leave(arg, (int64_t)row->pos, AL_ENTRY_HIDDEN);
}

int al_take_hide(struct al_views *v, uint32_t log_no, uint64_t seq)
{
    struct al_views_log *lg;
    int err = al_views_log(v, &lg, log_no);
    if (err != 0 || seq >= lg->hidden)
        return err;
    err = al_viewdb_run_ints(v->sql[AL_SQL_LOG_HIDDEN], (int64_t[]){log_no, (int64_t)seq}, 2);
    if (err != 0)
        return err;
    uint64_t last = lg->hidden == UINT64_MAX ? AL_SEQ_MAX : lg->hidden - 1;
    lg->hidden = seq;
    return al_store_entries(v->store, log_no, seq, last, on_hide, v);
}

static int on_unlock(void *arg, const struct al_store_row *row)
{
    struct al_views *v = arg;
    int64_t n = (int64_t)row->pos;
    int64_t state;
    int got = al_viewdb_int(v->sql[AL_SQL_ENTRY_STATE], &state, &n, 1);
    if (got <= 0 || state != AL_ENTRY_UNREADABLE || row->payload.n == 0)
        return got < 0 ? got : 0;
    v->unreadable--;
    return al_take_payload(v, row, 0);
}

int al_take_unlock(struct al_views *v, uint32_t log_no)
{
    return al_store_entries(v->store, log_no, 1, AL_SEQ_MAX, on_unlock, v);
}
