/* Statements, and the digest over a record of them. */
#include "statement.h"

#include <sodium.h>

#include "hash.h"
#include "sample.h"
#include "vec.h"
#include "write.h"

static uint8_t space[AL_STATEMENT_MAX];
static uint8_t other[AL_STATEMENT_MAX + 64];
static struct al_cut cuts[AL_LOGS_PER_DEVICE_MAX + 1];
static struct al_read_box boxes[AL_READ_BOXES_MAX + 1];

static struct al_slice cert(const struct sample_person *p, const char *name, uint64_t created_ms)
{
    struct al_buf b = al_buf_fixed(space, sizeof(space));
    al_statement_encode_cert(&b, &p->identity, p->root_secret, &p->device, p->device_secret,
        created_ms, al_slice_str(name));
    return al_buf_slice(&b);
}

static struct al_slice revoke(const struct sample_person *p, uint32_t count)
{
    struct al_buf b = al_buf_fixed(space, sizeof(space));
    al_statement_encode_revoke(&b, &p->identity, p->root_secret, &p->device, cuts, count);
    return al_buf_slice(&b);
}

static struct al_slice reading(
    const struct sample_person *p, uint32_t generation, const uint8_t read_pk[32], uint32_t count)
{
    struct al_buf b = al_buf_fixed(space, sizeof(space));
    al_statement_encode_read(&b, &p->identity, p->root_secret, generation, read_pk, boxes, count);
    return al_buf_slice(&b);
}

static void fill_lists(void)
{
    for (size_t i = 0; i <= AL_LOGS_PER_DEVICE_MAX; i++) {
        sample_bytes(&cuts[i], sizeof(cuts[i]), 3000 + i);
        cuts[i].seq = 1 + i * i * i * 100;
        al_u64be(cuts[i].log.b, i << 40);
    }
    for (size_t i = 0; i <= AL_READ_BOXES_MAX; i++) {
        sample_bytes(&boxes[i], sizeof(boxes[i]), 3100 + i);
        boxes[i].device.b[0] = (uint8_t)i;
    }
}

static void add(json_t *list, const char *name, int err, struct al_slice bytes)
{
    json_t *v = vec_add(list, name, err, bytes);
    struct al_statement s;
    if (err != 0 || al_statement_open(&s, bytes) != 0)
        return;
    vec_uint(v, "kind", s.kind);
    vec_hex(v, "identity", s.identity.b, 32);
    vec_hex(v, "hash", s.hash.b, 32);
    if (s.kind == AL_STATEMENT_READ) {
        vec_uint(v, "generation", s.generation);
        vec_hex(v, "read_pk", s.read_pk, 32);
    } else {
        vec_hex(v, "device", s.device.b, 32);
    }
    if (s.kind == AL_STATEMENT_CERT) {
        vec_uint(v, "created_ms", s.created_ms);
        vec_text(v, "device_name", s.name);
    } else {
        vec_uint(v, "count", s.count);
    }
}

static void read_key(uint8_t read_pk[32])
{
    uint8_t read_sk[32];
    sample_bytes(read_sk, sizeof(read_sk), 3200);
    (void)crypto_scalarmult_base(read_pk, read_sk);
}

static void add_valid(json_t *list, const struct sample_person *p)
{
    uint8_t read_pk[32];
    read_key(read_pk);
    add(list, "certificate", 0, cert(p, "laptop", SAMPLE_TIME));
    add(list, "certificate with the smallest fields", 0, cert(p, "", 0));
    add(list, "certificate with the largest fields", 0,
        cert(p, "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef", AL_TIME_MAX));
    add(list, "revocation of everything", 0, revoke(p, 0));
    add(list, "revocation of three logs", 0, revoke(p, 3));
    add(list, "revocation with the most logs", 0, revoke(p, AL_LOGS_PER_DEVICE_MAX));
    add(list, "reading key without boxes", 0, reading(p, 1, read_pk, 0));
    add(list, "reading key with two boxes", 0, reading(p, 2, read_pk, 2));
    add(list, "reading key with the most boxes", 0, reading(p, 64, read_pk, AL_READ_BOXES_MAX));
}

static void add_broken_fields(json_t *list, const struct sample_person *p)
{
    uint8_t read_pk[32];
    read_key(read_pk);
    add(list, "device name of 65 bytes", AL_E_LENGTH,
        cert(p, "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0", 0));
    add(list, "created over the cap", AL_E_RANGE, cert(p, "x", AL_TIME_MAX + 1));
    add(list, "device name that is not UTF-8", AL_E_UTF8, cert(p, "\xc0\xaf", 0));
    add(list, "a cut too many", AL_E_COUNT, revoke(p, AL_LOGS_PER_DEVICE_MAX + 1));
    add(list, "a box too many", AL_E_COUNT, reading(p, 1, read_pk, AL_READ_BOXES_MAX + 1));
    add(list, "generation 0", AL_E_RANGE, reading(p, 0, read_pk, 1));
    add(list, "generation 65", AL_E_RANGE, reading(p, 65, read_pk, 1));
    cuts[0].seq = 0;
    add(list, "cut at seq 0", AL_E_RANGE, revoke(p, 1));
    cuts[0].seq = AL_SEQ_MAX + 1;
    add(list, "cut over the cap", AL_E_RANGE, revoke(p, 1));
    fill_lists();
    cuts[1].log = cuts[0].log;
    add(list, "one log twice", AL_E_ORDER, revoke(p, 2));
    cuts[0].log.b[0] = 0xff;
    add(list, "logs unsorted", AL_E_ORDER, revoke(p, 2));
    boxes[1].device = boxes[0].device;
    add(list, "one device twice", AL_E_ORDER, reading(p, 1, read_pk, 2));
    boxes[0].device.b[0] = 0xff;
    add(list, "devices unsorted", AL_E_ORDER, reading(p, 1, read_pk, 2));
    fill_lists();
}

