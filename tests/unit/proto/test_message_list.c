/* The lists in gossip messages: their order, their length, and each of their elements. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "hash.h"
#include "message_fixture.h"
#include "sample_wire.h"
#include "statement.h"
#include "write.h"

static void bytes(struct al_buf *b, uint8_t fill, size_t n)
{
    uint8_t some[256];
    memset(some, fill, sizeof(some));
    al_write_bin(b, some, n);
}

static struct al_buf interests(uint8_t first, uint8_t second)
{
    struct al_buf b = message_begin(AL_MSG_INTERESTS, 5);
    bytes(&b, 0, 0);
    bytes(&b, 1, 32);
    al_write_array(&b, 2);
    bytes(&b, first, 32);
    bytes(&b, second, 32);
    al_write_array(&b, 0);
    al_write_bool(&b, true);
    return b;
}

static void interests_ascend(void **state)
{
    (void)state;
    struct al_message m;
    struct al_buf b = interests(4, 5);
    assert_int_equal(message_decode(&m, &b), 0);
    assert_int_equal(m.u.interests.add_count, 2);
    struct al_slice list = al_message_list(m.u.interests.add);
    struct al_identity id;
    al_message_next_identity(&id, &list);
    assert_int_equal(id.b[0], 4);
    al_message_next_identity(&id, &list);
    assert_int_equal(id.b[31], 5);
    assert_int_equal(list.n, 0);
    message_is_written_again(&m);
    b = interests(5, 5);
    assert_int_equal(message_check(&b), AL_E_ORDER);
    b = interests(6, 5);
    assert_int_equal(message_check(&b), AL_E_ORDER);
}

static void ranges_ascend_and_only_the_last_may_be_the_end(void **state)
{
    (void)state;
    uint8_t encoded[512];
    struct al_buf items = al_buf_fixed(encoded, sizeof(encoded));
    struct al_item item = {.seq = AL_SEQ_FROZEN, .identity = {{1}}, .tag = {2}};
    al_write_array(&items, 1);
    al_message_put_item(&items, &item);
    struct al_range list[] = {
        {.upper = al_slice_str("a"), .mode = AL_RANGE_SKIP},
        {.upper = al_slice_str("ab"), .mode = AL_RANGE_FINGERPRINT, .count = 3, .sum = {7}},
        {.mode = AL_RANGE_ITEMS, .items = al_buf_slice(&items)},
    };
    struct al_message m;
    struct al_buf b = message_ranges(list, 3);
    assert_int_equal(message_decode(&m, &b), 0);
    message_is_written_again(&m);
    struct al_slice walk = al_message_list(m.u.reconcile.ranges);
    struct al_range range;
    al_message_next_range(&range, &walk);
    al_message_next_range(&range, &walk);
    assert_int_equal(range.count, 3);
    assert_int_equal(range.sum[0], 7);
    al_message_next_range(&range, &walk);
    assert_int_equal(range.item_count, 1);
    struct al_slice inner = al_message_list(range.items);
    struct al_item got;
    al_message_next_item(&got, &inner);
    assert_memory_equal(&got, &item, sizeof(item));

    b = message_ranges((struct al_range[]){list[1], list[0]}, 2);
    assert_int_equal(message_check(&b), AL_E_ORDER);
    b = message_ranges((struct al_range[]){list[0], list[0]}, 2);
    assert_int_equal(message_check(&b), AL_E_ORDER);
    b = message_ranges((struct al_range[]){list[2], list[0]}, 2);
    assert_int_equal(message_check(&b), AL_E_ORDER);
    b = message_ranges((struct al_range[]){list[2], list[2]}, 2);
    assert_int_equal(message_check(&b), AL_E_ORDER);
}

/* A list of |count| copies of |element|. */
static struct al_slice copies(size_t count, struct al_slice element)
{
    static uint8_t bytes[AL_MESSAGE_MAX];
    struct al_buf b = al_buf_fixed(bytes, sizeof(bytes));
    al_write_array(&b, count);
    for (size_t i = 0; i < count; i++)
        al_write_raw(&b, element);
    return al_buf_slice(&b);
}

static void lists_have_a_longest(void **state)
{
    (void)state;
    uint8_t bytes[128];
    struct al_buf b = al_buf_fixed(bytes, sizeof(bytes));
    const struct al_ref ref = sample_ref(1);
    al_write_ref(&b, &ref);
    struct al_message m = message_sample(AL_MSG_OWN_HEADS);
    m.u.own_heads.list = copies(AL_OWN_HEADS_MAX, al_buf_slice(&b));
    message_gives(&m, 0);
    m.u.own_heads.list = copies(AL_OWN_HEADS_MAX + 1, al_buf_slice(&b));
    message_gives(&m, AL_E_COUNT);
    m = message_sample(AL_MSG_REFS);
    m.u.refs.list = copies(AL_REFS_MAX + 1, al_buf_slice(&b));
    message_gives(&m, AL_E_COUNT);

    b.n = 0;
    const struct al_head head = {.seq = 1};
    al_message_put_head(&b, &head);
    m = message_sample(AL_MSG_HEADS);
    m.u.heads.list = copies(AL_HEADS_MAX, al_buf_slice(&b));
    message_gives(&m, 0);
    m.u.heads.list = copies(AL_HEADS_MAX + 1, al_buf_slice(&b));
    message_gives(&m, AL_E_COUNT);

    m = message_sample(AL_MSG_WANT_PAYLOAD);
    m.u.want_payload.seqs = copies(AL_WANT_PAYLOADS_MAX + 1, al_slice_str("\x01"));
    message_gives(&m, AL_E_COUNT);
    m = message_sample(AL_MSG_RECONCILE);
    m.u.reconcile.ranges = copies(AL_RANGES_MAX + 1, al_slice_str("\x92\xc4\x01x\x01"));
    message_gives(&m, AL_E_COUNT);
}

