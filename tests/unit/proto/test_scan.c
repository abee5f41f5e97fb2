/* The scanner: which bytes are one value, in both profiles, and by what name others fail. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <msgpack.h>

#include "sample.h"
#include "scan.h"
#include "write.h"

#define BYTES(...)                                                                                 \
    al_slice_of((const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}))

static int canonical(struct al_slice bytes)
{
    return al_scan(bytes, &al_scan_message);
}

static int any(struct al_slice bytes)
{
    return al_scan(bytes, &al_scan_rpc);
}

static void the_canonical_profile_takes_one_form_of_each_value(void **state)
{
    (void)state;
    assert_int_equal(canonical(BYTES(0x00)), 0);
    assert_int_equal(canonical(BYTES(0x7f)), 0);
    assert_int_equal(canonical(BYTES(0xcc, 0x80)), 0);
    assert_int_equal(canonical(BYTES(0xcd, 0x01, 0x00)), 0);
    assert_int_equal(canonical(BYTES(0xce, 0, 1, 0, 0)), 0);
    assert_int_equal(canonical(BYTES(0xcf, 0, 0, 0, 1, 0, 0, 0, 0)), 0);
    assert_int_equal(canonical(BYTES(0xe0)), 0);
    assert_int_equal(canonical(BYTES(0xd0, 0xdf)), 0);
    assert_int_equal(canonical(BYTES(0xd1, 0xff, 0x7f)), 0);
    assert_int_equal(canonical(BYTES(0xd2, 0xff, 0xff, 0x7f, 0xff)), 0);
    assert_int_equal(canonical(BYTES(0xd3, 0xff, 0xff, 0xff, 0xff, 0x7f, 0xff, 0xff, 0xff)), 0);
    assert_int_equal(canonical(BYTES(0xc2)), 0);
    assert_int_equal(canonical(BYTES(0xc3)), 0);
    assert_int_equal(canonical(BYTES(0xc4, 0)), 0);
    assert_int_equal(canonical(BYTES(0xa1, 'a')), 0);
    assert_int_equal(canonical(BYTES(0x90)), 0);
    assert_int_equal(canonical(BYTES(0x80)), 0);
}

/* Each begins a value in a longer form than it needs; zeros follow. */
static void a_longer_form_is_refused_where_a_shorter_one_serves(void **state)
{
    (void)state;
    static const struct {
        uint8_t head[9];
        size_t n;
    } longer[] = {
        {{0xcc, 0x7f}, 2},
        {{0xcd, 0x00, 0xff}, 3},
        {{0xce, 0, 0, 0xff, 0xff}, 5},
        {{0xcf, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff}, 9},
        {{0xd0, 0xe0}, 2},
        {{0xd0, 0x05}, 2},
        {{0xd1, 0xff, 0x80}, 3},
        {{0xd1, 0x7f, 0xff}, 3},
        {{0xd2, 0xff, 0xff, 0x80, 0x00}, 5},
        {{0xd3, 0xff, 0xff, 0xff, 0xff, 0x80, 0, 0, 0}, 9},
        {{0xc5, 0x00, 0xff}, 3 + 255},
        {{0xc6, 0, 0, 0xff, 0xff}, 5 + 65535},
        {{0xd9, 31}, 2 + 31},
        {{0xda, 0x00, 0xff}, 3 + 255},
        {{0xdb, 0, 0, 0xff, 0xff}, 5 + 65535},
        {{0xdc, 0x00, 0x0f}, 3 + 15},
        {{0xdd, 0, 0, 0xff, 0xff}, 5 + 65535},
        {{0xde, 0x00, 0x00}, 3},
        {{0xdf, 0, 0, 0x00, 0x00}, 5},
    };
    static uint8_t bytes[5 + 65536];
    for (size_t i = 0; i < sizeof(longer) / sizeof(longer[0]); i++) {
        memset(bytes, 0, sizeof(bytes));
        memcpy(bytes, longer[i].head, sizeof(longer[i].head));
        assert_int_equal(canonical(al_slice_of(bytes, longer[i].n)), AL_E_LONG_FORM);
        assert_int_equal(any(al_slice_of(bytes, longer[i].n)), 0);
    }
}

