/* The one rule: inputs, one transaction, commit, and only then effects. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "read.h"
#include "rig.h"
#include "rpc.h"
#include "write.h"

static struct rig r;
static struct rig_node *n;

static int setup(void **state)
{
    (void)state;
    rig_init(&r);
    n = rig_add(&r, 0);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    rig_fini(&r);
    return 0;
}

static void restart(void)
{
    rig_stop(n);
    assert_int_equal(rig_start(n), 0);
}

static int post_under_key(uint64_t key, struct al_ref *ret)
{
    struct al_buf b = rig_post_params(key, "text", "network", NULL);
    int err = rig_call(n, "post", al_buf_slice(&b));
    if (err == 0) {
        struct al_read in = al_read_init(al_rpc_param(al_buf_slice(&rig_last(&r)->bytes), "ref"));
        al_read_ref(&in, ret);
    }
    al_heapbuf_free(&b);
    return err;
}

static void a_failed_commit_answers_every_caller_with_an_error(void **state)
{
    struct al_buf b = rig_post_params(1, "one", "network", NULL);
    struct al_buf c = rig_post_params(2, "two", "network", NULL);
    static const uint8_t empty = 0x80;
    uint64_t calls[3];
    (void)state;
    al_store_disk_fail_commit(n->disk, AL_E_FULL, false);
    rig_begin(n);
    calls[0] = rig_call_in_turn(n, "post", al_buf_slice(&b));
    calls[1] = rig_call_in_turn(n, "status", al_slice_of(&empty, 1));
    calls[2] = rig_call_in_turn(n, "post", al_buf_slice(&c));
    rig_end(n);
    for (int i = 0; i < 3; i++)
        assert_int_equal(rig_answer(&r, calls[i])->err, AL_E_FULL);
    al_heapbuf_free(&b);
    al_heapbuf_free(&c);
}

static void a_failed_commit_loses_nothing_acknowledged(void **state)
{
    struct al_ref first;
    struct al_ref next;
    struct al_store_log log;
    struct al_store_row row;
    (void)state;
    assert_int_equal(post_under_key(1, &first), 0);
    al_store_disk_fail_commit(n->disk, AL_E_IO, false);
    assert_int_equal(post_under_key(2, &next), AL_E_IO);
    assert_true(rig_log(n, &log, &first.device));
    assert_int_equal(al_store_get(n->store, &row, log.no, first.seq), 0);
    assert_memory_equal(&row.id, &first.id, sizeof(row.id));
    /* what the failed one left may be gone after a power cut: its log is not gone on with */
    assert_int_equal(post_under_key(3, &next), 0);
    assert_int_equal(next.seq, 1);
    assert_memory_not_equal(&next.log, &first.log, sizeof(next.log));
    assert_int_equal(post_under_key(4, &first), 0);
    assert_int_equal(first.seq, 2);
}

static void a_full_disk_leaves_no_doubt(void **state)
{
    struct al_ref first;
    struct al_ref next;
    (void)state;
    assert_int_equal(post_under_key(1, &first), 0);
    al_store_disk_fail_commit(n->disk, AL_E_FULL, false);
    assert_int_equal(post_under_key(2, &next), AL_E_FULL);
    assert_int_equal(post_under_key(3, &next), 0);
    assert_int_equal(next.seq, first.seq + 1);
    assert_memory_equal(&next.log, &first.log, sizeof(next.log));
}

