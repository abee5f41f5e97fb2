/* The timer heap: deadlines come in order, equal ones first set first, handles stay valid. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "heap.h"
#include "rng.h"

#define COUNT 500

static void deadlines_come_in_order_and_ties_in_the_order_set(void **state)
{
    (void)state;
    struct al_heap h = {0};
    struct al_heap_node n[6] = {0};
    const uint64_t keys[6] = {5, 3, 5, UINT64_MAX, 0, 5};
    const size_t expect[6] = {4, 1, 0, 2, 5, 3};
    for (size_t i = 0; i < 6; i++)
        assert_int_equal(al_heap_set(&h, &n[i], keys[i]), 0);
    for (size_t i = 0; i < 6; i++) {
        struct al_heap_node *first = al_heap_first(&h);
        assert_ptr_equal(first, &n[expect[i]]);
        al_heap_remove(&h, first);
        assert_false(al_heap_has(first));
    }
    assert_null(al_heap_first(&h));
    al_heap_fini(&h);
}

/* The model: the smallest (key, moment set) of all that are in. */
static size_t smallest(const bool in[COUNT], const uint64_t key[COUNT], const uint64_t when[COUNT])
{
    size_t best = COUNT;
    for (size_t i = 0; i < COUNT; i++) {
        if (!in[i])
            continue;
        if (best == COUNT || key[i] < key[best] || (key[i] == key[best] && when[i] < when[best]))
            best = i;
    }
    return best;
}

static void setting_moving_and_removing_agree_with_a_plain_search(void **state)
{
    (void)state;
    struct al_rng rng;
    al_rng_init(&rng, (const uint8_t[32]){1});
    struct al_heap h = {0};
    static struct al_heap_node n[COUNT];
    static bool in[COUNT];
    static uint64_t key[COUNT], when[COUNT];
    for (uint64_t step = 0; step < 20000; step++) {
        size_t i = (size_t)al_rng_below(&rng, COUNT);
        if (al_rng_below(&rng, 3) == 0) {
            al_heap_remove(&h, &n[i]);
            in[i] = false;
        } else {
            key[i] = al_rng_below(&rng, 100);
            when[i] = step;
            in[i] = true;
            assert_int_equal(al_heap_set(&h, &n[i], key[i]), 0);
        }
        assert_true(al_heap_has(&n[i]) == in[i]);
        size_t best = smallest(in, key, when);
        assert_ptr_equal(al_heap_first(&h), best == COUNT ? NULL : &n[best]);
    }
    al_heap_fini(&h);
    assert_false(al_heap_has(&n[0]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(deadlines_come_in_order_and_ties_in_the_order_set),
        cmocka_unit_test(setting_moving_and_removing_agree_with_a_plain_search),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
