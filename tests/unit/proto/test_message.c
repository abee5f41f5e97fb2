/* Gossip messages: what is written is read again, and each rule is broken once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "hash.h"
#include "message.h"
#include "sample_wire.h"
#include "statement.h"
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

static uint8_t list_space[16384];

/* The encoding of |m| is answered with |err|. */
static void gives(const struct al_message *m, int err)
{
    struct al_buf b = al_buf_fixed(space, sizeof(space));
    al_message_encode(&b, m);
    assert_int_equal(check(&b), err);
}

static struct al_message sample(enum al_message_type type)
{
    struct al_message m;
    struct al_buf lists = al_buf_fixed(list_space, sizeof(list_space));
    assert_true(sample_message(&m, type, &lists));
    assert_false(lists.full);
    return m;
}

static void every_message_is_read_as_it_was_written(void **state)
{
    (void)state;
    unsigned known = 0;
    for (uint64_t type = 0; type < 64; type++) {
        struct al_message m;
        struct al_buf lists = al_buf_fixed(list_space, sizeof(list_space));
        if (!sample_message(&m, type, &lists))
            continue;
        known++;
        struct al_buf b = al_buf_fixed(space, sizeof(space));
        al_message_encode(&b, &m);
        assert_int_equal(decode(&m, &b), 0);
        assert_int_equal(m.type, type);
        assert_string_not_equal(al_message_name(m.type), "unknown");
        is_written_again(&m);
        for (size_t n = 0; n < b.n; n++)
            assert_int_equal(al_message_decode(&m, al_slice_of(b.p, n)), AL_E_TRUNCATED);
        al_write_uint(&b, 0);
        b.p[0]++; /* one field more: an array of at most nine has its count in its first byte */
        assert_int_equal(check(&b), AL_E_COUNT);
    }
    assert_int_equal(known, 26);
    assert_string_equal(al_message_name(AL_MSG_UNKNOWN), "unknown");
    assert_string_equal(al_message_name(AL_MSG_WANT_PAYLOAD), "want-payload");
}

static void a_message_has_a_size_limit(void **state)
{
    (void)state;
    static uint8_t zeros[AL_MESSAGE_MAX + 1];
    struct al_message m;
    assert_int_equal(
        al_message_decode(&m, al_slice_of(zeros, AL_MESSAGE_MAX + 1)), AL_E_MESSAGE_SIZE);
    assert_int_equal(al_message_decode(&m, al_slice_of(zeros, AL_MESSAGE_MAX)), AL_E_TRAILING);
}

static void the_fields_of_a_hello_are_bounded(void **state)
{
    (void)state;
    static const uint8_t zeros[128];
    struct al_message m = sample(AL_MSG_HELLO);
    m.u.hello.version = 2;
    gives(&m, AL_E_VERSION);
    m = sample(AL_MSG_HELLO);
    m.u.hello.agent = al_slice_of(zeros, AL_AGENT_MAX + 1);
    gives(&m, AL_E_LENGTH);
    m = sample(AL_MSG_HELLO);
    m.u.hello.seen = al_slice_of(zeros, AL_SEEN_MAX + 1);
    gives(&m, AL_E_LENGTH);
    m = sample(AL_MSG_HELLO);
    m.u.hello.token.n = 0;
    gives(&m, 0);
    m.u.hello.token.n = AL_TOKEN_BYTES - 1;
    gives(&m, AL_E_LENGTH);
    m = sample(AL_MSG_HELLO);
    m.u.hello.now_ms = AL_TIME_MAX + 1;
    gives(&m, AL_E_RANGE);
    m = sample(AL_MSG_HELLO);
    m.u.hello.cert = al_slice_str("\x93\xc4\x01x\xc4\x01x\xc4");
    m.u.hello.cert.n = 9;
    gives(&m, AL_E_LENGTH);
    m.u.hello.cert = al_slice_str("\xc3");
    gives(&m, AL_E_TYPE);
}

static void requests_are_numbered_from_one_and_pushes_are_zero(void **state)
{
    (void)state;
    static const enum al_message_type asks[] = {AL_MSG_WANT, AL_MSG_PAYLOAD, AL_MSG_DONE,
        AL_MSG_WANT_PAYLOAD, AL_MSG_WANT_STATEMENTS, AL_MSG_FETCH, AL_MSG_EXCERPT, AL_MSG_REPLIES,
        AL_MSG_REFS, AL_MSG_PIECE_WANT, AL_MSG_PIECE};
    for (size_t i = 0; i < sizeof(asks) / sizeof(asks[0]); i++) {
        struct al_message m = sample(asks[i]);
        m.req = 0;
        gives(&m, AL_E_RANGE);
    }
    struct al_message m = sample(AL_MSG_SEGMENT);
    m.req = 0;
    gives(&m, 0);
    m = sample(AL_MSG_STATEMENTS);
    m.req = 0;
    gives(&m, 0);
}

