/* Taking in what others sent. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "desk.h"
#include "proof.h"
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
    desk_meet(&d, &author);
    rig_chain(blocks, &author, 200, space);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    desk_close(&d);
    return 0;
}

static const struct al_log *log_here(void)
{
    return al_logs_find(d.l, &author.keyring.device, &author.as_sample.log);
}

static void blocks_come_in_any_order_and_join(void **state)
{
    static const int order[] = {3, 0, 2, 1};
    (void)state;
    for (int i = 0; i < 4; i++)
        assert_int_equal(desk_ingest(&d, &blocks[order[i]]), 0);
    assert_int_equal(log_here()->held, 200);
    assert_int_equal(log_here()->run_count, 1);
    assert_int_equal(al_log_head(log_here()), 200);
    desk_reopen(&d);
    assert_int_equal(log_here()->held, 200);
    assert_int_equal(log_here()->run_count, 1);
}

static void what_is_held_is_passed_over(void **state)
{
    struct al_ingest in;
    struct al_segment part = blocks[0];
    (void)state;
    part.count = 10;
    sample_sign(&part, &author.as_sample);
    assert_int_equal(al_ingest_segment(d.l, &in, &part, d.now), 0);
    assert_int_equal(in.added, 10);
    assert_int_equal(al_ingest_segment(d.l, &in, &blocks[0], d.now), 0);
    assert_int_equal(in.added, 54);
    assert_int_equal(in.first, 11);
    assert_int_equal(al_ingest_segment(d.l, &in, &blocks[0], d.now), 0);
    assert_int_equal(in.added, 0);
}

static void a_bad_signature_stores_nothing_and_makes_no_log(void **state)
{
    (void)state;
    blocks[0].sig.b[63] ^= 1;
    assert_int_equal(desk_ingest(&d, &blocks[0]), AL_E_SIG);
    assert_null(log_here());
}

static void an_uncertified_device_is_not_taken(void **state)
{
    struct rig_person stranger;
    (void)state;
    rig_person(&stranger, 3);
    rig_chain(blocks, &stranger, 5, space);
    assert_int_equal(desk_ingest(&d, &blocks[0]), AL_E_NOT_CERTIFIED);
}

static void a_log_begins_with_the_genesis_of_its_own_person(void **state)
{
    struct al_segment s = blocks[0];
    (void)state;
    s.prev.b[0] ^= 1;
    sample_sign(&s, &author.as_sample);
    assert_int_equal(desk_ingest(&d, &s), AL_E_PREV);
    assert_null(log_here());
}

static void revoke_up_to(uint64_t seq)
{
    uint8_t bytes[512];
    struct al_buf b = al_buf_fixed(bytes, sizeof(bytes));
    struct al_cut cut = {.log = author.as_sample.log, .seq = seq};
    bool is_new;
    cut.id = blocks[(seq - 1) / 64].items[(seq - 1) % 64].id;
    al_statement_encode_revoke(
        &b, &author.root.identity, author.root.secret, &author.keyring.device, &cut, 1);
    assert_int_equal(al_logs_statement(d.l, &is_new, al_buf_slice(&b)), 0);
}

static void a_revoked_device_counts_up_to_the_last_valid_entry(void **state)
{
    (void)state;
    revoke_up_to(64);
    assert_int_equal(desk_ingest(&d, &blocks[1]), AL_E_REVOKED);
    assert_int_equal(desk_ingest(&d, &blocks[0]), 0);
    assert_int_equal(log_here()->held, 64);
}

static void more_logs_than_a_device_may_have_are_declined(void **state)
{
    (void)state;
    for (uint64_t i = 0; i <= AL_LOGS_PER_DEVICE_MAX; i++) {
        struct rig_person other_log = author;
        sample_bytes(other_log.as_sample.log.b, sizeof(other_log.as_sample.log.b), i);
        rig_chain(blocks, &other_log, 1, space);
        assert_int_equal(desk_ingest(&d, &blocks[0]), i < AL_LOGS_PER_DEVICE_MAX ? 0 : AL_E_LIMIT);
    }
}

/* Another branch of the author's log, from |seq| on. */
static void branch(struct al_segment *out, uint64_t seq)
{
    static uint8_t other[AL_BLOCK_ENTRIES * RIG_PAYLOAD];
    rig_chain(out, &author, 64, other);
    other[(seq - 1) * RIG_PAYLOAD] ^= 1;
    sample_sign(out, &author.as_sample);
}

