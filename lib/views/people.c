#include <stdlib.h>

#include "fields.h"
#include "identity.h"
#include "lines.h"
#include "read.h"
#include "reader_int.h"
#include "record.h"
#include "statement.h"
#include "write.h"

int al_people_author(struct al_call *c, int64_t *ret, const uint8_t identity[32])
{
    sqlite3_stmt *st = NULL;
    int got = al_call_prepare(c, &st, "SELECT no FROM author WHERE identity = ?1");
    if (got == 0) {
        al_viewdb_bind_blob(st, 1, al_slice_of(identity, 32));
        got = al_viewdb_int(st, ret, NULL, 0);
    }
    (void)sqlite3_finalize(st);
    return got;
}

/* --- people --------------------------------------------------------------------------------- */

/* Certificates by identity, in the order of identities in which the store gives them. */
struct devices {
    struct al_identity *identities;
    uint64_t *counts;
    size_t n;
    size_t cap;
};

static int on_statement(void *arg, struct al_slice key, struct al_slice value)
{
    struct devices *d = arg;
    struct al_identity identity;
    if (key.n < sizeof(identity.b))
        return 0;
    memcpy(identity.b, key.p, sizeof(identity.b));
    if (d->n == 0 || !al_identity_eq(&d->identities[d->n - 1], &identity)) {
        if (d->n == d->cap) {
            size_t cap = d->cap * 2 + 16;
            struct al_identity *ids = reallocarray(d->identities, cap, sizeof(*ids));
            d->identities = ids != NULL ? ids : d->identities;
            uint64_t *counts = reallocarray(d->counts, cap, sizeof(*counts));
            d->counts = counts != NULL ? counts : d->counts;
            if (ids == NULL || counts == NULL)
                return AL_E_NOMEM;
            d->cap = cap;
        }
        d->identities[d->n] = identity;
        d->counts[d->n++] = 0;
    }
    /* [body, ...] with body = [version, kind, ...]: the store holds what was verified */
    struct al_read r = al_read_init(value);
    (void)al_read_array(&r, 1, 3);
    struct al_read body = al_read_init(al_read_bin(&r, 1, AL_STATEMENT_MAX));
    (void)al_read_array(&body, 2, 16);
    (void)al_read_uint(&body, UINT64_MAX);
    if (al_read_uint(&body, UINT64_MAX) == AL_STATEMENT_CERT && body.err == 0)
        d->counts[d->n - 1]++;
    return 0;
}

static int by_identity(const void *key, const void *element)
{
    return memcmp(key, element, sizeof(struct al_identity));
}

static uint64_t device_count(const struct devices *d, struct al_slice identity)
{
    if (d->n == 0 || identity.n != sizeof(struct al_identity))
        return 0;
    const struct al_identity *at =
        bsearch(identity.p, d->identities, d->n, sizeof(*d->identities), by_identity);
    return at == NULL ? 0 : d->counts[at - d->identities];
}

static void put_flag(struct al_buf *b, const char *key, sqlite3_stmt *st, int column)
{
    al_write_cstr(b, key);
    al_write_bool(b, sqlite3_column_int(st, column) != 0);
}

/* The names and relations of one author: eight pairs, from column 0 on. */
#define PERSON_COLUMNS                                                                             \
    "a.identity, a.name, a.petname, a.mine, a.following, a.admitted, a.blocked, a.muted,"          \
    " a.entries, (SELECT max(k) FROM line WHERE author = a.no)"
#define PERSON_PAIRS 8

static void put_person(struct al_buf *b, sqlite3_stmt *st)
{
    struct al_slice identity = al_viewdb_slice(st, 0);
    al_write_cstr(b, "identity");
    al_write_bin(b, identity.p, identity.n);
    al_write_cstr(b, "name");
    al_write_str(b, al_viewdb_slice(st, 1));
    al_write_cstr(b, "petname");
    al_write_str(b, al_viewdb_slice(st, 2));
    put_flag(b, "me", st, 3);
    put_flag(b, "following", st, 4);
    put_flag(b, "admitted", st, 5);
    put_flag(b, "blocked", st, 6);
    put_flag(b, "muted", st, 7);
}