static void every_element_of_a_list_is_checked(void **state)
{
    (void)state;
    uint8_t bytes[128];
    struct al_buf b = al_buf_fixed(bytes, sizeof(bytes));
    struct al_head head = {.seq = 0};
    al_message_put_head(&b, &head);
    struct al_message m = message_sample(AL_MSG_HEADS);
    m.u.heads.list = copies(1, al_buf_slice(&b));
    message_gives(&m, AL_E_RANGE);
    m.u.heads.list = copies(1, al_slice_str("\x05"));
    message_gives(&m, AL_E_TYPE);
    m.u.heads.list = copies(1, al_slice_str("\x91\x05"));
    message_gives(&m, AL_E_COUNT);

    b.n = 0;
    struct al_item item = {.seq = AL_SEQ_FROZEN + 1};
    al_message_put_item(&b, &item);
    struct al_range range = {.mode = AL_RANGE_ITEMS, .items = copies(1, al_buf_slice(&b))};
    struct al_buf r = message_ranges(&range, 1);
    assert_int_equal(message_check(&r), AL_E_RANGE);
    range = (struct al_range){.mode = AL_RANGE_FINGERPRINT, .count = UINT64_C(1) << 32};
    r = message_ranges(&range, 1);
    assert_int_equal(message_check(&r), AL_E_RANGE);
    range = (struct al_range){.mode = (enum al_range_mode)(AL_RANGE_FINAL + 1)};
    r = message_ranges(&range, 1);
    al_write_uint(&r, 0);
    assert_int_equal(message_check(&r), AL_E_RANGE);

    m = message_sample(AL_MSG_WANT_PAYLOAD);
    m.u.want_payload.seqs = al_slice_str("\x92\x05\x05");
    message_gives(&m, AL_E_ORDER);
    m.u.want_payload.seqs = al_slice_str("\x92\x05\x04");
    message_gives(&m, AL_E_ORDER);
    m.u.want_payload.seqs = al_slice_of("\x91\x00", 2);
    message_gives(&m, AL_E_RANGE);
    /* skipping takes two elements; a third must not be read as a range of its own */
    m = message_sample(AL_MSG_RECONCILE);
    m.u.reconcile.ranges = al_slice_of("\x92\x93\xc4\x01"
                                       "a\x00\x92\xc4\x01"
                                       "b\x02\x90",
        12);
    message_gives(&m, AL_E_COUNT);
    m = message_sample(AL_MSG_ADDRESSES);
    m.u.addresses.list = al_slice_str("\x91\x92\xc4\x01x\xc4\x01x");
    message_gives(&m, AL_E_LENGTH);
    m = message_sample(AL_MSG_SEGMENT);
    m.u.segment.segment = al_slice_str("\x91\x01");
    message_gives(&m, AL_E_COUNT);
}

static void a_list_is_walked_in_its_order(void **state)
{
    (void)state;
    struct al_message m = message_sample(AL_MSG_WANT_PAYLOAD);
    struct al_slice list = al_message_list(m.u.want_payload.seqs);
    assert_true(al_message_next_uint(&list) == 1);
    assert_true(al_message_next_uint(&list) == 127);
    assert_true(al_message_next_uint(&list) == 128);
    m = message_sample(AL_MSG_OWN_HEADS);
    list = al_message_list(m.u.own_heads.list);
    struct al_own_head own;
    al_message_next_own_head(&own, &list);
    assert_true(own.ref.seq == 1000);
    al_message_next_own_head(&own, &list);
    assert_true(own.ref.seq == 1001);
    assert_int_equal(list.n, 0);
    m = message_sample(AL_MSG_HEADS);
    list = al_message_list(m.u.heads.list);
    struct al_head head;
    al_message_next_head(&head, &list);
    assert_true(head.seq == 77 && head.tag[0] == 3);
    m = message_sample(AL_MSG_STATEMENTS);
    list = al_message_list(m.u.statements.list);
    struct al_statement cert;
    assert_int_equal(al_statement_open(&cert, al_message_next_raw(&list)), 0);
    assert_int_equal(list.n, 0);
}

static void the_key_of_an_item_sorts_by_identity_device_and_log(void **state)
{
    (void)state;
    struct al_item item = {.identity = {{1}}, .device = {{2}}, .log = {{3}}};
    uint8_t key[AL_ITEM_KEY_BYTES];
    al_item_key(key, &item);
    assert_int_equal(key[0], 1);
    assert_int_equal(key[32], 2);
    assert_int_equal(key[64], 3);
    struct al_hash digest;
    struct al_hash want;
    const struct al_identity ids[] = {{{1}}, {{2}}};
    const struct al_slice parts[] = {al_slice_of(&ids[0], 32), al_slice_of(&ids[1], 32)};
    al_interests_digest(&digest, ids, 2);
    al_hash(&want, AL_P_INTEREST, parts, 2);
    assert_true(al_hash_eq(&digest, &want));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(interests_ascend),
        cmocka_unit_test(ranges_ascend_and_only_the_last_may_be_the_end),
        cmocka_unit_test(lists_have_a_longest),
        cmocka_unit_test(every_element_of_a_list_is_checked),
        cmocka_unit_test(a_list_is_walked_in_its_order),
        cmocka_unit_test(the_key_of_an_item_sorts_by_identity_device_and_log),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
