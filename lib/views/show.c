#include "entry.h"
#include "lines.h"
#include "prev.h"
#include "reader_int.h"
#include "write.h"

#define VERSIONS_MAX 100 /* of one entry that `show` lists */

/* Where an entry stands in the store. */
static int place_of(struct al_call *c, int64_t n, struct al_store_log *ret_log, uint64_t *ret_seq)
{
    sqlite3_stmt *st = NULL;
    int64_t log = 0;
    int got = al_call_prepare(c, &st, "SELECT log, seq FROM entry WHERE n = ?1");
    if (got == 0) {
        al_viewdb_bind_int(st, 1, n);
        got = al_viewdb_step(st);
    }
    if (got > 0) {
        log = sqlite3_column_int64(st, 0);
        *ret_seq = al_viewdb_uint(st, 1);
    }
    (void)sqlite3_finalize(st);
    if (got <= 0)
        return got < 0 ? got : AL_E_NOT_FOUND;
    return al_store_log_get(c->r->log, ret_log, (uint32_t)log);
}

static void put_bin(struct al_buf *b, const char *key, const uint8_t *p, size_t n)
{
    al_write_cstr(b, key);
    al_write_bin(b, p, n);
}

static void put_uint(struct al_buf *b, const char *key, uint64_t v)
{
    al_write_cstr(b, key);
    al_write_uint(b, v);
}

/* The signed half of an entry, as the store has it. */
struct signed_half {
    struct al_hash prev;
    struct al_store_row row;
    uint64_t sig_seq; /* 0: no signature vouches for it yet */
    struct al_sig sig;
};

static int load_signed(
    struct al_call *c, struct signed_half *half, const struct al_store_log *log, uint64_t seq)
{
    *half = (struct signed_half){.sig_seq = 0};
    int err = al_store_sig(c->r->log, &half->sig_seq, &half->sig, log->no, seq);
    if (err != 0 && err != AL_E_NOT_FOUND)
        return err;
    err = al_prev_find(c->r->log, &half->prev, log, seq);
    return err != 0 ? err : al_store_get(c->r->log, &half->row, log->no, seq);
}

static void put_signed(struct al_buf *out, const struct signed_half *half)
{
    al_write_cstr(out, "header");
    al_write_map(out, 5);
    put_uint(out, "seq", half->row.seq);
    put_uint(out, "time", half->row.time_ms);
    put_bin(out, "prev", half->prev.b, sizeof(half->prev.b));
    put_uint(out, "plen", half->row.plen);
    put_bin(out, "phash", half->row.phash.b, sizeof(half->row.phash.b));
    if (half->sig_seq != 0) {
        al_write_cstr(out, "sig");
        al_write_map(out, 2);
        put_uint(out, "seq", half->sig_seq);
        put_bin(out, "sig", half->sig.b, sizeof(half->sig.b));
    }
    if (half->row.payload.n > 0)
        put_bin(out, "payload", half->row.payload.p, half->row.payload.n);
}

/* Every version of an entry that was edited, oldest first, its own content before all. */
static int put_versions(struct al_call *c, struct al_buf *out, int64_t n, const uint8_t id[32])
{
    struct al_page page;
    al_page_init(&page);
    sqlite3_stmt *st = NULL;
    const struct al_row_opts own = {.own = true};
    int err = al_call_prepare(c, &st,
        "SELECT m.n FROM amend m JOIN entry e ON e.n = ?2 AND e.author = m.author"
        " WHERE m.target = ?1 AND m.what = ?3 AND m.fit = ifnull(e.circle, 0) * 4 + e.audience"
        " AND e.edit IS NOT NULL ORDER BY m.time, m.id8, m.n LIMIT ?4");
    if (err == 0) {
        al_viewdb_bind_int(st, 1, al_line_id8(id));
        al_viewdb_bind_int(st, 2, n);
        al_viewdb_bind_int(st, 3, AL_KIND_EDIT);
        al_viewdb_bind_int(st, 4, VERSIONS_MAX);
    }
    int got = 0;
    while (err == 0 && !al_page_full(&page, VERSIONS_MAX) && (got = al_viewdb_step(st)) > 0) {
        if (page.count == 0)
            err = al_page_add(&page, c, n, &own);
        if (err == 0)
            err = al_page_add(&page, c, sqlite3_column_int64(st, 0), &own);
    }
    if (err == 0)
        err = got < 0 ? got : al_page_write(&page, out, "edits");
    (void)sqlite3_finalize(st);
    al_page_free(&page);
    return err;
}

int al_show_call(struct al_call *c, struct al_buf *out)
{
    uint8_t id[32];
    int64_t n = 0;
    struct al_store_log log;
    uint64_t seq = 0;
    uint64_t replies = 0;
    struct signed_half half;
    if (!al_call_bytes32(c, "id", id))
        return al_call_fail(c, AL_E_PARAMS, "the id is missing");
    int got = al_row_find(c, &n, id);
    int err = got > 0 ? place_of(c, n, &log, &seq) : (got == 0 ? AL_E_NOT_FOUND : got);
    if (err == 0)
        err = al_row_replies(c, &replies, id);
    if (err == 0)
        err = load_signed(c, &half, &log, seq);
    if (err != 0)
        return err;
    al_write_map(out, 4 + (half.sig_seq != 0 ? 1U : 0) + (half.row.payload.n > 0 ? 1U : 0));
    al_write_cstr(out, "row");
    got = al_row_write(c, out, n, &(struct al_row_opts){.depth = 0});
    if (got <= 0)
        return got < 0 ? got : AL_E_NOT_FOUND;
    put_signed(out, &half);
    put_uint(out, "replies", replies);
    return put_versions(c, out, n, id);
}
