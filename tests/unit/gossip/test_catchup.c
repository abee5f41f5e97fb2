/* What is missing is asked of whoever says it holds it, newest first, and of nobody in vain. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rig.h"

static struct rig r;
static struct rig_node *n;
static struct rig_peer p, q;
static struct rig_person author; /* person 5, certified at the node and followed */
static struct al_segment blocks[4];
static uint8_t space[4 * AL_BLOCK_ENTRIES * RIG_PAYLOAD];

static int setup(void **state)
{
    (void)state;
    rig_init(&r);
    n = rig_add(&r, 0);
    rig_peer_friend(&p, n, 5);
    author = p.who;
    rig_peer_leave(&p);
    rig_peer_friend(&p, n, 1);
    rig_chain(blocks, &author, 200, space);
    q = (struct rig_peer){.rig = &r, .conn = p.conn};
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

static void claim(struct rig_peer *peer, uint64_t seq)
{
    const struct sample_person *who = &author.as_sample;
    rig_peer_item(peer, &who->identity, &who->device, &who->log, seq);
}

static void announce(struct rig_peer *peer, uint64_t seq)
{
    struct al_head head = {.device = author.keyring.device, .log = author.as_sample.log};
    head.seq = seq;
    rig_peer_heads(peer, &head, 1);
}

static uint32_t count_wants(struct rig_peer *peer)
{
    struct al_message m;
    uint32_t count = 0;
    while (rig_peer_next(peer, AL_MSG_WANT, &m))
        count++;
    return count;
}

static void the_newest_block_is_asked_for_first_and_each_once(void **state)
{
    static const uint64_t firsts[] = {193, 129, 65, 1};
    struct al_message m;
    (void)state;
    claim(&p, 200);
    for (int i = 0; i < 4; i++) {
        assert_true(rig_peer_next(&p, AL_MSG_WANT, &m));
        assert_int_equal(m.u.want.first, firsts[i]);
    }
    assert_false(rig_peer_next(&p, AL_MSG_WANT, &m));
    claim(&p, 200);
    assert_false(rig_peer_next(&p, AL_MSG_WANT, &m));
}

static void what_is_given_is_held_and_whole(void **state)
{
    struct al_message m;
    struct al_store_log log;
    (void)state;
    claim(&p, 200);
    while (rig_peer_next(&p, AL_MSG_WANT, &m))
        rig_peer_answer(&p, &m, blocks);
    assert_true(rig_log(n, &log, &author.keyring.device));
    assert_int_equal(log.held, 200);
    assert_int_equal(log.head_seq, 200);
    assert_int_equal(rig_status(n, "behind"), 0);
}

static void two_peers_are_not_asked_for_the_same(void **state)
{
    (void)state;
    rig_peer_friend(&q, n, 2);
    claim(&p, 200);
    claim(&q, 200);
    assert_int_equal(count_wants(&p) + count_wants(&q), 4);
}

static void what_one_does_not_have_is_asked_of_another(void **state)
{
    struct al_message m;
    (void)state;
    rig_peer_friend(&q, n, 2);
    claim(&p, 40);
    claim(&q, 40);
    assert_true(rig_peer_next(&p, AL_MSG_WANT, &m));
    rig_peer_done(&p, m.req, AL_DONE_NOT_HELD);
    assert_true(rig_peer_next(&q, AL_MSG_WANT, &m));
    assert_int_equal(m.u.want.last, 40);
    assert_int_equal(count_wants(&p), 0);
}

static void whoever_leaves_is_replaced(void **state)
{
    struct al_message m;
    (void)state;
    rig_peer_friend(&q, n, 2);
    claim(&p, 40);
    claim(&q, 40);
    assert_int_equal(count_wants(&q), 0);
    rig_peer_leave(&p);
    rig_wait(&r, 10);
    assert_true(rig_peer_next(&q, AL_MSG_WANT, &m));
}

static void a_far_head_that_is_a_lie_is_given_up(void **state)
{
    struct al_message m;
    uint32_t asked = 0;
    (void)state;
    claim(&p, AL_SEQ_MAX);
    while (rig_peer_next(&p, AL_MSG_WANT, &m) && asked < 1000) {
        rig_peer_done(&p, m.req, AL_DONE_NOT_HELD);
        asked++;
    }
    assert_in_range(asked, 64, 64 + 16); /* those under way when it is given up */
    assert_int_equal(rig_status(n, "behind"), 0);
}

static void a_far_head_keeps_nobody_else_from_being_asked(void **state)
{
    struct al_message m;
    (void)state;
    rig_peer_friend(&q, n, 2);
    claim(&p, AL_SEQ_MAX);
    claim(&q, 200);
    while (rig_peer_next(&q, AL_MSG_WANT, &m))
        rig_peer_answer(&q, &m, blocks);
    assert_int_equal(rig_holds(n, &author), 200);
}

static void a_relay_that_was_asked_too_early_is_asked_again_when_it_says_so(void **state)
{
    struct al_message m;
    (void)state;
    claim(&p, 200);
    while (rig_peer_next(&p, AL_MSG_WANT, &m)) {
        if (m.u.want.first == 193)
            rig_peer_answer(&p, &m, blocks);
        else
            rig_peer_done(&p, m.req, AL_DONE_NOT_HELD);
    }
    assert_int_equal(rig_holds(n, &author), 8);
    announce(&p, 200);
    while (rig_peer_next(&p, AL_MSG_WANT, &m))
        rig_peer_answer(&p, &m, blocks);
    assert_int_equal(rig_holds(n, &author), 200);
}

static void whoever_asked_here_too_early_hears_of_the_log_again(void **state)
{
    struct al_message m = {.type = AL_MSG_WANT, .req = 1};
    (void)state;
    rig_peer_friend(&q, n, 2);
    rig_peer_interests(&q, &author.root.identity, 1);
    claim(&p, 200);
    claim(&q, 200);
    m.u.want.device = author.keyring.device;
    m.u.want.log = author.as_sample.log;
    m.u.want.first = 65;
    m.u.want.last = 128;
    rig_peer_segment(&p, 0, &blocks[0]);
    rig_wait(&r, 300);
    rig_peer_drop(&q);
    rig_peer_send(&q, &m); /* not here yet */
    while (rig_peer_next(&p, AL_MSG_WANT, &m)) {
        if (m.u.want.first == 65)
            rig_peer_answer(&p, &m, blocks);
    }
    rig_wait(&r, 300);
    assert_true(rig_peer_next(&q, AL_MSG_DONE, &m));
    assert_int_equal(m.u.done.status, AL_DONE_NOT_HELD);
    assert_true(rig_peer_next(&q, AL_MSG_HEADS, &m));
}

static void a_head_that_grew_while_it_was_asked_for_is_asked_for_again(void **state)
{
    struct al_message m;
    (void)state;
    claim(&p, 10);
    assert_true(rig_peer_next(&p, AL_MSG_WANT, &m));
    claim(&p, 12); /* the signature at 10 is gone by now */
    rig_peer_done(&p, m.req, AL_DONE_NOT_HELD);
    assert_true(rig_peer_next(&p, AL_MSG_WANT, &m));
    assert_int_equal(m.u.want.first, 1);
    assert_int_equal(m.u.want.last, 12);
}

static void a_busy_peer_is_asked_again_after_a_pause(void **state)
{
    struct al_message m;
    (void)state;
    claim(&p, 40);
    assert_true(rig_peer_next(&p, AL_MSG_WANT, &m));
    rig_peer_done(&p, m.req, AL_DONE_BUSY);
    assert_false(rig_peer_next(&p, AL_MSG_WANT, &m));
    rig_wait(&r, 600);
    assert_true(rig_peer_next(&p, AL_MSG_WANT, &m));
}

static void whoever_owes_every_answer_is_let_go_after_thirty_seconds(void **state)
{
    (void)state;
    claim(&p, 40);
    rig_wait(&r, 29000);
    assert_int_equal(rig_peer_closed(&p), 0);
    rig_wait(&r, 1100);
    assert_int_equal(rig_peer_closed(&p), AL_E_TIMEOUT);
}

static void nobody_can_keep_one_block_by_answering_others(void **state)
{
    struct al_message m;
    (void)state;
    claim(&p, 40); /* never answered */
    for (int i = 0; i < 7; i++) {
        struct al_head head = {.device = author.keyring.device, .seq = 1};
        sample_bytes(head.log.b, sizeof(head.log.b), 100 + (uint64_t)i);
        rig_peer_heads(&p, &head, 1);
        while (rig_peer_next(&p, AL_MSG_WANT, &m)) {
            if (m.u.want.last == 1)
                rig_peer_done(&p, m.req, AL_DONE_NOT_HELD);
        }
        rig_wait(&r, 20000);
    }
    assert_int_equal(rig_peer_closed(&p), AL_E_TIMEOUT);
}

static void an_answer_of_another_range_ends_the_connection(void **state)
{
    struct al_message m;
    (void)state;
    claim(&p, 200);
    assert_true(rig_peer_next(&p, AL_MSG_WANT, &m));
    rig_peer_segment(&p, m.req, &blocks[0]);
    assert_int_equal(rig_peer_closed(&p), AL_E_UNEXPECTED);
    assert_int_equal(rig_holds(n, &author), 0);
}

static void the_same_answer_twice_ends_the_connection(void **state)
{
    struct al_message m;
    (void)state;
    claim(&p, 200);
    assert_true(rig_peer_next(&p, AL_MSG_WANT, &m));
    rig_peer_segment(&p, m.req, &blocks[3]);
    assert_int_equal(rig_peer_closed(&p), 0);
    rig_peer_segment(&p, m.req, &blocks[3]);
    assert_int_equal(rig_peer_closed(&p), AL_E_UNEXPECTED);
}

static void an_answer_to_nothing_is_dropped(void **state)
{
    (void)state;
    rig_peer_segment(&p, 12345, &blocks[0]);
    rig_peer_done(&p, 12345, AL_DONE_OK);
    assert_int_equal(rig_peer_closed(&p), 0);
    assert_int_equal(rig_holds(n, &author), 0);
}

static void a_bad_signature_ends_the_connection_and_stores_nothing(void **state)
{
    struct al_message m;
    (void)state;
    claim(&p, 200);
    assert_true(rig_peer_next(&p, AL_MSG_WANT, &m));
    blocks[3].sig.b[5] ^= 1;
    rig_peer_segment(&p, m.req, &blocks[3]);
    assert_int_equal(rig_peer_closed(&p), AL_E_SIG);
    assert_int_equal(rig_holds(n, &author), 0);
}

static void a_window_limits_what_is_under_way(void **state)
{
    (void)state;
    claim(&p, UINT64_C(64) * 1000);
    assert_in_range(count_wants(&p), 4, 32);
}

static void nodes_that_meet_come_to_hold_the_same(void **state)
{
    struct rig_node *third;
    struct rig_node *other;
    (void)state;
    rig_post_many(n, 500, 100);
    other = rig_add(&r, 20);
    (void)rig_invite(n, 1);
    assert_int_equal(rig_join(other, rig_invite(n, 1)), 0);
    rig_wait(&r, 1000);
    assert_int_equal(rig_holds(other, &n->me), rig_holds(n, &n->me));
    rig_post_many(other, 300, 3000);
    rig_wait(&r, 1000);
    assert_int_equal(rig_holds(n, &other->me), rig_holds(other, &other->me));
    assert_int_equal(rig_status(n, "alone"), 0);
    /* a third hears of the second by the first, who relays */
    third = rig_add(&r, 21);
    (void)rig_invite(n, 1);
    assert_int_equal(rig_join(third, rig_invite(n, 1)), 0);
    rig_relate(third, &other->me.root.identity, "follow", true);
    rig_wait(&r, 1000);
    assert_int_equal(rig_holds(third, &other->me), rig_holds(other, &other->me));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            the_newest_block_is_asked_for_first_and_each_once, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_given_is_held_and_whole, setup, teardown),
        cmocka_unit_test_setup_teardown(two_peers_are_not_asked_for_the_same, setup, teardown),
        cmocka_unit_test_setup_teardown(
            what_one_does_not_have_is_asked_of_another, setup, teardown),
        cmocka_unit_test_setup_teardown(whoever_leaves_is_replaced, setup, teardown),
        cmocka_unit_test_setup_teardown(a_far_head_that_is_a_lie_is_given_up, setup, teardown),
        cmocka_unit_test_setup_teardown(
            a_far_head_keeps_nobody_else_from_being_asked, setup, teardown),
        cmocka_unit_test_setup_teardown(
            a_relay_that_was_asked_too_early_is_asked_again_when_it_says_so, setup, teardown),
        cmocka_unit_test_setup_teardown(
            whoever_asked_here_too_early_hears_of_the_log_again, setup, teardown),
        cmocka_unit_test_setup_teardown(
            a_head_that_grew_while_it_was_asked_for_is_asked_for_again, setup, teardown),
        cmocka_unit_test_setup_teardown(a_busy_peer_is_asked_again_after_a_pause, setup, teardown),
        cmocka_unit_test_setup_teardown(
            whoever_owes_every_answer_is_let_go_after_thirty_seconds, setup, teardown),
        cmocka_unit_test_setup_teardown(
            nobody_can_keep_one_block_by_answering_others, setup, teardown),
        cmocka_unit_test_setup_teardown(
            an_answer_of_another_range_ends_the_connection, setup, teardown),
        cmocka_unit_test_setup_teardown(the_same_answer_twice_ends_the_connection, setup, teardown),
        cmocka_unit_test_setup_teardown(an_answer_to_nothing_is_dropped, setup, teardown),
        cmocka_unit_test_setup_teardown(
            a_bad_signature_ends_the_connection_and_stores_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(a_window_limits_what_is_under_way, setup, teardown),
        cmocka_unit_test_setup_teardown(nodes_that_meet_come_to_hold_the_same, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
