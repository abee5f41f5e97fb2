/* MessagePack-RPC envelopes: what is read from a stream, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#include "limit.h"
#include "read.h"
#include "rpc.h"
#include "write.h"

#define BYTES(...)                                                                                 \
    al_slice_of((const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}))

static int first(struct al_rpc *m, struct al_slice bytes)
{
    size_t n = 0;
    return al_rpc_first(m, &n, bytes);
}

static void a_request_is_read_as_it_was_written(void **state)
{
    (void)state;
    uint8_t space[256];
    struct al_buf b = al_buf_fixed(space, sizeof(space));
    al_rpc_request(&b, UINT32_MAX, "timeline", BYTES(0x81, 0xa1, 'n', 0x05));
    size_t one = b.n;
    al_rpc_request(&b, 7, "status", al_slice_of(NULL, 0));
    struct al_rpc m;
    size_t n = 0;
    assert_int_equal(al_rpc_first(&m, &n, al_buf_slice(&b)), 0);
    assert_int_equal(n, one);
    assert_int_equal(m.type, AL_RPC_REQUEST);
    assert_int_equal(m.id, UINT32_MAX);
    assert_true(al_slice_is(m.method, "timeline"));
    struct al_read r = al_read_init(al_rpc_param(m.params, "n"));
    assert_int_equal(al_read_uint(&r, 10), 5);
    assert_int_equal(al_rpc_param(m.params, "m").n, 0);
    assert_int_equal(al_rpc_first(&m, &n, al_slice_of(b.p + one, b.n - one)), 0);
    assert_int_equal(m.id, 7);
    assert_true(al_slice_eq(m.params, BYTES(0x80)));
}

static void every_beginning_of_an_envelope_asks_for_more(void **state)
{
    (void)state;
    uint8_t space[256];
    struct al_buf b = al_buf_fixed(space, sizeof(space));
    al_rpc_request(&b, 1, "search", BYTES(0x81, 0xa5, 'q', 'u', 'e', 'r', 'y', 0xa1, 'x'));
    struct al_rpc m;
    for (size_t n = 0; n < b.n; n++)
        assert_int_equal(first(&m, al_slice_of(b.p, n)), AL_E_MORE);
    assert_int_equal(first(&m, al_buf_slice(&b)), 0);
}

static void params_may_stand_alone_in_an_array_or_be_left_out(void **state)
{
    (void)state;
    struct al_rpc m;
    assert_int_equal(first(&m, BYTES(0x94, 0, 1, 0xa1, 'a', 0x91, 0x81, 0xa1, 'k', 2)), 0);
    assert_true(al_slice_eq(m.params, BYTES(0x81, 0xa1, 'k', 2)));
    assert_int_equal(first(&m, BYTES(0x94, 0, 1, 0xa1, 'a', 0x90)), 0);
    assert_true(al_slice_eq(m.params, BYTES(0x80)));
    assert_int_equal(first(&m, BYTES(0x94, 0, 1, 0xa1, 'a', 0x92, 0x80, 0x80)), AL_E_RPC);
    assert_int_equal(first(&m, BYTES(0x94, 0, 1, 0xa1, 'a', 0x05)), AL_E_RPC);
    assert_int_equal(first(&m, BYTES(0x94, 0, 1, 0xa1, 'a', 0xc0)), AL_E_RPC);
}

static void what_is_no_envelope_is_refused(void **state)
{
    (void)state;
    struct al_rpc m;
    assert_int_equal(first(&m, BYTES('G', 'E', 'T', ' ')), AL_E_RPC);
    assert_int_equal(first(&m, BYTES(0x80)), AL_E_RPC);
    assert_int_equal(first(&m, BYTES(0x92, 0, 1)), AL_E_RPC);
    assert_int_equal(first(&m, BYTES(0x94, 3, 1, 0xa1, 'a', 0x80)), AL_E_RPC);
    assert_int_equal(first(&m, BYTES(0x93, 0, 0xa1, 'a', 0x80)), AL_E_RPC);
    assert_int_equal(first(&m, BYTES(0x94, 2, 0xa1, 'a', 0x80, 0x80)), AL_E_RPC);
    assert_int_equal(first(&m, BYTES(0x94, 0, 0xff, 0xa1, 'a', 0x80)), AL_E_RPC);
    assert_int_equal(first(&m, BYTES(0x94, 0, 1, 0xa0, 0x80)), AL_E_RPC);
    assert_int_equal(first(&m, BYTES(0x94, 0, 1, 0xc4, 1, 'a', 0x80)), AL_E_RPC);
    assert_int_equal(first(&m, BYTES(0x94, 0, 1, 0xa1, 0xff, 0x80)), AL_E_UTF8);
    assert_int_equal(
        first(&m, BYTES(0x94, 0, 1, 0xa1, 'a', 0xdd, 0xff, 0xff, 0xff, 0xff)), AL_E_ELEMENTS);
    assert_int_equal(first(&m, BYTES(0x94, 1, 1, 5, 6)), AL_E_RPC);
    /* an id of 33 bits */
    assert_int_equal(
        first(&m, BYTES(0x94, 0, 0xcf, 0, 0, 0, 1, 0, 0, 0, 0, 0xa1, 'a', 0x80)), AL_E_RPC);
}

