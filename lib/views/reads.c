#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "rank.h"
#include "read.h"
#include "reader_int.h"
#include "rpc.h"
#include "scan.h"
#include "views.h"
#include "views_schema.h"
#include "write.h"

/* --- parameters ----------------------------------------------------------------------------- */

static bool param(struct al_call *c, struct al_read *ret, const char *name)
{
    struct al_slice raw = al_rpc_param(c->params, name);
    *ret = al_read_init(raw);
    return raw.n > 0 && c->err == 0;
}

static void done(struct al_call *c, const struct al_read *r, const char *name)
{
    if (al_read_end(r) != 0)
        c->err = al_call_fail(c, AL_E_PARAMS, "the parameter %s is not what it should be", name);
}

uint64_t al_call_uint(struct al_call *c, const char *name, uint64_t absent, uint64_t max)
{
    struct al_read r;
    if (!param(c, &r, name))
        return absent;
    uint64_t v = al_read_uint(&r, UINT64_MAX);
    done(c, &r, name);
    return v < max ? v : max;
}

bool al_call_bool(struct al_call *c, const char *name, bool absent)
{
    struct al_read r;
    if (!param(c, &r, name))
        return absent;
    bool v = al_read_bool(&r);
    done(c, &r, name);
    return v;
}

struct al_slice al_call_str(struct al_call *c, const char *name, size_t max)
{
    struct al_read r;
    if (!param(c, &r, name))
        return al_slice_of(NULL, 0);
    struct al_slice s = al_read_str(&r, max);
    done(c, &r, name);
    return s;
}

bool al_call_bytes32(struct al_call *c, const char *name, uint8_t out[32])
{
    struct al_read r;
    memset(out, 0, 32);
    if (!param(c, &r, name))
        return false;
    al_read_bytes(&r, out, 32);
    done(c, &r, name);
    return c->err == 0;
}

bool al_call_cursor(struct al_call *c, int64_t *ret_a, int64_t *ret_b)
{
    struct al_read r;
    if (!param(c, &r, "cursor"))
        return false;
    struct al_slice s = al_read_bin(&r, 16, 16);
    done(c, &r, "cursor");
    if (c->err != 0)
        return false;
    *ret_a = (int64_t)al_u64be_read(s.p);
    *ret_b = (int64_t)al_u64be_read(s.p + 8);
    return true;
}

void al_call_put_cursor(struct al_buf *out, int64_t a, int64_t b)
{
    uint8_t cursor[16];
    al_u64be(cursor, (uint64_t)a);
    al_u64be(cursor + 8, (uint64_t)b);
    al_write_bin(out, cursor, sizeof(cursor));
}

int al_call_fail(struct al_call *c, int err, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    (void)vsnprintf(c->why, AL_WHY_BYTES, format, args);
    va_end(args);
    return err;
}

/* --- what every call needs ------------------------------------------------------------------ */

int al_call_prepare(struct al_call *c, sqlite3_stmt **ret, const char *sql)
{
    return al_viewdb_err(sqlite3_prepare_v2(c->r->db, sql, -1, ret, NULL));
}

int al_call_meta(struct al_call *c, const char *key, int64_t *ret)
{
    sqlite3_stmt *st = NULL;
    int got = al_call_prepare(c, &st, "SELECT value FROM meta WHERE key = ?1");
    *ret = 0;
    if (got == 0) {
        al_viewdb_bind_text(st, 1, al_slice_str(key));
        got = al_viewdb_int(st, ret, NULL, 0);
    }
    (void)sqlite3_finalize(st);
    return got < 0 ? got : 0;
}

int al_call_unreadable(struct al_call *c, int64_t *ret)
{
    sqlite3_stmt *st = NULL;
    int got = al_call_prepare(c, &st, "SELECT count(*) FROM entry WHERE state = 3");
    if (got == 0)
        got = al_viewdb_int(st, ret, NULL, 0);
    (void)sqlite3_finalize(st);
    return got < 0 ? got : 0;
}