static void choices_beyond_the_last_are_refused(void **state)
{
    (void)state;
    struct al_message m = sample(AL_MSG_DONE);
    m.u.done.status = (enum al_done_status)(AL_DONE_DECLINED + 1);
    gives(&m, AL_E_RANGE);
    m = sample(AL_MSG_DECLINE);
    m.u.decline.reason = (enum al_decline_reason)(AL_DECLINE_RETENTION + 1);
    gives(&m, AL_E_RANGE);
    m.u.decline.reason = (enum al_decline_reason)0;
    gives(&m, AL_E_RANGE);
    m = sample(AL_MSG_PIECE_WANT);
    m.u.piece_want.index = AL_ATTACHMENTS_MAX * AL_PIECES_MAX;
    gives(&m, AL_E_RANGE);
    m = sample(AL_MSG_PIECE_WANT);
    m.u.piece_want.ref.seq = 0;
    gives(&m, AL_E_RANGE);
}

static void contents_have_size_limits(void **state)
{
    (void)state;
    static uint8_t zeros[AL_PAYLOAD_MAX + 64];
    struct al_message m = sample(AL_MSG_PAYLOAD);
    m.u.payload.payload = al_slice_of(zeros, AL_PAYLOAD_MAX);
    gives(&m, 0);
    m.u.payload.payload.n++;
    gives(&m, AL_E_LENGTH);
    m.u.payload.payload.n = 0;
    gives(&m, AL_E_LENGTH);
    m = sample(AL_MSG_PIECE);
    m.u.piece.bytes = al_slice_of(zeros, AL_PIECE_BYTES + 16);
    gives(&m, 0);
    m.u.piece.bytes.n++;
    gives(&m, AL_E_LENGTH);
    m = sample(AL_MSG_GOODBYE);
    m.u.goodbye.reason = al_slice_of(zeros, AL_REASON_MAX + 1);
    gives(&m, AL_E_LENGTH);
    m = sample(AL_MSG_INTERESTS);
    m.u.interests.before = al_slice_of(zeros, 31);
    gives(&m, AL_E_LENGTH);
    /* a proof of a fork is small */
    struct al_buf big = al_buf_fixed(list_space, sizeof(list_space));
    al_write_array(&big, 6);
    for (int i = 0; i < 5; i++)
        al_write_uint(&big, 0);
    al_write_bin(&big, zeros, AL_FORK_MAX);
    m = (struct al_message){.type = AL_MSG_FORK};
    m.u.fork.a = m.u.fork.b = al_buf_slice(&big);
    gives(&m, AL_E_LENGTH);
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
    struct al_message m = sample(AL_MSG_OWN_HEADS);
    m.u.own_heads.list = copies(AL_OWN_HEADS_MAX, al_buf_slice(&b));
    gives(&m, 0);
    m.u.own_heads.list = copies(AL_OWN_HEADS_MAX + 1, al_buf_slice(&b));
    gives(&m, AL_E_COUNT);
    m = sample(AL_MSG_REFS);
    m.u.refs.list = copies(AL_REFS_MAX + 1, al_buf_slice(&b));
    gives(&m, AL_E_COUNT);

    b.n = 0;
    const struct al_head head = {.seq = 1};
    al_message_put_head(&b, &head);
    m = sample(AL_MSG_HEADS);
    m.u.heads.list = copies(AL_HEADS_MAX, al_buf_slice(&b));
    gives(&m, 0);
    m.u.heads.list = copies(AL_HEADS_MAX + 1, al_buf_slice(&b));
    gives(&m, AL_E_COUNT);

    m = sample(AL_MSG_WANT_PAYLOAD);
    m.u.want_payload.seqs = copies(AL_WANT_PAYLOADS_MAX + 1, al_slice_str("\x01"));
    gives(&m, AL_E_COUNT);
    m = sample(AL_MSG_RECONCILE);
    m.u.reconcile.ranges = copies(AL_RANGES_MAX + 1, al_slice_str("\x92\xc4\x01x\x01"));
    gives(&m, AL_E_COUNT);
}

