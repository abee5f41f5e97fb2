/* Hashes, ids, headers. */
#include "entry.h"
#include "hash.h"
#include "id.h"
#include "limit.h"
#include "sample.h"
#include "vec.h"

void make_hash(json_t *list)
{
    static const char *const hashes[] = {AL_P_ENTRY, AL_P_PAYLOAD, AL_P_GENESIS, AL_P_STATEMENT,
        AL_P_IDENTITY, AL_P_NETWORK, AL_P_INVITE, AL_P_INTEREST, AL_P_ADDRESS};
    static const char *const keyed[] = {AL_P_ROOT, AL_P_READ, AL_P_ME, AL_P_HINT, AL_P_SEAL};
    static const char *const signs[] = {
        AL_P_SIG_ENTRY, AL_P_SIG_ROOT, AL_P_SIG_DEVICE, AL_P_SIG_ADDRESS};
    uint8_t m[200];
    struct al_hash out;
    sample_bytes(m, sizeof(m), 1000);
    for (size_t i = 0; i < sizeof(hashes) / sizeof(hashes[0]); i++) {
        al_hash1(&out, hashes[i], m, i * 20);
        json_t *v = vec_add(list, "H", 0, al_slice_of(m, i * 20));
        vec_text(v, "purpose", al_slice_str(hashes[i]));
        vec_hex(v, "out", out.b, 32);
    }
    for (size_t i = 0; i < sizeof(keyed) / sizeof(keyed[0]); i++) {
        al_keyed_hash(out.b, m + 1, keyed[i], m, i * 40);
        json_t *v = vec_add(list, "K", 0, al_slice_of(m, i * 40));
        vec_text(v, "purpose", al_slice_str(keyed[i]));
        vec_hex(v, "key", m + 1, 32);
        vec_hex(v, "out", out.b, 32);
    }
    for (size_t i = 0; i < sizeof(signs) / sizeof(signs[0]); i++) {
        struct sample_person p = sample_person(i);
        struct al_sig sig;
        al_sign(&sig, p.device_secret, signs[i], m);
        json_t *v = vec_add(list, "S", 0, al_slice_of(m, 32));
        vec_text(v, "purpose", al_slice_str(signs[i]));
        vec_hex(v, "seed", p.device_secret, 32);
        vec_hex(v, "public", p.device.b, 32);
        vec_hex(v, "out", sig.b, 64);
    }
}

static void add_text(json_t *list, const char *name, int err, const char *text)
{
    json_t *v = vec_bare(list, name, err);
    vec_text(v, "text", al_slice_str(text));
}

void make_id(json_t *list)
{
    for (uint64_t i = 0; i < 6; i++) {
        uint8_t b[32];
        char text[AL_ID_TEXT];
        sample_bytes(b, sizeof(b), 1100 + i);
        if (i < 2)
            memset(b, i == 0 ? 0 : 0xff, sizeof(b));
        al_id_text(text, b);
        json_t *v = vec_add(list, "32 bytes", 0, al_slice_of(b, sizeof(b)));
        vec_text(v, "text", al_slice_str(text));
    }
    add_text(list, "empty", AL_E_TEXT_FORM, "");
    add_text(
        list, "too short", AL_E_TEXT_FORM, "000000000000000000000000000000000000000000000000000");
    add_text(
        list, "too long", AL_E_TEXT_FORM, "00000000000000000000000000000000000000000000000000000");
    add_text(
        list, "a letter u", AL_E_TEXT_FORM, "u000000000000000000000000000000000000000000000000000");
    add_text(list, "bits beyond the last byte", AL_E_TEXT_FORM,
        "0000000000000000000000000000000000000000000000000001");
}

static struct al_header sample_header(uint64_t seed)
{
    struct sample_person p = sample_person(seed);
    struct al_header h = {.device = p.device,
        .log = p.log,
        .seq = 1 + seed,
        .time_ms = SAMPLE_TIME + seed * 1234567,
        .plen = (uint32_t)(1 + seed * 100)};
    sample_bytes(h.prev.b, 32, seed + 1200);
    sample_bytes(h.phash.b, 32, seed + 1300);
    return h;
}

