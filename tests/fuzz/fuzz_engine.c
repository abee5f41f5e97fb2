/*
 * A whole session against a real node: the input is what a peer does, one step after the other,
 * mostly sensible messages with fields of its choice. Whatever it does: the node answers its owner,
 * what it acknowledged is there, and memory stays within bounds.
 */
#include "fuzz.h"
#include "proof.h"
#include "rig.h"
#include "sample_wire.h"
#include "statement.h"
#include "write.h"

#define STEPS_MAX 200
#define HEAP_MAX ((size_t)128 * 1024 * 1024)

/* What is left of the input: 0 when there is nothing. */
struct input {
    const uint8_t *p;
    size_t n;
};

struct session {
    struct input in;
    struct rig r;
    struct rig_node *n;
    struct rig_peer p;
    struct rig_peer q;   /* another session of the same device */
    struct al_ref first; /* posted and acknowledged before anything happens */
};

static struct session s;
static struct rig_person author; /* whose two branches part at 40 */
static struct al_segment branches[2][3];
static uint8_t space[2][3 * AL_BLOCK_ENTRIES * RIG_PAYLOAD];

static uint8_t byte(void)
{
    if (s.in.n == 0)
        return 0;
    s.in.n--;
    return *s.in.p++;
}

/* A number of any size, small ones more often. */
static uint64_t number(void)
{
    static const uint64_t special[] = {0, 1, 64, 65, 128, 150, AL_SEQ_MAX, AL_SEQ_MAX - 63};
    uint8_t b = byte();
    return b < 240 ? b : special[b % 8];
}

static void make_branches(void)
{
    rig_person(&author, 1);
    for (int i = 0; i < 2; i++)
        rig_chain(branches[i], &author, 150, space[i]);
    space[1][39 * RIG_PAYLOAD] ^= 1;
    for (int i = 0; i < 3; i++) {
        if (i > 0)
            branches[1][i].prev = branches[1][i - 1].items[63].id;
        sample_sign(&branches[1][i], &author.as_sample);
    }
}

/* --- steps --------------------------------------------------------------------------------- */

static void step_connect(void)
{
    rig_peer_leave(&s.p);
    if (s.r.conn_count < RIG_CONNS)
        rig_peer_connect(&s.p, s.n, 1 + byte() % 2);
}

static void step_hello(void)
{
    s.p.boot = byte() % 2;
    rig_peer_hello(&s.p, NULL);
}

/* The same device says hello once more, as the same machine or as another. */
static void step_second(void)
{
    if (s.q.rig != NULL)
        rig_peer_leave(&s.q);
    if (s.r.conn_count == RIG_CONNS)
        return;
    rig_peer_connect(&s.q, s.n, 1);
    s.q.boot = byte() % 3;
    rig_peer_hello(&s.q, NULL);
}

static void step_pong(void)
{
    struct al_message m;
    if (!rig_peer_next(&s.p, AL_MSG_PING, &m))
        return;
    m.type = AL_MSG_PONG;
    m.u.pong.n ^= byte() % 4 == 0;
    rig_peer_send(&s.p, &m);
}

/* Another machine has the key of the node, says the peer, and can prove it or not. */
static void step_clone(void)
{
    struct al_message m = {.type = AL_MSG_CLONE};
    const struct rig_person *who = byte() % 8 == 0 ? &s.n->me : &author;
    al_u64be(m.u.clone.boot, byte());
    al_boot_sign(
        &m.u.clone.boot_sig, &s.n->me.keyring.device, who->keyring.device_secret, m.u.clone.boot);
    m.u.clone.yield = byte() % 2 == 0;
    rig_peer_send(&s.p, &m);
}

static void step_wait(void)
{
    rig_wait(&s.r, (uint64_t)byte() * 40); /* up to ten seconds */
}

/* Any valid message, with some bytes of it changed. */
static void step_sample(void)
{
    static uint8_t lists[AL_MESSAGE_MAX];
    static uint8_t bytes[AL_MESSAGE_MAX];
    struct al_buf list = al_buf_fixed(lists, sizeof(lists));
    struct al_buf b = al_buf_fixed(bytes, sizeof(bytes));
    struct al_message m;
    if (!sample_message(&m, byte() % (AL_MSG_CLONE + 1), &list))
        return;
    al_message_encode(&b, &m);
    for (uint8_t changes = byte() % 4; changes > 0; changes--)
        bytes[(size_t)(byte() << 8 | byte()) % b.n] = byte();
    rig_peer_raw(&s.p, bytes, b.n);
}

