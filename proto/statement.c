#include "statement.h"

#include <sodium.h>
#include <stdlib.h>

#include "hash.h"
#include "read.h"
#include "write.h"

#define STATEMENT_FIELDS 3
#define CERT_FIELDS 6
#define REVOKE_FIELDS 5
#define READ_FIELDS 6

static_assert(96 + AL_READ_BOXES_MAX * (1 + 34 + 2 + AL_READ_BOX_BYTES) + 160 <= AL_STATEMENT_MAX,
    "the largest reading key fits");
static_assert(96 + AL_LOGS_PER_DEVICE_MAX * (1 + 10 + 9 + 34) + 160 <= AL_STATEMENT_MAX,
    "the largest revocation fits");

/* --- one element of a revocation or a reading key ------------------------------------------ */

static void read_cut(struct al_read *r, struct al_cut *out)
{
    (void)al_read_array(r, 3, 3);
    al_read_bytes(r, out->log.b, sizeof(out->log.b));
    out->seq = al_read_uint(r, AL_SEQ_MAX);
    al_read_bytes(r, out->id.b, sizeof(out->id.b));
    if (out->seq == 0)
        al_read_fail(r, AL_E_RANGE);
}

static void read_box(struct al_read *r, struct al_read_box *out)
{
    (void)al_read_array(r, 2, 2);
    al_read_bytes(r, out->device.b, sizeof(out->device.b));
    al_read_bytes(r, out->box, sizeof(out->box));
}

/* --- opening ------------------------------------------------------------------------------- */

static void open_cert(struct al_read *r, struct al_statement *s)
{
    al_read_bytes(r, s->device.b, sizeof(s->device.b));
    s->created_ms = al_read_uint(r, AL_TIME_MAX);
    s->name = al_read_str(r, AL_NAME_MAX);
}

static void open_revoke(struct al_read *r, struct al_statement *s)
{
    al_read_bytes(r, s->device.b, sizeof(s->device.b));
    s->count = al_read_array(r, 0, AL_LOGS_PER_DEVICE_MAX);
    s->elements.p = r->p;
    struct al_logname last;
    for (uint32_t i = 0; i < s->count && r->err == 0; i++) {
        struct al_cut cut;
        read_cut(r, &cut);
        if (i > 0 && memcmp(last.b, cut.log.b, sizeof(last.b)) >= 0)
            al_read_fail(r, AL_E_ORDER);
        last = cut.log;
    }
    s->elements.n = (size_t)(r->p - s->elements.p);
}

static void open_read(struct al_read *r, struct al_statement *s)
{
    s->generation = (uint32_t)al_read_uint(r, AL_READ_GENERATIONS_MAX);
    if (s->generation == 0)
        al_read_fail(r, AL_E_RANGE);
    al_read_bytes(r, s->read_pk, sizeof(s->read_pk));
    s->count = al_read_array(r, 0, AL_READ_BOXES_MAX);
    s->elements.p = r->p;
    struct al_device last;
    for (uint32_t i = 0; i < s->count && r->err == 0; i++) {
        struct al_read_box box;
        read_box(r, &box);
        if (i > 0 && memcmp(last.b, box.device.b, sizeof(last.b)) >= 0)
            al_read_fail(r, AL_E_ORDER);
        last = box.device;
    }
    s->elements.n = (size_t)(r->p - s->elements.p);
}

static int open_body(struct al_statement *s)
{
    static const uint32_t fields[] = {0, CERT_FIELDS, REVOKE_FIELDS, READ_FIELDS};
    struct al_read r = al_read_message(s->body);
    uint32_t n = al_read_array_v1(&r, 2, UINT32_MAX);
    uint64_t kind = al_read_uint(&r, UINT64_MAX);
    if (r.err != 0)
        return r.err;
    if (kind < AL_STATEMENT_CERT || kind > AL_STATEMENT_READ)
        return AL_E_STATEMENT_KIND;
    if (n != fields[kind])
        return AL_E_COUNT;
    s->kind = (enum al_statement_kind)kind;
    al_read_bytes(&r, s->identity.b, sizeof(s->identity.b));
    switch (s->kind) {
    case AL_STATEMENT_CERT:
        open_cert(&r, s);
        break;
    case AL_STATEMENT_REVOKE:
        open_revoke(&r, s);
        break;
    case AL_STATEMENT_READ:
        open_read(&r, s);
        break;
    }
    return al_read_end(&r);
}