int al_call_position(struct al_call *c, uint64_t *ret_pos, uint64_t *ret_behind)
{
    int64_t pos;
    uint64_t end;
    int err = al_call_meta(c, "pos", &pos);
    if (err == 0)
        err = al_store_position(c->r->log, &end);
    if (err != 0)
        return err;
    *ret_pos = (uint64_t)pos;
    *ret_behind = end > *ret_pos ? end - *ret_pos : 0;
    return 0;
}

/* --- the reader ----------------------------------------------------------------------------- */

/* |s| is the content that shows: the entry's own, or that of the edit that counts. */
#define ROW_SQL                                                                                    \
    "SELECT e.n, e.id, e.seq, e.kind, e.audience, e.time, e.at, e.claimed, e.arrived, e.state,"    \
    " e.edit, e.re, e.rt, s.text, s.tags, e.fields, s.fields, a.identity, a.petname, a.name,"      \
    " a.mine, a.following, l.device, l.name, ifnull(e.seq >= l.frozen, 0)"                         \
    " OR ifnull(s.seq >= sl.frozen, 0), e.circle, e.author FROM entry e"                           \
    " JOIN entry s ON s.n = CASE WHEN ?2 THEN e.n ELSE ifnull(e.edit, e.n) END"                    \
    " JOIN author a ON a.no = e.author JOIN log l ON l.no = e.log JOIN log sl ON sl.no = s.log"    \
    " WHERE e.n = ?1"

/* Of two circles with one name, that of somebody else says whose it is. */
#define CIRCLE_SQL                                                                                 \
    "SELECT c.name || iif(NOT a.mine AND EXISTS (SELECT 1 FROM circle d WHERE d.no <> c.no"        \
    " AND d.name = c.name COLLATE NOCASE), '@' || coalesce(a.petname, a.name, ''), '')"            \
    " FROM circle c JOIN author a ON a.no = c.owner WHERE c.no = ?1"

#define RELATED_SQL                                                                                \
    "SELECT e.author, e.audience, e.circle FROM name m JOIN entry e ON e.n = m.n"                  \
    " WHERE m.id8 = ?1 AND e.id = ?2 AND e.state = 0"

int al_views_reader_open(struct al_views_reader **ret, const char *path, const char *log_path,
    const struct al_keyring *keyring)
{
    struct al_views_reader *r = calloc(1, sizeof(*r));
    if (r == NULL)
        return AL_E_NOMEM;
    r->keyring = keyring;
    int64_t version = 0;
    int err = al_viewdb_open_read(&r->db, path);
    if (err == 0)
        err = al_views_schema_version(r->db, &version);
    if (err == 0 && version != AL_VIEWS_SCHEMA)
        err = AL_E_NOT_FOUND; /* the writer has not made it yet */
    if (err == 0)
        err = al_tokens_register(r->db);
    if (err == 0)
        err = al_rank_register(r->db);
    if (err == 0)
        err = al_tokens_new(&r->tokens, r->db);
    if (err == 0)
        err = al_viewdb_prepare(r->db, &r->row, ROW_SQL);
    if (err == 0)
        err = al_viewdb_prepare(r->db, &r->circle, CIRCLE_SQL);
    if (err == 0)
        err = al_viewdb_prepare(r->db, &r->related, RELATED_SQL);
    if (err == 0)
        err = al_viewdb_prepare(
            r->db, &r->above, "SELECT id8 FROM name WHERE id8 > ?1 ORDER BY id8 LIMIT 1");
    if (err == 0)
        err = al_viewdb_prepare(
            r->db, &r->below, "SELECT id8 FROM name WHERE id8 < ?1 ORDER BY id8 DESC LIMIT 1");
    if (err == 0)
        err = al_viewdb_prepare(r->db, &r->replies,
            "SELECT count(*) FROM (SELECT 1 FROM reply r JOIN entry e ON e.n = r.n"
            " WHERE r.parent = ?1 AND r.direct AND e.k IS NOT NULL LIMIT 1000)");
    if (err == 0)
        err = al_store_open(&r->log, log_path, AL_STORE_READ);
    if (err != 0) {
        al_views_reader_close(r);
        return err;
    }
    *ret = r;
    return 0;
}