static void while_the_disk_is_full_calls_that_only_read_are_answered(void **state)
{
    struct al_ref first;
    struct al_ref next;
    static const uint8_t empty = 0x80;
    (void)state;
    assert_int_equal(post_under_key(1, &first), 0);
    uint64_t own = rig_status(n, "own_entries");
    al_store_disk_fill(n->disk, true);
    assert_int_equal(post_under_key(2, &next), AL_E_FULL);
    for (int i = 0; i < 3; i++) {
        struct al_buf b = rig_post_params(2, "text", "network", NULL);
        rig_begin(n);
        uint64_t reads = rig_call_in_turn(n, "status", al_slice_of(&empty, 1));
        uint64_t writes = rig_call_in_turn(n, "post", al_buf_slice(&b));
        uint64_t waits = rig_call_in_turn(n, "wait", al_slice_of(&empty, 1));
        rig_end(n);
        assert_int_equal(rig_answer(&r, reads)->err, 0);
        assert_int_equal(rig_answer(&r, writes)->err, AL_E_FULL);
        assert_int_equal(rig_answer(&r, waits)->err, AL_E_FULL);
        assert_int_equal(rig_status(n, "own_entries"), own);
        assert_true(al_node_deadline(n->node) > n->rig->now.mono_ms);
        al_heapbuf_free(&b);
    }
    al_store_disk_fill(n->disk, false);
    assert_int_equal(post_under_key(2, &next), 0);
    assert_int_equal(next.seq, first.seq + 1);
    assert_memory_equal(&next.log, &first.log, sizeof(next.log));
}

static void what_was_not_saved_can_be_asked_for_again(void **state)
{
    struct al_ref ref;
    uint64_t before;
    (void)state;
    before = rig_status(n, "own_entries");
    al_store_disk_fail_commit(n->disk, AL_E_IO, false);
    assert_int_equal(post_under_key(1, &ref), AL_E_IO);
    assert_int_equal(rig_status(n, "own_entries"), before);
    assert_int_equal(post_under_key(1, &ref), 0);
    assert_int_equal(rig_status(n, "own_entries"), before + 1);
}

static void what_was_saved_in_spite_of_an_error_is_not_doubled(void **state)
{
    struct al_ref ref;
    uint64_t before;
    (void)state;
    before = rig_status(n, "own_entries");
    al_store_disk_fail_commit(n->disk, AL_E_IO, true);
    assert_int_equal(post_under_key(1, &ref), AL_E_IO);
    assert_int_equal(post_under_key(1, &ref), 0);
    assert_int_equal(rig_status(n, "own_entries"), before + 1);
}

static void a_lost_turn_closes_every_connection(void **state)
{
    struct rig_peer p;
    struct al_ref ref;
    (void)state;
    rig_peer_friend(&p, n, 1);
    al_store_disk_fail_commit(n->disk, AL_E_IO, false);
    assert_int_equal(post_under_key(1, &ref), AL_E_IO);
    assert_int_equal(rig_peer_closed(&p), AL_E_CLOSED);
    assert_int_equal(rig_status(n, "peers"), 0);
    rig_peer_leave(&p);
    rig_peer_friend(&p, n, 1);
    assert_int_equal(rig_status(n, "peers"), 1);
    rig_peer_leave(&p);
}

static void a_peer_turned_away_in_a_lost_turn_is_closed_all_the_same(void **state)
{
    struct rig_peer p;
    (void)state;
    rig_peer_connect(&p, n, 1);
    al_store_disk_fail_commit(n->disk, AL_E_IO, false);
    rig_peer_raw(&p, "\xc0", 1);
    assert_int_not_equal(rig_peer_closed(&p), 0);
    rig_peer_leave(&p);
}

static void waits_and_invites_that_pend_are_answered_when_the_turn_is_lost(void **state)
{
    static const uint8_t empty = 0x80;
    struct rig_peer p;
    struct al_ref ref;
    uint64_t wait;
    (void)state;
    rig_peer_connect(&p, n, 1); /* mid-hello: not synced */
    assert_int_equal(rig_call(n, "wait", al_slice_of(&empty, 1)), RIG_PENDING);
    wait = r.next_call;
    al_store_disk_fail_commit(n->disk, AL_E_IO, false);
    assert_int_equal(post_under_key(1, &ref), AL_E_IO);
    assert_int_equal(rig_answer(&r, wait)->err, AL_E_IO);
    rig_peer_leave(&p);
}

