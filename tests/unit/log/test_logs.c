/* The index in memory over the store. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "desk.h"
#include "statement.h"

static struct desk d;
static struct rig_person author;
static struct al_segment blocks[4];
static uint8_t space[4 * AL_BLOCK_ENTRIES * RIG_PAYLOAD];

static int setup(void **state)
{
    (void)state;
    desk_open(&d, 1);
    rig_person(&author, 2);
    rig_chain(blocks, &author, 200, space);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    desk_close(&d);
    return 0;
}

static void what_is_loaded_is_what_was_there(void **state)
{
    uint64_t entries;
    uint64_t pos;
    (void)state;
    desk_meet(&d, &author);
    assert_int_equal(desk_ingest(&d, &blocks[3]), 0);
    assert_int_equal(desk_ingest(&d, &blocks[1]), 0);
    (void)desk_note(&d, "one", AL_AUDIENCE_NETWORK);
    entries = d.l->entries;
    pos = d.l->pos;
    desk_reopen(&d);
    const struct al_log *log = al_logs_find(d.l, &blocks[0].device, &blocks[0].log);
    assert_non_null(log);
    assert_int_equal(d.l->entries, entries);
    assert_int_equal(d.l->pos, pos);
    assert_int_equal(log->run_count, 2);
    assert_int_equal(log->runs[0].first, 193);
    assert_int_equal(log->runs[1].first, 65);
    assert_memory_equal(&log->head_id, &blocks[3].items[7].id, sizeof(log->head_id));
    assert_non_null(d.l->own);
}

static void runs_are_noted_in_any_order_and_joined(void **state)
{
    static const uint64_t firsts[] = {31, 11, 51, 21, 1, 41};
    struct al_log log = {.no = 1};
    struct al_hash prev = {{0}};
    (void)state;
    for (int i = 0; i < 6; i++)
        assert_int_equal(al_log_note_run(&log, firsts[i], firsts[i] + 9, &prev), 0);
    assert_int_equal(log.run_count, 1);
    assert_int_equal(log.runs[0].first, 1);
    assert_int_equal(log.runs[0].last, 60);
    assert_int_equal(log.held, 60);
    free(log.runs);
}

static void a_run_is_found_by_any_of_its_numbers(void **state)
{
    struct al_log log = {.no = 1};
    struct al_hash prev = {{0}};
    (void)state;
    assert_int_equal(al_log_note_run(&log, 11, 20, &prev), 0);
    assert_int_equal(al_log_note_run(&log, 31, 40, &prev), 0);
    assert_false(al_log_holds(&log, 10));
    assert_true(al_log_holds(&log, 11));
    assert_true(al_log_holds(&log, 20));
    assert_false(al_log_holds(&log, 21));
    assert_true(al_log_knows(&log, 10)); /* what 11 follows */
    assert_true(al_log_knows(&log, 20));
    assert_true(al_log_knows(&log, 30));
    assert_false(al_log_knows(&log, 25));
    assert_int_equal(al_log_head(&log), 40);
    free(log.runs);
}

static void a_device_that_two_claim_counts_for_neither(void **state)
{
    struct rig_person thief = author;
    struct rig_person other;
    (void)state;
    desk_meet(&d, &author);
    assert_non_null(al_logs_owner(d.l, &author.keyring.device));
    rig_person(&other, 3);
    thief.root = other.root;
    desk_meet(&d, &thief); /* signed by the device as well: its holder plays both */
    assert_null(al_logs_owner(d.l, &author.keyring.device));
    assert_int_equal(desk_ingest(&d, &blocks[0]), AL_E_NOT_CERTIFIED);
    desk_reopen(&d);
    assert_null(al_logs_owner(d.l, &author.keyring.device));
}

static void a_log_needs_a_certified_device(void **state)
{
    struct al_log *log;
    (void)state;
    assert_int_equal(
        al_logs_open(d.l, &log, &author.keyring.device, &author.as_sample.log), AL_E_NOT_CERTIFIED);
}

static void a_statement_twice_is_no_news(void **state)
{
    uint8_t bytes[512];
    struct al_buf b = al_buf_fixed(bytes, sizeof(bytes));
    bool is_new = true;
    uint64_t pos;
    (void)state;
    desk_meet(&d, &author);
    pos = d.l->pos;
    rig_cert(&b, &author);
    assert_int_equal(al_logs_statement(d.l, &is_new, al_buf_slice(&b)), 0);
    assert_false(is_new);
    assert_int_equal(d.l->pos, pos);
}

static void a_damaged_statement_is_noticed_at_the_start(void **state)
{
    struct al_logs *again;
    uint8_t key[64] = {1};
    (void)state;
    assert_int_equal(al_store_kv_put(d.store, AL_SPACE_STATEMENT, al_slice_of(key, sizeof(key)),
                         al_slice_str("damaged")),
        0);
    assert_int_equal(al_logs_new(&again, d.store, &d.me.keyring, &d.rng), AL_E_CORRUPT);
}

static void a_statement_that_changed_in_the_store_is_noticed_at_the_start(void **state)
{
    struct al_logs *again;
    struct al_statement s;
    uint8_t bytes[512];
    uint8_t key[64];
    struct al_buf b = al_buf_fixed(bytes, sizeof(bytes));
    (void)state;
    rig_cert(&b, &author);
    assert_int_equal(al_statement_read(&s, al_buf_slice(&b)), 0);
    memcpy(key, s.identity.b, 32);
    memcpy(key + 32, s.hash.b, 32);
    bytes[s.name.p - bytes] ^= 1; /* a letter of the name: the form stays good */
    assert_int_equal(al_statement_read(&s, al_buf_slice(&b)), 0);
    assert_int_equal(al_store_kv_put(d.store, AL_SPACE_STATEMENT, al_slice_of(key, sizeof(key)),
                         al_buf_slice(&b)),
        0);
    assert_int_equal(al_logs_new(&again, d.store, &d.me.keyring, &d.rng), AL_E_CORRUPT);
}

static void what_others_hold_of_ours_is_loaded_and_never_more_than_is_here(void **state)
{
    struct al_ref ref;
    (void)state;
    ref = desk_note(&d, "one", AL_AUDIENCE_NETWORK);
    d.l->own->acked = ref.seq;
    assert_int_equal(al_logs_acked_save(d.l, d.l->own), 0);
    desk_reopen(&d);
    assert_int_equal(d.l->own->acked, 1);
    d.l->own->acked = 99;
    assert_int_equal(al_logs_acked_save(d.l, d.l->own), 0);
    desk_reopen(&d);
    assert_int_equal(d.l->own->acked, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_loaded_is_what_was_there, setup, teardown),
        cmocka_unit_test_setup_teardown(runs_are_noted_in_any_order_and_joined, setup, teardown),
        cmocka_unit_test_setup_teardown(a_run_is_found_by_any_of_its_numbers, setup, teardown),
        cmocka_unit_test_setup_teardown(
            a_device_that_two_claim_counts_for_neither, setup, teardown),
        cmocka_unit_test_setup_teardown(a_log_needs_a_certified_device, setup, teardown),
        cmocka_unit_test_setup_teardown(a_statement_twice_is_no_news, setup, teardown),
        cmocka_unit_test_setup_teardown(
            a_damaged_statement_is_noticed_at_the_start, setup, teardown),
        cmocka_unit_test_setup_teardown(
            a_statement_that_changed_in_the_store_is_noticed_at_the_start, setup, teardown),
        cmocka_unit_test_setup_teardown(
            what_others_hold_of_ours_is_loaded_and_never_more_than_is_here, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