static void add_header(json_t *list, const char *name, int err, const struct al_header *h)
{
    uint8_t bytes[AL_HEADER_MAX];
    struct al_buf b = al_buf_fixed(bytes, sizeof(bytes));
    al_header_encode(&b, h);
    json_t *v = vec_add(list, name, err, al_buf_slice(&b));
    if (err != 0)
        return;
    struct al_hash id;
    al_header_id(&id, h);
    vec_hex(v, "device", h->device.b, 32);
    vec_hex(v, "log", h->log.b, 8);
    vec_uint(v, "seq", h->seq);
    vec_uint(v, "time_ms", h->time_ms);
    vec_hex(v, "prev", h->prev.b, 32);
    vec_uint(v, "plen", h->plen);
    vec_hex(v, "phash", h->phash.b, 32);
    vec_hex(v, "id", id.b, 32);
}

static void add_out_of_range(json_t *list)
{
    struct al_header h = sample_header(3);
    h.seq = 0;
    add_header(list, "seq 0", AL_E_RANGE, &h);
    h.seq = AL_SEQ_MAX + 1;
    add_header(list, "seq over its cap", AL_E_RANGE, &h);
    h = sample_header(3);
    h.time_ms = AL_TIME_MAX + 1;
    add_header(list, "time over its cap", AL_E_RANGE, &h);
    h = sample_header(3);
    h.plen = 0;
    add_header(list, "payload of 0 bytes", AL_E_RANGE, &h);
    h.plen = AL_PAYLOAD_MAX + 1;
    add_header(list, "payload over its cap", AL_E_RANGE, &h);
}

void make_header(json_t *list)
{
    for (uint64_t i = 0; i < 5; i++) {
        struct al_header h = sample_header(i * i * 37);
        add_header(list, "any header", 0, &h);
    }
    struct al_header h = sample_header(1);
    h.seq = AL_SEQ_MAX;
    h.time_ms = AL_TIME_MAX;
    h.plen = AL_PAYLOAD_MAX;
    add_header(list, "largest numbers", 0, &h);
    h = sample_header(1);
    h.seq = 1;
    h.time_ms = 0;
    h.plen = 1;
    add_header(list, "smallest numbers", 0, &h);
    add_out_of_range(list);

    uint8_t bytes[AL_HEADER_MAX];
    uint8_t other[AL_HEADER_MAX + 8];
    struct al_buf b = al_buf_fixed(bytes, sizeof(bytes));
    h = sample_header(2);
    al_header_encode(&b, &h);
    struct al_slice good = al_buf_slice(&b);
#define BROKEN(name, err, at, cut, hex)                                                            \
    vec_add(list, name, err, vec_patch(other, sizeof(other), good, at, cut, hex))
    BROKEN("version 2", AL_E_VERSION, 1, 1, "02");
    BROKEN("version 2 with a field more", AL_E_VERSION, 0, 2, "99 02 00");
    BROKEN("a field more", AL_E_COUNT, 0, 2, "99 01 00");
    BROKEN("a field less", AL_E_COUNT, 0, 36, "97 01");
    BROKEN("a map", AL_E_TYPE, 0, good.n, "80");
    BROKEN("version in long form", AL_E_LONG_FORM, 1, 1, "cc01");
    BROKEN("seq as text", AL_E_TYPE, 46, 1, "a133");
    BROKEN("seq negative", AL_E_TYPE, 46, 1, "ff");
    BROKEN("device of 31 bytes", AL_E_LENGTH, 3, 2, "1f");
    BROKEN("log of 9 bytes", AL_E_LENGTH, 37, 1, "09 00");
    BROKEN("trailing byte", AL_E_TRAILING, good.n, 0, "00");
    BROKEN("cut short", AL_E_TRUNCATED, good.n - 1, 1, "");
#undef BROKEN
}

void make_genesis(json_t *list)
{
    for (uint64_t i = 0; i < 3; i++) {
        struct sample_person p = sample_person(i);
        struct al_hash out;
        al_entry_genesis(&out, &p.identity, &p.device, &p.log);
        json_t *v = vec_bare(list, "genesis", 0);
        vec_hex(v, "identity", p.identity.b, 32);
        vec_hex(v, "device", p.device.b, 32);
        vec_hex(v, "log", p.log.b, 8);
        vec_hex(v, "out", out.b, 32);
    }
}
