/* Payloads that did not come with their entries. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rig.h"

static struct rig r;
static struct rig_node *n;
static struct rig_peer p, q;
static struct al_segment whole, stubs;
static uint8_t space[AL_BLOCK_ENTRIES * RIG_PAYLOAD];

/* The author gives entries 1 and 2 without the payload of the first. */
static int setup(void **state)
{
    (void)state;
    rig_init(&r);
    n = rig_add(&r, 0);
    rig_peer_friend(&p, n, 1);
    q = (struct rig_peer){.rig = &r, .conn = p.conn};
    rig_chain(&whole, &p.who, 2, space);
    stubs = whole;
    stubs.items[0].payload = al_slice_of(NULL, 0);
    stubs.items[0].stub = AL_STUB_ASK;
    rig_peer_segment(&p, 0, &stubs);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    rig_peer_leave(&p);
    rig_peer_leave(&q);
    rig_fini(&r);
    return 0;
}

static bool holds_payload(uint64_t seq)
{
    struct al_store_log log;
    struct al_store_row row;
    assert_true(rig_log(n, &log, &p.who.keyring.device));
    assert_int_equal(al_store_get(n->store, &row, log.no, seq), 0);
    return row.payload.n > 0;
}

static void give(struct rig_peer *peer, uint32_t req, uint64_t seq, struct al_slice payload)
{
    struct al_message m = {.type = AL_MSG_PAYLOAD, .req = req};
    m.u.payload.device = whole.device;
    m.u.payload.log = whole.log;
    m.u.payload.seq = seq;
    m.u.payload.payload = payload;
    rig_peer_send(peer, &m);
}

static void a_payload_left_out_is_asked_for_and_kept(void **state)
{
    struct al_message m;
    (void)state;
    assert_false(holds_payload(1));
    assert_true(holds_payload(2));
    assert_true(rig_peer_next(&p, AL_MSG_WANT_PAYLOAD, &m));
    assert_int_equal(m.u.want_payload.count, 1);
    give(&p, m.req, 1, whole.items[0].payload);
    rig_peer_done(&p, m.req, AL_DONE_OK);
    assert_true(holds_payload(1));
    assert_false(rig_peer_next(&p, AL_MSG_WANT_PAYLOAD, &m));
}

static void a_payload_of_another_hash_ends_the_connection(void **state)
{
    struct al_message m;
    (void)state;
    assert_true(rig_peer_next(&p, AL_MSG_WANT_PAYLOAD, &m));
    give(&p, m.req, 1, whole.items[1].payload);
    assert_int_equal(rig_peer_closed(&p), AL_E_PAYLOAD_HASH);
    assert_false(holds_payload(1));
}

static void a_payload_that_was_not_asked_for_ends_the_connection(void **state)
{
    struct al_message m;
    (void)state;
    assert_true(rig_peer_next(&p, AL_MSG_WANT_PAYLOAD, &m));
    give(&p, m.req, 2, whole.items[1].payload);
    assert_int_equal(rig_peer_closed(&p), AL_E_UNEXPECTED);
}

static void whoever_does_not_have_it_is_asked_once(void **state)
{
    struct al_message m;
    (void)state;
    assert_true(rig_peer_next(&p, AL_MSG_WANT_PAYLOAD, &m));
    rig_peer_done(&p, m.req, AL_DONE_NOT_HELD);
    rig_wait(&r, 1000);
    assert_false(rig_peer_next(&p, AL_MSG_WANT_PAYLOAD, &m));
}

static void another_peer_that_holds_the_log_is_asked(void **state)
{
    struct al_message m;
    struct al_head head = {.device = whole.device, .log = whole.log, .seq = 2};
    (void)state;
    assert_true(rig_peer_next(&p, AL_MSG_WANT_PAYLOAD, &m));
    rig_peer_done(&p, m.req, AL_DONE_NOT_HELD);
    rig_peer_friend(&q, n, 2);
    rig_peer_heads(&q, &head, 1);
    assert_true(rig_peer_next(&q, AL_MSG_WANT_PAYLOAD, &m));
    give(&q, m.req, 1, whole.items[0].payload);
    assert_true(holds_payload(1));
}

static void it_is_remembered_over_a_restart(void **state)
{
    struct al_message m;
    struct al_head head = {.device = whole.device, .log = whole.log, .seq = 2};
    (void)state;
    rig_peer_leave(&p);
    rig_stop(n);
    assert_int_equal(rig_start(n), 0);
    rig_peer_friend(&q, n, 2);
    rig_peer_heads(&q, &head, 1);
    assert_true(rig_peer_next(&q, AL_MSG_WANT_PAYLOAD, &m));
}

static void a_log_of_large_entries_arrives_whole(void **state)
{
    struct rig_node *other = rig_add(&r, 20);
    struct al_store_log log;
    struct al_store_row row;
    (void)state;
    rig_post_many(n, 30, 30000); /* a block of 900 kB: most of it can't travel inline */
    (void)rig_invite(n, 1);
    assert_int_equal(rig_join(other, rig_invite(n, 1)), 0);
    rig_wait(&r, 2000);
    assert_true(rig_log(other, &log, &n->me.keyring.device));
    for (uint64_t seq = 1; seq <= log.head_seq; seq++) {
        assert_int_equal(al_store_get(other->store, &row, log.no, seq), 0);
        assert_true(row.payload.n > 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_payload_left_out_is_asked_for_and_kept, setup, teardown),
        cmocka_unit_test_setup_teardown(
            a_payload_of_another_hash_ends_the_connection, setup, teardown),
        cmocka_unit_test_setup_teardown(
            a_payload_that_was_not_asked_for_ends_the_connection, setup, teardown),
        cmocka_unit_test_setup_teardown(whoever_does_not_have_it_is_asked_once, setup, teardown),
        cmocka_unit_test_setup_teardown(another_peer_that_holds_the_log_is_asked, setup, teardown),
        cmocka_unit_test_setup_teardown(it_is_remembered_over_a_restart, setup, teardown),
        cmocka_unit_test_setup_teardown(a_log_of_large_entries_arrives_whole, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