static void step_raw(void)
{
    uint8_t bytes[256];
    size_t n = byte();
    for (size_t i = 0; i < n; i++)
        bytes[i] = byte();
    if (n > 0)
        rig_peer_raw(&s.p, bytes, n);
}

/* The log of a claim: of the author, the node's own, or an invented one. */
static void choose_log(struct al_device *device, struct al_logname *name)
{
    uint8_t which = byte();
    *device = which % 2 == 0 ? author.keyring.device : s.n->me.keyring.device;
    *name = which % 2 == 0 ? author.as_sample.log : s.first.log;
    if (which >= 128)
        name->b[0] = which;
}

static void step_heads(void)
{
    struct al_head heads[16];
    uint32_t count = byte() % 16 + 1u;
    for (uint32_t i = 0; i < count; i++) {
        memset(&heads[i], 0, sizeof(heads[i]));
        choose_log(&heads[i].device, &heads[i].log);
        heads[i].seq = number();
    }
    rig_peer_heads(&s.p, heads, count);
}

static void step_item(void)
{
    struct al_device device;
    struct al_logname name;
    bool own;
    choose_log(&device, &name);
    own = al_device_eq(&device, &s.n->me.keyring.device);
    if (byte() % 4 == 0) {
        memset(&device, 0, sizeof(device));
        memset(&name, 0, sizeof(name));
    }
    rig_peer_item(
        &s.p, own ? &s.n->me.root.identity : &author.root.identity, &device, &name, number());
}

static void step_own_head(void)
{
    uint8_t bytes[256];
    struct al_buf list = al_buf_fixed(bytes, sizeof(bytes));
    struct al_own_head head = {.ref = s.first};
    struct al_message m = {.type = AL_MSG_OWN_HEADS};
    head.ref.seq = number();
    head.ref.id.b[0] ^= byte() % 2;
    al_write_array(&list, 1);
    al_message_put_own_head(&list, &head);
    m.u.own_heads.list = al_buf_slice(&list);
    m.u.own_heads.count = 1;
    rig_peer_send(&s.p, &m);
}

static const struct al_segment *some_segment(void)
{
    static struct al_segment out;
    uint8_t which = byte();
    out = branches[which % 2][which / 2 % 3];
    if (which >= 192 && out.count > 10) { /* a part of it */
        out.count = byte() % out.count + 1u;
        sample_sign(&out, &author.as_sample);
    } else if (which >= 160) {
        out.sig.b[0] ^= 1;
    } else if (which >= 128) {
        out.items[0].payload = al_slice_of(NULL, 0);
        out.items[0].stub = AL_STUB_ASK;
    }
    return &out;
}

static void step_push(void)
{
    rig_peer_segment(&s.p, 0, some_segment());
}

/* Answer the next request, rightly or wrongly. */
static void step_answer(void)
{
    struct al_message m;
    uint8_t how = byte();
    if (!rig_peer_next(&s.p, AL_MSG_WANT, &m))
        return;
    uint32_t req = m.req;
    uint64_t block = al_block_of(m.u.want.first);
    if (how % 2 == 0 && block < 3)
        rig_peer_segment(&s.p, req, &branches[how / 2 % 2][block]);
    else if (how % 8 == 1)
        rig_peer_segment(&s.p, req, some_segment());
    if (how < 224)
        rig_peer_done(&s.p, req, (enum al_done_status)(how % 4));
}

static void step_payload(void)
{
    struct al_message m;
    struct al_message answer = {.type = AL_MSG_PAYLOAD};
    if (!rig_peer_next(&s.p, AL_MSG_WANT_PAYLOAD, &m))
        return;
    answer.req = m.req;
    answer.u.payload.device = m.u.want_payload.device;
    answer.u.payload.log = m.u.want_payload.log;
    answer.u.payload.seq = number() % 150 + 1;
    answer.u.payload.payload =
        branches[0][(answer.u.payload.seq - 1) / 64].items[(answer.u.payload.seq - 1) % 64].payload;
    uint32_t req = m.req;
    rig_peer_send(&s.p, &answer);
    rig_peer_done(&s.p, req, (enum al_done_status)(byte() % 4));
}

static void step_statements(void)
{
    uint8_t bytes[2048];
    struct al_buf list = al_buf_fixed(bytes, sizeof(bytes));
    struct al_message m;
    struct al_message answer = {.type = AL_MSG_STATEMENTS};
    if (rig_peer_next(&s.p, AL_MSG_WANT_STATEMENTS, &m))
        answer.req = m.req;
    al_write_array(&list, 1);
    rig_cert(&list, byte() % 2 == 0 ? &author : &s.n->me);
    answer.u.statements.list = al_buf_slice(&list);
    answer.u.statements.count = 1;
    answer.u.statements.last = byte() % 2 == 0;
    rig_peer_send(&s.p, &answer);
}

