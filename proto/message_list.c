#include "message.h"
#include "message_int.h"
#include "read.h"
#include "write.h"

static void read_head(struct al_read *r, struct al_head *out)
{
    (void)al_read_array(r, 4, 4);
    al_read_bytes(r, out->device.b, sizeof(out->device.b));
    al_read_bytes(r, out->log.b, sizeof(out->log.b));
    out->seq = al_read_uint(r, AL_SEQ_MAX);
    if (out->seq == 0)
        al_read_fail(r, AL_E_RANGE);
    al_read_bytes(r, out->tag, sizeof(out->tag));
}

static void read_item(struct al_read *r, struct al_item *out)
{
    (void)al_read_array(r, 5, 5);
    al_read_bytes(r, out->identity.b, sizeof(out->identity.b));
    al_read_bytes(r, out->device.b, sizeof(out->device.b));
    al_read_bytes(r, out->log.b, sizeof(out->log.b));
    out->seq = al_read_uint(r, AL_SEQ_FROZEN);
    al_read_bytes(r, out->tag, sizeof(out->tag));
}

struct al_slice al_message_read_list(
    struct al_read *r, uint32_t *ret_count, uint32_t max, al_message_check *check)
{
    struct al_slice last = al_slice_of(NULL, 0);
    const uint8_t *start = r->p;
    uint32_t count = al_read_array(r, 0, max);
    for (uint32_t i = 0; i < count && r->err == 0; i++) {
        struct al_slice key = check(r);
        bool ascends = last.n > 0 && (key.n == 0 || al_slice_cmp(last, key) < 0);
        if (i > 0 && key.p != NULL && !ascends)
            al_read_fail(r, AL_E_ORDER);
        last = key;
    }
    *ret_count = count;
    return al_slice_of(start, (size_t)(r->p - start));
}

static const struct al_slice no_order;

struct al_slice al_message_check_identity(struct al_read *r)
{
    return al_read_bin(r, sizeof(struct al_identity), sizeof(struct al_identity));
}

struct al_slice al_message_check_ref(struct al_read *r)
{
    struct al_ref ref;
    al_read_ref(r, &ref);
    return no_order;
}

struct al_slice al_message_check_head(struct al_read *r)
{
    struct al_head head;
    read_head(r, &head);
    return no_order;
}

struct al_slice al_message_check_seq(struct al_read *r)
{
    const uint8_t *start = r->p;
    if (al_read_uint(r, AL_SEQ_MAX) == 0)
        al_read_fail(r, AL_E_RANGE);
    return al_slice_of(start, (size_t)(r->p - start)); /* the shortest forms sort as numbers do */
}

struct al_slice al_message_check_item(struct al_read *r)
{
    struct al_item item;
    read_item(r, &item);
    return no_order;
}

struct al_slice al_message_check_statement(struct al_read *r)
{
    (void)al_read_array(r, 3, 3);
    (void)al_read_bin(r, 1, AL_STATEMENT_MAX);
    (void)al_read_bin(r, sizeof(struct al_sig), sizeof(struct al_sig));
    if (al_read_bin(r, 0, sizeof(struct al_sig)).n % sizeof(struct al_sig) != 0)
        al_read_fail(r, AL_E_LENGTH);
    return no_order;
}

struct al_slice al_message_check_address(struct al_read *r)
{
    (void)al_read_array(r, 2, 2);
    (void)al_read_bin(r, 1, AL_ADDRESS_RECORD_MAX);
    (void)al_read_bin(r, sizeof(struct al_sig), sizeof(struct al_sig));
    return no_order;
}

struct al_slice al_message_check_segment(struct al_read *r)
{
    for (uint32_t left = al_read_array(r, 6, 6); left > 0; left--)
        (void)al_read_raw(r);
    return no_order;
}

static void read_range(struct al_read *r, struct al_range *out)
{
    *out = (struct al_range){.mode = AL_RANGE_SKIP};
    uint32_t count = al_read_array(r, 2, 3);
    out->upper = al_read_bin(r, 0, AL_ITEM_KEY_BYTES);
    out->mode = (enum al_range_mode)al_read_uint(r, AL_RANGE_FINAL);
    if (count != (out->mode == AL_RANGE_SKIP ? 2 : 3))
        al_read_fail(r, AL_E_COUNT);
    switch (out->mode) {
    case AL_RANGE_SKIP:
        break;
    case AL_RANGE_FINGERPRINT:
        (void)al_read_array(r, 2, 2);
        al_read_bytes(r, out->sum, sizeof(out->sum));
        out->count = al_read_uint(r, UINT32_MAX);
        break;
    case AL_RANGE_ITEMS:
    case AL_RANGE_FINAL:
        out->items =
            al_message_read_list(r, &out->item_count, AL_MSG_ELEMENTS_MAX, al_message_check_item);
        break;
    }
}

