#include "fields.h"
#include "heapbuf.h"
#include "lines.h"
#include "prev.h"
#include "read.h"
#include "sealed.h"
#include "views_int.h"
#include "write.h"

/* What could be read of an entry. */
struct content {
    enum al_entry_state state;
    int audience; /* -1 when not even that is known */
    int64_t circle;
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

/* Open a sealed payload; |ret| is its map. */
static int open_sealed(struct al_views *v, struct content *c, struct al_slice *ret,
    const struct al_views_log *lg, const struct al_store_row *row)
{
    struct al_sealed sealed;
    int err = al_sealed_open(&sealed, row->payload);
    if (err != 0)
        return err;
    struct al_place place = {.device = lg->device, .log = lg->name, .seq = row->seq};
    err = find_prev(v, &place.prev, lg, row->log_no, row->seq);
    if (err == 0)
        err = al_views_unseal(v, ret, &c->circle, &sealed, &place, &lg->identity);
    if (err == 0)
        c->audience = c->circle != 0 ? AL_AUDIENCE_CIRCLE : AL_AUDIENCE_ME;
    return err;
}

/*
 * Whatever is wrong with a payload is its own matter: it shows as what it is, and we go on. Only
 * the store's errors are ours.
 */
static int read_content(struct al_views *v, struct content *c, const struct al_views_log *lg,
    const struct al_store_row *row)
{
    *c = (struct content){.state = AL_ENTRY_MISSING, .audience = -1};
    if (row->payload.n == 0)
        return 0;
    struct al_slice open = row->payload;
    bool sealed = al_payload_is_sealed(row->payload);
    int err = sealed ? open_sealed(v, c, &open, lg, row) : 0;
    if (al_store_is_error(err) || err == AL_E_NOMEM)
        return err;
    if (err == 0)
        err = al_payload_open(&c->p, open, sealed);
    /* A choice is its owner's alone, and one leaves a circle in it. */
    enum al_kind misplaced = c->circle != 0 ? AL_KIND_STATE : AL_KIND_LEAVE;
    if (err == 0 && c->p.kind == misplaced)
        err = AL_E_AUDIENCE;
    c->state = err == 0 ? AL_ENTRY_OK : AL_ENTRY_UNREADABLE;
    if (err == 0 && !sealed)
        c->audience = (int)c->p.audience;
    return 0;
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
    bool known = c->state == AL_ENTRY_OK; /* its place in a thread stays, whatever its state */
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
    bind_optional(st, 19, e->circle != 0, e->circle);
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
        return al_amend_take(v, e);
    if (p->kind == AL_KIND_CIRCLE)
        al_views_circles_touch(v, (uint64_t)e->n);
    int err = al_shelf_tags(v, e->author, e->k, e->k == 0 ? al_slice_of(NULL, 0) : tags, 1);
    if (err == 0)
        err = add_replies(v, e->n, p);
    if (err == 0 && p->kind == AL_KIND_PROFILE)
        err = al_relate_profile(v, e, p->name);
    if (err == 0 && v->amended)
        err = al_amend_apply(v, e->n);
    if (err == 0 && v->fresh_count++ < AL_VIEWS_FRESH_MAX)
        v->fresh[v->fresh_count - 1] = e->n;
    if (e->n < v->fresh_first)
        v->fresh_first = e->n;
    return err;
}

/* Where the entry stands in time: never later than it was here. */
static int64_t time_of(const struct content *c, const struct al_store_row *row)
{
    bool at = c->state == AL_ENTRY_OK && c->p.at_ms != 0;
    uint64_t t = at ? c->p.at_ms : row->time_ms;
    return (int64_t)(t < row->arrived_ms ? t : row->arrived_ms);
}

/* What the rest of the log and of its author make of an entry whose content is |c|. */
static int judge(struct al_views *v, struct al_entry_head *e, const struct content *c,
    const struct al_views_log *lg)
{
    e->state = (int)c->state;
    if (e->seq >= lg->hidden) {
        e->state = AL_ENTRY_HIDDEN;
        return 0;
    }
    if (!v->amended || (c->state == AL_ENTRY_OK && c->p.kind == AL_KIND_RETRACT))
        return 0;
    int retracted = al_amend_retracted(v, e->author, &e->id);
    if (retracted > 0)
        e->state = AL_ENTRY_RETRACTED;
    return retracted < 0 ? retracted : 0;
}

/* Take in the entry |row|, of which there is no row yet. */
static int take(struct al_views *v, const struct al_store_row *row)
{
    struct al_views_log *lg;
    struct content c;
    int err = al_views_log(v, &lg, row->log_no);
    if (err == 0)
        err = read_content(v, &c, lg, row);
    if (err != 0)
        return err;
    lg->last_seq = row->seq;
    lg->last_id = row->id;
    struct al_entry_head e = {
        .n = (int64_t)row->pos,
        .author = lg->author,
        .kind = (int)c.p.kind,
        .audience = c.audience,
        .circle = c.circle,
        .id = row->id,
        .time = time_of(&c, row),
        .claimed = (int64_t)row->time_ms,
        .log_no = row->log_no,
        .seq = row->seq,
    };
    err = judge(v, &e, &c, lg);
    if (err == 0 && e.state == AL_ENTRY_OK && (AL_LINE_KINDS_ALL >> c.p.kind & 1) != 0)
        err = al_shelf_place(v, &e.k, &e);
    uint8_t room[AL_TAGS_MAX * (AL_TAG_MAX + 2) + 4];
    struct al_buf tags = al_buf_fixed(room, sizeof(room));
    write_tags(&tags, &c.p);
    if (err == 0)
        err = add_row(v, &e, &c, row, al_buf_slice(&tags));
    if (err == 0 && e.state != AL_ENTRY_HIDDEN)
        err = al_tally_add(&v->tally, e.author, 0, 1, 0);
    if (err == 0 && e.state == AL_ENTRY_OK)
        err = spread(v, &e, &c.p, al_buf_slice(&tags));
    else if (err == 0 && e.state == AL_ENTRY_RETRACTED && e.kind != AL_KIND_EDIT)
        err = add_replies(v, e.n, &c.p); /* its place in a thread stays */
    return err;
}

int al_take_entry(struct al_views *v, const struct al_store_row *row)
{
    return take(v, row);
}

/* --- going ---------------------------------------------------------------------------------- */

static int drop_reply(struct al_views *v, int64_t n, struct al_slice encoded)
{
    struct al_ref ref;
    struct al_read r = al_read_init(encoded);
    al_read_ref(&r, &ref);
    if (al_read_end(&r) != 0)
        return 0;
    return al_viewdb_run_ints(v->sql[AL_SQL_REPLY_DROP], (int64_t[]){al_line_id8(ref.id.b), n}, 2);
}

static int drop_replies(struct al_views *v, int64_t n)
{
    sqlite3_stmt *st = v->sql[AL_SQL_ENTRY_REFS];
    al_viewdb_bind_int(st, 1, n);
    int got = al_viewdb_step(st);
    int err = got < 0 ? got : 0;
    for (int column = 0; err == 0 && got > 0 && column < 2; column++) {
        struct al_slice encoded = al_viewdb_slice(st, column);
        err = encoded.n == 0 ? 0 : drop_reply(v, n, encoded);
    }
    (void)sqlite3_reset(st);
    return err;
}

int al_take_hide(struct al_views *v, int64_t n)
{
    struct al_entry_head e;
    int got = al_shelf_head(v, &e, n);
    if (got <= 0 || e.state == AL_ENTRY_HIDDEN)
        return got < 0 ? got : 0;
    bool amends = e.kind == AL_KIND_EDIT || e.kind == AL_KIND_RETRACT;
    int err = al_tally_add(&v->tally, e.author, 0, -1, 0);
    if (err == 0)
        err = amends ? al_amend_drop(v, &e) : drop_replies(v, n);
    return err != 0 ? err : al_shelf_leave(v, &e, AL_ENTRY_HIDDEN);
}

/* --- coming again --------------------------------------------------------------------------- */

/* Take in |row| in the place of the row that is there. */
static int replace(struct al_views *v, const struct al_store_row *row)
{
    int64_t n = (int64_t)row->pos;
    int err = al_viewdb_run_ints(v->sql[AL_SQL_ENTRY_DROP], &n, 1);
    return err != 0 ? err : take(v, row);
}

struct again {
    struct al_views *v;
    int64_t n;
};

/* The store may be ahead of us: it may have taken the entry out, or have it at another position. */
static int on_again(void *arg, const struct al_store_row *row)
{
    struct again *again = arg;
    return (int64_t)row->pos == again->n ? replace(again->v, row) : 0;
}

int al_take_again(struct al_views *v, int64_t n)
{
    struct al_entry_head e;
    struct again again = {v, n};
    int got = al_shelf_head(v, &e, n);
    if (got <= 0)
        return got;
    int err = al_take_hide(v, n); /* where it stays when the store does not know it any more */
    return err != 0 ? err : al_store_entries(v->store, e.log_no, e.seq, e.seq, on_again, &again);
}

int al_take_payload(struct al_views *v, const struct al_store_row *row, uint64_t pos)
{
    int64_t n = (int64_t)row->pos;
    struct al_entry_head e;
    int got = al_shelf_head(v, &e, n);
    if (got <= 0 || (e.state != AL_ENTRY_MISSING && e.state != AL_ENTRY_UNREADABLE))
        return got < 0 ? got : 0;
    int err = al_take_hide(v, n);
    if (err == 0)
        err = al_viewdb_run_ints(v->sql[AL_SQL_LATE_ADD], (int64_t[]){n, (int64_t)pos}, 2);
    return err != 0 ? err : replace(v, row);
}

int al_take_drop(struct al_views *v, uint32_t log_no, uint64_t seq)
{
    struct al_store_row row;
    struct al_entry_head e;
    int err = al_store_get(v->store, &row, log_no, seq);
    if (err != 0 || row.payload.n != 0)
        return err == AL_E_NOT_FOUND ? 0 : err;
    int got = al_shelf_head(v, &e, (int64_t)row.pos);
    if (got <= 0 || e.state == AL_ENTRY_RETRACTED)
        return got < 0 ? got : 0;
    return e.state == AL_ENTRY_HIDDEN ? al_shelf_wipe(v, e.n) : al_take_again(v, e.n);
}

int al_take_reads(struct al_views *v, const struct al_store_row *row)
{
    struct al_views_log *lg;
    struct content c;
    int err = al_views_log(v, &lg, row->log_no);
    if (err == 0)
        err = read_content(v, &c, lg, row);
    return err != 0 ? err : c.state == AL_ENTRY_OK;
}

int al_take_remove(struct al_views *v, uint32_t log_no, uint64_t seq, uint64_t pos)
{
    uint64_t last = (seq - 1) / AL_BLOCK_ENTRIES * AL_BLOCK_ENTRIES + AL_BLOCK_ENTRIES;
    struct al_views_log *lg;
    int err = seq == 0 ? AL_E_CORRUPT : al_views_log(v, &lg, log_no);
    if (err != 0)
        return err;
    lg->last_seq = 0;
    v->removed = true;
    int got = 0;
    int64_t n;
    const int64_t where[] = {log_no, (int64_t)seq, (int64_t)last, (int64_t)pos};
    while (err == 0 && (got = al_viewdb_int(v->sql[AL_SQL_ENTRY_AT], &n, where, 4)) > 0) {
        struct al_entry_head e;
        got = al_shelf_head(v, &e, n);
        err = got <= 0 ? (got < 0 ? got : AL_E_CORRUPT) : al_take_hide(v, n);
        if (err == 0)
            err = al_viewdb_run_ints(v->sql[AL_SQL_ENTRY_DROP], &n, 1);
        if (err == 0)
            err = al_viewdb_run_ints(
                v->sql[AL_SQL_NAME_DROP], (int64_t[]){al_line_id8(e.id.b), n}, 2);
        if (err == 0)
            err = al_viewdb_run_ints(v->sql[AL_SQL_LATE_DROP], &n, 1);
    }
    return got < 0 ? got : err;
}
