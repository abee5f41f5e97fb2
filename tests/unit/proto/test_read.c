/* The cursor: values come out as they went in, and the first error stays. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "limit.h"
#include "read.h"
#include "scan.h"
#include "write.h"

#define BYTES(...)                                                                                 \
    al_slice_of((const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}))

static uint8_t space[4096];

static struct al_buf fresh(void)
{
    return al_buf_fixed(space, sizeof(space));
}

static void numbers_are_read_within_their_range(void **state)
{
    (void)state;
    static const uint64_t edges[] = {0, 1, 127, 128, 255, 256, 65535, 65536, UINT32_MAX,
        UINT64_C(1) << 32, INT64_MAX, UINT64_MAX};
    for (size_t i = 0; i < sizeof(edges) / sizeof(edges[0]); i++) {
        struct al_buf b = fresh();
        al_write_uint(&b, edges[i]);
        struct al_read r = al_read_message(al_buf_slice(&b));
        assert_true(al_read_uint(&r, edges[i]) == edges[i]);
        assert_int_equal(al_read_end(&r), 0);
        if (edges[i] > 0) {
            r = al_read_message(al_buf_slice(&b));
            assert_true(al_read_uint(&r, edges[i] - 1) == 0);
            assert_int_equal(al_read_end(&r), AL_E_RANGE);
        }
    }
}

static void negative_numbers_are_read_within_their_range(void **state)
{
    (void)state;
    static const int64_t edges[] = {-1, -32, -33, -128, -129, -32768, -32769, INT32_MIN,
        (int64_t)INT32_MIN - 1, INT64_MIN, 0, 127, 128, INT64_MAX};
    for (size_t i = 0; i < sizeof(edges) / sizeof(edges[0]); i++) {
        struct al_buf b = fresh();
        al_write_int(&b, edges[i]);
        struct al_read r = al_read_message(al_buf_slice(&b));
        assert_true(al_read_int(&r, edges[i], edges[i]) == edges[i]);
        assert_int_equal(al_read_end(&r), 0);
        r = al_read_message(al_buf_slice(&b));
        if (edges[i] < INT64_MAX) {
            assert_true(al_read_int(&r, edges[i] + 1, INT64_MAX) == 0);
            assert_int_equal(al_read_end(&r), AL_E_RANGE);
        }
    }
    struct al_read r = al_read_message(BYTES(0xe0));
    assert_true(al_read_uint(&r, UINT64_MAX) == 0);
    assert_int_equal(al_read_end(&r), AL_E_TYPE);
    r = al_read_message(BYTES(0xcf, 0x80, 0, 0, 0, 0, 0, 0, 0));
    assert_true(al_read_int(&r, INT64_MIN, INT64_MAX) == 0);
    assert_int_equal(al_read_end(&r), AL_E_RANGE);
}

static void the_api_may_write_numbers_in_any_form(void **state)
{
    (void)state;
    struct al_read r =
        al_read_init(BYTES(0xd1, 0, 5, 0xcf, 0, 0, 0, 0, 0, 0, 0, 6, 0xd2, 0xff, 0xff, 0xff, 0xff));
    assert_int_equal(al_read_uint(&r, 10), 5);
    assert_int_equal(al_read_uint(&r, 10), 6);
    assert_int_equal(al_read_int(&r, -1, 10), -1);
    assert_int_equal(al_read_end(&r), 0);
}

static void every_type_is_told_from_every_other(void **state)
{
    (void)state;
    static const uint8_t zeros[70000];
    static uint8_t big[140000];
    static const size_t sizes[] = {0, 15, 16, 31, 32, 255, 256, 65535, 65536};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        struct al_buf b = al_buf_fixed(big, sizeof(big));
        al_write_bin(&b, zeros, sizes[i]);
        struct al_read r = al_read_message(al_buf_slice(&b));
        assert_int_equal(al_read_peek(&r), AL_TYPE_BIN);
        assert_int_equal(al_read_bin(&r, sizes[i], sizes[i]).n, sizes[i]);
        assert_int_equal(al_read_end(&r), 0);
        assert_int_equal(al_read_peek(&r), AL_TYPE_END);
        b.n = 0;
        al_write_str(&b, al_slice_of(zeros, sizes[i]));
        r = al_read_message(al_buf_slice(&b));
        assert_int_equal(al_read_peek(&r), AL_TYPE_STR);
        assert_int_equal(al_read_str(&r, sizes[i]).n, sizes[i]);
        assert_int_equal(al_read_end(&r), 0);
        b.n = 0;
        al_write_array(&b, sizes[i]);
        al_buf_put(&b, zeros, sizes[i]);
        r = al_read_init(al_buf_slice(&b));
        assert_int_equal(al_read_peek(&r), AL_TYPE_ARRAY);
        assert_int_equal(al_read_array(&r, 0, UINT32_MAX), sizes[i]);
        assert_int_equal(r.end - r.p, sizes[i]);
    }
    static const struct {
        uint8_t tag;
        enum al_type type;
    } tags[] = {{0x80, AL_TYPE_MAP}, {0xde, AL_TYPE_MAP}, {0xdf, AL_TYPE_MAP}, {0xc0, AL_TYPE_NIL},
        {0xc2, AL_TYPE_BOOL}, {0xc3, AL_TYPE_BOOL}, {0xca, AL_TYPE_FLOAT}, {0xcb, AL_TYPE_FLOAT},
        {0xc7, AL_TYPE_EXT}, {0xd8, AL_TYPE_EXT}, {0xff, AL_TYPE_NEGATIVE}, {0x7f, AL_TYPE_UINT}};
    for (size_t i = 0; i < sizeof(tags) / sizeof(tags[0]); i++) {
        struct al_read r = al_read_init(al_slice_of(&tags[i].tag, 1));
        assert_int_equal(al_read_peek(&r), tags[i].type);
    }
}

static void sizes_are_held_to_their_bounds(void **state)
{
    (void)state;
    struct al_read r = al_read_message(BYTES(0xc4, 2, 1, 2));
    assert_int_equal(al_read_bin(&r, 3, 4).n, 0);
    assert_int_equal(al_read_end(&r), AL_E_LENGTH);
    r = al_read_message(BYTES(0xc4, 2, 1, 2));
    assert_int_equal(al_read_bin(&r, 0, 1).n, 0);
    assert_int_equal(al_read_end(&r), AL_E_LENGTH);
    r = al_read_message(BYTES(0xa2, 'a', 'b'));
    assert_int_equal(al_read_str(&r, 1).n, 0);
    assert_int_equal(al_read_end(&r), AL_E_LENGTH);
    r = al_read_message(BYTES(0x92, 1, 2));
    assert_int_equal(al_read_array(&r, 3, 4), 0);
    assert_int_equal(al_read_end(&r), AL_E_COUNT);
    r = al_read_message(BYTES(0x82, 0xa1, 'a', 1, 0xa1, 'b', 2));
    assert_int_equal(al_read_map(&r, 1), 0);
    assert_int_equal(al_read_end(&r), AL_E_COUNT);
    uint8_t out[3] = {9, 9, 9};
    r = al_read_message(BYTES(0xc4, 2, 1, 2));
    al_read_bytes(&r, out, 3);
    assert_int_equal(al_read_end(&r), AL_E_LENGTH);
    assert_memory_equal(out, "\0\0\0", 3);
}

static void a_versioned_array_says_version_before_count(void **state)
{
    (void)state;
    struct al_read r = al_read_message(BYTES(0x92, 1, 5));
    assert_int_equal(al_read_array_v1(&r, 2, 2), 2);
    assert_int_equal(al_read_uint(&r, 9), 5);
    assert_int_equal(al_read_end(&r), 0);
    r = al_read_message(BYTES(0x93, 2, 5, 6));
    assert_int_equal(al_read_array_v1(&r, 2, 2), 0);
    assert_int_equal(al_read_end(&r), AL_E_VERSION);
    r = al_read_message(BYTES(0x93, 1, 5, 6));
    assert_int_equal(al_read_array_v1(&r, 2, 2), 0);
    assert_int_equal(al_read_end(&r), AL_E_COUNT);
    r = al_read_message(BYTES(0x90));
    assert_int_equal(al_read_array_v1(&r, 2, 2), 0);
    assert_int_equal(al_read_end(&r), AL_E_COUNT);
}

static void the_first_error_stays_and_nothing_is_read_after_it(void **state)
{
    (void)state;
    struct al_read r = al_read_message(BYTES(0x93, 5, 0xa1, 'x', 0xc3));
    assert_int_equal(al_read_array(&r, 3, 3), 3);
    assert_false(al_read_bool(&r));
    assert_int_equal(r.err, AL_E_TYPE);
    assert_int_equal(al_read_uint(&r, 1), 0);
    assert_int_equal(al_read_str(&r, 0).n, 0);
    assert_int_equal(al_read_raw(&r).n, 0);
    assert_int_equal(al_read_peek(&r), AL_TYPE_END);
    al_read_fail(&r, AL_E_RANGE);
    assert_int_equal(al_read_end(&r), AL_E_TYPE);
    r = al_read_message(BYTES(0x91)); /* a scan error sticks as well */
    assert_int_equal(al_read_array(&r, 1, 1), 0);
    assert_int_equal(al_read_end(&r), AL_E_TRUNCATED);
}

