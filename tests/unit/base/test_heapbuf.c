/* The growing buffer: it keeps what was written, and stops at its bound. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "heapbuf.h"

static void what_was_written_stays_while_it_grows(void **state)
{
    (void)state;
    struct al_buf b = al_heapbuf();
    for (uint32_t i = 0; i < 100000; i++)
        al_buf_put(&b, &i, sizeof(i));
    assert_false(b.full);
    assert_int_equal(b.n, 400000);
    for (uint32_t i = 0; i < 100000; i++)
        assert_memory_equal(b.p + i * sizeof(i), &i, sizeof(i));
    al_heapbuf_free(&b);
    assert_int_equal(b.n, 0);
    al_buf_put(&b, "again", 5);
    assert_memory_equal(b.p, "again", 5);
    al_heapbuf_free(&b);
    al_heapbuf_free(NULL);
}

static void more_than_64_mib_are_refused_and_nothing_is_cut(void **state)
{
    (void)state;
    static const uint8_t mib[1024 * 1024];
    struct al_buf b = al_heapbuf();
    for (int i = 0; i < 64; i++)
        al_buf_put(&b, mib, sizeof(mib));
    assert_false(b.full);
    al_buf_put(&b, "x", 1);
    assert_true(b.full);
    assert_int_equal(b.n, 64 * sizeof(mib));
    al_heapbuf_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_written_stays_while_it_grows),
        cmocka_unit_test(more_than_64_mib_are_refused_and_nothing_is_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
