/* Making a person: what `init` puts into an empty store. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "init.h"
#include "rig.h"
#include "statement.h"

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

/* --- a further device ---------------------------------------------------------------------- */

static struct rig_person second_device(uint32_t generation)
{
    struct rig_person next = who;
    uint8_t seed[32] = {7}, read_sk[32];
    al_root_read_key(read_sk, &who.root, generation);
    assert_int_equal(
        al_keyring_init(&next.keyring, &who.root.identity, seed, generation, read_sk), 0);
    return next;
}

static int restore(const struct rig_person *device, const struct al_slice *statements, size_t count)
{
    const struct al_restore_opts opts = {
        .root = &who.root,
        .keyring = &device->keyring,
        .device_name = al_slice_str("phone"),
        .created_ms = RIG_WALL_MS + 1,
        .statements = statements,
        .statement_count = count,
        .now_ms = RIG_WALL_MS + 1,
        .seed = {3},
    };
    return al_restore_store(store, &opts);
}

static struct al_logs *load(const struct rig_person *device, struct al_rng *rng)
{
    struct al_logs *logs;
    static const uint8_t seed[32] = {2};
    al_rng_init(rng, seed);
    assert_int_equal(al_logs_new(&logs, store, &device->keyring, rng), 0);
    return logs;
}

static void a_restored_store_has_the_new_device_and_no_second_first_key(void **state)
{
    (void)state;
    struct rig_person phone = second_device(1);
    struct al_rng rng;
    assert_int_equal(init("Ada"), 0);
    for (int i = 0; i < 2; i++) /* cut off and begun again, it makes nothing twice */
        assert_int_equal(restore(&phone, NULL, 0), 0);
    struct al_logs *logs = load(&phone, &rng);
    assert_int_equal(al_record_devices(logs->self->record), 2);
    assert_int_equal(al_record_count(logs->self->record), 3);
    al_logs_free(logs);
}

static void without_anything_known_the_first_key_is_published(void **state)
{
    (void)state;
    struct rig_person phone = second_device(1);
    struct al_rng rng;
    assert_int_equal(restore(&phone, NULL, 0), 0);
    struct al_logs *logs = load(&phone, &rng);
    assert_int_equal(al_record_read_generation(logs->self->record), 1);
    al_logs_free(logs);
}

static void the_owner_of_a_store_is_known_by_name(void **state)
{
    (void)state;
    struct al_identity owner;
    char name[AL_NAME_MAX + 1];
    bool copy = true;
    assert_int_equal(al_restore_owner(store, &owner, name), AL_E_NOT_FOUND);
    assert_int_equal(init("Ada"), 0);
    assert_int_equal(al_restore_owner(store, &owner, name), 0);
    assert_string_equal(name, "Ada");
    assert_true(al_identity_eq(&owner, &who.root.identity));
    assert_int_equal(al_restore_is_copy(store, &copy), 0);
    assert_false(copy);
    assert_int_equal(al_restore_mark_copy(store), 0);
    assert_int_equal(al_restore_is_copy(store, &copy), 0);
    assert_true(copy);
    struct rig_person phone = second_device(1);
    assert_int_equal(restore(&phone, NULL, 0), 0);
    assert_int_equal(al_restore_is_copy(store, &copy), 0);
    assert_false(copy);
}

static void a_newer_reading_key_is_learned_with_its_statement(void **state)
{
    (void)state;
    struct al_rng rng;
    uint8_t bytes[1024], read_sk[32], read_pk[32];
    struct al_buf b = al_buf_fixed(bytes, sizeof(bytes));
    struct al_read_box box = {.device = who.keyring.device};
    bool is_new;
    assert_int_equal(init("Ada"), 0);
    struct al_logs *logs = load(&who, &rng);
    assert_int_equal(logs->keyring->generation, 1);
    al_root_read_key(read_sk, &who.root, 3);
    al_read_key_public(read_pk, read_sk);
    assert_int_equal(al_read_box_seal(box.box, &box.device, read_sk, &rng), 0);
    al_statement_encode_read(&b, &who.root.identity, who.root.secret, 3, read_pk, &box, 1);
    assert_int_equal(al_store_begin(store), 0);
    assert_int_equal(al_logs_statement(logs, &is_new, al_buf_slice(&b)), 0);
    assert_int_equal(al_store_commit(store), 0);
    assert_int_equal(logs->keyring->generation, 3);
    assert_memory_equal(logs->keyring->read_sk, read_sk, sizeof(read_sk));
    al_logs_free(logs);
    logs = load(&who, &rng); /* the key files still hold the first: it is learned at each start */
    assert_int_equal(logs->keyring->generation, 3);
    al_logs_free(logs);
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
        cmocka_unit_test_setup_teardown(
            a_restored_store_has_the_new_device_and_no_second_first_key, setup, teardown),
        cmocka_unit_test_setup_teardown(
            without_anything_known_the_first_key_is_published, setup, teardown),
        cmocka_unit_test_setup_teardown(the_owner_of_a_store_is_known_by_name, setup, teardown),
        cmocka_unit_test_setup_teardown(
            a_newer_reading_key_is_learned_with_its_statement, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
