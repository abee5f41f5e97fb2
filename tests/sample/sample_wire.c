#include "sample_wire.h"

#include "attachment.h"
#include "circle.h"
#include "limit.h"
#include "sample.h"
#include "statement.h"
#include "write.h"

struct al_ref sample_ref(uint64_t seed)
{
    struct al_ref ref = {.seq = 1000 + seed};
    sample_bytes(ref.device.b, sizeof(ref.device.b), seed);
    sample_bytes(ref.log.b, sizeof(ref.log.b), seed + 1);
    sample_bytes(ref.id.b, sizeof(ref.id.b), seed + 2);
    return ref;
}

/* What is appended to |lists| from here on is one encoded value. */
static struct al_slice since(const struct al_buf *lists, size_t start)
{
    return al_slice_of(lists->p + start, lists->n - start);
}

static struct al_slice put_identities(struct al_buf *lists, uint8_t first)
{
    size_t start = lists->n;
    al_write_array(lists, 2);
    for (uint8_t i = 0; i < 2; i++) {
        const struct al_identity id = {{(uint8_t)(first + i)}};
        al_write_bin(lists, id.b, sizeof(id.b));
    }
    return since(lists, start);
}

static struct al_slice put_refs(struct al_buf *lists)
{
    size_t start = lists->n;
    al_write_array(lists, 2);
    for (uint64_t i = 0; i < 2; i++) {
        struct al_ref ref = sample_ref(i);
        al_write_ref(lists, &ref);
    }
    return since(lists, start);
}

static struct al_slice put_heads(struct al_buf *lists)
{
    size_t start = lists->n;
    const struct al_head head = {.device = {{1}}, .log = {{2}}, .seq = 77, .tag = {3}};
    al_write_array(lists, 1);
    al_message_put_head(lists, &head);
    return since(lists, start);
}

static struct al_slice put_ranges(struct al_buf *lists)
{
    size_t start = lists->n;
    const struct al_item item = {.identity = {{8}}, .seq = 3, .tag = {9}};
    al_write_array(lists, 1);
    al_message_put_item(lists, &item);
    struct al_range ranges[] = {
        {.upper = al_slice_str("a"), .mode = AL_RANGE_SKIP},
        {.upper = al_slice_str("b"), .mode = AL_RANGE_FINGERPRINT, .sum = {1}, .count = 70},
        {.upper = al_slice_str("c"), .mode = AL_RANGE_ITEMS, .items = since(lists, start)},
        {.mode = AL_RANGE_FINAL, .items = since(lists, start)},
    };
    start = lists->n;
    al_write_array(lists, 4);
    for (size_t i = 0; i < 4; i++)
        al_message_put_range(lists, &ranges[i]);
    return since(lists, start);
}

static struct al_slice put_seqs(struct al_buf *lists)
{
    size_t start = lists->n;
    static const uint64_t seqs[] = {1, 127, 128, 256, 65536, AL_SEQ_MAX};
    al_write_array(lists, 6);
    for (size_t i = 0; i < 6; i++)
        al_write_uint(lists, seqs[i]);
    return since(lists, start);
}

static struct al_slice put_statement(struct al_buf *lists)
{
    size_t start = lists->n;
    struct sample_person p = sample_person(1);
    al_statement_encode_cert(lists, &p.identity, p.root_secret, &p.device, p.device_secret,
        SAMPLE_TIME, al_slice_str("laptop"));
    return since(lists, start);
}

static struct al_slice put_statements(struct al_buf *lists)
{
    size_t start = lists->n;
    al_write_array(lists, 1);
    (void)put_statement(lists);
    return since(lists, start);
}

static struct al_slice put_addresses(struct al_buf *lists)
{
    size_t start = lists->n;
    static const uint8_t sig[64];
    al_write_array(lists, 1);
    al_write_array(lists, 2);
    al_write_bin(lists, "body", 4);
    al_write_bin(lists, sig, sizeof(sig));
    return since(lists, start);
}

static struct al_slice put_segment(struct al_buf *lists)
{
    size_t start = lists->n;
    uint8_t payloads[2 * 40];
    struct al_segment segment;
    struct sample_person p = sample_person(2);
    sample_segment(&segment, &p, 1, NULL, 2, payloads, 40, 5);
    al_segment_encode(lists, &segment);
    return since(lists, start);
}

static void put_boot(uint8_t boot[AL_BOOT_BYTES], struct al_sig *sig)
{
    struct sample_person p = sample_person(1);
    sample_bytes(boot, AL_BOOT_BYTES, 8);
    al_boot_sign(sig, &p.device, p.device_secret, boot);
}