static void missing_and_left_over_values_are_errors(void **state)
{
    (void)state;
    struct al_read r = al_read_message(BYTES(0x92, 1, 2));
    assert_int_equal(al_read_array(&r, 2, 2), 2);
    assert_int_equal(al_read_uint(&r, 9), 1);
    assert_int_equal(al_read_end(&r), AL_E_COUNT);
    assert_int_equal(al_read_uint(&r, 9), 2);
    assert_int_equal(al_read_end(&r), 0);
    assert_int_equal(al_read_uint(&r, 9), 0);
    assert_int_equal(al_read_end(&r), AL_E_MISSING);
    r = al_read_init(al_slice_of(NULL, 0));
    assert_int_equal(al_read_raw(&r).n, 0);
    assert_int_equal(al_read_end(&r), AL_E_MISSING);
}

static void a_raw_value_is_all_of_it(void **state)
{
    (void)state;
    static const struct {
        uint8_t bytes[24];
        size_t n;
    } values[] = {
        {{0x05}, 1},
        {{0xcd, 1, 0}, 3},
        {{0xd3, 0xff}, 9},
        {{0xe0}, 1},
        {{0xc0}, 1},
        {{0xc3}, 1},
        {{0xca}, 5},
        {{0xcb}, 9},
        {{0xa2, 'a', 'b'}, 3},
        {{0xd9, 3, 'a', 'b', 'c'}, 5},
        {{0xc4, 2, 1, 2}, 4},
        {{0xc5, 0, 2, 1, 2}, 5},
        {{0xd4, 1, 2}, 3},
        {{0xd8, 1}, 18},
        {{0xc7, 2, 5, 1, 2}, 5},
        {{0xc8, 0, 1, 5, 1}, 5},
        {{0x92, 0x91, 0x80, 0x81, 0xa1, 'k', 0x91, 7}, 8},
        {{0xdc, 0, 1, 0xde, 0, 1, 1, 2}, 8},
    };
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        struct al_buf b = fresh();
        al_buf_put(&b, values[i].bytes, values[i].n);
        al_write_uint(&b, 99);
        size_t n = 0;
        assert_int_equal(al_scan_first(&n, al_buf_slice(&b), &al_scan_rpc), 0);
        assert_int_equal(n, values[i].n);
        struct al_read r = al_read_init(al_buf_slice(&b));
        assert_int_equal(al_read_raw(&r).n, values[i].n);
        assert_int_equal(al_read_uint(&r, 99), 99);
        assert_int_equal(al_read_end(&r), 0);
    }
}

