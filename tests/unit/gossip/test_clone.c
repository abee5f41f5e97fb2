/* Two machines with one device key: told apart from one that came back, and told of each other. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rig.h"

static struct rig r;
static struct rig_node *n;
static struct rig_peer p; /* came first */
static struct rig_peer q; /* the same device, with another boot */

static int setup(void **state)
{
    (void)state;
    rig_init(&r);
    n = rig_add(&r, 0);
    rig_peer_friend(&p, n, 1);
    rig_peer_connect(&q, n, 1);
    q.boot = 2;
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

static void say(struct rig_peer *from, enum al_message_type type, uint64_t number)
{
    struct al_message m = {.type = type};
    m.u.ping.n = number;
    rig_peer_send(from, &m);
}

static uint64_t pinged(void)
{
    struct al_message m;
    assert_true(rig_peer_next(&p, AL_MSG_PING, &m));
    return m.u.ping.n;
}

/* |at| is told of |boot|, with the proof. */
static void assert_told(struct rig_peer *at, uint64_t boot, bool yield)
{
    struct al_message m;
    uint8_t bytes[AL_BOOT_BYTES];
    al_u64be(bytes, boot);
    assert_true(rig_peer_next(at, AL_MSG_CLONE, &m));
    assert_memory_equal(m.u.clone.boot, bytes, sizeof(bytes));
    assert_int_equal(al_boot_verify(&m.u.clone.boot_sig, &p.who.keyring.device, m.u.clone.boot), 0);
    assert_int_equal(m.u.clone.yield, yield);
}

static void of_two_that_live_the_second_is_let_go_and_both_are_told(void **state)
{
    struct al_message m;
    (void)state;
    rig_peer_hello(&q, NULL);
    assert_int_equal(rig_peer_closed(&q), 0);
    assert_int_equal(rig_peer_waiting(&q), 0);
    say(&p, AL_MSG_PONG, pinged());
    assert_told(&p, 2, false);
    assert_int_equal(rig_peer_closed(&p), 0);
    assert_true(rig_peer_next(&q, AL_MSG_HELLO, &m)); /* without it nothing is heard */
    assert_told(&q, 0, true);
    assert_true(rig_peer_next(&q, AL_MSG_GOODBYE, &m));
    assert_true(al_slice_is(m.u.goodbye.reason, "clone"));
    assert_int_equal(rig_peer_closed(&q), AL_E_CLONE);
}

static void one_that_is_dead_gives_place(void **state)
{
    struct al_message m;
    (void)state;
    rig_peer_hello(&q, NULL);
    rig_wait(&r, 2500);
    assert_int_equal(rig_peer_closed(&p), 0);
    rig_wait(&r, 1000);
    assert_int_equal(rig_peer_closed(&p), AL_E_DUPLICATE);
    assert_int_equal(rig_peer_closed(&q), 0);
    assert_true(rig_peer_next(&q, AL_MSG_HELLO, &m));
    assert_true(rig_peer_next(&q, AL_MSG_OWN_HEADS, &m));
    assert_false(rig_peer_next(&q, AL_MSG_CLONE, &m));
}

static void one_that_leaves_gives_place_at_once(void **state)
{
    struct al_message m;
    (void)state;
    rig_peer_hello(&q, NULL);
    rig_peer_leave(&p);
    rig_run(&r);
    assert_true(rig_peer_next(&q, AL_MSG_HELLO, &m));
    assert_int_equal(rig_status(n, "peers"), 1);
}

static void only_the_answer_to_this_ping_is_a_sign_of_life(void **state)
{
    (void)state;
    rig_peer_hello(&q, NULL);
    uint64_t number = pinged();
    say(&p, AL_MSG_PONG, number + 1);
    say(&p, AL_MSG_PING, number); /* it may have been under way for long */
    rig_wait(&r, 3500);
    assert_int_equal(rig_peer_closed(&p), AL_E_DUPLICATE);
    assert_int_equal(rig_peer_closed(&q), 0);
}

static void whoever_waits_for_a_hello_has_nothing_to_say(void **state)
{
    (void)state;
    rig_peer_hello(&q, NULL);
    say(&q, AL_MSG_PING, 1);
    assert_int_equal(rig_peer_closed(&q), AL_E_UNEXPECTED);
    assert_int_equal(rig_peer_closed(&p), 0);
}

static void of_those_that_wait_the_newest_stays(void **state)
{
    struct rig_peer third;
    (void)state;
    rig_peer_hello(&q, NULL);
    rig_peer_connect(&third, n, 1);
    third.boot = 3;
    rig_peer_hello(&third, NULL);
    assert_int_equal(rig_peer_closed(&q), AL_E_DUPLICATE);
    rig_wait(&r, 3500);
    assert_int_equal(rig_peer_closed(&third), 0);
    rig_peer_leave(&third);
}

static void it_came_back_with_the_same_boot(void **state)
{
    (void)state;
    q.boot = 0;
    rig_peer_hello(&q, NULL);
    assert_int_equal(rig_peer_closed(&p), AL_E_DUPLICATE);
    assert_int_equal(rig_peer_closed(&q), 0);
}

/* --- about this very node ----------------------------------------------------------------------
 */

/* The hand says that another machine showed |boot| with the key of the node, signed with |keys|. */
static void tell_clone(uint64_t boot, const struct rig_person *keys, bool yield)
{
    struct al_message m = {.type = AL_MSG_CLONE};
    al_u64be(m.u.clone.boot, boot);
    al_boot_sign(
        &m.u.clone.boot_sig, &n->me.keyring.device, keys->keyring.device_secret, m.u.clone.boot);
    m.u.clone.yield = yield;
    rig_peer_send(&p, &m);
}

static void a_word_that_this_device_did_not_sign_ends_the_connection(void **state)
{
    (void)state;
    tell_clone(77, &p.who, true);
    assert_int_equal(rig_peer_closed(&p), AL_E_SIG);
    assert_int_equal(rig_post(n, "still here", "network", NULL), 0);
}

static void a_start_of_this_node_proves_nothing(void **state)
{
    (void)state;
    rig_peer_leave(&p);
    for (int i = 0; i < 3; i++) {
        rig_stop(n);
        assert_int_equal(rig_start(n), 0);
    }
    rig_peer_friend(&p, n, 1);
    for (uint64_t boot = 1; boot <= n->boots; boot++)
        tell_clone(boot, &n->me, true);
    assert_int_equal(rig_peer_closed(&p), 0);
}

static void a_boot_that_is_not_its_own_proves_another_machine(void **state)
{
    (void)state;
    tell_clone(777, &n->me, false);
    assert_int_equal(rig_peer_closed(&p), 0); /* it came first: it goes on */
    tell_clone(777, &n->me, true);
    assert_int_equal(rig_peer_closed(&p), AL_E_CLONE);
    rig_peer_connect(&p, n, 1);
    assert_int_not_equal(rig_peer_closed(&p), 0);
    assert_int_equal(rig_post(n, "still here", "network", NULL), 0);
}

static void where_starts_were_forgotten_nobody_yields(void **state)
{
    (void)state;
    rig_peer_leave(&p);
    rig_stop(n);
    n->boots_lost = true;
    assert_int_equal(rig_start(n), 0);
    rig_peer_friend(&p, n, 1);
    tell_clone(777, &n->me, true);
    assert_int_equal(rig_peer_closed(&p), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            of_two_that_live_the_second_is_let_go_and_both_are_told, setup, teardown),
        cmocka_unit_test_setup_teardown(one_that_is_dead_gives_place, setup, teardown),
        cmocka_unit_test_setup_teardown(one_that_leaves_gives_place_at_once, setup, teardown),
        cmocka_unit_test_setup_teardown(
            only_the_answer_to_this_ping_is_a_sign_of_life, setup, teardown),
        cmocka_unit_test_setup_teardown(
            whoever_waits_for_a_hello_has_nothing_to_say, setup, teardown),
        cmocka_unit_test_setup_teardown(of_those_that_wait_the_newest_stays, setup, teardown),
        cmocka_unit_test_setup_teardown(it_came_back_with_the_same_boot, setup, teardown),
        cmocka_unit_test_setup_teardown(
            a_word_that_this_device_did_not_sign_ends_the_connection, setup, teardown),
        cmocka_unit_test_setup_teardown(a_start_of_this_node_proves_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(
            a_boot_that_is_not_its_own_proves_another_machine, setup, teardown),
        cmocka_unit_test_setup_teardown(where_starts_were_forgotten_nobody_yields, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
