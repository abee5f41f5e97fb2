/* The address book: whom to dial, and how long to wait. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "rig.h"

static struct rig r;
static struct rig_node *n, *other;
static char ticket[2048];

/* The node has joined |other|, which went down before it could be reached. */
static int setup(void **state)
{
    (void)state;
    rig_init(&r);
    other = rig_add(&r, 1);
    n = rig_add(&r, 0);
    (void)rig_invite(other, 1);
    (void)snprintf(ticket, sizeof(ticket), "%s", rig_invite(other, 1));
    rig_stop(other);
    assert_int_equal(rig_join(n, ticket), 0);
    rig_run(&r);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    rig_fini(&r);
    return 0;
}

static void whoever_is_joined_is_dialled_at_once(void **state)
{
    (void)state;
    assert_int_equal(n->dials, 1);
}

static void waits_grow_up_to_minutes(void **state)
{
    uint32_t first;
    (void)state;
    rig_wait(&r, 60000);
    first = n->dials;
    assert_in_range(first, 4, 12);
    rig_wait(&r, 600000);
    assert_in_range(n->dials - first, 1, 8);
}

static void it_is_found_when_it_comes_back(void **state)
{
    (void)state;
    rig_wait(&r, 60000);
    assert_int_equal(rig_start(other), 0);
    rig_wait(&r, 300000);
    assert_int_equal(rig_status(n, "peers"), 1);
}

static void a_change_of_the_network_dials_without_waiting(void **state)
{
    uint32_t before;
    (void)state;
    rig_wait(&r, 60000);
    before = n->dials;
    rig_begin(n);
    al_node_network_changed(n->node);
    rig_end(n);
    rig_run(&r);
    assert_int_equal(n->dials, before + 1);
}

static void whoever_is_blocked_is_not_dialled(void **state)
{
    uint32_t before;
    (void)state;
    rig_relate(n, &other->me.root.identity, "block", true);
    before = n->dials;
    rig_wait(&r, 600000);
    assert_int_equal(n->dials, before);
}

static void whoever_is_welcome_again_is_dialled_at_once(void **state)
{
    static const struct {
        const char *relation;
        bool on;
    } words[] = {{"block", false}, {"follow", true}, {"admit", true}};
    (void)state;
    rig_relate(n, &other->me.root.identity, "block", true);
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        rig_wait(&r, 600000);
        uint32_t before = n->dials;
        rig_relate(n, &other->me.root.identity, words[i].relation, words[i].on);
        rig_run(&r);
        assert_int_equal(n->dials, before + 1);
    }
}

static void the_book_survives_a_restart(void **state)
{
    (void)state;
    rig_stop(n);
    assert_int_equal(rig_start(other), 0);
    assert_int_equal(rig_start(n), 0);
    rig_wait(&r, 2000);
    assert_int_equal(rig_status(n, "peers"), 1);
    assert_int_equal(rig_status(other, "peers"), 1);
}

static void an_answer_to_a_dial_of_before_is_closed(void **state)
{
    struct al_node_link link = {.dial = 1, .address = al_slice_str("there:1")};
    struct rig_peer p;
    (void)state;
    rig_peer_connect(&p, n, 1);
    rig_peer_leave(&p);
    r.conns[r.conn_count] =
        (struct rig_conn){.id = (uint64_t)r.conn_count + 1, .ends = {-1, 1}, .open = true};
    link.conn = (uint64_t)++r.conn_count;
    rig_begin(n);
    al_node_connected(n->node, &link);
    rig_end(n);
    assert_false(r.conns[r.conn_count - 1].open);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(whoever_is_joined_is_dialled_at_once, setup, teardown),
        cmocka_unit_test_setup_teardown(waits_grow_up_to_minutes, setup, teardown),
        cmocka_unit_test_setup_teardown(it_is_found_when_it_comes_back, setup, teardown),
        cmocka_unit_test_setup_teardown(
            a_change_of_the_network_dials_without_waiting, setup, teardown),
        cmocka_unit_test_setup_teardown(whoever_is_blocked_is_not_dialled, setup, teardown),
        cmocka_unit_test_setup_teardown(
            whoever_is_welcome_again_is_dialled_at_once, setup, teardown),
        cmocka_unit_test_setup_teardown(the_book_survives_a_restart, setup, teardown),
        cmocka_unit_test_setup_teardown(an_answer_to_a_dial_of_before_is_closed, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
