#include "sample.h"

#include <sodium.h>

void sample_bytes(void *out, size_t n, uint64_t seed)
{
    uint8_t key[randombytes_SEEDBYTES] = "aloud samples";
    al_u64be(key + sizeof(key) - 8, seed);
    randombytes_buf_deterministic(out, n, key);
}

static void key_pair(uint8_t public[32], uint8_t secret[64], uint64_t seed)
{
    uint8_t bytes[32];
    sample_bytes(bytes, sizeof(bytes), seed);
    (void)crypto_sign_seed_keypair(public, secret, bytes);
}

struct sample_person sample_person(uint64_t n)
{
    struct sample_person p;
    key_pair(p.identity.b, p.root_secret, n * 3);
    key_pair(p.device.b, p.device_secret, n * 3 + 1);
    sample_bytes(p.log.b, sizeof(p.log.b), n * 3 + 2);
    return p;
}

void sample_sign(struct al_segment *s, const struct sample_person *p)
{
    struct al_hash prev = s->prev;
    for (uint32_t i = 0; i < s->count; i++) {
        struct al_segment_item *item = &s->items[i];
        if (item->payload.n > 0) {
            item->plen = (uint32_t)item->payload.n;
            al_entry_payload_hash(&item->phash, item->payload);
        }
        const struct al_header h = {.device = s->device,
            .log = s->log,
            .seq = s->first + i,
            .time_ms = item->time_ms,
            .prev = prev,
            .plen = item->plen,
            .phash = item->phash};
        al_header_id(&item->id, &h);
        prev = item->id;
    }
    al_entry_sign(&s->sig, p->device_secret, &prev);
}

void sample_segment(struct al_segment *out, const struct sample_person *p, uint64_t first,
    const struct al_hash *prev, uint32_t count, uint8_t *payloads, size_t size, uint64_t seed)
{
    memset(out, 0, sizeof(*out));
    out->device = p->device;
    out->log = p->log;
    out->first = first;
    out->count = count;
    if (prev != NULL)
        out->prev = *prev;
    else
        al_entry_genesis(&out->prev, &p->identity, &p->device, &p->log);
    sample_bytes(payloads, count * size, seed);
    for (uint32_t i = 0; i < count; i++) {
        out->items[i].time_ms = SAMPLE_TIME + i * UINT64_C(1000);
        out->items[i].payload = al_slice_of(payloads + i * size, size);
        out->items[i].stub = AL_STUB_NONE;
    }
    sample_sign(out, p);
}