/* The root of the author ends the log somewhere, on either branch. */
static void step_revoke(void)
{
    uint8_t bytes[2048];
    struct al_buf list = al_buf_fixed(bytes, sizeof(bytes));
    struct al_message m;
    struct al_message answer = {.type = AL_MSG_STATEMENTS};
    uint8_t which = byte();
    uint32_t seq = which / 2 + 1u;
    struct al_cut cut = {.log = author.as_sample.log, .seq = seq};
    cut.id = branches[which % 2][(seq - 1) / 64].items[(seq - 1) % 64].id;
    if (!rig_peer_next(&s.p, AL_MSG_WANT_STATEMENTS, &m))
        return;
    answer.req = m.req;
    al_write_array(&list, 1);
    al_statement_encode_revoke(
        &list, &author.root.identity, author.root.secret, &author.keyring.device, &cut, 1);
    answer.u.statements.list = al_buf_slice(&list);
    answer.u.statements.count = 1;
    answer.u.statements.last = true;
    rig_peer_send(&s.p, &answer);
}

/* --- entries one by one ---------------------------------------------------------------------- */

static struct al_ref some_ref(void)
{
    uint8_t which = byte();
    const struct al_segment *b = &branches[which % 2][which / 2 % 3];
    uint32_t index = byte() % b->count;
    return which >= 240 ? s.first
                        : (struct al_ref){.device = b->device,
                              .log = b->log,
                              .seq = b->first + index,
                              .id = b->items[index].id};
}

/* The owner asks for an entry, or for answers. */
static void step_search(void)
{
    struct al_buf b = al_heapbuf();
    struct al_ref ref = some_ref();
    al_write_map(&b, 2);
    al_write_cstr(&b, "ref");
    al_write_ref(&b, &ref);
    al_write_cstr(&b, "timeout");
    al_write_uint(&b, number() % 20000);
    (void)rig_call(s.n, byte() % 2 == 0 ? "fetch" : "replies", al_buf_slice(&b));
    al_heapbuf_free(&b);
}

/* Answer a fetch, rightly or wrongly; or send what nobody asked for. */
static void step_excerpt(void)
{
    static struct al_segment stubbed;
    uint8_t statements[1024];
    struct al_buf list = al_buf_fixed(statements, sizeof(statements));
    struct al_buf body = al_heapbuf();
    struct al_message m;
    struct al_message answer = {.type = AL_MSG_EXCERPT, .req = byte()};
    struct al_ref ref = some_ref();
    if (rig_peer_next(&s.p, AL_MSG_FETCH, &m)) {
        answer.req = m.req;
        if (byte() % 4 != 0)
            ref = m.u.fetch.ref;
    }
    stubbed = branches[byte() % 2][(ref.seq - 1) / 64 % 3];
    uint8_t inlined = byte() % 8 == 0 ? 2 : 1;
    for (uint32_t i = 0; i < stubbed.count; i++) {
        if (stubbed.first + i >= ref.seq && stubbed.first + i < ref.seq + inlined)
            continue;
        stubbed.items[i].payload = al_slice_of(NULL, 0);
        stubbed.items[i].stub = AL_STUB_NOT_HELD;
    }
    al_segment_encode(&body, &stubbed);
    al_write_array(&list, 1);
    rig_cert(&list, byte() % 8 == 0 ? &s.n->me : &author);
    answer.u.excerpt.statements = al_buf_slice(&list);
    answer.u.excerpt.count = 1;
    answer.u.excerpt.segment = al_buf_slice(&body);
    rig_peer_send(&s.p, &answer);
    al_heapbuf_free(&body);
}

/* Name entries as answers, or ask for some. */
static void step_refs(void)
{
    uint8_t bytes[16 * 96];
    struct al_buf list = al_buf_fixed(bytes, sizeof(bytes));
    struct al_message m;
    struct al_message answer = {.type = AL_MSG_REFS, .req = byte()};
    if (rig_peer_next(&s.p, AL_MSG_REPLIES, &m))
        answer.req = m.req;
    uint32_t count = byte() % 8;
    al_write_array(&list, count);
    for (uint32_t i = 0; i < count; i++) {
        struct al_ref ref = some_ref();
        al_write_ref(&list, &ref);
    }
    answer.u.refs.list = al_buf_slice(&list);
    answer.u.refs.count = count;
    rig_peer_send(&s.p, &answer);
}

