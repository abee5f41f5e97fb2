#include "fields.h"
#include "heapbuf.h"
#include "id.h"
#include "lines.h"
#include "methods.h"
#include "read.h"
#include "reader_int.h"
#include "views_schema.h"
#include "write.h"

enum column { /* of ROW_SQL in reads.c */
    C_N,
    C_ID,
    C_SEQ,
    C_KIND,
    C_AUDIENCE,
    C_TIME,
    C_AT,
    C_CLAIMED,
    C_ARRIVED,
    C_STATE,
    C_EDIT,
    C_RE,
    C_RT,
    C_TEXT,
    C_TAGS,
    C_OWN_FIELDS,
    C_FIELDS,
    C_IDENTITY,
    C_PETNAME,
    C_NAME,
    C_MINE,
    C_FOLLOWING,
    C_DEVICE,
    C_LOG,
    C_DISPUTED,
    C_CIRCLE,
    C_AUTHOR,
};

/* The neighbour's characters in common with |id|, of those that the index knows: 12 of them. */
static int common(sqlite3_stmt *st, size_t *longest, const uint8_t id[32])
{
    int64_t id8;
    int got = al_viewdb_int(st, &id8, (int64_t[]){al_line_id8(id)}, 1);
    if (got <= 0)
        return got;
    uint8_t other[32];
    memcpy(other, id, 32);
    al_u64be(other, (uint64_t)id8 ^ UINT64_C(1) << 63);
    size_t n = al_id_common(id, other);
    *longest = n > *longest ? n : *longest;
    return 0;
}

/* How many characters name an entry: those that only it begins with today, and two more. */
static int short_length(struct al_call *c, uint64_t *ret, const uint8_t id[32])
{
    size_t longest = 0;
    int err = common(c->r->above, &longest, id);
    if (err == 0)
        err = common(c->r->below, &longest, id);
    size_t n = longest + 3;
    *ret = n < 4 ? 4 : n;
    return err;
}

int al_row_replies(struct al_call *c, uint64_t *ret, const uint8_t id[32])
{
    int64_t count = 0;
    int got = al_viewdb_int(c->r->replies, &count, (int64_t[]){al_line_id8(id)}, 1);
    *ret = (uint64_t)count;
    return got < 0 ? got : 0;
}

static void put_key_str(struct al_buf *b, const char *key, struct al_slice s)
{
    al_write_cstr(b, key);
    al_write_str(b, s);
}

static void put_key_uint(struct al_buf *b, const char *key, uint64_t v)
{
    al_write_cstr(b, key);
    al_write_uint(b, v);
}

static void put_key_bool(struct al_buf *b, const char *key, bool v)
{
    al_write_cstr(b, key);
    al_write_bool(b, v);
}

static void put_key_bin(struct al_buf *b, const char *key, const uint8_t *p, size_t n)
{
    al_write_cstr(b, key);
    al_write_bin(b, p, n);
}

/* The id of a stored reference, or nil. */
static void put_ref_id(struct al_buf *b, const char *key, struct al_slice encoded)
{
    struct al_ref ref;
    struct al_read r = al_read_init(encoded);
    al_write_cstr(b, key);
    if (encoded.n > 0)
        al_read_ref(&r, &ref);
    if (encoded.n > 0 && al_read_end(&r) == 0)
        al_write_bin(b, ref.id.b, sizeof(ref.id.b));
    else
        al_write_nil(b);
}

static const char *state_name(sqlite3_stmt *st, bool own)
{
    switch (sqlite3_column_int(st, C_STATE)) {
    case AL_ENTRY_RETRACTED:
        return "retracted";
    case AL_ENTRY_MISSING:
        return "missing";
    case AL_ENTRY_UNREADABLE:
        return "unreadable";
    case AL_ENTRY_HIDDEN:
        return "revoked";
    default:
        break;
    }
    if (sqlite3_column_int(st, C_DISPUTED) != 0)
        return "disputed";
    return !own && sqlite3_column_int64(st, C_EDIT) != 0 ? "edited" : "ok";
}

static struct al_slice kind_of(sqlite3_stmt *st, enum al_kind *ret)
{
    *ret = AL_KIND_UNKNOWN;
    if (sqlite3_column_type(st, C_KIND) != SQLITE_INTEGER)
        return al_viewdb_slice(st, C_KIND);
    *ret = (enum al_kind)sqlite3_column_int(st, C_KIND);
    return al_slice_str(al_kind_name(*ret));
}

static const char *audience_of(sqlite3_stmt *st)
{
    if (sqlite3_column_type(st, C_AUDIENCE) == SQLITE_NULL)
        return "";
    return al_audience_name((enum al_audience)sqlite3_column_int(st, C_AUDIENCE));
}

static void put_names(struct al_buf *b, sqlite3_stmt *st)
{
    struct al_slice petname = al_viewdb_slice(st, C_PETNAME);
    struct al_slice identity = al_viewdb_slice(st, C_IDENTITY);
    put_key_bin(b, "identity", identity.p, identity.n);
    put_key_bool(b, "petname", petname.n > 0);
    put_key_str(b, "name", petname.n > 0 ? petname : al_viewdb_slice(st, C_NAME));
    put_key_bool(b, "mine", sqlite3_column_int(st, C_MINE) != 0);
}

