/* Slices, buffers and big-endian numbers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bytes.h"

static void slices_compare_by_bytes_and_then_by_length(void **state)
{
    (void)state;
    assert_true(al_slice_cmp(al_slice_str("a"), al_slice_str("b")) < 0);
    assert_true(al_slice_cmp(al_slice_str("b"), al_slice_str("aa")) > 0);
    assert_true(al_slice_cmp(al_slice_str("a"), al_slice_str("aa")) < 0);
    assert_true(al_slice_cmp(al_slice_str("\xff"), al_slice_str("a")) > 0);
    assert_int_equal(al_slice_cmp(al_slice_str("ab"), al_slice_str("ab")), 0);
    assert_int_equal(al_slice_cmp(al_slice_of(NULL, 0), al_slice_str("")), 0);
    assert_true(al_slice_cmp(al_slice_of(NULL, 0), al_slice_str("a")) < 0);
    assert_true(al_slice_eq(al_slice_of(NULL, 0), al_slice_str("")));
    assert_true(al_slice_is(al_slice_of("abc", 2), "ab"));
    assert_false(al_slice_is(al_slice_of("abc", 2), "abc"));
    assert_null(al_slice_end(al_slice_of(NULL, 0)));
}

static void numbers_go_out_most_significant_byte_first(void **state)
{
    (void)state;
    uint8_t be[8];
    al_u64be(be, UINT64_C(0x0102030405060708));
    assert_memory_equal(be, "\1\2\3\4\5\6\7\10", 8);
    assert_true(al_u64be_read(be) == UINT64_C(0x0102030405060708));
    struct al_buf b = al_buf_fixed(be, sizeof(be));
    al_buf_put_u64be(&b, 1);
    assert_memory_equal(be, "\0\0\0\0\0\0\0\1", 8);
}

static void a_fixed_buffer_takes_what_fits_and_nothing_after_a_miss(void **state)
{
    (void)state;
    uint8_t space[4] = {0};
    struct al_buf b = al_buf_fixed(space, sizeof(space));
    al_buf_put(&b, "abc", 3);
    al_buf_put(&b, NULL, 0);
    assert_false(b.full);
    al_buf_put(&b, "de", 2);
    assert_true(b.full);
    al_buf_put(&b, "f", 1);
    assert_int_equal(b.n, 3);
    assert_memory_equal(space, "abc\0", 4);
}

static uint8_t room[64];
static size_t asked;

static bool grow_to_room(struct al_buf *b, size_t need)
{
    asked = need;
    if (need > sizeof(room))
        return false;
    memcpy(room, b->p, b->n);
    b->p = room;
    b->cap = sizeof(room);
    return true;
}

static void a_growing_buffer_grows_until_it_can_not(void **state)
{
    (void)state;
    uint8_t small[2];
    struct al_buf b = al_buf_fixed(small, sizeof(small));
    b.grow = grow_to_room;
    al_buf_put(&b, "abc", 3);
    assert_int_equal(asked, 3);
    assert_ptr_equal(b.p, room);
    assert_memory_equal(b.p, "abc", 3);
    static const uint8_t much[100];
    al_buf_put(&b, much, sizeof(much));
    assert_int_equal(asked, 103);
    assert_true(b.full);
    assert_int_equal(b.n, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slices_compare_by_bytes_and_then_by_length),
        cmocka_unit_test(numbers_go_out_most_significant_byte_first),
        cmocka_unit_test(a_fixed_buffer_takes_what_fits_and_nothing_after_a_miss),
        cmocka_unit_test(a_growing_buffer_grows_until_it_can_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