static void a_wait_ends_when_nothing_is_missing(void **state)
{
    static const uint8_t empty = 0x80;
    (void)state;
    assert_int_equal(rig_call(n, "wait", al_slice_of(&empty, 1)), 0);
    assert_true(al_slice_eq(
        al_rpc_param(al_buf_slice(&rig_last(&r)->bytes), "synced"), al_slice_str("\xc3")));
}

static void a_wait_ends_when_its_time_is_over(void **state)
{
    static const uint8_t ms[] = "\x81\xa7timeout\xcd\x03\xe8"; /* 1000 */
    struct rig_peer p;
    uint64_t wait;
    (void)state;
    rig_peer_connect(&p, n, 1);
    assert_int_equal(rig_call(n, "wait", al_slice_of(ms, sizeof(ms) - 1)), RIG_PENDING);
    wait = r.next_call;
    rig_wait(&r, 900);
    assert_null(rig_answer(&r, wait));
    rig_wait(&r, 200);
    assert_non_null(rig_answer(&r, wait));
    assert_true(al_slice_eq(
        al_rpc_param(al_buf_slice(&rig_answer(&r, wait)->bytes), "synced"), al_slice_str("\xc2")));
    rig_peer_leave(&p);
}

static void whoever_went_away_gets_no_answer(void **state)
{
    static const uint8_t ms[] = "\x81\xa7timeout\xcd\x03\xe8";
    struct rig_peer p;
    uint64_t wait;
    (void)state;
    rig_peer_connect(&p, n, 1);
    assert_int_equal(rig_call(n, "wait", al_slice_of(ms, sizeof(ms) - 1)), RIG_PENDING);
    wait = r.next_call;
    rig_begin(n);
    al_node_call_gone(n->node, wait);
    rig_end(n);
    rig_wait(&r, 1200);
    assert_null(rig_answer(&r, wait));
    rig_peer_leave(&p);
}

static void a_store_that_cannot_be_opened_is_tried_again(void **state)
{
    struct al_ref ref;
    struct rig_peer p;
    (void)state;
    n->open_err = AL_E_IO;
    al_store_disk_fail_commit(n->disk, AL_E_IO, false);
    assert_int_equal(post_under_key(1, &ref), AL_E_IO);
    assert_int_equal(post_under_key(1, &ref), AL_E_IO);
    rig_peer_connect(&p, n, 1); /* nobody would remember it */
    assert_int_equal(rig_peer_closed(&p), AL_E_CLOSED);
    assert_true(al_node_deadline(n->node) != UINT64_MAX);
    n->open_err = 0;
    assert_int_equal(post_under_key(1, &ref), 0);
    rig_peer_leave(&p);
}

static void a_change_is_told_after_its_commit(void **state)
{
    struct al_ref ref;
    uint64_t before;
    (void)state;
    before = n->changed;
    al_store_disk_fail_commit(n->disk, AL_E_IO, false);
    assert_int_equal(post_under_key(1, &ref), AL_E_IO);
    assert_int_equal(n->changed, before);
    assert_int_equal(post_under_key(1, &ref), 0);
    assert_int_equal(n->changed, rig_last(&r)->pos);
    assert_true(n->changed > before);
}

static void a_node_told_to_starts_a_new_log(void **state)
{
    struct al_ref first;
    struct al_ref second;
    (void)state;
    assert_int_equal(post_under_key(1, &first), 0);
    n->new_log = true;
    restart();
    assert_int_equal(post_under_key(2, &second), 0);
    assert_false(al_logname_eq(&first.log, &second.log));
    assert_int_equal(second.seq, 1);
}

static void it_does_so_even_when_its_first_turn_fails(void **state)
{
    struct al_ref first;
    struct al_ref second;
    (void)state;
    assert_int_equal(post_under_key(1, &first), 0);
    n->new_log = true;
    restart();
    al_store_disk_fail_commit(n->disk, AL_E_IO, false);
    assert_int_equal(post_under_key(2, &second), AL_E_IO);
    assert_int_equal(post_under_key(2, &second), 0);
    assert_false(al_logname_eq(&first.log, &second.log));
}

