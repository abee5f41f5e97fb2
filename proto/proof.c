#include "proof.h"

#include "read.h"
#include "write.h"

/* 157 bytes around the items, 51 for a stub with numbers of any size. */
#define STUBBED_MAX (157 + AL_BLOCK_ENTRIES * 51)

static_assert(1 + 2 * STUBBED_MAX <= AL_FORK_MAX, "any two segments fit a fork proof");

static uint64_t attests_from(const struct al_segment *s)
{
    return s->first > 1 ? s->first - 1 : 1;
}

int al_fork_find(uint64_t *ret_seq, const struct al_segment *a, const struct al_segment *b)
{
    if (!al_device_eq(&a->device, &b->device) || !al_logname_eq(&a->log, &b->log))
        return AL_E_NO_FORK;
    uint64_t from_a = attests_from(a);
    uint64_t from_b = attests_from(b);
    for (uint64_t seq = from_a > from_b ? from_a : from_b;; seq++) {
        const struct al_hash *in_a = al_segment_attests(a, seq);
        const struct al_hash *in_b = al_segment_attests(b, seq);
        if (in_a == NULL || in_b == NULL)
            return AL_E_NO_FORK;
        if (!al_hash_eq(in_a, in_b)) {
            *ret_seq = seq;
            return 0;
        }
    }
}

static int open_stubbed(struct al_segment *s, struct al_slice bytes)
{
    int err = al_segment_open(s, bytes);
    for (uint32_t i = 0; err == 0 && i < s->count; i++) {
        if (s->items[i].stub != AL_STUB_NOT_HELD)
            err = AL_E_INLINE;
    }
    return err;
}

int al_fork_open(struct al_fork *ret, struct al_slice bytes)
{
    if (bytes.n > AL_FORK_MAX)
        return AL_E_LENGTH;
    struct al_read r = al_read_message(bytes);
    (void)al_read_array(&r, 2, 2);
    struct al_slice a = al_read_raw(&r);
    struct al_slice b = al_read_raw(&r);
    int err = al_read_end(&r);
    if (err != 0)
        return err;
    if (al_slice_cmp(a, b) > 0)
        return AL_E_ORDER;

    struct al_segment in_a;
    struct al_segment in_b;
    uint64_t seq = 0;
    err = open_stubbed(&in_a, a);
    if (err == 0)
        err = open_stubbed(&in_b, b);
    if (err == 0)
        err = al_fork_find(&seq, &in_a, &in_b);
    if (err == 0)
        err = al_segment_verify(&in_a);
    if (err == 0)
        err = al_segment_verify(&in_b);
    if (err == 0)
        *ret = (struct al_fork){.a = a, .b = b, .device = in_a.device, .log = in_a.log, .seq = seq};
    return err;
}

static struct al_slice encode_stubbed(uint8_t out[STUBBED_MAX], const struct al_segment *s)
{
    struct al_segment stubbed = *s;
    for (uint32_t i = 0; i < stubbed.count; i++) {
        stubbed.items[i].payload = al_slice_of(NULL, 0);
        stubbed.items[i].stub = AL_STUB_NOT_HELD;
    }
    struct al_buf b = al_buf_fixed(out, STUBBED_MAX);
    al_segment_encode(&b, &stubbed);
    assert(!b.full);
    return al_buf_slice(&b);
}

void al_fork_encode(struct al_buf *b, const struct al_segment *x, const struct al_segment *y)
{
    uint8_t bytes_x[STUBBED_MAX];
    uint8_t bytes_y[STUBBED_MAX];
    struct al_slice in_x = encode_stubbed(bytes_x, x);
    struct al_slice in_y = encode_stubbed(bytes_y, y);
    bool x_first = al_slice_cmp(in_x, in_y) <= 0;
    al_write_array(b, 2);
    al_write_raw(b, x_first ? in_x : in_y);
    al_write_raw(b, x_first ? in_y : in_x);
}

int al_excerpt_open(struct al_excerpt *ret, struct al_slice bytes)
{
    struct al_read r = al_read_message(bytes);
    (void)al_read_array(&r, 2, 2);
    struct al_slice statements = al_read_raw(&r);
    struct al_slice segment = al_read_raw(&r);
    int err = al_read_end(&r);
    return err != 0 ? err : al_excerpt_open_parts(ret, statements, segment);
}

int al_excerpt_open_parts(
    struct al_excerpt *ret, struct al_slice statements, struct al_slice segment)
{
    struct al_read array = al_read_message(statements);
    uint32_t count = al_read_array(&array, 0, AL_EXCERPT_STATEMENTS_MAX);
    if (array.err != 0)
        return array.err;

    int err = al_segment_open(&ret->segment, segment);
    if (err != 0)
        return err;
    uint32_t inlined = 0;
    for (uint32_t i = 0; i < ret->segment.count; i++) {
        if (ret->segment.items[i].stub == AL_STUB_NONE) {
            ret->index = i;
            inlined++;
        }
    }
    if (inlined != 1)
        return AL_E_INLINE;
    ret->statements = statements;
    ret->statement_count = count;
    return al_segment_verify(&ret->segment);
}
