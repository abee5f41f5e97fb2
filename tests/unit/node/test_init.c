/* Making a person: what `init` puts into an empty store. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "init.h"
#include "rig.h"

static struct rig_person who;
static struct al_store *store;

static int setup(void **state)
{
    (void)state;
    rig_person(&who, 1);
    return al_store_open_mem(&store);
}

static int teardown(void **state)
{
    (void)state;
    al_store_close(store);
    return 0;
}

static int init(const char *name)
{
    static const uint8_t seed[32] = {1};
    return al_init_store(store, &who.root, &who.keyring, al_slice_str(name), al_slice_str("laptop"),
        RIG_WALL_MS, seed);
}

static void a_new_store_has_one_certified_device_and_a_reading_key(void **state)
{
    struct al_logs *logs;
    struct al_rng rng;
    static const uint8_t seed[32] = {2};
    (void)state;
    assert_int_equal(init("Ada"), 0);
    al_rng_init(&rng, seed);
    assert_int_equal(al_logs_new(&logs, store, &who.keyring, &rng), 0);
    assert_int_equal(al_record_devices(logs->self->record), 1);
    assert_int_equal(al_record_read_generation(logs->self->record), 1);
    al_logs_free(logs);
}

static void a_store_with_an_identity_is_left_alone(void **state)
{
    (void)state;
    assert_int_equal(init("Ada"), 0);
    assert_int_equal(init("Bob"), AL_E_EXISTS);
}

static void a_name_is_needed_and_bounded(void **state)
{
    (void)state;
    assert_int_equal(init(""), AL_E_LENGTH);
    assert_int_equal(
        init("12345678901234567890123456789012345678901234567890123456789012345"), AL_E_LENGTH);
}

static void the_first_start_posts_the_profile_once(void **state)
{
    struct rig r;
    struct rig_node *n;
    (void)state;
    rig_init(&r);
    n = rig_add(&r, 3);
    assert_int_equal(rig_status(n, "own_entries"), 1);
    rig_stop(n);
    assert_int_equal(rig_start(n), 0);
    assert_int_equal(rig_status(n, "own_entries"), 1);
    rig_fini(&r);
}

static void a_node_without_an_identity_does_not_start(void **state)
{
    struct al_logs *logs;
    struct al_rng rng;
    static const uint8_t seed[32] = {2};
    (void)state;
    al_rng_init(&rng, seed);
    assert_int_equal(al_logs_new(&logs, store, &who.keyring, &rng), AL_E_NOT_INITIALISED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            a_new_store_has_one_certified_device_and_a_reading_key, setup, teardown),
        cmocka_unit_test_setup_teardown(a_store_with_an_identity_is_left_alone, setup, teardown),
        cmocka_unit_test_setup_teardown(a_name_is_needed_and_bounded, setup, teardown),
        cmocka_unit_test_setup_teardown(the_first_start_posts_the_profile_once, setup, teardown),
        cmocka_unit_test_setup_teardown(a_node_without_an_identity_does_not_start, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