static void a_forked_log_keeps_its_proof_and_ends_there(void **state)
{
    static struct al_segment other;
    struct al_fork fork;
    struct al_slice proof;
    (void)state;
    branch(&other, 40);
    assert_int_equal(desk_ingest(&d, &blocks[0]), 0);
    assert_int_equal(desk_ingest(&d, &other), AL_E_FORK);
    assert_int_equal(log_here()->frozen, 40);
    assert_int_equal(log_here()->held, 64);
    assert_int_equal(desk_ingest(&d, &blocks[1]), AL_E_DECLINED);
    assert_int_equal(al_ingest_proof(d.l, &proof, log_here()), 0);
    assert_int_equal(al_fork_open(&fork, proof), 0);
    assert_int_equal(fork.seq, 40);
    desk_reopen(&d);
    assert_int_equal(log_here()->frozen, 40);
    assert_int_equal(desk_ingest(&d, &blocks[1]), AL_E_DECLINED);
}

static void a_change_says_where_the_log_forks(void **state)
{
    static struct al_segment other;
    (void)state;
    branch(&other, 40);
    assert_int_equal(desk_ingest(&d, &blocks[0]), 0);
    uint64_t before = d.l->pos;
    assert_int_equal(desk_ingest(&d, &other), AL_E_FORK);
    assert_int_equal(d.l->pos, before + 1);
}

static void an_entry_that_contradicts_what_follows_it_is_a_fork(void **state)
{
    static struct al_segment other;
    (void)state;
    branch(&other, 40);
    assert_int_equal(desk_ingest(&d, &blocks[1]), 0);
    assert_int_equal(desk_ingest(&d, &other), AL_E_FORK);
    assert_int_equal(log_here()->frozen, 64); /* the first number that both attest */
    assert_int_equal(log_here()->held, 64);
}

static void a_missing_payload_is_filled_in_if_its_hash_fits(void **state)
{
    struct al_segment stub = blocks[0];
    struct al_store_row row;
    struct al_ref ref = {.device = blocks[0].device, .log = blocks[0].log, .seq = 5};
    struct al_slice payload = blocks[0].items[4].payload;
    (void)state;
    stub.items[4].payload = al_slice_of(NULL, 0);
    stub.items[4].stub = AL_STUB_ASK;
    assert_int_equal(desk_ingest(&d, &stub), 0);
    assert_true(desk_row(&d, &row, &ref) && row.payload.n == 0);
    assert_int_equal(al_ingest_payload(d.l, &ref.device, &ref.log, 5, blocks[0].items[5].payload),
        AL_E_PAYLOAD_HASH);
    assert_int_equal(al_ingest_payload(d.l, &ref.device, &ref.log, 5, payload), 0);
    assert_true(desk_row(&d, &row, &ref) && al_slice_eq(row.payload, payload));
    assert_int_equal(al_ingest_payload(d.l, &ref.device, &ref.log, 5, payload), AL_E_NOT_FOUND);
}

static void own_entries_from_outside_leave_the_own_log(void **state)
{
    struct al_ref ref;
    struct rig_person clone = d.me;
    (void)state;
    ref = desk_note(&d, "one", AL_AUDIENCE_NETWORK);
    clone.as_sample.log = ref.log;
    sample_segment(&blocks[0], &clone.as_sample, 2, &ref.id, 3, space, RIG_PAYLOAD, 9);
    assert_int_equal(desk_ingest(&d, &blocks[0]), 0);
    assert_null(d.l->own);
    desk_reopen(&d);
    assert_null(d.l->own);
    assert_int_equal(al_logs_own_entries(d.l), 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(blocks_come_in_any_order_and_join, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_held_is_passed_over, setup, teardown),
        cmocka_unit_test_setup_teardown(
            a_bad_signature_stores_nothing_and_makes_no_log, setup, teardown),
        cmocka_unit_test_setup_teardown(an_uncertified_device_is_not_taken, setup, teardown),
        cmocka_unit_test_setup_teardown(
            a_log_begins_with_the_genesis_of_its_own_person, setup, teardown),
        cmocka_unit_test_setup_teardown(
            a_revoked_device_counts_up_to_the_last_valid_entry, setup, teardown),
        cmocka_unit_test_setup_teardown(
            more_logs_than_a_device_may_have_are_declined, setup, teardown),
        cmocka_unit_test_setup_teardown(
            a_forked_log_keeps_its_proof_and_ends_there, setup, teardown),
        cmocka_unit_test_setup_teardown(a_change_says_where_the_log_forks, setup, teardown),
        cmocka_unit_test_setup_teardown(
            an_entry_that_contradicts_what_follows_it_is_a_fork, setup, teardown),
        cmocka_unit_test_setup_teardown(
            a_missing_payload_is_filled_in_if_its_hash_fits, setup, teardown),
        cmocka_unit_test_setup_teardown(
            own_entries_from_outside_leave_the_own_log, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
