/* Writing to the own log. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "desk.h"
#include "sealed.h"

static struct desk d;

static int setup(void **state)
{
    (void)state;
    desk_open(&d, 1);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    desk_close(&d);
    return 0;
}

static void append_many(uint32_t count)
{
    struct al_payload list[256];
    for (uint32_t i = 0; i < count; i++)
        list[i] = desk_payload(AL_KIND_NOTE, "text");
    assert_int_equal(al_append(d.l, NULL, list, count, d.now), 0);
}

static void entries_are_a_chain_from_the_genesis(void **state)
{
    struct al_store_row row;
    struct al_header h = {.device = d.me.keyring.device};
    struct al_hash id;
    struct al_ref ref;
    (void)state;
    ref = desk_note(&d, "one", AL_AUDIENCE_NETWORK);
    h.log = ref.log;
    al_entry_genesis(&h.prev, &d.me.root.identity, &h.device, &h.log);
    for (h.seq = 1; h.seq <= 3; h.seq++) {
        ref.seq = h.seq;
        assert_true(desk_row(&d, &row, &ref));
        h.time_ms = row.time_ms;
        h.plen = row.plen;
        al_entry_payload_hash(&h.phash, row.payload);
        al_header_id(&id, &h);
        assert_memory_equal(&id, &row.id, sizeof(id));
        h.prev = id;
        (void)desk_note(&d, "next", AL_AUDIENCE_NETWORK);
    }
}

static void block_ends_and_the_head_are_signed_and_nothing_else(void **state)
{
    static const uint64_t expected[] = {64, 128, 192, 200};
    struct al_sig sig;
    uint64_t at = 0;
    (void)state;
    append_many(200);
    for (int i = 0; i < 4; i++) {
        struct al_ref ref = {.device = d.me.keyring.device, .log = d.l->own->name};
        struct al_store_row row;
        assert_int_equal(al_store_sig(d.store, &at, &sig, d.l->own->no, at + 1), 0);
        assert_int_equal(at, expected[i]);
        ref.seq = at;
        assert_true(desk_row(&d, &row, &ref));
        assert_int_equal(al_entry_verify(&sig, &d.me.keyring.device, &row.id), 0);
    }
}

static void the_signature_of_the_old_head_goes(void **state)
{
    struct al_sig sig;
    uint64_t at;
    (void)state;
    append_many(10);
    append_many(10);
    assert_int_equal(al_store_sig(d.store, &at, &sig, d.l->own->no, 1), 0);
    assert_int_equal(at, 20);
}

static void what_is_for_me_opens_with_my_key_alone(void **state)
{
    struct al_ref ref;
    struct al_store_row row;
    struct al_sealed sealed;
    uint8_t inner[1024];
    struct rig_person other;
    struct al_place place = {.seq = 1};
    size_t n = 0;
    (void)state;
    rig_person(&other, 2);
    ref = desk_note(&d, "secret", AL_AUDIENCE_ME);
    assert_true(desk_row(&d, &row, &ref));
    assert_int_equal(al_sealed_open(&sealed, row.payload), 0);
    assert_true(al_sealed_hint_matches(&sealed, d.me.keyring.me_key));
    assert_false(al_sealed_hint_matches(&sealed, other.keyring.me_key));
    place.device = ref.device;
    place.log = ref.log;
    assert_int_equal(al_log_prev(d.l, &place.prev, al_logs_find(d.l, &ref.device, &ref.log), 1), 0);
    assert_int_equal(al_sealed_decrypt(inner, &n, &sealed, d.me.keyring.me_key, &place), 0);
    assert_int_not_equal(al_sealed_decrypt(inner, &n, &sealed, other.keyring.me_key, &place), 0);
}

static void the_same_text_twice_has_two_hashes(void **state)
{
    struct al_ref a;
    struct al_ref b;
    struct al_store_row first;
    struct al_store_row second;
    (void)state;
    a = desk_note(&d, "yes", AL_AUDIENCE_NETWORK);
    b = desk_note(&d, "yes", AL_AUDIENCE_NETWORK);
    assert_true(desk_row(&d, &first, &a));
    struct al_hash hash = first.phash;
    assert_true(desk_row(&d, &second, &b));
    assert_memory_not_equal(&hash, &second.phash, sizeof(hash));
}

static void the_log_goes_on_after_a_restart(void **state)
{
    struct al_ref a;
    struct al_ref b;
    (void)state;
    a = desk_note(&d, "one", AL_AUDIENCE_NETWORK);
    desk_reopen(&d);
    b = desk_note(&d, "two", AL_AUDIENCE_NETWORK);
    assert_memory_equal(&a.log, &b.log, sizeof(a.log));
    assert_int_equal(b.seq, 2);
}

static void a_log_that_was_left_is_never_gone_on_with(void **state)
{
    struct al_ref a;
    struct al_ref b;
    (void)state;
    a = desk_note(&d, "one", AL_AUDIENCE_NETWORK);
    assert_int_equal(al_logs_leave_own(d.l), 0);
    desk_reopen(&d);
    b = desk_note(&d, "two", AL_AUDIENCE_NETWORK);
    assert_memory_not_equal(&a.log, &b.log, sizeof(a.log));
}

static void a_device_has_64_logs_and_then_no_more(void **state)
{
    struct al_payload p = desk_payload(AL_KIND_NOTE, "text");
    (void)state;
    for (int i = 0; i < AL_LOGS_PER_DEVICE_MAX; i++) {
        assert_int_equal(desk_append(&d, NULL, &p), 0);
        d.l->own = NULL;
    }
    assert_int_equal(desk_append(&d, NULL, &p), AL_E_LIMIT);
}

static void a_payload_that_does_not_fit_its_kind_stores_nothing(void **state)
{
    struct al_payload p = desk_payload(AL_KIND_NOTE, NULL);
    (void)state;
    (void)desk_note(&d, "one", AL_AUDIENCE_NETWORK);
    assert_int_equal(desk_append(&d, NULL, &p), AL_E_MISSING);
    assert_int_equal(al_log_head(d.l->own), 1);
    (void)desk_note(&d, "two", AL_AUDIENCE_NETWORK);
    assert_int_equal(al_log_head(d.l->own), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(entries_are_a_chain_from_the_genesis, setup, teardown),
        cmocka_unit_test_setup_teardown(
            block_ends_and_the_head_are_signed_and_nothing_else, setup, teardown),
        cmocka_unit_test_setup_teardown(the_signature_of_the_old_head_goes, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_for_me_opens_with_my_key_alone, setup, teardown),
        cmocka_unit_test_setup_teardown(the_same_text_twice_has_two_hashes, setup, teardown),
        cmocka_unit_test_setup_teardown(the_log_goes_on_after_a_restart, setup, teardown),
        cmocka_unit_test_setup_teardown(a_log_that_was_left_is_never_gone_on_with, setup, teardown),
        cmocka_unit_test_setup_teardown(a_device_has_64_logs_and_then_no_more, setup, teardown),
        cmocka_unit_test_setup_teardown(
            a_payload_that_does_not_fit_its_kind_stores_nothing, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
