/* The seeded generator: replays from its seed, matches its description, draws without bias. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sodium.h>
#include <string.h>

#include "rng.h"

static void the_bytes_are_those_of_the_description(void **state)
{
    (void)state;
    const uint8_t seed[32] = {7};
    uint8_t blocks[512], expect[960], got[960];
    for (uint8_t i = 0; i < 8; i++)
        crypto_generichash(blocks + i * 64, 64, &i, 1, seed, 32);
    memcpy(expect, blocks + 32, 480);
    uint8_t next_key[32];
    memcpy(next_key, blocks, 32);
    for (uint8_t i = 0; i < 8; i++)
        crypto_generichash(blocks + i * 64, 64, &i, 1, next_key, 32);
    memcpy(expect + 480, blocks + 32, 480);

    struct al_rng r;
    al_rng_init(&r, seed);
    size_t at = 0;
    for (size_t n = 1; at < sizeof(got); n++) { /* pieces of every size, across the refill */
        size_t take = n < sizeof(got) - at ? n : sizeof(got) - at;
        al_rng_bytes(&r, got + at, take);
        at += take;
    }
    assert_memory_equal(got, expect, sizeof(got));
}

static void what_was_given_out_is_not_kept(void **state)
{
    (void)state;
    struct al_rng r;
    al_rng_init(&r, (const uint8_t[32]){9});
    uint8_t out[32];
    al_rng_bytes(&r, out, sizeof(out));
    for (size_t i = 0; i + sizeof(out) <= sizeof(r.buf); i++)
        assert_memory_not_equal(r.buf + i, out, sizeof(out));
    al_rng_wipe(&r);
    assert_true(sodium_is_zero(r.key, sizeof(r.key)));
    assert_true(sodium_is_zero(r.buf, sizeof(r.buf)));
}

static void every_number_below_the_bound_is_drawn_about_equally_often(void **state)
{
    (void)state;
    struct al_rng r;
    al_rng_init(&r, (const uint8_t[32]){3});
    unsigned hits[7] = {0};
    for (int i = 0; i < 70000; i++)
        hits[al_rng_below(&r, 7)]++;
    for (int i = 0; i < 7; i++)
        assert_in_range(hits[i], 9500, 10500);
    assert_int_equal(al_rng_below(&r, 1), 0);
    /* The worst bound for a plain remainder: its lower half would come twice as often. */
    unsigned low = 0;
    const uint64_t bound = UINT64_C(3) << 62;
    for (int i = 0; i < 30000; i++) {
        uint64_t v = al_rng_below(&r, bound);
        assert_true(v < bound);
        low += v < (UINT64_C(1) << 62);
    }
    assert_in_range(low, 9500, 10500);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_bytes_are_those_of_the_description),
        cmocka_unit_test(what_was_given_out_is_not_kept),
        cmocka_unit_test(every_number_below_the_bound_is_drawn_about_equally_often),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