static void every_element_of_a_list_is_checked(void **state)
{
    (void)state;
    uint8_t bytes[128];
    struct al_buf b = al_buf_fixed(bytes, sizeof(bytes));
    struct al_head head = {.seq = 0};
    al_message_put_head(&b, &head);
    struct al_message m = sample(AL_MSG_HEADS);
    m.u.heads.list = copies(1, al_buf_slice(&b));
    gives(&m, AL_E_RANGE);
    m.u.heads.list = copies(1, al_slice_str("\x05"));
    gives(&m, AL_E_TYPE);
    m.u.heads.list = copies(1, al_slice_str("\x91\x05"));
    gives(&m, AL_E_COUNT);

    b.n = 0;
    struct al_item item = {.seq = AL_SEQ_FROZEN + 1};
    al_message_put_item(&b, &item);
    struct al_range range = {.mode = AL_RANGE_ITEMS, .items = copies(1, al_buf_slice(&b))};
    struct al_buf r = ranges(&range, 1);
    assert_int_equal(check(&r), AL_E_RANGE);
    range = (struct al_range){.mode = AL_RANGE_FINGERPRINT, .count = UINT64_C(1) << 32};
    r = ranges(&range, 1);
    assert_int_equal(check(&r), AL_E_RANGE);
    range = (struct al_range){.mode = (enum al_range_mode)(AL_RANGE_FINAL + 1)};
    r = ranges(&range, 1);
    al_write_uint(&r, 0);
    assert_int_equal(check(&r), AL_E_RANGE);

    m = sample(AL_MSG_WANT_PAYLOAD);
    m.u.want_payload.seqs = al_slice_str("\x92\x05\x05");
    gives(&m, AL_E_ORDER);
    m.u.want_payload.seqs = al_slice_str("\x92\x05\x04");
    gives(&m, AL_E_ORDER);
    m.u.want_payload.seqs = al_slice_of("\x91\x00", 2);
    gives(&m, AL_E_RANGE);
    m = sample(AL_MSG_ADDRESSES);
    m.u.addresses.list = al_slice_str("\x91\x92\xc4\x01x\xc4\x01x");
    gives(&m, AL_E_LENGTH);
    m = sample(AL_MSG_SEGMENT);
    m.u.segment.segment = al_slice_str("\x91\x01");
    gives(&m, AL_E_COUNT);
}

static void a_list_is_walked_in_its_order(void **state)
{
    (void)state;
    struct al_message m = sample(AL_MSG_WANT_PAYLOAD);
    struct al_slice list = al_message_list(m.u.want_payload.seqs);
    assert_true(al_message_next_uint(&list) == 1);
    assert_true(al_message_next_uint(&list) == 127);
    assert_true(al_message_next_uint(&list) == 128);
    m = sample(AL_MSG_OWN_HEADS);
    list = al_message_list(m.u.own_heads.list);
    struct al_own_head own;
    al_message_next_own_head(&own, &list);
    assert_true(own.ref.seq == 1000);
    al_message_next_own_head(&own, &list);
    assert_true(own.ref.seq == 1001);
    assert_int_equal(list.n, 0);
    m = sample(AL_MSG_HEADS);
    list = al_message_list(m.u.heads.list);
    struct al_head head;
    al_message_next_head(&head, &list);
    assert_true(head.seq == 77 && head.tag[0] == 3);
    m = sample(AL_MSG_STATEMENTS);
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
        cmocka_unit_test(a_want_stays_inside_one_block),
        cmocka_unit_test(an_unknown_type_is_no_error),
        cmocka_unit_test(interests_ascend),
        cmocka_unit_test(ranges_ascend_and_only_the_last_may_be_the_end),
        cmocka_unit_test(every_message_is_read_as_it_was_written),
        cmocka_unit_test(a_message_has_a_size_limit),
        cmocka_unit_test(the_fields_of_a_hello_are_bounded),
        cmocka_unit_test(requests_are_numbered_from_one_and_pushes_are_zero),
        cmocka_unit_test(choices_beyond_the_last_are_refused),
        cmocka_unit_test(contents_have_size_limits),
        cmocka_unit_test(lists_have_a_longest),
        cmocka_unit_test(every_element_of_a_list_is_checked),
        cmocka_unit_test(a_list_is_walked_in_its_order),
        cmocka_unit_test(the_key_of_an_item_sorts_by_identity_device_and_log),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
