#include "desk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "init.h"

static void load(struct desk *d)
{
    uint8_t seed[32] = {7, ++d->loads};
    al_rng_init(&d->rng, seed);
    assert_int_equal(al_store_open_disk(&d->store, d->disk), 0);
    assert_int_equal(al_logs_new(&d->l, d->store, &d->me.keyring, &d->rng), 0);
    assert_int_equal(al_store_begin(d->store), 0);
}

void desk_open(struct desk *d, uint64_t person)
{
    static const uint8_t seed[32] = {1};
    *d = (struct desk){.now = {.mono_ms = 1, .wall_ms = RIG_WALL_MS}};
    rig_person(&d->me, person);
    d->disk = al_store_disk_new();
    assert_non_null(d->disk);
    assert_int_equal(al_store_open_disk(&d->store, d->disk), 0);
    assert_int_equal(al_init_store(d->store, &d->me.root, &d->me.keyring, al_slice_str("me"),
                         al_slice_str("laptop"), RIG_WALL_MS, seed),
        0);
    al_store_close(d->store);
    load(d);
}

void desk_close(struct desk *d)
{
    al_logs_free(d->l);
    al_store_close(d->store);
    al_store_disk_free(d->disk);
}

void desk_reopen(struct desk *d)
{
    assert_int_equal(al_store_commit(d->store), 0);
    al_logs_free(d->l);
    al_store_close(d->store);
    load(d);
}

void desk_meet(struct desk *d, const struct rig_person *who)
{
    uint8_t bytes[512];
    struct al_buf b = al_buf_fixed(bytes, sizeof(bytes));
    bool is_new = false;
    rig_cert(&b, who);
    assert_int_equal(al_logs_statement(d->l, &is_new, al_buf_slice(&b)), 0);
    assert_true(is_new);
}

struct al_payload desk_payload(enum al_kind kind, const char *text)
{
    struct al_payload p = {.kind = kind,
        .kind_name = al_slice_str(al_kind_name(kind)),
        .audience = AL_AUDIENCE_NETWORK};
    if (text != NULL)
        p.text = al_slice_str(text);
    return p;
}

int desk_append(struct desk *d, struct al_ref *ref, const struct al_payload *p)
{
    return al_append(d->l, ref, p, 1, d->now);
}

struct al_ref desk_note(struct desk *d, const char *text, enum al_audience audience)
{
    struct al_payload p = desk_payload(AL_KIND_NOTE, text);
    struct al_ref ref;
    p.audience = audience;
    assert_int_equal(desk_append(d, &ref, &p), 0);
    return ref;
}

int desk_ingest(struct desk *d, const struct al_segment *s)
{
    struct al_ingest in;
    return al_ingest_segment(d->l, &in, s, d->now);
}

void desk_entry(struct al_segment *out, const struct rig_person *who, uint64_t seq,
    const struct al_hash *prev, const struct al_payload *p, uint8_t *space)
{
    struct al_buf b = al_buf_fixed(space, AL_PAYLOAD_MAX);
    uint8_t one[1];
    assert_int_equal(al_payload_encode(&b, p), 0);
    sample_segment(out, &who->as_sample, seq, prev, 1, one, 1, 1);
    out->items[0].payload = al_buf_slice(&b);
    sample_sign(out, &who->as_sample);
}

bool desk_row(struct desk *d, struct al_store_row *ret, const struct al_ref *ref)
{
    struct al_store_log log;
    return al_store_log_find(d->store, &log, &ref->device, &ref->log) == 0 &&
           al_store_get(d->store, ret, log.no, ref->seq) == 0;
}
