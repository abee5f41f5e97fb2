#include "message.h"

#include "attachment.h"
#include "hash.h"
#include "message_int.h"
#include "read.h"
#include "write.h"

enum shape {
    S_END,
    S_U32,    /* uint min..max, kept in 32 bits, as enums are */
    S_U64,    /* uint min..max */
    S_BOOL,   /* bool */
    S_BYTES,  /* bin of max bytes, kept in place */
    S_BIN,    /* bin of min..max bytes */
    S_OPTION, /* bin of max bytes, or of none */
    S_STR,    /* str of at most max bytes */
    S_REF,    /* reference */
    S_OBJECT, /* an array of at most max bytes that |check| passes */
    S_LIST,   /* array of at most max elements that |check| passes, one by one */
};

struct field {
    enum shape shape;
    uint64_t min, max;
    size_t at;       /* of the member of struct al_message */
    size_t count_at; /* S_LIST: of the member that counts */
    al_message_check *check;
};

#define AT(member) .at = offsetof(struct al_message, member)
#define REQ                                                                                        \
    {                                                                                              \
        .shape = S_U32, .min = 1, .max = UINT32_MAX, AT(req)                                       \
    }
#define REQ_OR_PUSH                                                                                \
    {                                                                                              \
        .shape = S_U32, .max = UINT32_MAX, AT(req)                                                 \
    }
#define U32(lo, hi, m)                                                                             \
    {                                                                                              \
        .shape = S_U32, .min = lo, .max = hi, AT(u.m)                                              \
    }
#define U64(lo, hi, m)                                                                             \
    {                                                                                              \
        .shape = S_U64, .min = lo, .max = hi, AT(u.m)                                              \
    }
#define BOOL(m)                                                                                    \
    {                                                                                              \
        .shape = S_BOOL, AT(u.m)                                                                   \
    }
#define BYTES(size, m)                                                                             \
    {                                                                                              \
        .shape = S_BYTES, .max = size, AT(u.m)                                                     \
    }
#define IDENTITY(m) BYTES(32, m)
#define DEVICE(m) BYTES(32, m)
#define LOG(m) BYTES(8, m)
#define SEQ(m) U64(1, AL_SEQ_MAX, m)
#define BIN(lo, hi, m)                                                                             \
    {                                                                                              \
        .shape = S_BIN, .min = lo, .max = hi, AT(u.m)                                              \
    }
#define OPTION(size, m)                                                                            \
    {                                                                                              \
        .shape = S_OPTION, .max = size, AT(u.m)                                                    \
    }
#define STR(hi, m)                                                                                 \
    {                                                                                              \
        .shape = S_STR, .max = hi, AT(u.m)                                                         \
    }
#define REF(m)                                                                                     \
    {                                                                                              \
        .shape = S_REF, AT(u.m)                                                                    \
    }
#define OBJECT(hi, m, kind)                                                                        \
    {                                                                                              \
        .shape = S_OBJECT, .max = hi, AT(u.m), .check = al_message_check_##kind                    \
    }
#define LIST(hi, m, count, kind)                                                                   \
    {                                                                                              \
        .shape = S_LIST, .max = hi, AT(u.m), .count_at = offsetof(struct al_message, u.count),     \
        .check = al_message_check_##kind                                                           \
    }

#define FIELDS_MAX 9 /* of one message, after its type */