/* An X25519 key of small order turns every shared secret into zero. */
static int check_read_key(const uint8_t read_pk[32])
{
    static const uint8_t any_scalar[32] = {9};
    uint8_t shared[32];
    return crypto_scalarmult(shared, any_scalar, read_pk) == 0 ? 0 : AL_E_POINT;
}

static int check_keys(const struct al_statement *s)
{
    int err = al_check_point(s->identity.b);
    if (err != 0)
        return err;
    return s->kind == AL_STATEMENT_READ ? check_read_key(s->read_pk) : al_check_point(s->device.b);
}

static int check_signatures(const struct al_statement *s)
{
    int err = al_verify(&s->root_sig, s->identity.b, AL_P_SIG_ROOT, s->hash.b);
    if (err == 0 && s->kind == AL_STATEMENT_CERT)
        err = al_verify(&s->device_sig, s->device.b, AL_P_SIG_DEVICE, s->hash.b);
    return err;
}

int al_statement_read(struct al_statement *ret, struct al_slice bytes)
{
    if (bytes.n > AL_STATEMENT_MAX)
        return AL_E_LENGTH;
    struct al_statement s = {.count = 0};
    struct al_read r = al_read_message(bytes);
    (void)al_read_array(&r, STATEMENT_FIELDS, STATEMENT_FIELDS);
    s.body = al_read_bin(&r, 1, AL_STATEMENT_MAX);
    al_read_bytes(&r, s.root_sig.b, sizeof(s.root_sig.b));
    struct al_slice device_sig = al_read_bin(&r, 0, sizeof(s.device_sig.b));
    int err = al_read_end(&r);
    if (err == 0)
        err = open_body(&s);
    if (err != 0)
        return err;
    if (device_sig.n != (s.kind == AL_STATEMENT_CERT ? sizeof(s.device_sig.b) : 0))
        return AL_E_LENGTH;
    if (device_sig.n > 0)
        memcpy(s.device_sig.b, device_sig.p, device_sig.n);
    al_hash1(&s.hash, AL_P_STATEMENT, s.body.p, s.body.n);
    *ret = s;
    return 0;
}

int al_statement_open(struct al_statement *ret, struct al_slice bytes)
{
    struct al_statement s;
    int err = al_statement_read(&s, bytes);
    if (err == 0)
        err = check_keys(&s);
    if (err == 0)
        err = check_signatures(&s);
    if (err == 0)
        *ret = s;
    return err;
}

/* A cursor at element |i|. */
static struct al_read element(const struct al_statement *s, uint32_t i)
{
    assert(i < s->count);
    struct al_read r = al_read_init(s->elements);
    while (i-- > 0)
        (void)al_read_raw(&r);
    return r;
}

void al_statement_cut(struct al_cut *out, const struct al_statement *s, uint32_t i)
{
    assert(s->kind == AL_STATEMENT_REVOKE);
    struct al_read r = element(s, i);
    read_cut(&r, out);
}

void al_statement_box(struct al_read_box *out, const struct al_statement *s, uint32_t i)
{
    assert(s->kind == AL_STATEMENT_READ);
    struct al_read r = element(s, i);
    read_box(&r, out);
}

/* --- making -------------------------------------------------------------------------------- */

static void begin_body(struct al_buf *body, size_t fields, enum al_statement_kind kind,
    const struct al_identity *identity)
{
    al_write_array(body, fields);
    al_write_uint(body, 1);
    al_write_uint(body, kind);
    al_write_bin(body, identity->b, sizeof(identity->b));
}