/* --- what an entry is to another ------------------------------------------------------------ */

/* Who may read an entry. */
struct scope {
    int64_t author;
    int audience; /* -1: not known */
    int64_t circle;
};

/* Whether somebody may read |a| who may not read |b|: also in another circle are other people. */
static bool is_wider(const struct scope *a, const struct scope *b)
{
    return a->audience != b->audience ? a->audience > b->audience : a->circle != b->circle;
}

/* That of the entry that |encoded| names. Returns 1, 0 when it is not known here, or an error. */
static int scope_of(struct al_call *c, struct scope *ret, struct al_slice encoded)
{
    struct al_ref ref;
    struct al_read r = al_read_init(encoded);
    al_read_ref(&r, &ref);
    if (encoded.n == 0 || al_read_end(&r) != 0)
        return 0;
    sqlite3_stmt *st = c->r->related;
    al_viewdb_bind_int(st, 1, al_line_id8(ref.id.b));
    al_viewdb_bind_blob(st, 2, al_slice_of(ref.id.b, sizeof(ref.id.b)));
    int got = al_viewdb_step(st);
    if (got > 0)
        *ret = (struct scope){
            sqlite3_column_int64(st, 0), sqlite3_column_int(st, 1), sqlite3_column_int64(st, 2)};
    (void)sqlite3_reset(st);
    return got;
}

/* What a row says besides the columns of its entry. */
struct beside {
    uint64_t replies;
    uint64_t chars;
    bool wider;  /* than what it answers: an old client, or somebody who likes to quote */
    bool linked; /* a share of an entry that its author could share so */
    char circle[2 * AL_NAME_MAX + 2];
};

static int name_circle(struct al_call *c, char *out, size_t size, int64_t circle)
{
    sqlite3_stmt *st = c->r->circle;
    al_viewdb_bind_int(st, 1, circle);
    int got = al_viewdb_step(st);
    struct al_slice name = got > 0 ? al_viewdb_slice(st, 0) : al_slice_of(NULL, 0);
    size_t n = name.n < size ? name.n : 0;
    if (n > 0)
        memcpy(out, name.p, n);
    out[n] = '\0';
    (void)sqlite3_reset(st);
    return got < 0 ? got : 0;
}

static int look_beside(struct al_call *c, struct beside *b, sqlite3_stmt *st)
{
    uint8_t id[32];
    enum al_kind kind;
    *b = (struct beside){.replies = 0};
    al_viewdb_bytes(st, C_ID, id, sizeof(id));
    int err = al_row_replies(c, &b->replies, id);
    if (err == 0)
        err = short_length(c, &b->chars, id);
    if (err == 0 && sqlite3_column_type(st, C_CIRCLE) != SQLITE_NULL)
        err = name_circle(c, b->circle, sizeof(b->circle), sqlite3_column_int64(st, C_CIRCLE));
    if (err != 0 || sqlite3_column_int(st, C_STATE) != AL_ENTRY_OK)
        return err;
    struct scope own = {sqlite3_column_int64(st, C_AUTHOR), sqlite3_column_int(st, C_AUDIENCE),
        sqlite3_column_int64(st, C_CIRCLE)};
    struct scope other;
    (void)kind_of(st, &kind);
    int got = 0;
    if (kind == AL_KIND_SHARE) {
        got = scope_of(c, &other, al_fields_ref(al_viewdb_slice(st, C_OWN_FIELDS), "of"));
        b->linked = got > 0 && other.author == own.author && is_wider(&own, &other) &&
                    own.audience > other.audience;
    } else if (kind != AL_KIND_EDIT && kind != AL_KIND_RETRACT) {
        got = scope_of(c, &other, al_viewdb_slice(st, C_RE));
        b->wider = got > 0 && is_wider(&own, &other);
    }
    return got < 0 ? got : 0;
}

/* --- the row -------------------------------------------------------------------------------- */

static void put_fields(struct al_buf *b, sqlite3_stmt *st, const struct beside *beside)
{
    enum al_kind kind;
    (void)kind_of(st, &kind);
    const struct al_fields_opts opts = {
        .own = al_viewdb_slice(st, C_OWN_FIELDS),
        .shown = al_viewdb_slice(st, C_FIELDS),
        .unlinked = kind == AL_KIND_SHARE && !beside->linked,
        .wider = beside->wider,
    };
    al_write_cstr(b, "fields");
    al_fields_put(b, &opts);
}