static void step_ask(void)
{
    bool one = byte() % 2 == 0;
    struct al_message m = {.type = one ? AL_MSG_FETCH : AL_MSG_REPLIES, .req = byte()};
    if (one)
        m.u.fetch.ref = some_ref();
    else
        m.u.replies.ref = some_ref();
    rig_peer_send(&s.p, &m);
}

static void step_interests(void)
{
    struct al_identity ids[2] = {author.root.identity, s.n->me.root.identity};
    rig_peer_interests(&s.p, ids, byte() % 3);
}

static void step_want(void)
{
    struct al_message m = {.type = AL_MSG_WANT, .req = byte()};
    choose_log(&m.u.want.device, &m.u.want.log);
    m.u.want.first = number() + 1;
    if (m.u.want.first > AL_SEQ_MAX)
        m.u.want.first = AL_SEQ_MAX;
    m.u.want.last = al_block_last(al_block_of(m.u.want.first));
    rig_peer_send(&s.p, &m);
}

static void step_fork(void)
{
    static uint8_t bytes[AL_FORK_MAX];
    struct al_buf b = al_buf_fixed(bytes, sizeof(bytes));
    struct al_fork fork;
    struct al_message m = {.type = AL_MSG_FORK};
    al_fork_encode(&b, &branches[0][0], &branches[1][0]);
    AL_ASSERT(al_fork_open(&fork, al_buf_slice(&b)) == 0);
    m.u.fork.a = fork.a;
    m.u.fork.b = byte() % 4 == 0 ? fork.a : fork.b;
    rig_peer_send(&s.p, &m);
}

static void step_owner(void)
{
    uint8_t what = byte();
    if (what % 4 == 0)
        rig_relate(s.n, &author.root.identity, "follow", what >= 128);
    else if (what % 4 == 1)
        rig_post_many(s.n, what, 100);
    else
        AL_ASSERT(rig_post(s.n, "more", what % 4 == 2 ? "me" : "network", NULL) == 0);
}

static void step_bad_commit(void)
{
    uint8_t how = byte();
    al_store_disk_fail_commit(s.n->disk, how % 4 < 2 ? AL_E_IO : AL_E_FULL, how % 2 == 0);
    rig_begin(s.n);
    rig_end(s.n);
}

static void step_restart(void)
{
    rig_peer_leave(&s.p);
    if (s.q.rig != NULL)
        rig_peer_leave(&s.q);
    rig_stop(s.n);
    AL_ASSERT(rig_start(s.n) == 0);
}

static void step_slow(void)
{
    s.r.slow = byte() % 2 == 0;
}

static void (*const steps[])(void) = {step_connect, step_hello, step_wait, step_sample, step_raw,
    step_heads, step_item, step_own_head, step_push, step_answer, step_answer, step_payload,
    step_statements, step_interests, step_want, step_fork, step_owner, step_bad_commit,
    step_restart, step_slow, step_second, step_pong, step_clone, step_revoke, step_search,
    step_excerpt, step_refs, step_ask};

/* --- a session ------------------------------------------------------------------------------- */

static void begin(void)
{
    rig_init(&s.r);
    s.n = rig_add(&s.r, 0);
    AL_ASSERT(rig_post(s.n, "acknowledged", "network", &s.first) == 0);
    rig_peer_friend(&s.p, s.n, 1);
}

static void judge(void)
{
    struct al_store_log log;
    struct al_store_row row;
    AL_ASSERT(rig_heap() < HEAP_MAX);
    AL_ASSERT(rig_status(s.n, "own_entries") > 0);
    AL_ASSERT(al_store_log_find(s.n->store, &log, &s.first.device, &s.first.log) == 0);
    AL_ASSERT(al_store_get(s.n->store, &row, log.no, s.first.seq) == 0);
    AL_ASSERT(al_hash_eq(&row.id, &s.first.id));
    AL_ASSERT(rig_holds(s.n, &author) <= 150);
    AL_ASSERT(rig_post(s.n, "still here", "network", NULL) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    if (branches[0][0].count == 0)
        make_branches();
    s.in = (struct input){.p = data, .n = n};
    begin();
    for (int i = 0; i < STEPS_MAX && s.in.n > 0; i++)
        steps[byte() % (sizeof(steps) / sizeof(steps[0]))]();
    judge();
    rig_peer_leave(&s.p);
    if (s.q.rig != NULL)
        rig_peer_leave(&s.q);
    rig_fini(&s.r);
    s.q = (struct rig_peer){.rig = NULL};
    return 0;
}