/* |device_secret| is NULL unless the device signs too. */
static void put_signed(struct al_buf *b, const struct al_buf *body, const uint8_t root_secret[64],
    const uint8_t *device_secret)
{
    assert(!body->full);
    struct al_hash hash;
    struct al_sig sig;
    al_hash1(&hash, AL_P_STATEMENT, body->p, body->n);
    al_write_array(b, STATEMENT_FIELDS);
    al_write_bin(b, body->p, body->n);
    al_sign(&sig, root_secret, AL_P_SIG_ROOT, hash.b);
    al_write_bin(b, sig.b, sizeof(sig.b));
    if (device_secret == NULL) {
        al_write_bin(b, NULL, 0);
        return;
    }
    al_sign(&sig, device_secret, AL_P_SIG_DEVICE, hash.b);
    al_write_bin(b, sig.b, sizeof(sig.b));
}

void al_statement_encode_cert(struct al_buf *b, const struct al_identity *identity,
    const uint8_t root_secret[64], const struct al_device *device, const uint8_t device_secret[64],
    uint64_t created_ms, struct al_slice name)
{
    uint8_t bytes[AL_STATEMENT_MAX];
    struct al_buf body = al_buf_fixed(bytes, sizeof(bytes));
    begin_body(&body, CERT_FIELDS, AL_STATEMENT_CERT, identity);
    al_write_bin(&body, device->b, sizeof(device->b));
    al_write_uint(&body, created_ms);
    al_write_str(&body, name);
    put_signed(b, &body, root_secret, device_secret);
}

void al_statement_encode_revoke(struct al_buf *b, const struct al_identity *identity,
    const uint8_t root_secret[64], const struct al_device *device, const struct al_cut *cuts,
    uint32_t count)
{
    uint8_t bytes[AL_STATEMENT_MAX];
    struct al_buf body = al_buf_fixed(bytes, sizeof(bytes));
    begin_body(&body, REVOKE_FIELDS, AL_STATEMENT_REVOKE, identity);
    al_write_bin(&body, device->b, sizeof(device->b));
    al_write_array(&body, count);
    for (uint32_t i = 0; i < count; i++) {
        al_write_array(&body, 3);
        al_write_bin(&body, cuts[i].log.b, sizeof(cuts[i].log.b));
        al_write_uint(&body, cuts[i].seq);
        al_write_bin(&body, cuts[i].id.b, sizeof(cuts[i].id.b));
    }
    put_signed(b, &body, root_secret, NULL);
}

void al_statement_encode_read(struct al_buf *b, const struct al_identity *identity,
    const uint8_t root_secret[64], uint32_t generation, const uint8_t read_pk[32],
    const struct al_read_box *boxes, uint32_t count)
{
    uint8_t bytes[AL_STATEMENT_MAX];
    struct al_buf body = al_buf_fixed(bytes, sizeof(bytes));
    begin_body(&body, READ_FIELDS, AL_STATEMENT_READ, identity);
    al_write_uint(&body, generation);
    al_write_bin(&body, read_pk, 32);
    al_write_array(&body, count);
    for (uint32_t i = 0; i < count; i++) {
        al_write_array(&body, 2);
        al_write_bin(&body, boxes[i].device.b, sizeof(boxes[i].device.b));
        al_write_bin(&body, boxes[i].box, sizeof(boxes[i].box));
    }
    put_signed(b, &body, root_secret, NULL);
}

/* --- the digest of a record ---------------------------------------------------------------- */

static int compare(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct al_hash));
}

void al_statement_digest(struct al_hash *out, struct al_hash *hashes, size_t count)
{
    if (count > 0)
        qsort(hashes, count, sizeof(*hashes), compare);
    al_hash1(out, AL_P_IDENTITY, hashes, count * sizeof(*hashes));
}
