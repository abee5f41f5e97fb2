/* Gossip messages: what is written is read again, and each rule is broken once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "message.h"
#include "write.h"

static uint8_t space[AL_MESSAGE_MAX];

static struct al_buf message(uint64_t type, size_t fields)
{
    struct al_buf b = al_buf_fixed(space, sizeof(space));
    al_write_array(&b, 1 + fields);
    al_write_uint(&b, type);
    return b;
}

static int decode(struct al_message *m, const struct al_buf *b)
{
    assert_false(b->full);
    return al_message_decode(m, al_buf_slice(b));
}

static int check(const struct al_buf *b)
{
    struct al_message m;
    return decode(&m, b);
}

static void bytes(struct al_buf *b, uint8_t fill, size_t n)
{
    uint8_t some[256];
    memset(some, fill, sizeof(some));
    al_write_bin(b, some, n);
}

static void is_written_again(const struct al_message *m)
{
    static uint8_t again[AL_MESSAGE_MAX];
    struct al_buf b = al_buf_fixed(again, sizeof(again));
    al_message_encode(&b, m);
    assert_int_equal(b.n, m->raw.n);
    assert_memory_equal(b.p, m->raw.p, b.n);
}

static void a_want_stays_inside_one_block(void **state)
{
    (void)state;
    static const struct {
        uint64_t first, last;
        int err;
    } cases[] = {
        {1, 64, 0},
        {65, 65, 0},
        {64, 65, AL_E_BLOCK},
        {3, 2, AL_E_RANGE},
        {0, 2, AL_E_RANGE},
        {1, AL_SEQ_MAX + 1, AL_E_RANGE},
        {AL_SEQ_MAX, AL_SEQ_MAX, 0},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct al_message m = {.type = AL_MSG_WANT, .req = 9};
        m.u.want.first = cases[i].first;
        m.u.want.last = cases[i].last;
        struct al_buf b = al_buf_fixed(space, sizeof(space));
        al_message_encode(&b, &m);
        assert_int_equal(decode(&m, &b), cases[i].err);
        if (cases[i].err == 0)
            is_written_again(&m);
    }
}

static void an_unknown_type_is_no_error(void **state)
{
    (void)state;
    struct al_message m;
    struct al_buf b = message(33, 2);
    al_write_map(&b, 0);
    al_write_bool(&b, true);
    assert_int_equal(decode(&m, &b), 0);
    assert_int_equal(m.type, AL_MSG_UNKNOWN);
    is_written_again(&m);
    b = message(UINT16_MAX, 0);
    assert_int_equal(check(&b), 0);
    b = message(UINT16_MAX + 1, 0);
    assert_int_equal(check(&b), AL_E_RANGE);
    b = al_buf_fixed(space, sizeof(space));
    al_write_array(&b, 0);
    assert_int_equal(check(&b), AL_E_COUNT);
}

static struct al_buf interests(uint8_t first, uint8_t second)
{
    struct al_buf b = message(AL_MSG_INTERESTS, 5);
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
    assert_int_equal(decode(&m, &b), 0);
    assert_int_equal(m.u.interests.add_count, 2);
    struct al_slice list = al_message_list(m.u.interests.add);
    struct al_identity id;
    al_message_next_identity(&id, &list);
    assert_int_equal(id.b[0], 4);
    al_message_next_identity(&id, &list);
    assert_int_equal(id.b[31], 5);
    assert_int_equal(list.n, 0);
    is_written_again(&m);
    b = interests(5, 5);
    assert_int_equal(check(&b), AL_E_ORDER);
    b = interests(6, 5);
    assert_int_equal(check(&b), AL_E_ORDER);
}

static struct al_buf ranges(const struct al_range *list, size_t count)
{
    struct al_buf b = message(AL_MSG_RECONCILE, 4);
    al_write_uint(&b, 2);
    al_write_uint(&b, 0);
    al_write_bool(&b, false);
    al_write_array(&b, count);
    for (size_t i = 0; i < count; i++)
        al_message_put_range(&b, &list[i]);
    return b;
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
    struct al_buf b = ranges(list, 3);
    assert_int_equal(decode(&m, &b), 0);
    is_written_again(&m);
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

    b = ranges((struct al_range[]){list[1], list[0]}, 2);
    assert_int_equal(check(&b), AL_E_ORDER);
    b = ranges((struct al_range[]){list[0], list[0]}, 2);
    assert_int_equal(check(&b), AL_E_ORDER);
    b = ranges((struct al_range[]){list[2], list[0]}, 2);
    assert_int_equal(check(&b), AL_E_ORDER);
    b = ranges((struct al_range[]){list[2], list[2]}, 2);
    assert_int_equal(check(&b), AL_E_ORDER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_want_stays_inside_one_block),
        cmocka_unit_test(an_unknown_type_is_no_error),
        cmocka_unit_test(interests_ascend),
        cmocka_unit_test(ranges_ascend_and_only_the_last_may_be_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