static void put_uint(struct al_buf *b, const char *key, uint64_t v)
{
    al_write_cstr(b, key);
    al_write_uint(b, v);
}

int al_people_call(struct al_call *c, struct al_buf *out)
{
    struct devices devices = {.n = 0};
    struct al_page page; /* of people */
    al_page_init(&page);
    sqlite3_stmt *st = NULL;
    int err = al_store_kv_scan(
        c->r->log, AL_SPACE_STATEMENT, al_slice_of(NULL, 0), on_statement, &devices);
    if (err == 0)
        err = al_call_prepare(c, &st,
            "SELECT " PERSON_COLUMNS " FROM author a ORDER BY a.mine DESC, a.following DESC,"
            " coalesce(a.petname, a.name) IS NULL, coalesce(a.petname, a.name), a.identity");
    int got = 0;
    while (err == 0 && (got = al_viewdb_step(st)) > 0) {
        al_write_map(&page.rows, PERSON_PAIRS + 3);
        put_person(&page.rows, st);
        put_uint(&page.rows, "entries", al_viewdb_uint(st, 8));
        put_uint(&page.rows, "last", al_viewdb_uint(st, 9) >> AL_LINE_ID_BITS);
        put_uint(&page.rows, "devices", device_count(&devices, al_viewdb_slice(st, 0)));
        page.count++;
    }
    err = err == 0 ? got : err;
    if (err == 0) {
        al_write_map(out, 1);
        err = al_page_write(&page, out, "people");
    }
    (void)sqlite3_finalize(st);
    al_page_free(&page);
    free(devices.identities);
    free(devices.counts);
    return err;
}

/* --- profile -------------------------------------------------------------------------------- */

static int put_devices(struct al_call *c, struct al_buf *out, const struct al_identity *identity)
{
    struct al_record *record;
    int err = al_store_record(&record, NULL, c->r->log, identity);
    if (err != 0)
        return err;
    size_t count = al_record_devices(record);
    al_write_cstr(out, "devices");
    al_write_array(out, count);
    for (size_t i = 0; i < count; i++) {
        struct al_device device;
        struct al_slice name;
        struct al_cut cut;
        al_record_device(record, i, &device, &name);
        enum al_standing standing = al_record_standing(record, &cut, &device, NULL);
        al_write_map(out, 3);
        al_write_cstr(out, "device");
        al_write_bin(out, device.b, sizeof(device.b));
        al_write_cstr(out, "name");
        al_write_str(out, name);
        al_write_cstr(out, "revoked");
        al_write_bool(out, standing == AL_STANDING_REVOKED);
    }
    al_record_free(record);
    return 0;
}

int al_profile_call(struct al_call *c, struct al_buf *out)
{
    struct al_identity who;
    if (!al_call_bytes32(c, "identity", who.b))
        return al_call_fail(c, AL_E_PARAMS, "the identity is missing");
    static const char *const texts[] = {"about", "working", "wants", "knows"};
    sqlite3_stmt *st = NULL;
    int got = al_call_prepare(c, &st,
        "SELECT " PERSON_COLUMNS ", (SELECT min(k) FROM line WHERE author = a.no), e.fields"
        " FROM author a LEFT JOIN entry e ON e.n = a.profile WHERE a.identity = ?1");
    if (got == 0) {
        al_viewdb_bind_blob(st, 1, al_slice_of(who.b, sizeof(who.b)));
        got = al_viewdb_step(st);
        got = got == 0 ? AL_E_NOT_FOUND : got;
    }
    if (got > 0) {
        al_write_map(out, PERSON_PAIRS + 8);
        put_person(out, st);
        for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
            al_write_cstr(out, texts[i]);
            al_write_str(out, al_fields_text(al_viewdb_slice(st, 11), texts[i]));
        }
        put_uint(out, "entries", al_viewdb_uint(st, 8));
        put_uint(out, "first", al_viewdb_uint(st, 10) >> AL_LINE_ID_BITS);
        put_uint(out, "last", al_viewdb_uint(st, 9) >> AL_LINE_ID_BITS);
        got = put_devices(c, out, &who);
    }
    (void)sqlite3_finalize(st);
    return got;
}
