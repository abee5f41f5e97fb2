/* A log that forks: the proof is kept and passed on, the log ends there, what is below stays. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "apply.h"
#include "proof.h"
#include "rig.h"

static struct rig r;
static struct rig_node *n;
static struct rig_peer p, q;
static struct al_segment mine[2], other[2]; /* two branches that part at 40 */
static uint8_t space[2][2 * AL_BLOCK_ENTRIES * RIG_PAYLOAD];

static void make_branches(const struct rig_person *who)
{
    rig_chain(mine, who, 70, space[0]);
    rig_chain(other, who, 70, space[1]);
    space[1][(40 - 1) * RIG_PAYLOAD] ^= 1;
    sample_sign(&other[0], &who->as_sample);
    other[1].prev = other[0].items[63].id;
    sample_sign(&other[1], &who->as_sample);
}

static int setup(void **state)
{
    (void)state;
    rig_init(&r);
    n = rig_add(&r, 0);
    rig_peer_friend(&p, n, 1);
    rig_peer_friend(&q, n, 2);
    rig_peer_interests(&q, &p.who.root.identity, 1);
    make_branches(&p.who);
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

static void send_proof(struct rig_peer *from, struct al_segment *a, struct al_segment *b)
{
    static uint8_t bytes[AL_FORK_MAX];
    struct al_buf proof = al_buf_fixed(bytes, sizeof(bytes));
    struct al_fork fork;
    struct al_message m = {.type = AL_MSG_FORK};
    al_fork_encode(&proof, a, b);
    assert_int_equal(al_fork_open(&fork, al_buf_slice(&proof)), 0);
    m.u.fork.a = fork.a;
    m.u.fork.b = fork.b;
    rig_peer_send(from, &m);
}

/* A proof is told, and holds. */
static bool next_proof(struct rig_peer *at, struct al_message *m)
{
    static struct al_segment a;
    static struct al_segment b;
    uint64_t seq;
    if (!rig_peer_next(at, AL_MSG_FORK, m))
        return false;
    assert_int_equal(al_segment_open(&a, m->u.fork.a), 0);
    assert_int_equal(al_segment_verify(&a), 0);
    assert_int_equal(al_segment_open(&b, m->u.fork.b), 0);
    assert_int_equal(al_segment_verify(&b), 0);
    assert_int_equal(al_fork_find(&seq, &a, &b), 0);
    return true;
}

static void the_second_branch_is_noticed_and_told(void **state)
{
    struct al_message m;
    (void)state;
    rig_peer_segment(&p, 0, &mine[0]);
    assert_int_equal(rig_holds(n, &p.who), 64);
    rig_peer_segment(&p, 0, &other[0]);
    assert_int_equal(rig_peer_closed(&p), 0); /* whoever brings it need not be who made it */
    assert_int_equal(rig_holds(n, &p.who), 64);
    assert_true(next_proof(&q, &m));
    rig_peer_segment(&p, 0, &mine[1]); /* nothing from the fork on is taken any more */
    assert_int_equal(rig_holds(n, &p.who), 64);
}

static void a_branch_that_shows_only_as_a_predecessor_is_noticed(void **state)
{
    struct al_message m;
    (void)state;
    rig_peer_item(&p, &p.who.root.identity, &p.who.keyring.device, &mine[0].log, 70);
    assert_true(rig_peer_next(&p, AL_MSG_WANT, &m));
    assert_int_equal(m.u.want.first, 65);
    rig_peer_segment(&p, m.req, &mine[1]);
    assert_true(rig_peer_next(&p, AL_MSG_WANT, &m) && m.u.want.first == 1);
    rig_peer_segment(&p, m.req, &other[0]); /* its 64th is not what the 65th follows */
    assert_true(next_proof(&q, &m));
    assert_int_equal(rig_holds(n, &p.who), 6);
}

static void entries_below_the_fork_are_still_taken(void **state)
{
    static struct al_segment part;
    struct al_message m;
    (void)state;
    part = mine[0];
    part.count = 30;
    sample_sign(&part, &p.who.as_sample);
    rig_peer_segment(&p, 0, &part);
    send_proof(&q, &mine[0], &other[0]);
    assert_int_equal(rig_holds(n, &p.who), 30);
    rig_peer_item(&p, &p.who.root.identity, &p.who.keyring.device, &mine[0].log, 70);
    assert_true(rig_peer_next(&p, AL_MSG_WANT, &m));
    assert_int_equal(m.u.want.first, 31);
    assert_int_equal(m.u.want.last, 39);
}

static void a_proof_freezes_a_log_and_is_passed_on(void **state)
{
    struct al_message m;
    (void)state;
    rig_peer_segment(&p, 0, &mine[0]);
    rig_peer_drop(&q);
    send_proof(&p, &mine[0], &other[0]);
    assert_int_equal(rig_peer_closed(&p), 0);
    assert_true(next_proof(&q, &m));
    send_proof(&q, &mine[0], &other[0]); /* known: not told again */
    assert_false(next_proof(&q, &m));
    rig_peer_segment(&p, 0, &mine[1]);
    assert_int_equal(rig_holds(n, &p.who), 64);
}

static void of_two_proofs_the_smaller_number_stays(void **state)
{
    static struct al_segment third;
    static uint8_t payloads[2 * AL_BLOCK_ENTRIES * RIG_PAYLOAD];
    struct al_message m;
    (void)state;
    rig_chain(&third, &p.who, 64, payloads);
    payloads[(20 - 1) * RIG_PAYLOAD] ^= 1;
    sample_sign(&third, &p.who.as_sample);
    rig_peer_segment(&p, 0, &mine[0]);
    send_proof(&p, &mine[0], &other[0]);
    assert_true(next_proof(&q, &m));
    send_proof(&p, &mine[0], &third);
    assert_true(next_proof(&q, &m));
    send_proof(&p, &mine[0], &other[0]);
    assert_false(next_proof(&q, &m));
}

static void a_proof_survives_a_restart(void **state)
{
    (void)state;
    rig_peer_segment(&p, 0, &mine[0]);
    send_proof(&p, &mine[0], &other[0]);
    rig_peer_leave(&p);
    rig_peer_leave(&q);
    rig_stop(n);
    assert_int_equal(rig_start(n), 0);
    rig_peer_friend(&p, n, 1);
    rig_peer_segment(&p, 0, &mine[1]);
    assert_int_equal(rig_holds(n, &p.who), 64);
}

static void no_proof_ends_the_connection(void **state)
{
    static uint8_t bytes[AL_MESSAGE_MAX];
    struct al_buf body = al_buf_fixed(bytes, sizeof(bytes));
    struct al_message m = {.type = AL_MSG_FORK};
    (void)state;
    al_segment_encode(&body, &mine[0]);
    m.u.fork.a = m.u.fork.b = al_buf_slice(&body);
    rig_peer_send(&p, &m);
    assert_int_not_equal(rig_peer_closed(&p), 0);
}

static void a_proof_about_a_log_that_is_not_here_is_dropped(void **state)
{
    struct al_message m;
    (void)state;
    send_proof(&p, &mine[0], &other[0]);
    assert_int_equal(rig_peer_closed(&p), 0);
    assert_false(next_proof(&q, &m));
}

static void whoever_still_believes_in_the_log_gets_the_proof_once(void **state)
{
    struct al_message m;
    (void)state;
    rig_peer_segment(&p, 0, &mine[0]);
    send_proof(&p, &mine[0], &other[0]);
    rig_peer_drop(&q);
    rig_peer_leave(&q);
    rig_peer_friend(&q, n, 2);
    rig_peer_item(&q, &p.who.root.identity, &p.who.keyring.device, &mine[0].log, 70);
    assert_true(next_proof(&q, &m));
    rig_peer_item(&q, &p.who.root.identity, &p.who.keyring.device, &mine[0].log, 70);
    assert_false(next_proof(&q, &m));
}

static void nothing_from_the_fork_on_is_given_out(void **state)
{
    struct al_message m = {.type = AL_MSG_WANT, .req = 9};
    (void)state;
    rig_peer_segment(&p, 0, &mine[0]);
    send_proof(&p, &mine[0], &other[0]);
    rig_peer_drop(&q);
    m.u.want.device = p.who.keyring.device;
    m.u.want.log = mine[0].log;
    m.u.want.first = 1;
    m.u.want.last = 64;
    rig_peer_send(&q, &m);
    /* what lies below the fork is, and has no signature of its own */
    static struct al_segment given;
    assert_true(rig_peer_next(&q, AL_MSG_SEGMENT, &m));
    assert_int_equal(al_segment_open(&given, m.u.segment.segment), 0);
    assert_int_equal(al_segment_last(&given), 39);
    assert_true(al_segment_sig_is_absent(&given.sig));
}

static void a_node_whose_own_log_forks_goes_on_in_a_new_one(void **state)
{
    struct al_ref first;
    struct al_ref second;
    static struct al_segment clone;
    (void)state;
    assert_int_equal(rig_post(n, "one", "network", &first), 0);
    struct sample_person me = n->me.as_sample;
    me.log = first.log;
    sample_segment(&clone, &me, 1, NULL, 2, space[0], RIG_PAYLOAD, 3);
    rig_peer_segment(&p, 0, &clone);
    assert_int_equal(rig_post(n, "two", "network", &second), 0);
    assert_false(al_logname_eq(&first.log, &second.log));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_second_branch_is_noticed_and_told, setup, teardown),
        cmocka_unit_test_setup_teardown(
            a_branch_that_shows_only_as_a_predecessor_is_noticed, setup, teardown),
        cmocka_unit_test_setup_teardown(entries_below_the_fork_are_still_taken, setup, teardown),
        cmocka_unit_test_setup_teardown(a_proof_freezes_a_log_and_is_passed_on, setup, teardown),
        cmocka_unit_test_setup_teardown(of_two_proofs_the_smaller_number_stays, setup, teardown),
        cmocka_unit_test_setup_teardown(a_proof_survives_a_restart, setup, teardown),
        cmocka_unit_test_setup_teardown(no_proof_ends_the_connection, setup, teardown),
        cmocka_unit_test_setup_teardown(
            a_proof_about_a_log_that_is_not_here_is_dropped, setup, teardown),
        cmocka_unit_test_setup_teardown(
            whoever_still_believes_in_the_log_gets_the_proof_once, setup, teardown),
        cmocka_unit_test_setup_teardown(nothing_from_the_fork_on_is_given_out, setup, teardown),
        cmocka_unit_test_setup_teardown(
            a_node_whose_own_log_forks_goes_on_in_a_new_one, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
