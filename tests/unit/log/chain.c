#include "chain.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>

#include "statement.h"

void chain_init(struct chain *c, const struct rig_person *who)
{
    c->who = *who;
    c->count = 0;
}

static void prev_of(struct al_hash *out, const struct chain *c, uint64_t seq)
{
    if (seq == 1)
        al_entry_genesis(out, &c->who.root.identity, &c->who.keyring.device, &c->who.as_sample.log);
    else
        *out = c->items[seq - 2].id;
}

struct al_ref chain_add(struct chain *c, const struct al_payload *p)
{
    uint8_t bytes[CHAIN_PAYLOAD];
    struct al_buf b = al_buf_fixed(bytes, sizeof(bytes));
    assert_int_equal(al_payload_encode(&b, p), 0);
    assert_false(b.full);
    return chain_add_raw(c, al_buf_slice(&b));
}

struct al_ref chain_add_raw(struct chain *c, struct al_slice payload)
{
    struct al_segment_item *item = &c->items[c->count];
    assert_true(c->count < CHAIN_MAX && payload.n <= CHAIN_PAYLOAD);
    memcpy(c->payloads[c->count], payload.p, payload.n);
    *item = (struct al_segment_item){.payload = al_slice_of(c->payloads[c->count], payload.n)};
    c->count++;
    item->time_ms = SAMPLE_TIME + c->count;
    item->stub = AL_STUB_NONE;
    item->plen = (uint32_t)payload.n;
    al_entry_payload_hash(&item->phash, item->payload);
    struct al_header h = {.device = c->who.keyring.device,
        .log = c->who.as_sample.log,
        .seq = c->count,
        .time_ms = item->time_ms,
        .plen = item->plen,
        .phash = item->phash};
    prev_of(&h.prev, c, c->count);
    al_header_id(&item->id, &h);
    return chain_ref(c, c->count);
}

void chain_notes(struct chain *c, uint32_t count, const char *text)
{
    for (uint32_t i = 0; i < count; i++) {
        char bytes[64];
        (void)snprintf(bytes, sizeof(bytes), "%s %u", text, (unsigned)c->count + 1);
        struct al_payload p = desk_payload(AL_KIND_NOTE, bytes);
        (void)chain_add(c, &p);
    }
}

void chain_branch(struct chain *c, const struct chain *of, uint64_t seq)
{
    *c = *of;
    c->count = (uint32_t)seq;
    for (uint32_t i = 0; i < c->count; i++)
        c->items[i].payload.p = c->payloads[i];
}

struct al_ref chain_ref(const struct chain *c, uint64_t seq)
{
    return (struct al_ref){.device = c->who.keyring.device,
        .log = c->who.as_sample.log,
        .seq = seq,
        .id = c->items[seq - 1].id};
}

void chain_bare(struct al_segment *out, const struct chain *c, uint64_t first, uint64_t last)
{
    assert_true(last <= c->count && al_block_of(first) == al_block_of(last));
    *out = (struct al_segment){
        .device = c->who.keyring.device, .log = c->who.as_sample.log, .first = first};
    out->count = (uint32_t)(last - first + 1);
    prev_of(&out->prev, c, first);
    memcpy(out->items, &c->items[first - 1], out->count * sizeof(out->items[0]));
}

void chain_piece(struct al_segment *out, const struct chain *c, uint64_t first, uint64_t last)
{
    chain_bare(out, c, first, last);
    al_entry_sign(&out->sig, c->who.keyring.device_secret, &c->items[last - 1].id);
}

int chain_revoke(struct desk *d, const struct chain *c, uint64_t seq)
{
    uint8_t bytes[512];
    struct al_buf b = al_buf_fixed(bytes, sizeof(bytes));
    struct al_cut cut = {.log = c->who.as_sample.log, .seq = seq};
    bool is_new;
    if (seq > 0)
        cut.id = c->items[seq - 1].id;
    al_statement_encode_revoke(&b, &c->who.root.identity, c->who.root.secret,
        &c->who.keyring.device, &cut, seq > 0 ? 1 : 0);
    return al_logs_statement(d->l, &is_new, al_buf_slice(&b));
}

int chain_certify(struct desk *d, const struct chain *c)
{
    uint8_t bytes[512];
    struct al_buf b = al_buf_fixed(bytes, sizeof(bytes));
    bool is_new;
    rig_cert(&b, &c->who);
    return al_logs_statement(d->l, &is_new, al_buf_slice(&b));
}