static void the_least_length_of_each_head_is_accepted(void **state)
{
    (void)state;
    static const struct {
        uint8_t head[5];
        size_t n;
    } least[] = {
        {{0xc5, 0x01, 0x00}, 3 + 256},
        {{0xc6, 0, 1, 0, 0}, 5 + 65536},
        {{0xd9, 32}, 2 + 32},
        {{0xda, 0x01, 0x00}, 3 + 256},
        {{0xdb, 0, 1, 0, 0}, 5 + 65536},
        {{0xdc, 0x00, 0x10}, 3 + 16},
    };
    static uint8_t bytes[5 + 65536];
    for (size_t i = 0; i < sizeof(least) / sizeof(least[0]); i++) {
        memset(bytes, 0, sizeof(bytes));
        memcpy(bytes, least[i].head, sizeof(least[i].head));
        assert_int_equal(canonical(al_slice_of(bytes, least[i].n)), 0);
        assert_int_equal(canonical(al_slice_of(bytes, least[i].n - 1)), AL_E_TRUNCATED);
    }
}

static void types_without_one_form_are_for_the_api_only(void **state)
{
    (void)state;
    static const struct {
        uint8_t bytes[20];
        size_t n;
    } odd[] = {
        {{0xc0}, 1},
        {{0xca, 0, 0, 0, 0}, 5},
        {{0xcb}, 9},
        {{0xc7, 1, 5, 9}, 4},
        {{0xc8, 0, 1, 5, 9}, 5},
        {{0xc9, 0, 0, 0, 1, 5, 9}, 7},
        {{0xd4}, 3},
        {{0xd5}, 4},
        {{0xd6}, 6},
        {{0xd7}, 10},
        {{0xd8}, 18},
    };
    for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
        assert_int_equal(canonical(al_slice_of(odd[i].bytes, odd[i].n)), AL_E_TYPE);
        assert_int_equal(any(al_slice_of(odd[i].bytes, odd[i].n)), 0);
        if (odd[i].n > 1)
            assert_int_equal(any(al_slice_of(odd[i].bytes, odd[i].n - 1)), AL_E_TRUNCATED);
    }
    assert_int_equal(canonical(BYTES(0xc1)), AL_E_TYPE);
    assert_int_equal(any(BYTES(0xc1)), AL_E_TYPE);
}

static void the_keys_of_a_map_are_texts_in_order_and_unique(void **state)
{
    (void)state;
    assert_int_equal(canonical(BYTES(0x82, 0xa1, 'a', 1, 0xa1, 'b', 2)), 0);
    assert_int_equal(canonical(BYTES(0x82, 0xa1, 'b', 1, 0xa2, 'a', 'a', 2)), 0);
    assert_int_equal(canonical(BYTES(0x82, 0xa1, 'b', 1, 0xa1, 'a', 2)), AL_E_KEY_ORDER);
    assert_int_equal(canonical(BYTES(0x82, 0xa1, 'a', 1, 0xa1, 'a', 2)), AL_E_KEY_ORDER);
    assert_int_equal(canonical(BYTES(0x82, 0xa2, 'a', 'a', 1, 0xa1, 'b', 2)), AL_E_KEY_ORDER);
    assert_int_equal(canonical(BYTES(0x81, 1, 1)), AL_E_KEY_TYPE);
    assert_int_equal(canonical(BYTES(0x81, 0xc4, 1, 'a', 1)), AL_E_KEY_TYPE);
    assert_int_equal(canonical(BYTES(0x81, 0x90, 1)), AL_E_KEY_TYPE);
    /* the order of an inner map begins anew, and the outer one goes on after it */
    assert_int_equal(canonical(BYTES(0x82, 0xa1, 'b', 0x81, 0xa1, 'a', 1, 0xa1, 'c', 2)), 0);
    assert_int_equal(
        canonical(BYTES(0x82, 0xa1, 'b', 0x81, 0xa1, 'x', 1, 0xa1, 'a', 2)), AL_E_KEY_ORDER);
    assert_int_equal(any(BYTES(0x82, 0xa1, 'b', 1, 0xa1, 'a', 2)), 0);
    assert_int_equal(any(BYTES(0x82, 1, 1, 0x91, 0xc0, 2)), 0);
}