/* The content, which a hidden entry does not show. */
static void put_content(struct al_buf *b, sqlite3_stmt *st, const struct beside *beside)
{
    bool hidden = sqlite3_column_int(st, C_STATE) == AL_ENTRY_HIDDEN;
    struct al_slice none = al_slice_of(NULL, 0);
    struct al_slice tags = hidden ? none : al_viewdb_slice(st, C_TAGS);
    put_key_str(b, "text", hidden ? none : al_viewdb_slice(st, C_TEXT));
    al_write_cstr(b, "tags");
    if (tags.n > 0)
        al_write_raw(b, tags);
    else
        al_write_array(b, 0);
    if (!hidden) {
        put_fields(b, st, beside);
        return;
    }
    al_write_cstr(b, "fields");
    al_write_map(b, 0);
}

static void put_row(
    struct al_buf *b, sqlite3_stmt *st, const struct al_row_opts *opts, const struct beside *beside)
{
    enum al_kind kind;
    struct al_slice kind_name = kind_of(st, &kind);
    struct al_ref ref = {.seq = al_viewdb_uint(st, C_SEQ)};
    al_viewdb_bytes(st, C_ID, ref.id.b, sizeof(ref.id.b));
    al_viewdb_bytes(st, C_DEVICE, ref.device.b, sizeof(ref.device.b));
    al_viewdb_bytes(st, C_LOG, ref.log.b, sizeof(ref.log.b));
    al_write_map(b, AL_ROW_FIELDS);
    put_key_bin(b, "id", ref.id.b, sizeof(ref.id.b));
    al_write_cstr(b, "ref");
    al_write_ref(b, &ref);
    put_names(b, st);
    put_key_bool(b, "close",
        sqlite3_column_int(st, C_MINE) != 0 || sqlite3_column_int(st, C_FOLLOWING) != 0 ||
            sqlite3_column_int(st, C_AUDIENCE) == AL_AUDIENCE_CIRCLE);
    put_key_str(b, "kind", kind_name);
    put_key_str(b, "to", al_slice_str(audience_of(st)));
    put_key_str(b, "circle", al_slice_str(beside->circle));
    put_key_uint(b, "time", al_viewdb_uint(st, C_TIME));
    put_key_uint(b, "at", al_viewdb_uint(st, C_AT));
    put_key_uint(b, "claimed", al_viewdb_uint(st, C_CLAIMED));
    put_key_uint(b, "arrived", al_viewdb_uint(st, C_ARRIVED));
    put_key_uint(b, "pos", opts->pos != 0 ? opts->pos : al_viewdb_uint(st, C_N));
    put_content(b, st, beside);
    bool amends = kind == AL_KIND_EDIT || kind == AL_KIND_RETRACT; /* what it is for: fields.of */
    put_ref_id(b, "re", amends ? al_slice_of(NULL, 0) : al_viewdb_slice(st, C_RE));
    put_ref_id(b, "rt", al_viewdb_slice(st, C_RT));
    put_key_uint(b, "replies", beside->replies);
    put_key_uint(b, "short", beside->chars);
    put_key_uint(b, "depth", opts->depth);
    put_key_str(b, "snippet", opts->snippet);
    put_key_str(b, "state", al_slice_str(state_name(st, opts->own)));
}

int al_row_write(struct al_call *c, struct al_buf *out, int64_t n, const struct al_row_opts *opts)
{
    sqlite3_stmt *st = c->r->row;
    al_viewdb_bind_int(st, 1, n);
    al_viewdb_bind_int(st, 2, opts->own ? 1 : 0);
    int got = al_viewdb_step(st);
    if (got > 0) {
        struct beside beside;
        int err = look_beside(c, &beside, st);
        if (err == 0)
            put_row(out, st, opts, &beside);
        else
            got = err;
    }
    (void)sqlite3_reset(st);
    return got;
}

int al_row_find(struct al_call *c, int64_t *ret_n, const uint8_t id[32])
{
    sqlite3_stmt *st = NULL;
    int got = al_call_prepare(
        c, &st, "SELECT e.n FROM name m JOIN entry e ON e.n = m.n WHERE m.id8 = ?1 AND e.id = ?2");
    if (got == 0) {
        al_viewdb_bind_blob(st, 2, al_slice_of(id, 32));
        got = al_viewdb_int(st, ret_n, (int64_t[]){al_line_id8(id)}, 1);
    }
    (void)sqlite3_finalize(st);
    return got;
}

void al_page_init(struct al_page *p)
{
    *p = (struct al_page){.rows = al_heapbuf()};
}

void al_page_free(struct al_page *p)
{
    al_heapbuf_free(&p->rows);
}

int al_page_add(struct al_page *p, struct al_call *c, int64_t n, const struct al_row_opts *opts)
{
    int got = al_row_write(c, &p->rows, n, opts);
    if (got < 0 || p->rows.full)
        return got < 0 ? got : AL_E_NOMEM;
    p->count += (uint32_t)got;
    return 0;
}

bool al_page_full(const struct al_page *p, uint64_t limit)
{
    return p->count >= limit || p->rows.n >= AL_ROWS_BYTES_MAX;
}

int al_page_write(const struct al_page *p, struct al_buf *out, const char *name)
{
    al_write_cstr(out, name);
    al_write_array(out, p->count);
    al_write_raw(out, al_buf_slice(&p->rows));
    return out->full ? AL_E_NOMEM : 0;
}
