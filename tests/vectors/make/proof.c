/* Fork proofs and excerpts. */
#include "proof.h"

#include "sample.h"
#include "statement.h"
#include "vec.h"
#include "write.h"

static uint8_t space[AL_FORK_MAX + 4096];
static uint8_t other[AL_FORK_MAX + 4096];
static uint8_t payloads_a[AL_BLOCK_ENTRIES * 20];
static uint8_t payloads_b[AL_BLOCK_ENTRIES * 20];
static struct al_segment a;
static struct al_segment b;
static struct sample_person p;

/* Two runs of one log that agree below |fork|. */
static void fork_at(uint32_t fork, uint32_t count_a, uint32_t count_b)
{
    p = sample_person(1);
    sample_segment(&a, &p, 1, NULL, count_a, payloads_a, 20, 4000);
    sample_segment(&b, &p, 1, NULL, count_b, payloads_b, 20, 4000);
    if (fork <= count_b)
        payloads_b[(fork - 1) * 20] ^= 1;
    sample_sign(&b, &p);
}

static void stub(struct al_segment *s, uint32_t i, enum al_stub state)
{
    s->items[i].payload = al_slice_of(NULL, 0);
    s->items[i].stub = state;
}

static struct al_slice fork_bytes(void)
{
    struct al_buf out = al_buf_fixed(space, sizeof(space));
    al_fork_encode(&out, &a, &b);
    return al_buf_slice(&out);
}

/* The two segments as they are, in this order. */
static struct al_slice pair(const struct al_segment *x, const struct al_segment *y)
{
    struct al_buf out = al_buf_fixed(space, sizeof(space));
    al_write_array(&out, 2);
    al_segment_encode(&out, x);
    al_segment_encode(&out, y);
    return al_buf_slice(&out);
}

static void add_fork(json_t *list, const char *name, uint64_t seq)
{
    json_t *v = vec_add(list, name, 0, fork_bytes());
    vec_hex(v, "device", p.device.b, 32);
    vec_hex(v, "log", p.log.b, 8);
    vec_uint(v, "seq", seq);
}

static void add_forks(json_t *list)
{
    fork_at(1, 1, 1);
    add_fork(list, "at the first entry", 1);
    fork_at(64, 64, 64);
    add_fork(list, "at the last of a block", 64);
    fork_at(3, 10, 5);
    add_fork(list, "runs of different lengths", 3);
    struct al_hash prev;
    sample_bytes(prev.b, 32, 4100);
    fork_at(99, 3, 3);
    sample_segment(&b, &p, 4, &prev, 1, payloads_b, 20, 4001);
    add_fork(list, "only the predecessor differs", 3);
}

static void add_wrong_stubs(json_t *list)
{
    fork_at(1, 1, 2);
    vec_add(list, "a payload inline", AL_E_INLINE, pair(&a, &b));
    stub(&a, 0, AL_STUB_NOT_HELD);
    stub(&b, 0, AL_STUB_NOT_HELD);
    stub(&b, 1, AL_STUB_ASK);
    vec_add(list, "a stub that offers its payload", AL_E_INLINE, pair(&a, &b));
    stub(&b, 1, AL_STUB_NOT_HELD);
    vec_add(list, "larger bytes first", AL_E_ORDER, pair(&b, &a));
}