static void depth_and_elements_are_bounded(void **state)
{
    (void)state;
    static const uint8_t nested[] = {0x91, 0x91, 0x91, 5};
    struct al_scan_limits limits = al_scan_message;
    struct al_slice bytes = al_slice_of(nested, sizeof(nested));
    limits.depth_max = 4;
    assert_int_equal(al_scan(bytes, &limits), 0);
    limits.depth_max = 3;
    assert_int_equal(al_scan(bytes, &limits), AL_E_DEPTH);
    assert_int_equal(al_scan(BYTES(0x91, 0x91, 0x90), &limits), 0);
    limits.depth_max = 2;
    assert_int_equal(al_scan(BYTES(0x91, 0x91, 0x90), &limits), AL_E_DEPTH);
    limits.depth_max = 1;
    assert_int_equal(al_scan(BYTES(0x90), &limits), 0);
    assert_int_equal(al_scan(BYTES(0x05), &limits), 0);

    limits = al_scan_message;
    limits.elements_max = 4;
    assert_int_equal(al_scan(BYTES(0x93, 1, 2, 3), &limits), 0);
    assert_int_equal(al_scan(BYTES(0x94, 1, 2, 3, 4), &limits), AL_E_ELEMENTS);
    assert_int_equal(al_scan(BYTES(0x93, 1, 0x91, 3, 4), &limits), AL_E_ELEMENTS);
    limits.elements_max = 3;
    assert_int_equal(al_scan(BYTES(0x81, 0xa1, 'a', 1), &limits), 0);
    assert_int_equal(al_scan(BYTES(0x82, 0xa1, 'a', 1, 0xa1, 'b', 1), &limits), AL_E_ELEMENTS);
}

static void a_count_that_the_bytes_cannot_hold_is_refused_at_its_head(void **state)
{
    (void)state;
    assert_int_equal(canonical(BYTES(0xdd, 0x0f, 0xff, 0xff, 0xff)), AL_E_ELEMENTS);
    assert_int_equal(canonical(BYTES(0xdf, 0xff, 0xff, 0xff, 0xff)), AL_E_ELEMENTS);
    assert_int_equal(canonical(BYTES(0xdc, 0x10, 0x00, 1, 2)), AL_E_TRUNCATED);
    assert_int_equal(canonical(BYTES(0xc6, 0xff, 0xff, 0xff, 0xff)), AL_E_TRUNCATED);
    assert_int_equal(any(BYTES(0xc9, 0xff, 0xff, 0xff, 0xff, 1)), AL_E_TRUNCATED);
}

static void exactly_one_value_is_wanted(void **state)
{
    (void)state;
    assert_int_equal(canonical(al_slice_of(NULL, 0)), AL_E_TRUNCATED);
    assert_int_equal(canonical(BYTES(1, 2)), AL_E_TRAILING);
    assert_int_equal(canonical(BYTES(0x91)), AL_E_TRUNCATED);
    size_t n = 0;
    assert_int_equal(al_scan_first(&n, BYTES(0x91, 1, 2), &al_scan_message), 0);
    assert_int_equal(n, 2);
    n = 77;
    assert_int_equal(al_scan_first(&n, BYTES(0x92, 1), &al_scan_message), AL_E_MORE);
    assert_int_equal(al_scan_first(&n, al_slice_of(NULL, 0), &al_scan_message), AL_E_MORE);
    assert_int_equal(n, 77);
}

static void texts_are_utf8(void **state)
{
    (void)state;
    assert_int_equal(canonical(BYTES(0xa2, 0xc3, 0xa9)), 0);
    assert_int_equal(canonical(BYTES(0xa1, 0xc3)), AL_E_UTF8);
    assert_int_equal(canonical(BYTES(0xa2, 0xc0, 0x80)), AL_E_UTF8);
    assert_int_equal(any(BYTES(0xa3, 0xed, 0xa0, 0x80)), AL_E_UTF8);
    assert_int_equal(canonical(BYTES(0x81, 0xa1, 0xff, 1)), AL_E_UTF8);
    assert_true(al_utf8_valid(BYTES(0xc2, 0x80, 0xdf, 0xbf)));
    assert_true(al_utf8_valid(BYTES(0xf4, 0x8f, 0xbf, 0xbf)));
    assert_false(al_utf8_valid(BYTES(0xf4, 0x90, 0x80, 0x80)));
    assert_false(al_utf8_valid(BYTES(0xf0, 0x8f, 0xbf, 0xbf)));
    assert_false(al_utf8_valid(BYTES(0xe0, 0x9f, 0xbf)));
    assert_true(al_utf8_valid(BYTES(0xed, 0x9f, 0xbf, 0xee, 0x80, 0x80)));
    assert_false(al_utf8_valid(BYTES(0xe2, 0x82)));
    assert_false(al_utf8_valid(BYTES(0x80)));
    assert_true(al_utf8_valid(al_slice_of(NULL, 0)));
}

/* A stream of random numbers for one generated value. */
struct dice {
    uint8_t bytes[512];
    size_t used;
};