static void a_reference_names_an_entry(void **state)
{
    (void)state;
    struct al_ref ref = {.device = {{1}}, .log = {{2}}, .seq = AL_SEQ_MAX, .id = {{3}}};
    struct al_buf b = fresh();
    al_write_ref(&b, &ref);
    struct al_ref got;
    struct al_read r = al_read_message(al_buf_slice(&b));
    al_read_ref(&r, &got);
    assert_int_equal(al_read_end(&r), 0);
    assert_true(al_device_eq(&got.device, &ref.device) && al_logname_eq(&got.log, &ref.log) &&
                got.seq == ref.seq && al_hash_eq(&got.id, &ref.id));
    static const uint64_t wrong[] = {0, AL_SEQ_MAX + 1};
    for (size_t i = 0; i < 2; i++) {
        b = fresh();
        ref.seq = wrong[i];
        al_write_ref(&b, &ref);
        r = al_read_message(al_buf_slice(&b));
        al_read_ref(&r, &got);
        assert_int_equal(al_read_end(&r), AL_E_RANGE);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_read_within_their_range),
        cmocka_unit_test(negative_numbers_are_read_within_their_range),
        cmocka_unit_test(the_api_may_write_numbers_in_any_form),
        cmocka_unit_test(every_type_is_told_from_every_other),
        cmocka_unit_test(sizes_are_held_to_their_bounds),
        cmocka_unit_test(a_versioned_array_says_version_before_count),
        cmocka_unit_test(the_first_error_stays_and_nothing_is_read_after_it),
        cmocka_unit_test(missing_and_left_over_values_are_errors),
        cmocka_unit_test(a_raw_value_is_all_of_it),
        cmocka_unit_test(a_reference_names_an_entry),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