void make_fork(json_t *list)
{
    add_forks(list);
    add_wrong_stubs(list);
    fork_at(99, 5, 5);
    vec_add(list, "one segment twice", AL_E_NO_FORK, fork_bytes());
    fork_at(99, 5, 3);
    vec_add(list, "one run begins the other", AL_E_NO_FORK, fork_bytes());
    struct al_hash prev = a.items[4].id;
    fork_at(99, 3, 5);
    sample_segment(&b, &p, 6, &prev, 1, payloads_b, 20, 4001);
    vec_add(list, "runs that do not meet", AL_E_NO_FORK, fork_bytes());
    fork_at(1, 3, 3);
    b.log.b[0] ^= 1;
    sample_sign(&b, &p);
    vec_add(list, "two logs", AL_E_NO_FORK, fork_bytes());
    struct sample_person q = sample_person(2);
    sample_segment(&b, &q, 1, NULL, 3, payloads_b, 20, 4001);
    vec_add(list, "two devices", AL_E_NO_FORK, fork_bytes());
    fork_at(2, 3, 3);
    b.sig.b[0] ^= 1;
    vec_add(list, "one signature damaged", AL_E_SIG, fork_bytes());
    fork_at(2, 3, 3);
    a.sig.b[63] ^= 1;
    vec_add(list, "the other signature damaged", AL_E_SIG, fork_bytes());
    fork_at(2, 3, 3);
    struct al_slice good = fork_bytes();
    vec_add(list, "trailing byte", AL_E_TRAILING,
        vec_patch(other, sizeof(other), good, good.n, 0, "00"));
    vec_add(list, "a field more", AL_E_COUNT, vec_patch(other, sizeof(other), good, 0, 1, "93 00"));
    vec_add(list, "over the size of a proof", AL_E_LENGTH,
        al_slice_of(memset(other, 0, sizeof(other)), AL_FORK_MAX + 1));
}

static struct al_slice excerpt_bytes(uint32_t certs)
{
    struct al_buf out = al_buf_fixed(space, sizeof(space));
    al_write_array(&out, 2);
    al_write_array(&out, certs);
    for (uint32_t i = 0; i < certs; i++)
        al_statement_encode_cert(&out, &p.identity, p.root_secret, &p.device, p.device_secret, i,
            al_slice_str("laptop"));
    al_segment_encode(&out, &a);
    return al_buf_slice(&out);
}

static void show_only(uint32_t index)
{
    fork_at(99, 6, 6);
    for (uint32_t i = 0; i < a.count; i++) {
        if (i != index)
            stub(&a, i, AL_STUB_NOT_HELD);
    }
}

void make_excerpt(json_t *list)
{
    for (uint32_t i = 0; i < 6; i += 2) {
        show_only(i);
        json_t *v = vec_add(list, "one entry of six", 0, excerpt_bytes(i / 2));
        vec_uint(v, "statements", i / 2);
        vec_uint(v, "index", i);
        vec_hex(v, "id", a.items[i].id.b, 32);
        vec_hex(v, "payload", a.items[i].payload.p, a.items[i].payload.n);
    }
    show_only(99);
    vec_add(list, "no payload", AL_E_INLINE, excerpt_bytes(1));
    fork_at(99, 2, 2);
    vec_add(list, "two payloads", AL_E_INLINE, excerpt_bytes(1));
    show_only(3);
    a.sig.b[0] ^= 1;
    vec_add(list, "signature damaged", AL_E_SIG, excerpt_bytes(1));
    show_only(3);
    struct al_slice good = excerpt_bytes(1);
    vec_add(list, "a field more", AL_E_COUNT, vec_patch(other, sizeof(other), good, 0, 1, "93 00"));
    vec_add(list, "trailing byte", AL_E_TRAILING,
        vec_patch(other, sizeof(other), good, good.n, 0, "00"));
    vec_add(list, "no list of statements", AL_E_TYPE,
        vec_patch(other, sizeof(other), excerpt_bytes(0), 1, 1, "00"));
    struct al_buf out = al_buf_fixed(space, sizeof(space));
    al_write_array(&out, 2);
    al_write_array(&out, AL_EXCERPT_STATEMENTS_MAX + 1);
    for (uint32_t i = 0; i <= AL_EXCERPT_STATEMENTS_MAX; i++)
        al_write_uint(&out, 0);
    al_segment_encode(&out, &a);
    vec_add(list, "a statement too many", AL_E_COUNT, al_buf_slice(&out));
}