static void what_a_start_finds_to_do_is_done_after_a_lost_first_turn(void **state)
{
    (void)state;
    (void)rig_invite(n, 1);
    rig_stop(n);
    uint32_t before = n->listens;
    al_store_disk_fail_commit(n->disk, AL_E_IO, false);
    assert_int_equal(rig_start(n), 0);
    rig_run(&r);
    rig_wait(&r, 2000);
    assert_int_equal(n->listens, before + 1);
}

static void a_restarted_node_goes_on_in_its_log(void **state)
{
    struct al_ref first;
    struct al_ref second;
    (void)state;
    assert_int_equal(post_under_key(1, &first), 0);
    restart();
    assert_int_equal(post_under_key(2, &second), 0);
    assert_true(al_logname_eq(&first.log, &second.log));
    assert_int_equal(second.seq, first.seq + 1);
}

static void acknowledgements_of_a_lost_turn_do_not_count(void **state)
{
    struct rig_peer p;
    struct al_ref ref;
    uint8_t bytes[256];
    struct al_buf list = al_buf_fixed(bytes, sizeof(bytes));
    struct al_own_head head;
    struct al_message m = {.type = AL_MSG_OWN_HEADS};
    uint64_t alone;
    (void)state;
    rig_peer_friend(&p, n, 1);
    assert_int_equal(post_under_key(1, &ref), 0);
    alone = rig_status(n, "alone");
    assert_true(alone > 0);
    head.ref = ref;
    al_write_array(&list, 1);
    al_message_put_own_head(&list, &head);
    m.u.own_heads.list = al_buf_slice(&list);
    m.u.own_heads.count = 1;
    al_store_disk_fail_commit(n->disk, AL_E_IO, false);
    rig_peer_send(&p, &m);
    assert_int_equal(rig_status(n, "alone"), alone);
    rig_peer_leave(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            a_failed_commit_answers_every_caller_with_an_error, setup, teardown),
        cmocka_unit_test_setup_teardown(
            a_failed_commit_loses_nothing_acknowledged, setup, teardown),
        cmocka_unit_test_setup_teardown(a_full_disk_leaves_no_doubt, setup, teardown),
        cmocka_unit_test_setup_teardown(
            while_the_disk_is_full_calls_that_only_read_are_answered, setup, teardown),
        cmocka_unit_test_setup_teardown(what_was_not_saved_can_be_asked_for_again, setup, teardown),
        cmocka_unit_test_setup_teardown(
            what_was_saved_in_spite_of_an_error_is_not_doubled, setup, teardown),
        cmocka_unit_test_setup_teardown(a_lost_turn_closes_every_connection, setup, teardown),
        cmocka_unit_test_setup_teardown(
            a_peer_turned_away_in_a_lost_turn_is_closed_all_the_same, setup, teardown),
        cmocka_unit_test_setup_teardown(
            waits_and_invites_that_pend_are_answered_when_the_turn_is_lost, setup, teardown),
        cmocka_unit_test_setup_teardown(a_wait_ends_when_nothing_is_missing, setup, teardown),
        cmocka_unit_test_setup_teardown(a_wait_ends_when_its_time_is_over, setup, teardown),
        cmocka_unit_test_setup_teardown(whoever_went_away_gets_no_answer, setup, teardown),
        cmocka_unit_test_setup_teardown(
            a_store_that_cannot_be_opened_is_tried_again, setup, teardown),
        cmocka_unit_test_setup_teardown(a_change_is_told_after_its_commit, setup, teardown),
        cmocka_unit_test_setup_teardown(a_node_told_to_starts_a_new_log, setup, teardown),
        cmocka_unit_test_setup_teardown(it_does_so_even_when_its_first_turn_fails, setup, teardown),
        cmocka_unit_test_setup_teardown(
            what_a_start_finds_to_do_is_done_after_a_lost_first_turn, setup, teardown),
        cmocka_unit_test_setup_teardown(a_restarted_node_goes_on_in_its_log, setup, teardown),
        cmocka_unit_test_setup_teardown(
            acknowledgements_of_a_lost_turn_do_not_count, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
