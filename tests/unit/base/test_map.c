/* The map: finds what was put, walks in the order of insertion, whatever happens meanwhile. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "map.h"
#include "rng.h"

#define KEYS 400

static const uint8_t secret[16] = "a secret of ours";

/* Values are pointers into an array, so that each tells its number. */
static int cells[KEYS];

static void key_of(uint8_t key[32], size_t i)
{
    memset(key, 0, 32);
    memcpy(key, &i, sizeof(i));
}

static void put(struct al_map *m, size_t i)
{
    uint8_t key[32];
    key_of(key, i);
    assert_int_equal(al_map_put(m, key, &cells[i]), 0);
}

static void *get(struct al_map *m, size_t i)
{
    uint8_t key[32];
    key_of(key, i);
    return al_map_get(m, key);
}

static void *removed(struct al_map *m, size_t i)
{
    uint8_t key[32];
    key_of(key, i);
    return al_map_remove(m, key);
}

/* The order of a walk as numbers. */
static size_t walk_all(size_t out[KEYS], struct al_map *m)
{
    struct al_map_walk walk = {0};
    const void *key;
    void *value;
    size_t n = 0;
    while (al_map_next(m, &walk, &key, &value)) {
        size_t i = (size_t)((int *)value - cells);
        assert_memory_equal(key, &i, sizeof(i));
        assert_true(n < KEYS);
        out[n++] = i;
    }
    return n;
}

static void it_agrees_with_a_plain_list(void **state)
{
    (void)state;
    struct al_rng rng;
    al_rng_init(&rng, (const uint8_t[32]){2});
    struct al_map *m = al_map_new(32, secret);
    assert_non_null(m);
    size_t list[KEYS], n = 0, seen[KEYS];
    for (int step = 0; step < 20000; step++) {
        /* Phases of mostly adding and mostly removing, so that the table grows and shrinks. */
        size_t i = (size_t)al_rng_below(&rng, KEYS);
        size_t at = 0;
        while (at < n && list[at] != i)
            at++;
        if (al_rng_below(&rng, 10) < ((step / 2000) % 2 == 0 ? 8 : 2)) {
            put(m, i);
            if (at == n)
                list[n++] = i;
        } else {
            assert_ptr_equal(removed(m, i), at == n ? NULL : &cells[i]);
            if (at < n)
                memmove(&list[at], &list[at + 1], (--n - at) * sizeof(list[0]));
        }
        assert_int_equal(al_map_count(m), n);
        if (step % 50 == 0) {
            assert_int_equal(walk_all(seen, m), n);
            assert_memory_equal(seen, list, n * sizeof(list[0]));
        }
    }
    for (size_t i = 0; i < n; i++)
        assert_ptr_equal(get(m, list[i]), &cells[list[i]]);
    al_map_free(m);
    al_map_free(NULL);
}

static void a_walk_may_remove_what_it_meets_and_what_it_has_not_met(void **state)
{
    (void)state;
    struct al_map *m = al_map_new(32, secret);
    for (size_t i = 0; i < 100; i++)
        put(m, i);
    struct al_map_walk walk = {0};
    void *value;
    size_t met = 0;
    while (al_map_next(m, &walk, NULL, &value)) {
        size_t i = (size_t)((int *)value - cells);
        assert_true(i % 2 == 0); /* each takes its successor away */
        assert_non_null(removed(m, i));
        assert_non_null(removed(m, i + 1));
        met++;
    }
    assert_int_equal(met, 50);
    assert_int_equal(al_map_count(m), 0);
    al_map_free(m);
}

static void a_walk_meets_what_is_added_meanwhile_and_nothing_twice(void **state)
{
    (void)state;
    struct al_map *m = al_map_new(32, secret);
    for (size_t i = 0; i < 10; i++)
        put(m, i);
    struct al_map_walk walk = {0};
    void *value;
    size_t expect = 0;
    while (al_map_next(m, &walk, NULL, &value)) {
        assert_ptr_equal(value, &cells[expect]);
        (void)removed(m, expect); /* holes, so that growing moves entries together */
        if (expect * 2 + 11 < KEYS) {
            put(m, expect * 2 + 10);
            put(m, expect * 2 + 11);
        }
        expect++;
    }
    assert_int_equal(expect, KEYS);
    al_map_free(m);
}

static void the_order_of_a_walk_does_not_depend_on_the_secret(void **state)
{
    (void)state;
    size_t orders[2][KEYS];
    for (size_t s = 0; s < 2; s++) {
        const uint8_t key[16] = {(uint8_t)s};
        struct al_map *m = al_map_new(32, key);
        for (size_t i = 0; i < KEYS; i++)
            put(m, i * 7 % KEYS);
        assert_int_equal(walk_all(orders[s], m), KEYS);
        al_map_free(m);
    }
    assert_memory_equal(orders[0], orders[1], sizeof(orders[0]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_agrees_with_a_plain_list),
        cmocka_unit_test(a_walk_may_remove_what_it_meets_and_what_it_has_not_met),
        cmocka_unit_test(a_walk_meets_what_is_added_meanwhile_and_nothing_twice),
        cmocka_unit_test(the_order_of_a_walk_does_not_depend_on_the_secret),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