static uint64_t roll(struct dice *d, uint64_t sides)
{
    uint64_t v = 0;
    for (int i = 0; i < 8; i++)
        v = v << 8 | d->bytes[d->used++ % sizeof(d->bytes)];
    return v % sides;
}

static void put_scalar(struct al_buf *b, struct dice *d)
{
    static const uint8_t zeros[70000];
    static const size_t sizes[] = {0, 1, 31, 32, 255, 256, 65535, 65536};
    size_t n = sizes[roll(d, roll(d, 20) == 0 ? 8 : 4)];
    uint64_t number = roll(d, UINT64_MAX) >> roll(d, 64);
    switch (roll(d, 5)) {
    case 0:
        al_write_uint(b, number);
        break;
    case 1:
        al_write_int(b, -(int64_t)(number >> 1) - 1);
        break;
    case 2:
        al_write_bool(b, roll(d, 2) == 0);
        break;
    case 3:
        al_write_bin(b, zeros, n);
        break;
    default:
        al_write_str(b, al_slice_of(zeros, n));
        break;
    }
}

static void put_value(struct al_buf *b, struct dice *d, unsigned depth)
{
    uint64_t shape = depth == 0 ? 0 : roll(d, 4);
    size_t count = roll(d, 20);
    if (shape < 2) {
        put_scalar(b, d);
    } else if (shape == 2) {
        al_write_array(b, count);
        for (size_t i = 0; i < count; i++)
            put_value(b, d, depth - 1);
    } else {
        al_write_map(b, count);
        for (size_t i = 0; i < count; i++) {
            const char key[] = {(char)('a' + i), '\0'};
            al_write_cstr(b, key);
            put_value(b, d, depth - 1);
        }
    }
}

static int append(void *to, const char *p, size_t n)
{
    al_buf_put(to, p, n);
    return 0;
}

/* msgpack-c reads |bytes| as one value and writes the same bytes for it. */
static bool survives_msgpack_c(struct al_slice bytes)
{
    static uint8_t space[2 * 1024 * 1024];
    struct al_buf again = al_buf_fixed(space, sizeof(space));
    msgpack_unpacked value;
    msgpack_packer packer;
    size_t used = 0;
    msgpack_unpacked_init(&value);
    msgpack_packer_init(&packer, &again, append);
    bool good = msgpack_unpack_next(&value, (const char *)bytes.p, bytes.n, &used) ==
                    MSGPACK_UNPACK_SUCCESS &&
                used == bytes.n && msgpack_pack_object(&packer, value.data) == 0 &&
                al_slice_eq(al_buf_slice(&again), bytes);
    msgpack_unpacked_destroy(&value);
    return good;
}

static void what_is_written_is_canonical_and_msgpack_c_agrees(void **state)
{
    (void)state;
    static uint8_t space[2 * 1024 * 1024];
    unsigned accepted = 0;
    for (uint64_t seed = 0; seed < 2000; seed++) {
        struct dice d = {.used = 0};
        sample_bytes(d.bytes, sizeof(d.bytes), seed);
        struct al_buf b = al_buf_fixed(space, sizeof(space));
        put_value(&b, &d, 2);
        assert_false(b.full);
        struct al_slice bytes = al_buf_slice(&b);
        assert_int_equal(canonical(bytes), 0);
        assert_true(survives_msgpack_c(bytes));
        for (int i = 0; i < 20; i++) { /* one changed byte: refused, or canonical all the same */
            size_t at = roll(&d, bytes.n);
            uint8_t was = space[at];
            space[at] = (uint8_t)roll(&d, 256);
            if (canonical(bytes) == 0) {
                accepted++;
                assert_true(survives_msgpack_c(bytes));
            }
            space[at] = was;
        }
    }
    assert_true(accepted > 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_canonical_profile_takes_one_form_of_each_value),
        cmocka_unit_test(a_longer_form_is_refused_where_a_shorter_one_serves),
        cmocka_unit_test(the_least_length_of_each_head_is_accepted),
        cmocka_unit_test(types_without_one_form_are_for_the_api_only),
        cmocka_unit_test(the_keys_of_a_map_are_texts_in_order_and_unique),
        cmocka_unit_test(depth_and_elements_are_bounded),
        cmocka_unit_test(a_count_that_the_bytes_cannot_hold_is_refused_at_its_head),
        cmocka_unit_test(exactly_one_value_is_wanted),
        cmocka_unit_test(texts_are_utf8),
        cmocka_unit_test(what_is_written_is_canonical_and_msgpack_c_agrees),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
