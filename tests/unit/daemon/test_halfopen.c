/* Who may stand in the door, and that message 1 is not taken twice. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <netinet/in.h>
#include <string.h>

#include "halfopen.h"

static struct al_rng rng;
static struct al_halfopen halfopen;

/* Add |conn| from the IPv4 address |ip|: the victim. */
static uint64_t add(uint64_t conn, uint32_t ip)
{
    struct sockaddr_in sa = {.sin_family = AF_INET, .sin_addr = {htonl(ip)}};
    return al_halfopen_add(&halfopen, conn, (const struct sockaddr *)&sa);
}

static int set_up(void **state)
{
    (void)state;
    const uint8_t seed[32] = {7};
    al_rng_init(&rng, seed);
    al_halfopen_init(&halfopen, &rng);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    al_halfopen_fini(&halfopen);
    return 0;
}

static void a_full_door_pushes_out_a_random_one(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < AL_HALF_OPEN_MAX; i++)
        assert_int_equal(add(i + 1, 0x0a000001 + (i << 8)), 0);
    bool seen[AL_HALF_OPEN_MAX + 200] = {false};
    unsigned newest = 0;
    for (uint32_t i = 0; i < 100; i++) {
        uint64_t conn = AL_HALF_OPEN_MAX + 1 + i;
        uint64_t victim = add(conn, 0x0b000001 + (i << 8));
        assert_in_range(victim, 1, conn - 1);
        assert_false(seen[victim]); /* nobody goes twice */
        seen[victim] = true;
        newest += victim == conn - 1;
        assert_int_equal(halfopen.count, AL_HALF_OPEN_MAX);
    }
    assert_in_range(newest, 0, 50); /* not always the newest, nor always the oldest */
    assert_false(seen[1] && seen[2] && seen[3] && seen[4] && newest == 0);
}

static void one_network_pushes_out_its_own(void **state)
{
    (void)state;
    assert_int_equal(add(1000, 0x0a000001), 0);
    for (uint32_t i = 0; i < AL_HALF_OPEN_SHARE; i++)
        assert_int_equal(add(i + 1, 0xc0000201 + i), 0);
    for (uint32_t i = 0; i < 50; i++) {
        uint64_t victim = add(100 + i, 0xc0000280 + i);
        assert_true(victim != 0 && victim != 1000);
        assert_int_equal(halfopen.count, AL_HALF_OPEN_SHARE + 1);
    }
}

static void loopback_has_no_share(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < AL_HALF_OPEN_MAX; i++)
        assert_int_equal(add(i + 1, 0x7f000001), 0);
    assert_int_not_equal(add(100, 0x7f000001), 0);
}

static void who_is_through_makes_room(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < AL_HALF_OPEN_SHARE; i++)
        assert_int_equal(add(i + 1, 0xc0000201), 0);
    al_halfopen_remove(&halfopen, 3);
    al_halfopen_remove(&halfopen, 3); /* not there any more */
    assert_int_equal(add(100, 0xc0000201), 0);
    assert_int_not_equal(add(101, 0xc0000201), 0);
}

static void an_ephemeral_key_counts_once_while_it_is_remembered(void **state)
{
    (void)state;
    uint8_t key[32] = {0};
    assert_false(al_halfopen_replayed(&halfopen, key));
    assert_true(al_halfopen_replayed(&halfopen, key));
    for (uint32_t i = 1; i < AL_REPLAY_MAX; i++) {
        uint8_t other[32] = {(uint8_t)i, (uint8_t)(i >> 8), 1};
        assert_false(al_halfopen_replayed(&halfopen, other));
    }
    assert_true(al_halfopen_replayed(&halfopen, key)); /* the oldest of them all */
    uint8_t one_more[32] = {2, 2, 2, 2};
    assert_false(al_halfopen_replayed(&halfopen, one_more));
    assert_false(al_halfopen_replayed(&halfopen, key)); /* forgotten */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_full_door_pushes_out_a_random_one, set_up, tear_down),
        cmocka_unit_test_setup_teardown(one_network_pushes_out_its_own, set_up, tear_down),
        cmocka_unit_test_setup_teardown(loopback_has_no_share, set_up, tear_down),
        cmocka_unit_test_setup_teardown(who_is_through_makes_room, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            an_ephemeral_key_counts_once_while_it_is_remembered, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