struct al_slice al_message_check_range(struct al_read *r)
{
    struct al_range range;
    read_range(r, &range);
    return range.upper;
}

struct al_slice al_message_list(struct al_slice array)
{
    struct al_read r = al_read_init(array);
    (void)al_read_array(&r, 0, UINT32_MAX);
    return al_slice_of(r.p, (size_t)(r.end - r.p));
}

static void advance(struct al_slice *list, const struct al_read *r)
{
    *list = al_slice_of(r->p, (size_t)(r->end - r->p));
}

void al_message_next_identity(struct al_identity *out, struct al_slice *list)
{
    struct al_read r = al_read_init(*list);
    al_read_bytes(&r, out->b, sizeof(out->b));
    advance(list, &r);
}

void al_message_next_own_head(struct al_own_head *out, struct al_slice *list)
{
    al_message_next_ref(&out->ref, list);
}

void al_message_next_head(struct al_head *out, struct al_slice *list)
{
    struct al_read r = al_read_init(*list);
    read_head(&r, out);
    advance(list, &r);
}

void al_message_next_item(struct al_item *out, struct al_slice *list)
{
    struct al_read r = al_read_init(*list);
    read_item(&r, out);
    advance(list, &r);
}

void al_message_next_range(struct al_range *out, struct al_slice *list)
{
    struct al_read r = al_read_init(*list);
    read_range(&r, out);
    advance(list, &r);
}

void al_message_next_ref(struct al_ref *out, struct al_slice *list)
{
    struct al_read r = al_read_init(*list);
    al_read_ref(&r, out);
    advance(list, &r);
}

uint64_t al_message_next_uint(struct al_slice *list)
{
    struct al_read r = al_read_init(*list);
    uint64_t v = al_read_uint(&r, UINT64_MAX);
    advance(list, &r);
    return v;
}

struct al_slice al_message_next_raw(struct al_slice *list)
{
    struct al_read r = al_read_init(*list);
    struct al_slice raw = al_read_raw(&r);
    advance(list, &r);
    return raw;
}

void al_message_put_own_head(struct al_buf *b, const struct al_own_head *h)
{
    al_write_ref(b, &h->ref);
}

void al_message_put_head(struct al_buf *b, const struct al_head *h)
{
    al_write_array(b, 4);
    al_write_bin(b, h->device.b, sizeof(h->device.b));
    al_write_bin(b, h->log.b, sizeof(h->log.b));
    al_write_uint(b, h->seq);
    al_write_bin(b, h->tag, sizeof(h->tag));
}

void al_message_put_item(struct al_buf *b, const struct al_item *item)
{
    al_write_array(b, 5);
    al_write_bin(b, item->identity.b, sizeof(item->identity.b));
    al_write_bin(b, item->device.b, sizeof(item->device.b));
    al_write_bin(b, item->log.b, sizeof(item->log.b));
    al_write_uint(b, item->seq);
    al_write_bin(b, item->tag, sizeof(item->tag));
}

void al_message_put_range(struct al_buf *b, const struct al_range *range)
{
    al_write_array(b, range->mode == AL_RANGE_SKIP ? 2 : 3);
    al_write_bin(b, range->upper.p, range->upper.n);
    al_write_uint(b, range->mode);
    switch (range->mode) {
    case AL_RANGE_SKIP:
        break;
    case AL_RANGE_FINGERPRINT:
        al_write_array(b, 2);
        al_write_bin(b, range->sum, sizeof(range->sum));
        al_write_uint(b, range->count);
        break;
    case AL_RANGE_ITEMS:
    case AL_RANGE_FINAL:
        if (range->items.n == 0)
            al_write_array(b, 0);
        al_write_raw(b, range->items);
        break;
    }
}

void al_item_key(uint8_t out[AL_ITEM_KEY_BYTES], const struct al_item *item)
{
    memcpy(out, item->identity.b, 32);
    memcpy(out + 32, item->device.b, 32);
    memcpy(out + 64, item->log.b, 8);
}
