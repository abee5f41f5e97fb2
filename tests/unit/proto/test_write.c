/* The writer: the shortest form of each value, and a full buffer is noticed once, at the end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "scan.h"
#include "write.h"

static uint8_t space[256];

#define WRITES(call, ...)                                                                          \
    do {                                                                                           \
        const uint8_t want[] = {__VA_ARGS__};                                                      \
        struct al_buf b = al_buf_fixed(space, sizeof(space));                                      \
        call;                                                                                      \
        assert_int_equal(b.n, sizeof(want));                                                       \
        assert_memory_equal(b.p, want, sizeof(want));                                              \
    } while (0)

static void each_value_has_its_shortest_form(void **state)
{
    (void)state;
    WRITES(al_write_uint(&b, 0), 0);
    WRITES(al_write_uint(&b, 127), 0x7f);
    WRITES(al_write_uint(&b, 128), 0xcc, 0x80);
    WRITES(al_write_uint(&b, 256), 0xcd, 1, 0);
    WRITES(al_write_uint(&b, 65536), 0xce, 0, 1, 0, 0);
    WRITES(al_write_uint(&b, UINT64_MAX), 0xcf, 255, 255, 255, 255, 255, 255, 255, 255);
    WRITES(al_write_int(&b, 5), 5);
    WRITES(al_write_int(&b, 200), 0xcc, 200);
    WRITES(al_write_int(&b, -32), 0xe0);
    WRITES(al_write_int(&b, -33), 0xd0, 0xdf);
    WRITES(al_write_int(&b, -129), 0xd1, 0xff, 0x7f);
    WRITES(al_write_bool(&b, true), 0xc3);
    WRITES(al_write_bool(&b, false), 0xc2);
    WRITES(al_write_nil(&b), 0xc0);
    WRITES(al_write_bin(&b, "ab", 2), 0xc4, 2, 'a', 'b');
    WRITES(al_write_bin(&b, NULL, 0), 0xc4, 0);
    WRITES(al_write_bin_head(&b, 256), 0xc5, 1, 0);
    WRITES(al_write_str(&b, al_slice_of(NULL, 0)), 0xa0);
    WRITES(al_write_cstr(&b, "ab"), 0xa2, 'a', 'b');
    WRITES(al_write_array(&b, 15), 0x9f);
    WRITES(al_write_array(&b, 16), 0xdc, 0, 16);
    WRITES(al_write_map(&b, 2), 0x82);
    WRITES(al_write_map(&b, 16), 0xde, 0, 16);
    WRITES(al_write_raw(&b, al_slice_str("\xc3")), 0xc3);
}

static void a_write_that_does_not_fit_leaves_nothing_behind_it(void **state)
{
    (void)state;
    struct al_buf b = al_buf_fixed(space, 3);
    al_write_uint(&b, 1);
    al_write_uint(&b, 300); /* the head would fit, its two bytes would not */
    assert_true(b.full);
    al_write_uint(&b, 2);
    assert_true(b.full);
    assert_true(b.n <= 3);
}

static void a_reference_is_canonical(void **state)
{
    (void)state;
    struct al_ref ref = {.seq = 1};
    struct al_buf b = al_buf_fixed(space, sizeof(space));
    al_write_ref(&b, &ref);
    assert_int_equal(b.n, 1 + 34 + 10 + 1 + 34);
    assert_int_equal(al_scan(al_buf_slice(&b), &al_scan_message), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_value_has_its_shortest_form),
        cmocka_unit_test(a_write_that_does_not_fit_leaves_nothing_behind_it),
        cmocka_unit_test(a_reference_is_canonical),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