/* NOLINTNEXTLINE(readability-function-size): a case for each type of message */
static bool fill(struct al_message *m, uint64_t type, struct al_buf *lists)
{
    static const uint8_t some[64] = {7};
    struct al_slice b32 = al_slice_of(some, 32);
    const struct al_ref ref = sample_ref(type);
    switch (type) {
    case AL_MSG_HELLO:
        m->u.hello.version = 1;
        m->u.hello.agent = al_slice_str("aloud/0.1");
        m->u.hello.caps = UINT64_MAX;
        m->u.hello.cert = put_statement(lists);
        m->u.hello.token = al_slice_of(some, AL_TOKEN_BYTES);
        put_boot(m->u.hello.boot, &m->u.hello.boot_sig);
        m->u.hello.now_ms = SAMPLE_TIME;
        m->u.hello.seen = al_slice_str("192.0.2.1:4747");
        return true;
    case AL_MSG_INTERESTS:
        m->u.interests.before = b32;
        m->u.interests.add = put_identities(lists, 3);
        m->u.interests.drop = put_identities(lists, 9);
        m->u.interests.last = true;
        return true;
    case AL_MSG_RESET:
        return true;
    case AL_MSG_OWN_HEADS:
        m->u.own_heads.list = put_refs(lists);
        return true;
    case AL_MSG_RECONCILE:
        m->u.reconcile.session = 2;
        m->u.reconcile.round = 1;
        m->u.reconcile.ranges = put_ranges(lists);
        return true;
    case AL_MSG_WANT:
        m->u.want.first = 65;
        m->u.want.last = 128;
        return true;
    case AL_MSG_SEGMENT:
        m->u.segment.segment = put_segment(lists);
        return true;
    case AL_MSG_PAYLOAD:
        m->u.payload.seq = 5;
        m->u.payload.payload = b32;
        return true;
    case AL_MSG_DONE:
        m->u.done.status = AL_DONE_BUSY;
        return true;
    case AL_MSG_WANT_PAYLOAD:
        m->u.want_payload.seqs = put_seqs(lists);
        return true;
    case AL_MSG_HEADS:
        m->u.heads.list = put_heads(lists);
        return true;
    case AL_MSG_LINK:
        m->u.link.eager = true;
        return true;
    case AL_MSG_DECLINE:
        m->u.decline.reason = AL_DECLINE_FROZEN;
        m->u.decline.until_s = 1800000000;
        return true;
    case AL_MSG_STATEMENTS:
        m->u.statements.list = put_statements(lists);
        m->u.statements.last = true;
        return true;
    case AL_MSG_WANT_STATEMENTS:
        m->u.want_statements.list = put_identities(lists, 1);
        return true;
    case AL_MSG_ADDRESSES:
        m->u.addresses.list = put_addresses(lists);
        return true;
    case AL_MSG_FORK:
        m->u.fork.a = put_segment(lists);
        m->u.fork.b = m->u.fork.a;
        return true;
    case AL_MSG_EXCERPT:
        m->u.excerpt.statements = put_statements(lists);
        m->u.excerpt.segment = put_segment(lists);
        return true;
    case AL_MSG_FETCH:
    case AL_MSG_REPLIES:
        m->u.fetch.ref = ref;
        return true;
    case AL_MSG_PIECE_WANT:
        sample_bytes(m->u.piece_want.hash.b, 32, type);
        return true;
    case AL_MSG_REFS:
        m->u.refs.list = put_refs(lists);
        return true;
    case AL_MSG_PIECE:
        m->u.piece.bytes = b32;
        return true;
    case AL_MSG_PING:
    case AL_MSG_PONG:
        m->u.ping.n = 300;
        return true;
    case AL_MSG_GOODBYE:
        m->u.goodbye.reason = al_slice_str("stranger");
        return true;
    case AL_MSG_CLONE:
        put_boot(m->u.clone.boot, &m->u.clone.boot_sig);
        m->u.clone.yield = true;
        return true;
    default:
        return false;
    }
}

bool sample_message(struct al_message *m, uint64_t type, struct al_buf *lists)
{
    memset(m, 0, sizeof(*m));
    m->type = (enum al_message_type)type;
    m->req = 9;
    return fill(m, type, lists);
}

/* The lists of a circle's change, |b| holding them. */
static struct al_payload circle(struct al_buf *b)
{
    static const uint8_t zeros[AL_CIRCLE_BOX_BYTES];
    struct al_payload p = {.kind = AL_KIND_CIRCLE, .audience = AL_AUDIENCE_NETWORK, .n = 2};
    const struct al_ref parent = sample_ref(1);
    p.cid = al_slice_of(zeros, AL_CIRCLE_ID_BYTES);
    p.meta = al_slice_of(zeros, 20);
    size_t start = b->n;
    al_write_array(b, 1);
    al_write_bin(b, zeros, 9);
    p.old = since(b, start);
    start = b->n;
    al_write_array(b, 1);
    al_write_bin(b, zeros, AL_CIRCLE_BOX_BYTES);
    p.boxes = since(b, start);
    start = b->n;
    al_write_array(b, 1);
    al_write_ref(b, &parent);
    p.parents = since(b, start);
    return p;
}