static void an_answer_may_be_longer_than_a_request(void **state)
{
    (void)state;
    size_t n = AL_RPC_REQUEST_MAX + 100;
    uint8_t *space = calloc(1, n);
    assert_non_null(space);
    struct al_buf b = al_buf_fixed(space, n);
    al_write_array(&b, 4);
    al_write_uint(&b, AL_RPC_RESPONSE);
    al_write_uint(&b, 7);
    al_write_nil(&b);
    al_write_bin_head(&b, AL_RPC_REQUEST_MAX);
    b.n += AL_RPC_REQUEST_MAX;
    struct al_rpc m;
    size_t used;
    assert_int_equal(al_rpc_first(&m, &used, al_buf_slice(&b)), AL_E_LENGTH);
    assert_int_equal(al_rpc_first_answer(&m, &used, al_buf_slice(&b)), 0);
    assert_int_equal(used, b.n);
    assert_int_equal(m.id, 7);
    free(space);
}

static void an_envelope_beyond_the_limit_is_refused_before_it_is_whole(void **state)
{
    (void)state;
    uint8_t *space = calloc(1, AL_RPC_REQUEST_MAX + 1);
    assert_non_null(space);
    static const uint8_t head[] = {0x94, 0, 1, 0xa1, 'a', 0x81, 0xa1, 'k', 0xc6, 0, 0x10, 0, 0};
    memcpy(space, head, sizeof(head));
    struct al_rpc m;
    assert_int_equal(first(&m, al_slice_of(space, AL_RPC_REQUEST_MAX - 1)), AL_E_MORE);
    assert_int_equal(first(&m, al_slice_of(space, AL_RPC_REQUEST_MAX)), AL_E_LENGTH);
    assert_int_equal(first(&m, al_slice_of(space, AL_RPC_REQUEST_MAX + 1)), AL_E_LENGTH);
    /* exactly at the limit, with the next envelope behind it */
    static const uint8_t fits[] = {
        0x94, 0, 1, 0xa1, 'a', 0x81, 0xa1, 'k', 0xc6, 0, 0x0f, 0xff, 0xf3};
    memcpy(space, fits, sizeof(fits));
    size_t n = 0;
    assert_int_equal(al_rpc_first(&m, &n, al_slice_of(space, AL_RPC_REQUEST_MAX + 1)), 0);
    assert_int_equal(n, AL_RPC_REQUEST_MAX);
    free(space);
}

static void a_response_carries_a_result_or_an_error(void **state)
{
    (void)state;
    uint8_t space[256];
    struct al_buf b = al_buf_fixed(space, sizeof(space));
    struct al_rpc m;
    al_rpc_response(&b, 3, BYTES(0x81, 0xa1, 'v', 1));
    assert_int_equal(first(&m, al_buf_slice(&b)), 0);
    assert_int_equal(m.type, AL_RPC_RESPONSE);
    assert_int_equal(m.error.n, 0);
    assert_true(al_slice_eq(m.result, BYTES(0x81, 0xa1, 'v', 1)));

    b.n = 0;
    al_rpc_response(&b, 3, BYTES(0xc3)); /* a result need not be a map */
    assert_int_equal(first(&m, al_buf_slice(&b)), 0);
    assert_true(al_slice_eq(m.result, BYTES(0xc3)));

    b.n = 0;
    struct al_rpc_error sent = {.code = AL_E_NOT_FOUND,
        .name = al_slice_str("not-found"),
        .message = al_slice_str("nobody called 'kay' here"),
        .hint = al_slice_str("aloud people")};
    al_rpc_error_response(&b, 4, &sent);
    assert_int_equal(first(&m, al_buf_slice(&b)), 0);
    struct al_rpc_error got;
    assert_int_equal(al_rpc_error_read(&got, m.error), 0);
    assert_int_equal(got.code, AL_E_NOT_FOUND);
    assert_true(al_slice_eq(got.name, sent.name));
    assert_true(al_slice_eq(got.message, sent.message));
    assert_true(al_slice_eq(got.hint, sent.hint));
    assert_int_equal(al_rpc_error_read(&got, BYTES(0x91, 1)), AL_E_RPC);
    assert_int_equal(al_rpc_error_read(&got, BYTES(0x94, 0xa0, 0xa0, 0xa0, 0xa0)), AL_E_RPC);
}

static void a_notification_has_no_id(void **state)
{
    (void)state;
    uint8_t space[64];
    struct al_buf b = al_buf_fixed(space, sizeof(space));
    al_rpc_notification(&b, "rows", BYTES(0x81, 0xa3, 's', 'u', 'b', 9));
    struct al_rpc m;
    assert_int_equal(first(&m, al_buf_slice(&b)), 0);
    assert_int_equal(m.type, AL_RPC_NOTIFICATION);
    assert_true(al_slice_is(m.method, "rows"));
    assert_int_equal(al_rpc_param(m.params, "sub").n, 1);
}

static void a_param_is_found_behind_keys_of_any_type(void **state)
{
    (void)state;
    struct al_slice map =
        BYTES(0x84, 1, 0xa1, 'x', 0xa1, 'y', 0x92, 1, 0x81, 0xa1, 'k', 2, 0xa1, 'k', 3, 0xc0, 4);
    assert_true(al_slice_eq(al_rpc_param(map, "k"), BYTES(3)));
    assert_int_equal(al_rpc_param(map, "x").n, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_is_read_as_it_was_written),
        cmocka_unit_test(every_beginning_of_an_envelope_asks_for_more),
        cmocka_unit_test(params_may_stand_alone_in_an_array_or_be_left_out),
        cmocka_unit_test(what_is_no_envelope_is_refused),
        cmocka_unit_test(an_answer_may_be_longer_than_a_request),
        cmocka_unit_test(an_envelope_beyond_the_limit_is_refused_before_it_is_whole),
        cmocka_unit_test(a_response_carries_a_result_or_an_error),
        cmocka_unit_test(a_notification_has_no_id),
        cmocka_unit_test(a_param_is_found_behind_keys_of_any_type),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
