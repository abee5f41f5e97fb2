/* Gossip messages: what is written is read again, and each rule is broken once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "message_fixture.h"
#include "sample.h"
#include "sample_wire.h"
#include "write.h"

static uint8_t space[AL_MESSAGE_MAX];
static uint8_t list_space[16384];

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
        assert_int_equal(message_decode(&m, &b), cases[i].err);
        if (cases[i].err == 0)
            message_is_written_again(&m);
    }
}

static void an_unknown_type_is_no_error(void **state)
{
    (void)state;
    struct al_message m;
    struct al_buf b = message_begin(34, 2);
    al_write_map(&b, 0);
    al_write_bool(&b, true);
    assert_int_equal(message_decode(&m, &b), 0);
    assert_int_equal(m.type, AL_MSG_UNKNOWN);
    message_is_written_again(&m);
    b = message_begin(UINT16_MAX, 0);
    assert_int_equal(message_check(&b), 0);
    b = message_begin(UINT16_MAX + 1, 0);
    assert_int_equal(message_check(&b), AL_E_RANGE);
    b = al_buf_fixed(space, sizeof(space));
    al_write_array(&b, 0);
    assert_int_equal(message_check(&b), AL_E_COUNT);
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
        assert_int_equal(message_decode(&m, &b), 0);
        assert_int_equal(m.type, type);
        assert_string_not_equal(al_message_name(m.type), "unknown");
        message_is_written_again(&m);
        for (size_t n = 0; n < b.n; n++)
            assert_int_equal(al_message_decode(&m, al_slice_of(b.p, n)), AL_E_TRUNCATED);
        al_write_uint(&b, 0);
        b.p[0]++; /* one field more: an array of at most 14 has its count in its first byte */
        assert_int_equal(message_check(&b), AL_E_COUNT);
    }
    assert_int_equal(known, 27);
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
    struct al_message m = message_sample(AL_MSG_HELLO);
    m.u.hello.version = 2;
    message_gives(&m, AL_E_VERSION);
    m = message_sample(AL_MSG_HELLO);
    m.u.hello.agent = al_slice_of(zeros, AL_AGENT_MAX + 1);
    message_gives(&m, AL_E_LENGTH);
    m = message_sample(AL_MSG_HELLO);
    m.u.hello.seen = al_slice_of(zeros, AL_SEEN_MAX + 1);
    message_gives(&m, AL_E_LENGTH);
    m = message_sample(AL_MSG_HELLO);
    m.u.hello.token.n = 0;
    message_gives(&m, 0);
    m.u.hello.token.n = AL_TOKEN_BYTES - 1;
    message_gives(&m, AL_E_LENGTH);
    m = message_sample(AL_MSG_HELLO);
    m.u.hello.now_ms = AL_TIME_MAX + 1;
    message_gives(&m, AL_E_RANGE);
    m = message_sample(AL_MSG_HELLO);
    m.u.hello.cert = al_slice_str("\x93\xc4\x01x\xc4\x01x\xc4");
    m.u.hello.cert.n = 9;
    message_gives(&m, AL_E_LENGTH);
    m.u.hello.cert = al_slice_str("\xc3");
    message_gives(&m, AL_E_TYPE);
}

static void requests_are_numbered_from_one_and_pushes_are_zero(void **state)
{
    (void)state;
    static const enum al_message_type asks[] = {AL_MSG_WANT, AL_MSG_PAYLOAD, AL_MSG_DONE,
        AL_MSG_WANT_PAYLOAD, AL_MSG_WANT_STATEMENTS, AL_MSG_FETCH, AL_MSG_EXCERPT, AL_MSG_REPLIES,
        AL_MSG_REFS, AL_MSG_PIECE_WANT, AL_MSG_PIECE};
    for (size_t i = 0; i < sizeof(asks) / sizeof(asks[0]); i++) {
        struct al_message m = message_sample(asks[i]);
        m.req = 0;
        message_gives(&m, AL_E_RANGE);
    }
    struct al_message m = message_sample(AL_MSG_SEGMENT);
    m.req = 0;
    message_gives(&m, 0);
    m = message_sample(AL_MSG_STATEMENTS);
    m.req = 0;
    message_gives(&m, 0);
}

static void choices_beyond_the_last_are_refused(void **state)
{
    (void)state;
    struct al_message m = message_sample(AL_MSG_DONE);
    m.u.done.status = (enum al_done_status)(AL_DONE_DECLINED + 1);
    message_gives(&m, AL_E_RANGE);
    m = message_sample(AL_MSG_DECLINE);
    m.u.decline.reason = (enum al_decline_reason)(AL_DECLINE_RETENTION + 1);
    message_gives(&m, AL_E_RANGE);
    m.u.decline.reason = (enum al_decline_reason)0;
    message_gives(&m, AL_E_RANGE);
    m = message_sample(AL_MSG_FETCH);
    m.u.fetch.ref.seq = 0;
    message_gives(&m, AL_E_RANGE);
}

