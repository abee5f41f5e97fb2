/* The handshake, from known keys on both sides, and frames. */
#include <assert.h>
#include <sodium.h>

#include "handshake.h"
#include "hash.h"
#include "sample.h"
#include "ticket.h"
#include "vec.h"

#define SIZE_1 48
#define SIZE_2 48
#define SIZE_3 64

struct sides {
    struct al_network network;
    uint8_t dialler[32], dialler_e[32];     /* secrets: static, ephemeral */
    uint8_t responder[32], responder_e[32]; /* the same */
};

static struct sides sample_sides(uint64_t seed)
{
    struct sides s;
    if (seed == 0)
        al_network_public(&s.network);
    else
        sample_bytes(s.network.b, 32, seed + 7800);
    sample_bytes(s.dialler, 32, seed + 7810);
    sample_bytes(s.dialler_e, 32, seed + 7820);
    sample_bytes(s.responder, 32, seed + 7830);
    sample_bytes(s.responder_e, 32, seed + 7840);
    return s;
}

static void start(struct al_handshake *hs, const struct sides *s, bool initiator)
{
    uint8_t prologue[7 + 32], public[32], remote[32];
    memcpy(prologue, "aloud/1", 7);
    memcpy(prologue + 7, s->network.b, 32);
    (void)crypto_scalarmult_base(public, initiator ? s->dialler : s->responder);
    (void)crypto_scalarmult_base(remote, s->responder);
    const struct al_handshake_opts opts = {.initiator = initiator,
        .prologue = al_slice_of(prologue, sizeof(prologue)),
        .static_secret = initiator ? s->dialler : s->responder,
        .static_public = public,
        .remote_public = initiator ? remote : NULL,
        .ephemeral_secret = initiator ? s->dialler_e : s->responder_e};
    al_handshake_init(hs, &opts);
}

/* One message from |from| to |to|, appended to |b|. */
static void pass(struct al_handshake *from, struct al_handshake *to, struct al_buf *b)
{
    uint8_t nothing[AL_CIPHER_TAG];
    struct al_buf payload = al_buf_fixed(nothing, sizeof(nothing));
    size_t start_n = b->n;
    int err = al_handshake_write(from, b, al_slice_of(NULL, 0));
    if (err == 0)
        err = al_handshake_read(to, &payload, al_slice_of(b->p + start_n, b->n - start_n));
    assert(err == 0 && !b->full);
}

static json_t *add(
    json_t *list, const char *name, int err, const struct sides *s, const uint8_t *bytes)
{
    json_t *v = vec_add(list, name, err, al_slice_of(bytes, SIZE_1 + SIZE_2 + SIZE_3));
    vec_hex(v, "network", s->network.b, 32);
    vec_hex(v, "dialler", s->dialler, 32);
    vec_hex(v, "dialler_ephemeral", s->dialler_e, 32);
    vec_hex(v, "responder", s->responder, 32);
    vec_hex(v, "responder_ephemeral", s->responder_e, 32);
    return v;
}

static void run(json_t *list, const char *name, uint8_t *bytes, const struct sides *s)
{
    struct al_handshake dialler, responder;
    struct al_cipher sending, receiving;
    struct al_buf b = al_buf_fixed(bytes, SIZE_1 + SIZE_2 + SIZE_3);
    start(&dialler, s, true);
    start(&responder, s, false);
    pass(&dialler, &responder, &b);
    pass(&responder, &dialler, &b);
    pass(&dialler, &responder, &b);
    al_handshake_split(&dialler, &sending, &receiving);
    json_t *v = add(list, name, 0, s, bytes);
    vec_hex(v, "hash", dialler.h, sizeof(dialler.h));
    vec_hex(v, "first_key", sending.key, 32);
    vec_hex(v, "second_key", receiving.key, 32);
}

