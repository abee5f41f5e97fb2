#include "segment.h"

#include "read.h"
#include "write.h"

#define SEGMENT_FIELDS 6

static int64_t read_time(struct al_read *r, bool first, int64_t before)
{
    if (first)
        return (int64_t)al_read_uint(r, AL_TIME_MAX);
    /* both terms are below 2^48, so the sum can't overflow */
    int64_t t = before + al_read_int(r, -(int64_t)AL_TIME_MAX, (int64_t)AL_TIME_MAX);
    if (t < 0 || t > (int64_t)AL_TIME_MAX)
        al_read_fail(r, AL_E_RANGE);
    return t;
}

static void read_content(struct al_read *r, struct al_segment_item *item)
{
    if (al_read_peek(r) == AL_TYPE_BIN) {
        item->payload = al_read_bin(r, 1, AL_PAYLOAD_MAX);
        item->plen = (uint32_t)item->payload.n;
        item->stub = AL_STUB_NONE;
        al_entry_payload_hash(&item->phash, item->payload);
        return;
    }
    (void)al_read_array(r, 3, 3);
    item->payload = al_slice_of(NULL, 0);
    item->plen = (uint32_t)al_read_uint(r, AL_PAYLOAD_MAX);
    al_read_bytes(r, item->phash.b, sizeof(item->phash.b));
    item->stub = al_read_uint(r, AL_STUB_NOT_HELD) == 0 ? AL_STUB_ASK : AL_STUB_NOT_HELD;
    if (item->plen == 0)
        al_read_fail(r, AL_E_RANGE);
}

/* The run lies inside one block, and so at most AL_BLOCK_ENTRIES long. */
static int check_span(uint64_t first, uint32_t count)
{
    uint64_t last = first + count - 1;
    if (first == 0 || last > AL_SEQ_MAX)
        return AL_E_RANGE;
    return al_block_of(first) == al_block_of(last) ? 0 : AL_E_BLOCK;
}

/* The id of item |i|, from the id before it. */
static void compute_id(struct al_segment *s, uint32_t i)
{
    struct al_segment_item *item = &s->items[i];
    const struct al_header h = {
        .device = s->device,
        .log = s->log,
        .seq = s->first + i,
        .time_ms = item->time_ms,
        .prev = i == 0 ? s->prev : s->items[i - 1].id,
        .plen = item->plen,
        .phash = item->phash,
    };
    al_header_id(&item->id, &h);
}

static int open_items(struct al_segment *s, struct al_read *r)
{
    int64_t time = 0;
    size_t inlined = 0;
    for (uint32_t i = 0; i < s->count; i++) {
        struct al_segment_item *item = &s->items[i];
        (void)al_read_array(r, 2, 2);
        time = read_time(r, i == 0, time);
        item->time_ms = (uint64_t)time;
        read_content(r, item);
        if (r->err != 0)
            return r->err;
        inlined += item->payload.n;
        if (inlined > AL_SEGMENT_INLINE_MAX)
            return AL_E_INLINE;
        compute_id(s, i);
    }
    return 0;
}

int al_segment_open(struct al_segment *ret, struct al_slice bytes)
{
    struct al_read r = al_read_message(bytes);
    (void)al_read_array(&r, SEGMENT_FIELDS, SEGMENT_FIELDS);
    al_read_bytes(&r, ret->device.b, sizeof(ret->device.b));
    al_read_bytes(&r, ret->log.b, sizeof(ret->log.b));
    ret->first = al_read_uint(&r, AL_SEQ_MAX);
    al_read_bytes(&r, ret->prev.b, sizeof(ret->prev.b));
    ret->count = al_read_array(&r, 1, AL_BLOCK_ENTRIES);
    if (r.err != 0)
        return r.err;
    int err = check_span(ret->first, ret->count);
    if (err == 0)
        err = open_items(ret, &r);
    if (err != 0)
        return err;
    al_read_bytes(&r, ret->sig.b, sizeof(ret->sig.b));
    return al_read_end(&r);
}

bool al_segment_sig_is_absent(const struct al_sig *sig)
{
    static const struct al_sig none;
    return memcmp(sig->b, none.b, sizeof(none.b)) == 0;
}

int al_segment_verify(const struct al_segment *s)
{
    return al_entry_verify(&s->sig, &s->device, &s->items[s->count - 1].id);
}

static void encode_item(struct al_buf *b, const struct al_segment_item *item, int64_t dt)
{
    al_write_array(b, 2);
    al_write_int(b, dt);
    if (item->payload.n > 0) {
        al_write_bin(b, item->payload.p, item->payload.n);
        return;
    }
    assert(item->stub != AL_STUB_NONE);
    al_write_array(b, 3);
    al_write_uint(b, item->plen);
    al_write_bin(b, item->phash.b, sizeof(item->phash.b));
    al_write_uint(b, item->stub == AL_STUB_ASK ? 0 : 1);
}

void al_segment_encode(struct al_buf *b, const struct al_segment *s)
{
    al_write_array(b, SEGMENT_FIELDS);
    al_write_bin(b, s->device.b, sizeof(s->device.b));
    al_write_bin(b, s->log.b, sizeof(s->log.b));
    al_write_uint(b, s->first);
    al_write_bin(b, s->prev.b, sizeof(s->prev.b));
    al_write_array(b, s->count);
    int64_t before = 0;
    for (uint32_t i = 0; i < s->count; i++) {
        int64_t time = (int64_t)s->items[i].time_ms;
        encode_item(b, &s->items[i], time - before);
        before = time;
    }
    al_write_bin(b, s->sig.b, sizeof(s->sig.b));
}

uint64_t al_segment_last(const struct al_segment *s)
{
    return s->first + s->count - 1;
}

const struct al_hash *al_segment_attests(const struct al_segment *s, uint64_t seq)
{
    if (seq >= s->first && seq <= al_segment_last(s))
        return &s->items[seq - s->first].id;
    /* what stands before the first entry of a log is its genesis, no entry's id */
    return s->first > 1 && seq == s->first - 1 ? &s->prev : NULL;
}