/* The one table of messages; docs/protocol.md, "Messages", says what they mean. */
static const struct form {
    const char *name;
    struct field fields[FIELDS_MAX + 1];
} forms[] = {
    [AL_MSG_HELLO] = {"hello",
        {U64(0, UINT64_MAX, hello.version), STR(AL_AGENT_MAX, hello.agent),
            U64(0, UINT64_MAX, hello.caps), OBJECT(AL_STATEMENT_MAX, hello.cert, statement),
            OPTION(AL_TOKEN_BYTES, hello.token), BYTES(8, hello.boot), BYTES(64, hello.boot_sig),
            U64(0, AL_TIME_MAX, hello.now_ms), STR(AL_SEEN_MAX, hello.seen)}},
    [AL_MSG_INTERESTS] = {"interests",
        {OPTION(32, interests.before), BYTES(32, interests.after),
            LIST(AL_INTERESTS_MAX, interests.add, interests.add_count, identity),
            LIST(AL_INTERESTS_MAX, interests.drop, interests.drop_count, identity),
            BOOL(interests.last)}},
    [AL_MSG_RESET] = {"reset", {{.shape = S_END}}},
    [AL_MSG_OWN_HEADS] = {"own-heads",
        {LIST(AL_OWN_HEADS_MAX, own_heads.list, own_heads.count, ref)}},
    [AL_MSG_RECONCILE] = {"reconcile",
        {U32(0, UINT32_MAX, reconcile.session), U32(0, UINT32_MAX, reconcile.round),
            BOOL(reconcile.more), LIST(AL_RANGES_MAX, reconcile.ranges, reconcile.count, range)}},
    [AL_MSG_WANT] = {"want",
        {REQ, DEVICE(want.device), LOG(want.log), SEQ(want.first), SEQ(want.last)}},
    [AL_MSG_SEGMENT] = {"segment", {REQ_OR_PUSH, OBJECT(AL_MESSAGE_MAX, segment.segment, segment)}},
    [AL_MSG_PAYLOAD] = {"payload", {REQ, DEVICE(payload.device), LOG(payload.log), SEQ(payload.seq),
                                       BIN(1, AL_PAYLOAD_MAX, payload.payload)}},
    [AL_MSG_DONE] = {"done", {REQ, U32(0, AL_DONE_DECLINED, done.status)}},
    [AL_MSG_WANT_PAYLOAD] = {"want-payload",
        {REQ, DEVICE(want_payload.device), LOG(want_payload.log),
            LIST(AL_WANT_PAYLOADS_MAX, want_payload.seqs, want_payload.count, seq)}},
    [AL_MSG_HEADS] = {"heads", {LIST(AL_HEADS_MAX, heads.list, heads.count, head)}},
    [AL_MSG_LINK] = {"link", {DEVICE(link.device), LOG(link.log), BOOL(link.eager)}},
    [AL_MSG_DECLINE] = {"decline",
        {IDENTITY(decline.identity), DEVICE(decline.device), LOG(decline.log),
            U32(AL_DECLINE_QUOTA, AL_DECLINE_RETENTION, decline.reason),
            U64(0, AL_TIME_MAX, decline.until_s)}},
    [AL_MSG_STATEMENTS] = {"statements",
        {REQ_OR_PUSH, LIST(AL_MSG_ELEMENTS_MAX, statements.list, statements.count, statement),
            BOOL(statements.last)}},
    [AL_MSG_WANT_STATEMENTS] = {"want-statements",
        {REQ, LIST(AL_WANT_STATEMENTS_MAX, want_statements.list, want_statements.count, identity)}},
    [AL_MSG_ADDRESSES] = {"addresses",
        {LIST(AL_ADDRESS_RECORDS_MAX, addresses.list, addresses.count, address)}},
    [AL_MSG_FORK] = {"fork",
        {OBJECT(AL_FORK_MAX, fork.a, segment), OBJECT(AL_FORK_MAX, fork.b, segment)}},
    [AL_MSG_FETCH] = {"fetch", {REQ, REF(fetch.ref)}},
    [AL_MSG_EXCERPT] = {"excerpt",
        {REQ, LIST(AL_EXCERPT_STATEMENTS_MAX, excerpt.statements, excerpt.count, statement),
            OBJECT(AL_MESSAGE_MAX, excerpt.segment, segment)}},
    [AL_MSG_REPLIES] = {"replies", {REQ, REF(replies.ref)}},
    [AL_MSG_REFS] = {"refs", {REQ, LIST(AL_REFS_MAX, refs.list, refs.count, ref)}},
    [AL_MSG_PIECE_WANT] = {"piece-want", {REQ, BYTES(32, piece_want.hash)}},
    [AL_MSG_PIECE] = {"piece", {REQ, BIN(1, AL_PIECE_SEALED_BYTES, piece.bytes)}},
    [AL_MSG_PING] = {"ping", {U64(0, UINT64_MAX, ping.n)}},
    [AL_MSG_PONG] = {"pong", {U64(0, UINT64_MAX, pong.n)}},
    [AL_MSG_GOODBYE] = {"goodbye", {STR(AL_REASON_MAX, goodbye.reason)}},
    [AL_MSG_CLONE] = {"clone",
        {BYTES(8, clone.boot), BYTES(64, clone.boot_sig), BOOL(clone.yield)}},
};

static const struct form *form_of(uint64_t type)
{
    bool known = type < sizeof(forms) / sizeof(forms[0]) && forms[type].name != NULL;
    return known ? &forms[type] : NULL;
}

static uint32_t field_count(const struct form *form)
{
    uint32_t n = 0;
    while (form->fields[n].shape != S_END)
        n++;
    return n;
}

const char *al_message_name(enum al_message_type type)
{
    const struct form *form = form_of(type);
    return form != NULL ? form->name : "unknown";
}

static struct al_slice read_object(struct al_read *r, const struct field *f)
{
    const uint8_t *start = r->p;
    (void)f->check(r);
    struct al_slice s = al_slice_of(start, (size_t)(r->p - start));
    if (s.n > f->max)
        al_read_fail(r, AL_E_LENGTH);
    return s;
}

