/* Sealed payloads and their padding. */
#include "sealed.h"

#include <assert.h>
#include <sodium.h>

#include "hash.h"
#include "limit.h"
#include "sample.h"
#include "vec.h"
#include "write.h"

static uint8_t space[AL_PAYLOAD_MAX + 1024];

struct sealing {
    uint8_t key[32];
    uint8_t nonce[AL_NONCE_BYTES];
    struct al_place place;
};

void make_padding(json_t *list)
{
    static const uint64_t lengths[] = {1, 127, 128, 129, 144, 145, 255, 256, 257, 1000, 1024, 1025,
        4096, 4097, 32768, 32769, 61439, 61440};
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        json_t *v = vec_bare(list, "padding", 0);
        vec_uint(v, "length", lengths[i]);
        vec_uint(v, "padded", al_padme(lengths[i]));
    }
}

static struct sealing sample_sealing(uint64_t seed)
{
    struct sealing s;
    struct sample_person p = sample_person(seed);
    sample_bytes(s.key, sizeof(s.key), seed + 2000);
    sample_bytes(s.nonce, sizeof(s.nonce), seed + 2100);
    s.place = (struct al_place){.device = p.device, .log = p.log, .seq = seed * 1000 + 1};
    sample_bytes(s.place.prev.b, 32, seed + 2200);
    return s;
}

static struct al_slice seal(const struct sealing *s, const uint8_t *inner, size_t n)
{
    struct al_buf b = al_buf_fixed(space, sizeof(space));
    int err = al_sealed_encode(&b, s->key, s->nonce, &s->place, al_slice_of(inner, n));
    assert(err == 0);
    return al_buf_slice(&b);
}

static json_t *add(
    json_t *list, const char *name, int err, const struct sealing *s, struct al_slice bytes)
{
    json_t *v = vec_add(list, name, err, bytes);
    vec_hex(v, "key", s->key, 32);
    vec_hex(v, "device", s->place.device.b, 32);
    vec_hex(v, "log", s->place.log.b, 8);
    vec_uint(v, "seq", s->place.seq);
    vec_hex(v, "prev", s->place.prev.b, 32);
    return v;
}

/* Seal |n| bytes at |plain| as they are, without padding them. */
static struct al_slice seal_plain(const struct sealing *s, const uint8_t *plain, size_t n)
{
    uint8_t hint[32];
    uint8_t seal_key[32];
    uint8_t box[1024];
    uint8_t ad[96] = AL_P_SEAL;
    memcpy(ad + 16, s->place.device.b, 32);
    memcpy(ad + 48, s->place.log.b, 8);
    al_u64be(ad + 56, s->place.seq);
    memcpy(ad + 64, s->place.prev.b, 32);
    al_keyed_hash(hint, s->key, AL_P_HINT, s->nonce, AL_NONCE_BYTES);
    al_keyed_hash(seal_key, s->key, AL_P_SEAL, NULL, 0);
    assert(n + 16 <= sizeof(box));
    (void)crypto_aead_xchacha20poly1305_ietf_encrypt(
        box, NULL, plain, n, ad, sizeof(ad), NULL, s->nonce, seal_key);
    struct al_buf b = al_buf_fixed(space, sizeof(space));
    al_write_array(&b, 4);
    al_write_uint(&b, 1);
    al_write_bin(&b, s->nonce, AL_NONCE_BYTES);
    al_write_bin(&b, hint, AL_HINT_BYTES);
    al_write_bin(&b, box, n + 16);
    return al_buf_slice(&b);
}

static void add_padding(json_t *list, const struct sealing *s)
{
    uint8_t plain[512] = {0};
    add(list, "no end mark", AL_E_PADDING, s, seal_plain(s, plain, 128));
    plain[9] = 0x80;
    add(list, "more padding than needed", AL_E_PADDING, s, seal_plain(s, plain, 144));
    plain[20] = 0x40;
    add(list, "padding that is not zero", AL_E_PADDING, s, seal_plain(s, plain, 128));
    add(list, "a length that padding never has", AL_E_LENGTH, s, seal_plain(s, plain, 130));
    add(list, "shorter than the least", AL_E_LENGTH, s, seal_plain(s, plain, 120));
}

void make_sealed(json_t *list)
{
    static const size_t lengths[] = {1, 90, 127, 128, 200, 143, 144, 1000};
    static uint8_t other[sizeof(space)];
    uint8_t inner[AL_SEALED_INNER_MAX] = {0};
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        struct sealing s = sample_sealing(i);
        sample_bytes(inner, lengths[i], i + 2300);
        json_t *v = add(list, "any content", 0, &s, seal(&s, inner, lengths[i]));
        vec_hex(v, "inner", inner, lengths[i]);
    }
    struct sealing s = sample_sealing(1);
    struct al_slice good = seal(&s, inner, 50);
#define BROKEN(name, err, at, cut, hex)                                                            \
    add(list, name, err, &s, vec_patch(other, sizeof(other), good, at, cut, hex))
    BROKEN("version 2", AL_E_VERSION, 1, 1, "02");
    BROKEN("a field more", AL_E_COUNT, 0, 2, "95 01 00");
    BROKEN("nonce of 23 bytes", AL_E_LENGTH, 3, 2, "17");
    BROKEN("hint of 15 bytes", AL_E_LENGTH, 29, 2, "0f");
    BROKEN("trailing byte", AL_E_TRAILING, good.n, 0, "00");
    BROKEN("a map", AL_E_TYPE, 0, good.n, "80");
    BROKEN("nonce damaged", AL_E_SEALED, 4, 1, "ff");
    BROKEN("hint damaged", AL_E_SEALED, 30, 1, "ff");
    BROKEN("box damaged", AL_E_SEALED, good.n - 1, 1, "ff");
#undef BROKEN
    struct sealing t = s;
    t.key[0] ^= 1;
    add(list, "another key", AL_E_SEALED, &t, good);
    t = s;
    t.place.seq++;
    add(list, "another seq", AL_E_SEALED, &t, good);
    t = s;
    t.place.prev.b[0] ^= 1;
    add(list, "another prev", AL_E_SEALED, &t, good);
    t = s;
    t.place.log.b[0] ^= 1;
    add(list, "another log", AL_E_SEALED, &t, good);
    t = s;
    t.place.device.b[0] ^= 1;
    add(list, "another device", AL_E_SEALED, &t, good);
    add_padding(list, &s);
}
