#include <stdio.h>
#include <stdlib.h>

#include "doctor_int.h"
#include "id.h"
#include "record.h"

/* As lib/log keeps it: "1" in a data directory that is a copy of one in use elsewhere. */
#define META_COPY "copy"

struct people {
    struct al_identity *v;
    size_t count;
    size_t cap;
};

/* Statements come in the order of their identities. */
static int on_statement(void *arg, struct al_slice key, struct al_slice value)
{
    struct people *p = arg;
    (void)value;
    if (key.n < sizeof(*p->v) ||
        (p->count > 0 && memcmp(&p->v[p->count - 1], key.p, sizeof(*p->v)) == 0))
        return 0;
    if (p->count == p->cap) {
        size_t cap = p->cap * 2 + 16;
        struct al_identity *v = reallocarray(p->v, cap, sizeof(*v));
        if (v == NULL)
            return AL_E_NOMEM;
        p->v = v;
        p->cap = cap;
    }
    memcpy(&p->v[p->count++], key.p, sizeof(*p->v));
    return 0;
}

/* "kai~q7xk2n8r", "@q7xk2n8r", or "you". */
static int name_person(struct al_doctor *d, char *out, size_t size, const struct al_identity *who)
{
    char id[9];
    if (al_identity_eq(who, &d->c->r->keyring->identity)) {
        (void)snprintf(out, size, "you");
        return 0;
    }
    al_id_text_prefix(id, who->b, 8);
    sqlite3_stmt *st = NULL;
    int got = al_call_prepare(
        d->c, &st, "SELECT coalesce(petname, name, '') FROM author WHERE identity = ?1");
    struct al_slice name = al_slice_of(NULL, 0);
    if (got == 0) {
        al_viewdb_bind_blob(st, 1, al_slice_of(who->b, sizeof(who->b)));
        got = al_viewdb_step(st);
        name = al_viewdb_slice(st, 0);
    }
    (void)snprintf(out, size, "%.*s%s%s", (int)name.n, name.n > 0 ? (const char *)name.p : "",
        name.n > 0 ? "~" : "@", id);
    (void)sqlite3_finalize(st);
    return got < 0 ? got : 0;
}

/* How many entries of |device| are held and do not count. */
static int count_hidden(struct al_doctor *d, uint64_t *ret, const struct al_device *device)
{
    sqlite3_stmt *st = NULL;
    int64_t count = 0;
    int got = al_call_prepare(d->c, &st,
        "SELECT count(*) FROM log l JOIN entry e ON e.log = l.no AND e.seq >= l.hidden"
        " WHERE l.device = ?1 AND l.hidden IS NOT NULL");
    if (got == 0) {
        al_viewdb_bind_blob(st, 1, al_slice_of(device->b, sizeof(device->b)));
        got = al_viewdb_int(st, &count, NULL, 0);
    }
    (void)sqlite3_finalize(st);
    *ret = (uint64_t)count;
    return got < 0 ? got : 0;
}

static int check_devices(
    struct al_doctor *d, const struct al_record *record, const char *who, bool mine)
{
    int err = 0;
    for (size_t i = 0; err == 0 && i < al_record_devices(record); i++) {
        struct al_device device;
        struct al_slice name;
        struct al_cut cut;
        uint64_t hidden;
        char id[9];
        al_record_device(record, i, &device, &name);
        if (al_record_standing(record, &cut, &device, NULL) != AL_STANDING_REVOKED)
            continue;
        err = count_hidden(d, &hidden, &device);
        al_id_text_prefix(id, device.b, 8);
        if (err == 0)
            al_doctor_find(d, "device-revoked", "note", mine ? "aloud device ls" : "",
                "%s revoked the device %.*s (%s): %llu entries of it are held and do not count",
                who, (int)name.n, (const char *)name.p, id, (unsigned long long)hidden);
    }
    return err;
}

static int check_person(struct al_doctor *d, const struct al_identity *identity)
{
    char who[AL_DOCTOR_TEXT_BYTES / 2];
    struct al_record *record;
    size_t bad;
    bool mine = al_identity_eq(identity, &d->c->r->keyring->identity);
    int err = name_person(d, who, sizeof(who), identity);
    if (err == 0)
        err = al_store_record(&record, &bad, d->c->r->log, identity);
    if (err != 0)
        return err;
    if (bad > 0)
        al_doctor_find(d, "statement-bad", "error", AL_DOCTOR_MEND,
            "%zu statements of %s are damaged: what they certify does not count", bad, who);
    struct al_reading reading;
    al_record_reading(record, &reading);
    if (mine && reading.unsafe)
        al_doctor_find(d, "reading-key-unsafe", "warning", "aloud device rekey",
            "a device that you revoked can still open what is sealed for your devices");
    err = check_devices(d, record, who, mine);
    al_record_free(record);
    return err;
}

/* The data of a device that is in use elsewhere. */
static int check_copy(struct al_doctor *d)
{
    struct al_slice copy;
    int err = al_store_kv_get(d->c->r->log, &copy, AL_SPACE_META, al_slice_str(META_COPY));
    if (err == 0 && al_slice_is(copy, "1"))
        al_doctor_find(d, "copy", "warning", "aloud restore",
            "these are the data of a device that is in use elsewhere: nothing written here leaves"
            " before this machine is a device of its own");
    return err == AL_E_NOT_FOUND ? 0 : err;
}

int al_doctor_people(struct al_doctor *d)
{
    struct people people = {.count = 0};
    int err = 0;
    if (d->only != NULL)
        return check_person(d, d->only);
    err = al_store_kv_scan(
        d->c->r->log, AL_SPACE_STATEMENT, al_slice_of(NULL, 0), on_statement, &people);
    for (size_t i = 0; err == 0 && i < people.count; i++)
        err = check_person(d, &people.v[i]);
    free(people.v);
    return err == 0 ? check_copy(d) : err;
}