void make_handshake(json_t *list)
{
    uint8_t bytes[SIZE_1 + SIZE_2 + SIZE_3];
    struct sides s = sample_sides(1), other;
    run(list, "a private network", bytes, &s);
    s = sample_sides(0);
    run(list, "the public network", bytes, &s);
    other = s;
    other.network.b[0] ^= 1;
    add(list, "another network", AL_E_HANDSHAKE, &other, bytes);
    other = s;
    other.responder[8] ^= 1;
    add(list, "dialled for another key", AL_E_HANDSHAKE, &other, bytes);
    static const size_t places[] = {40, SIZE_1 + 40, SIZE_1 + SIZE_2 + 10, SIZE_1 + SIZE_2 + 60};
    static const char *const names[] = {"the tag of message 1 damaged",
        "the tag of message 2 damaged", "the static key in message 3 damaged",
        "the tag of message 3 damaged"};
    for (size_t i = 0; i < 4; i++) {
        bytes[places[i]] ^= 1;
        add(list, names[i], AL_E_HANDSHAKE, &s, bytes);
        bytes[places[i]] ^= 1;
    }
    memset(bytes, 0, 32);
    add(list, "an ephemeral key of small order", AL_E_POINT, &s, bytes);
}

/* --- frames ---------------------------------------------------------------------------------- */

static json_t *add_frame(
    json_t *list, const char *name, int err, const struct al_cipher *c, struct al_slice frame)
{
    json_t *v = vec_add(list, name, err, frame);
    vec_hex(v, "key", c->key, 32);
    vec_uint(v, "nonce", c->nonce);
    return v;
}

static struct al_slice seal(uint8_t *out, const struct al_cipher *c, const uint8_t *plain, size_t n)
{
    struct al_cipher used = *c;
    size_t sealed = n + AL_CIPHER_TAG;
    out[0] = (uint8_t)(sealed >> 8);
    out[1] = (uint8_t)sealed;
    int err = al_cipher_encrypt(&used, out + 2, al_slice_of(NULL, 0), al_slice_of(plain, n));
    assert(err == 0);
    return al_slice_of(out, sealed + 2);
}

void make_frame(json_t *list)
{
    static const struct {
        const char *name;
        uint64_t nonce;
        uint8_t flag;
        size_t n; /* of the message's part */
    } cases[] = {
        {"the first frame, a ping", 0, 0, 3},
        {"a part, more to come", 7, 1, 200},
        {"an empty last part", 8, 0, 0},
        {"the last frame under a key", 65534, 0, 5},
        {"the first frame under the next", 65535, 0, 5},
        {"the last frame under the second key", 131069, 1, 5},
        {"a nonce over 32 bits", UINT64_C(5000000000), 0, 5},
    };
    uint8_t plain[256], frame[512];
    struct al_cipher c;
    sample_bytes(c.key, 32, 7900);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        c.nonce = cases[i].nonce;
        plain[0] = cases[i].flag;
        sample_bytes(plain + 1, cases[i].n, 7910 + i);
        struct al_slice bytes = seal(frame, &c, plain, cases[i].n + 1);
        json_t *v = add_frame(list, cases[i].name, 0, &c, bytes);
        struct al_cipher next = {.nonce = c.nonce + 1};
        memcpy(next.key, c.key, 32);
        if (next.nonce % 65535 == 0)
            al_cipher_rekey(&next);
        vec_hex(v, "plain", plain, cases[i].n + 1);
        vec_hex(v, "next_key", next.key, 32);
    }
    struct al_slice bytes = seal(frame, &c, plain, 6);
    struct al_cipher other = c;
    other.nonce++;
    add_frame(list, "with the nonce of the next", AL_E_DECRYPT, &other, bytes);
    other = c;
    other.key[0] ^= 1;
    add_frame(list, "under another key", AL_E_DECRYPT, &other, bytes);
    frame[bytes.n - 1] ^= 1;
    add_frame(list, "damaged", AL_E_DECRYPT, &c, bytes);
    plain[0] = 2;
    add_frame(list, "flag 2", AL_E_FRAME, &c, seal(frame, &c, plain, 6));
    plain[0] = 0;
    add_frame(list, "without a flag", AL_E_FRAME, &c, seal(frame, &c, plain, 0));
}