static void read_field(struct al_read *r, struct al_message *m, const struct field *f)
{
    void *at = (uint8_t *)m + f->at;
    struct al_slice s = al_slice_of(NULL, 0);
    uint64_t v = 0;
    switch (f->shape) {
    case S_U32:
    case S_U64:
        v = al_read_uint(r, f->max);
        if (v < f->min)
            al_read_fail(r, AL_E_RANGE);
        if (f->shape == S_U32)
            *(uint32_t *)at = (uint32_t)v;
        else
            *(uint64_t *)at = v;
        return;
    case S_BOOL:
        *(bool *)at = al_read_bool(r);
        return;
    case S_BYTES:
        al_read_bytes(r, at, f->max);
        return;
    case S_REF:
        al_read_ref(r, at);
        return;
    case S_BIN:
        s = al_read_bin(r, f->min, f->max);
        break;
    case S_OPTION:
        s = al_read_bin(r, 0, f->max);
        if (s.n % f->max != 0)
            al_read_fail(r, AL_E_LENGTH);
        break;
    case S_STR:
        s = al_read_str(r, f->max);
        break;
    case S_OBJECT:
        s = read_object(r, f);
        break;
    case S_LIST: {
        void *count = (uint8_t *)m + f->count_at;
        s = al_message_read_list(r, count, (uint32_t)f->max, f->check);
        break;
    }
    case S_END:
        return;
    }
    *(struct al_slice *)at = s;
}

/* What no field says by itself. */
static int check_whole(const struct al_message *m)
{
    if (m->type == AL_MSG_HELLO && m->u.hello.version != 1)
        return AL_E_VERSION;
    if (m->type == AL_MSG_WANT) {
        if (m->u.want.first > m->u.want.last)
            return AL_E_RANGE;
        if ((m->u.want.first - 1) / AL_BLOCK_ENTRIES != (m->u.want.last - 1) / AL_BLOCK_ENTRIES)
            return AL_E_BLOCK;
    }
    return 0;
}

int al_message_decode(struct al_message *ret, struct al_slice bytes)
{
    if (bytes.n > AL_MESSAGE_MAX)
        return AL_E_MESSAGE_SIZE;
    struct al_message m = {.type = AL_MSG_UNKNOWN, .raw = bytes};
    struct al_read r = al_read_message(bytes);
    uint32_t count = al_read_array(&r, 1, UINT32_MAX);
    uint64_t type = al_read_uint(&r, UINT16_MAX);
    const struct form *form = form_of(type);
    if (r.err != 0)
        return r.err;
    if (form == NULL) { /* of a later version */
        *ret = m;
        return 0;
    }
    m.type = (enum al_message_type)type;
    if (count != 1 + field_count(form))
        return AL_E_COUNT;
    for (const struct field *f = form->fields; f->shape != S_END; f++)
        read_field(&r, &m, f);
    int err = al_read_end(&r);
    if (err == 0)
        err = check_whole(&m);
    if (err == 0)
        *ret = m;
    return err;
}

static void write_field(struct al_buf *b, const struct al_message *m, const struct field *f)
{
    const void *at = (const uint8_t *)m + f->at;
    const struct al_slice *s = at;
    switch (f->shape) {
    case S_U32:
        al_write_uint(b, *(const uint32_t *)at);
        break;
    case S_U64:
        al_write_uint(b, *(const uint64_t *)at);
        break;
    case S_BOOL:
        al_write_bool(b, *(const bool *)at);
        break;
    case S_BYTES:
        al_write_bin(b, at, f->max);
        break;
    case S_BIN:
    case S_OPTION:
        al_write_bin(b, s->p, s->n);
        break;
    case S_STR:
        al_write_str(b, *s);
        break;
    case S_REF:
        al_write_ref(b, at);
        break;
    case S_LIST:
        if (s->n == 0)
            al_write_array(b, 0);
        al_write_raw(b, *s);
        break;
    case S_OBJECT:
        al_write_raw(b, *s);
        break;
    case S_END:
        break;
    }
}

void al_message_encode(struct al_buf *b, const struct al_message *m)
{
    const struct form *form = form_of(m->type);
    if (form == NULL) {
        al_write_raw(b, m->raw);
        return;
    }
    al_write_array(b, 1 + field_count(form));
    al_write_uint(b, m->type);
    for (const struct field *f = form->fields; f->shape != S_END; f++)
        write_field(b, m, f);
}

static void boot_hash(
    struct al_hash *out, const struct al_device *device, const uint8_t boot[AL_BOOT_BYTES])
{
    const struct al_slice parts[] = {
        al_slice_of(device->b, sizeof(device->b)), al_slice_of(boot, AL_BOOT_BYTES)};
    al_hash(out, AL_P_BOOT, parts, 2);
}

void al_boot_sign(struct al_sig *out, const struct al_device *device, const uint8_t secret[64],
    const uint8_t boot[AL_BOOT_BYTES])
{
    struct al_hash hash;
    boot_hash(&hash, device, boot);
    al_sign(out, secret, AL_P_SIG_BOOT, hash.b);
}

int al_boot_verify(
    const struct al_sig *sig, const struct al_device *device, const uint8_t boot[AL_BOOT_BYTES])
{
    struct al_hash hash;
    boot_hash(&hash, device, boot);
    return al_verify(sig, device->b, AL_P_SIG_BOOT, hash.b);
}

void al_interests_digest(struct al_hash *out, const struct al_identity *ids, size_t count)
{
    al_hash1(out, AL_P_INTEREST, ids, count * sizeof(*ids));
}