static void contents_have_size_limits(void **state)
{
    (void)state;
    static uint8_t zeros[AL_PAYLOAD_MAX + 64];
    struct al_message m = message_sample(AL_MSG_PAYLOAD);
    m.u.payload.payload = al_slice_of(zeros, AL_PAYLOAD_MAX);
    message_gives(&m, 0);
    m.u.payload.payload.n++;
    message_gives(&m, AL_E_LENGTH);
    m.u.payload.payload.n = 0;
    message_gives(&m, AL_E_LENGTH);
    m = message_sample(AL_MSG_PIECE);
    m.u.piece.bytes = al_slice_of(zeros, AL_PIECE_BYTES + 16);
    message_gives(&m, 0);
    m.u.piece.bytes.n++;
    message_gives(&m, AL_E_LENGTH);
    m = message_sample(AL_MSG_GOODBYE);
    m.u.goodbye.reason = al_slice_of(zeros, AL_REASON_MAX + 1);
    message_gives(&m, AL_E_LENGTH);
    m = message_sample(AL_MSG_INTERESTS);
    m.u.interests.before = al_slice_of(zeros, 31);
    message_gives(&m, AL_E_LENGTH);
    /* a proof of a fork is small */
    struct al_buf big = al_buf_fixed(list_space, sizeof(list_space));
    al_write_array(&big, 6);
    for (int i = 0; i < 5; i++)
        al_write_uint(&big, 0);
    al_write_bin(&big, zeros, AL_FORK_MAX);
    m = (struct al_message){.type = AL_MSG_FORK};
    m.u.fork.a = m.u.fork.b = al_buf_slice(&big);
    message_gives(&m, AL_E_LENGTH);
}

static void the_least_of_each_field_is_accepted(void **state)
{
    (void)state;
    struct al_message m = message_sample(AL_MSG_HELLO);
    m.u.hello.caps = 0;
    m.u.hello.now_ms = 0;
    m.u.hello.agent = m.u.hello.seen = al_slice_of(NULL, 0);
    message_gives(&m, 0);
    m = message_sample(AL_MSG_PAYLOAD);
    m.req = 1;
    m.u.payload.payload = al_slice_str("x");
    message_gives(&m, 0);
    m = message_sample(AL_MSG_DONE);
    m.u.done.status = AL_DONE_OK;
    message_gives(&m, 0);
    m = message_sample(AL_MSG_PING);
    m.u.ping.n = 0;
    message_gives(&m, 0);
    m.type = AL_MSG_PONG;
    message_gives(&m, 0);
    m = message_sample(AL_MSG_OWN_HEADS);
    m.u.own_heads.list = al_slice_of(NULL, 0);
    message_gives(&m, 0);
    struct al_slice walk = al_message_list(al_slice_str("\x90"));
    assert_int_equal(walk.n, 0);

    static const uint8_t sig[64];
    uint8_t bytes[256];
    struct al_buf b = al_buf_fixed(bytes, sizeof(bytes));
    al_write_array(&b, 1);
    al_write_array(&b, 3);
    al_write_bin(&b, "x", 1);
    al_write_bin(&b, sig, 64);
    al_write_bin(&b, NULL, 0);
    m = message_sample(AL_MSG_STATEMENTS);
    m.u.statements.list = al_buf_slice(&b);
    message_gives(&m, 0);
    b.n = 0;
    al_write_array(&b, 1);
    al_write_array(&b, 2);
    al_write_bin(&b, "x", 1);
    al_write_bin(&b, sig, 64);
    m = message_sample(AL_MSG_ADDRESSES);
    m.u.addresses.list = al_buf_slice(&b);
    message_gives(&m, 0);
    struct al_range range = {.mode = AL_RANGE_ITEMS};
    b = message_ranges(&range, 1);
    assert_int_equal(message_check(&b), 0);
}

static void a_boot_is_signed_by_its_device(void **state)
{
    (void)state;
    struct sample_person p = sample_person(1), other = sample_person(2);
    uint8_t boot[AL_BOOT_BYTES] = {1, 2, 3};
    struct al_sig sig, again;
    al_boot_sign(&sig, &p.device, p.device_secret, boot);
    assert_int_equal(al_boot_verify(&sig, &p.device, boot), 0);
    al_boot_sign(&again, &p.device, p.device_secret, boot);
    assert_memory_equal(again.b, sig.b, sizeof(sig.b));
    assert_int_equal(al_boot_verify(&sig, &other.device, boot), AL_E_SIG);
    boot[7] ^= 1;
    assert_int_equal(al_boot_verify(&sig, &p.device, boot), AL_E_SIG);
    boot[7] ^= 1;
    for (size_t bit = 0; bit < sizeof(sig.b) * 8; bit++) {
        sig.b[bit / 8] ^= (uint8_t)(1U << bit % 8);
        assert_int_equal(al_boot_verify(&sig, &p.device, boot), AL_E_SIG);
        sig.b[bit / 8] ^= (uint8_t)(1U << bit % 8);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_want_stays_inside_one_block),
        cmocka_unit_test(an_unknown_type_is_no_error),
        cmocka_unit_test(every_message_is_read_as_it_was_written),
        cmocka_unit_test(a_message_has_a_size_limit),
        cmocka_unit_test(the_fields_of_a_hello_are_bounded),
        cmocka_unit_test(requests_are_numbered_from_one_and_pushes_are_zero),
        cmocka_unit_test(choices_beyond_the_last_are_refused),
        cmocka_unit_test(contents_have_size_limits),
        cmocka_unit_test(a_boot_is_signed_by_its_device),
        cmocka_unit_test(the_least_of_each_field_is_accepted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