void al_views_reader_close(struct al_views_reader *r)
{
    if (r == NULL)
        return;
    al_tokens_free(r->tokens);
    (void)sqlite3_finalize(r->row);
    (void)sqlite3_finalize(r->circle);
    (void)sqlite3_finalize(r->related);
    (void)sqlite3_finalize(r->above);
    (void)sqlite3_finalize(r->below);
    (void)sqlite3_finalize(r->replies);
    (void)sqlite3_close(r->db);
    al_store_close(r->log);
    free(r);
}

/* --- dispatch ------------------------------------------------------------------------------- */

static int views_status(struct al_call *c, struct al_buf *out)
{
    uint64_t pos;
    uint64_t behind;
    int64_t indexed;
    int64_t rebuilt;
    int64_t unreadable;
    int64_t entries = 0;
    sqlite3_stmt *st = NULL;
    int err = al_call_position(c, &pos, &behind);
    if (err == 0)
        err = al_call_meta(c, "indexed", &indexed);
    if (err == 0)
        err = al_call_meta(c, "rebuilt", &rebuilt);
    if (err == 0)
        err = al_call_unreadable(c, &unreadable);
    if (err == 0)
        err = al_call_prepare(c, &st, "SELECT ifnull(sum(entries), 0) FROM author");
    if (err == 0)
        err = al_viewdb_int(st, &entries, NULL, 0);
    (void)sqlite3_finalize(st);
    if (err < 0)
        return err;
    al_write_map(out, 7);
    al_write_cstr(out, "pos");
    al_write_uint(out, pos);
    al_write_cstr(out, "behind");
    al_write_uint(out, behind);
    al_write_cstr(out, "entries");
    al_write_uint(out, (uint64_t)entries);
    al_write_cstr(out, "unindexed");
    al_write_uint(out, pos - (uint64_t)indexed);
    al_write_cstr(out, "unreadable");
    al_write_uint(out, (uint64_t)unreadable);
    al_write_cstr(out, "rebuilt");
    al_write_uint(out, (uint64_t)rebuilt);
    al_write_cstr(out, "safe_mode");
    al_write_bool(out, false);
    return 0;
}

static const struct {
    const char *name;
    al_method_fn *answer;
    bool slow; /* it holds no snapshot: that would keep what was dropped on the disk */
} methods[] = {
    {"timeline", al_timeline_call, false},
    {"changes", al_changes_call, false},
    {"show", al_show_call, false},
    {"thread", al_thread_call, false},
    {"search", al_search_call, false},
    {"tags", al_tags_call, false},
    {"people", al_people_call, false},
    {"person", al_person_call, false},
    {"profile", al_profile_call, false},
    {"resolve", al_resolve_call, false},
    {"views_status", views_status, false},
    {"doctor", al_doctor_call, true},
};

/* What was typed may have been cut in the middle of a character: texts are always whole. */
static void trim_why(char *why)
{
    size_t n = strlen(why);
    size_t at = n;
    while (at > 0 && n - at < 3 && ((uint8_t)why[at - 1] & 0xc0) == 0x80)
        at--;
    if (at > 0 && (uint8_t)why[at - 1] >= 0xc0)
        at--;
    if (!al_utf8_valid(al_slice_of(why + at, n - at)))
        why[at] = '\0';
}

/* Answer within one snapshot of the views, unless it takes long. */
static int answer(struct al_call *c, struct al_buf *out, al_method_fn *method, bool slow)
{
    int err = slow ? 0 : al_viewdb_exec(c->r->db, "BEGIN");
    if (err != 0)
        return err;
    size_t n = out->n;
    err = method(c, out);
    if (err == 0 && c->err != 0)
        err = c->err;
    if (err == 0 && out->full)
        err = AL_E_NOMEM;
    if (err != 0)
        out->n = n;
    trim_why(c->why);
    al_viewdb_rollback(c->r->db); /* nothing was written */
    return err;
}

int al_views_query(struct al_views_reader *r, struct al_buf *out, char *ret_why,
    struct al_slice method, struct al_slice params, struct al_now now)
{
    struct al_call c = {.r = r, .params = params, .now = now, .why = ret_why};
    ret_why[0] = '\0';
    for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
        if (al_slice_is(method, methods[i].name))
            return answer(&c, out, methods[i].answer, methods[i].slow);
    }
    return AL_E_METHOD;
}