static void add_broken_keys(json_t *list, const struct sample_person *p)
{
    static const char *const names[] = {"reading key 0", "reading key 1"};
    uint8_t read_pk[32] = {0};
    for (uint8_t i = 0; i < 2; i++) {
        read_pk[0] = i;
        add(list, names[i], AL_E_POINT, reading(p, 1, read_pk, 1));
    }
    struct sample_person q = *p;
    memset(q.device.b, 0, 32);
    add(list, "device key of small order", AL_E_POINT, cert(&q, "x", 0));
    q.device.b[0] = 2;
    add(list, "device key not on the curve", AL_E_POINT, cert(&q, "x", 0));
    /* -A has the same X25519 form as A, but is another key */
    q.device = p->device;
    q.device.b[31] ^= 0x80;
    add(list, "device key -A", AL_E_SIG, cert(&q, "x", 0));
    q = *p;
    q.identity.b[31] ^= 0x80;
    add(list, "root key -A", AL_E_SIG, cert(&q, "x", 0));
    /* p - y and the other sign: A + (0, -1), which has a part of order 2 */
    static const char torsion[] =
        "ea5ef8400c31ef41e28f22e718b43f66981b29cf645af2a0e223799bedaace47";
    q = *p;
    (void)vec_unhex(q.device.b, 32, torsion);
    add(list, "device key with a torsion part", AL_E_POINT, cert(&q, "x", 0));
    q = *p;
    (void)vec_unhex(q.identity.b, 32, torsion);
    add(list, "root key with a torsion part", AL_E_POINT, revoke(&q, 0));
}

static void add_broken_signatures(json_t *list, const struct sample_person *p)
{
    struct sample_person q = sample_person(2);
    struct sample_person thief = *p;
    memcpy(thief.root_secret, q.root_secret, 64);
    add(list, "signed by another root", AL_E_SIG, cert(&thief, "x", 0));
    add(list, "revoked by another root", AL_E_SIG, revoke(&thief, 1));
    thief = *p;
    memcpy(thief.device_secret, q.device_secret, 64);
    add(list, "signed by another device", AL_E_SIG, cert(&thief, "x", 0));

    struct al_slice good = cert(p, "x", 0);
    size_t root = good.n - 66 - 64; /* where the root's signature begins */
#define BROKEN(name, err, at, cut, hex)                                                            \
    add(list, name, err, vec_patch(other, sizeof(other), good, at, cut, hex))
    BROKEN("root signature damaged", AL_E_SIG, root, 1, "ff");
    BROKEN("device signature damaged", AL_E_SIG, good.n - 1, 1, "ff");
    BROKEN("device signature missing", AL_E_LENGTH, good.n - 66, 66, "c400");
    BROKEN("root signature of 63 bytes", AL_E_LENGTH, root - 1, 2, "3f");
    BROKEN("trailing byte", AL_E_TRAILING, good.n, 0, "00");
    BROKEN("a field more", AL_E_COUNT, 0, 1, "94 00");
    BROKEN("body changed", AL_E_SIG, 2 + 1 + 3 + 34 + 34, 1, "01");
    BROKEN("body of version 2", AL_E_VERSION, 4, 1, "02");
    BROKEN("body of kind 4", AL_E_STATEMENT_KIND, 5, 1, "04");
    BROKEN("body of kind 0", AL_E_STATEMENT_KIND, 5, 1, "00");
    BROKEN("body of a kind with other fields", AL_E_COUNT, 5, 1, "02");
    BROKEN("body with a trailing byte", AL_E_TRAILING, 2, 1, "4c 96");
#undef BROKEN
    good = revoke(p, 0);
    vec_add(list, "revocation with a device signature", AL_E_LENGTH,
        vec_patch(other, sizeof(other), good, good.n - 1, 1, "0100"));
    vec_add(list, "over the size of a statement", AL_E_LENGTH,
        al_slice_of(memset(other, 0, sizeof(other)), AL_STATEMENT_MAX + 1));
}

void make_statement(json_t *list)
{
    struct sample_person p = sample_person(1);
    fill_lists();
    add_valid(list, &p);
    add_broken_fields(list, &p);
    add_broken_keys(list, &p);
    add_broken_signatures(list, &p);
}

void make_digest(json_t *list)
{
    fill_lists();
    for (uint32_t count = 0; count <= 4; count++) {
        struct al_hash hashes[4];
        struct al_hash digest;
        json_t *statements = json_array();
        for (uint32_t i = 0; i < count; i++) {
            struct sample_person p = sample_person(1);
            struct al_slice bytes = i == 0 ? cert(&p, "laptop", 1) : revoke(&p, i);
            struct al_statement s;
            if (al_statement_open(&s, bytes) != 0)
                return;
            hashes[i] = s.hash;
            json_t *one = json_object();
            vec_hex(one, "bytes", bytes.p, bytes.n);
            json_array_append(statements, json_object_get(one, "bytes"));
            json_decref(one);
        }
        al_statement_digest(&digest, hashes, count);
        json_t *v = vec_bare(list, "digest", 0);
        json_object_set_new(v, "statements", statements);
        vec_hex(v, "out", digest.b, 32);
    }
}