struct al_slice sample_files(struct al_buf *b)
{
    static const struct {
        uint64_t size;
        const char *mime, *name;
    } files[] = {{1, "", "a"}, {AL_PIECE_BYTES + 1, "image/png", "a board.png"}};
    size_t start = b->n;
    al_write_array(b, 2);
    for (uint64_t i = 0; i < 2; i++) {
        uint8_t space[128];
        struct al_buf hashes = al_buf_fixed(space, sizeof(space));
        struct al_attachment a = {.size = files[i].size,
            .mime = al_slice_str(files[i].mime),
            .name = al_slice_str(files[i].name),
            .pieces = (uint32_t)i + 1};
        sample_bytes(a.key, sizeof(a.key), i);
        for (uint32_t at = 0; at < a.pieces; at++) {
            struct al_hash hash;
            sample_bytes(hash.b, sizeof(hash.b), 10 + at);
            al_write_bin(&hashes, hash.b, sizeof(hash.b));
        }
        a.hashes = al_buf_slice(&hashes);
        al_attachment_encode(b, &a);
    }
    return since(b, start);
}

static const struct al_ref none;

/* Take away the fields that a note, which allows the fewest contents, would not have. */
static struct al_payload only_content(const struct al_payload *all)
{
    return (struct al_payload){.kind = all->kind,
        .audience = all->audience,
        .text = all->text,
        .src = all->src,
        .files = all->files,
        .at_ms = all->at_ms,
        .tags = {all->tags[0], all->tags[1]},
        .tag_count = all->tag_count};
}

static struct al_payload with_fields(const struct al_payload *all)
{
    struct al_payload p = only_content(all);
    switch (all->kind) {
    case AL_KIND_PROFILE:
        p = (struct al_payload){.kind = all->kind, .audience = all->audience};
        p.name = p.about = p.working = p.wants = p.knows = all->text;
        break;
    case AL_KIND_ACCEPT:
        p = (struct al_payload){.kind = all->kind, .audience = all->audience, .text = all->text};
        p.re = p.rt = all->re;
        break;
    case AL_KIND_ANSWER:
    case AL_KIND_REPLY:
        p.re = p.rt = all->re;
        break;
    case AL_KIND_THANKS:
        p.re = all->re;
        p.who = all->who;
        break;
    case AL_KIND_LINK:
        p.url = p.title = p.quote = all->text;
        break;
    case AL_KIND_LESSON:
        p.from = all->from;
        break;
    case AL_KIND_GOAL:
        p.state = al_slice_str("done");
        break;
    case AL_KIND_EDIT:
    case AL_KIND_SHARE:
        p.of = all->re;
        p.url = p.title = p.quote = all->text;
        break;
    case AL_KIND_RETRACT:
    case AL_KIND_FOLLOW:
        p = (struct al_payload){.kind = all->kind, .audience = all->audience, .text = all->text};
        p.of = all->kind == AL_KIND_RETRACT ? all->re : none;
        p.who = all->kind == AL_KIND_FOLLOW ? all->who : al_slice_of(NULL, 0);
        break;
    case AL_KIND_STATE:
        p = (struct al_payload){.kind = all->kind, .audience = all->audience};
        p.key = all->text;
        p.val = al_slice_str("\xc3");
        break;
    case AL_KIND_LEAVE:
        p = (struct al_payload){.kind = all->kind, .audience = all->audience, .text = all->text};
        p.cid = al_slice_of(all->who.p, AL_CIRCLE_ID_BYTES);
        break;
    case AL_KIND_NOTE:
    case AL_KIND_QUESTION:
    case AL_KIND_UNKNOWN:
    case AL_KIND_CIRCLE:
    case AL_KIND_COUNT:
        break;
    }
    return p;
}

bool sample_payload(struct al_buf *b, enum al_kind kind, bool sealed)
{
    static const uint8_t who[32] = {4};
    uint8_t space[1024];
    struct al_buf lists = al_buf_fixed(space, sizeof(space));
    struct al_payload all = {.kind = kind,
        .audience = sealed ? AL_AUDIENCE_CIRCLE : AL_AUDIENCE_NETWORK,
        .text = al_slice_str("said aloud"),
        .src = al_slice_str("git:1234"),
        .at_ms = SAMPLE_TIME,
        .tags = {al_slice_str("c"), al_slice_str("libuv")},
        .tag_count = 2,
        .re = sample_ref(3),
        .who = al_slice_of(who, sizeof(who))};
    if (kind == AL_KIND_STATE && sealed)
        all.audience = AL_AUDIENCE_ME;
    al_write_array(&lists, 1);
    al_write_ref(&lists, &all.re);
    all.from = al_buf_slice(&lists);
    all.files = sample_files(&lists);
    struct al_payload p = kind == AL_KIND_CIRCLE ? circle(&lists) : with_fields(&all);
    if (sealed && kind == AL_KIND_CIRCLE)
        p.audience = AL_AUDIENCE_CIRCLE;
    return al_payload_encode(b, &p) == 0;
}
