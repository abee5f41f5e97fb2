/* Who may talk: admission, invites, and what those who are not admitted learn. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rig.h"
#include "sample_wire.h"
#include "statement.h"
#include "ticket.h"
#include "write.h"

static struct rig r;
static struct rig_node *n;
static struct rig_peer p;
static struct rig_person who; /* person 1 */

static int setup(void **state)
{
    (void)state;
    rig_init(&r);
    n = rig_add(&r, 0);
    rig_person(&who, 1);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    rig_peer_leave(&p);
    rig_fini(&r);
    return 0;
}

static void invite(uint8_t out[AL_TOKEN_BYTES], uint64_t uses)
{
    uint8_t scratch[AL_TICKET_MAX];
    struct al_invite ticket;
    (void)rig_invite(n, uses); /* opens the port: what was asked for before it is not kept */
    assert_int_equal(al_invite_parse(&ticket, scratch, al_slice_str(rig_invite(n, uses))), 0);
    memcpy(out, ticket.token, AL_TOKEN_BYTES);
}

static void a_stranger_learns_nothing_not_even_a_goodbye(void **state)
{
    (void)state;
    rig_peer_connect(&p, n, 1);
    rig_peer_hello(&p, NULL);
    assert_int_equal(rig_peer_closed(&p), AL_E_STRANGER);
    assert_int_equal(rig_peer_waiting(&p), 0);
}

static void a_stranger_leaves_nothing_behind(void **state)
{
    (void)state;
    uint64_t pos = rig_status(n, "pos");
    rig_peer_connect(&p, n, 1);
    rig_peer_hello(&p, NULL);
    assert_int_equal(rig_status(n, "pos"), pos);
    assert_int_equal(rig_status(n, "people"), 0);
}

static void whoever_is_followed_is_greeted(void **state)
{
    struct al_message m;
    (void)state;
    rig_relate(n, &who.root.identity, "follow", true);
    rig_peer_connect(&p, n, 1);
    assert_int_equal(rig_peer_waiting(&p), 0); /* the dialler speaks first */
    rig_peer_hello(&p, NULL);
    assert_int_equal(rig_peer_closed(&p), 0);
    assert_true(rig_peer_next(&p, AL_MSG_HELLO, &m));
    assert_true(rig_peer_next(&p, AL_MSG_OWN_HEADS, &m));
    assert_true(rig_peer_next(&p, AL_MSG_INTERESTS, &m));
    assert_int_equal(m.u.interests.add_count, 2); /* the node itself, and who it follows */
}

static void whoever_is_blocked_is_turned_away_without_a_word_even_with_an_invite(void **state)
{
    uint8_t token[AL_TOKEN_BYTES];
    (void)state;
    invite(token, 1);
    rig_relate(n, &who.root.identity, "block", true);
    rig_peer_connect(&p, n, 1);
    rig_peer_hello(&p, token);
    assert_int_equal(rig_peer_closed(&p), AL_E_BLOCKED);
    assert_int_equal(rig_peer_waiting(&p), 0);
}

static void an_invite_admits_its_bearer_again_and_again(void **state)
{
    uint8_t token[AL_TOKEN_BYTES];
    (void)state;
    invite(token, 1);
    for (int i = 0; i < 3; i++) {
        rig_peer_connect(&p, n, 1);
        rig_peer_hello(&p, token);
        assert_int_equal(rig_peer_closed(&p), 0);
        rig_peer_leave(&p);
    }
    assert_int_equal(rig_status(n, "following"), 1);
}

static void a_replayed_invite_admits_nobody_else(void **state)
{
    uint8_t token[AL_TOKEN_BYTES];
    (void)state;
    invite(token, 1);
    rig_peer_connect(&p, n, 1);
    rig_peer_hello(&p, token);
    rig_peer_leave(&p);
    rig_peer_connect(&p, n, 2);
    rig_peer_hello(&p, token);
    assert_int_equal(rig_peer_closed(&p), AL_E_INVITE);
    assert_int_equal(rig_peer_waiting(&p), 0);
    assert_int_equal(rig_status(n, "following"), 1);
}

static void an_invite_for_two_admits_two(void **state)
{
    static const int admitted[] = {0, 0, AL_E_INVITE};
    uint8_t token[AL_TOKEN_BYTES];
    (void)state;
    invite(token, 2);
    for (uint64_t i = 0; i < 3; i++) {
        rig_peer_connect(&p, n, 1 + i);
        rig_peer_hello(&p, token);
        assert_int_equal(rig_peer_closed(&p), admitted[i]);
        rig_peer_leave(&p);
    }
}

static void a_binding_survives_a_restart(void **state)
{
    uint8_t token[AL_TOKEN_BYTES];
    (void)state;
    invite(token, 1);
    rig_peer_connect(&p, n, 1);
    rig_peer_hello(&p, token);
    rig_peer_leave(&p);
    rig_stop(n);
    assert_int_equal(rig_start(n), 0);
    rig_peer_connect(&p, n, 2);
    rig_peer_hello(&p, token);
    assert_int_equal(rig_peer_closed(&p), AL_E_INVITE);
}

static void whoever_was_sent_away_does_not_come_back_by_the_old_invite(void **state)
{
    uint8_t token[AL_TOKEN_BYTES];
    (void)state;
    invite(token, 2);
    rig_peer_connect(&p, n, 1);
    rig_peer_hello(&p, token);
    rig_relate(n, &who.root.identity, "follow", false);
    assert_int_equal(rig_peer_closed(&p), 0);
    rig_relate(n, &who.root.identity, "admit", false);
    assert_int_equal(rig_peer_closed(&p), AL_E_STRANGER);
    rig_peer_leave(&p);
    rig_peer_connect(&p, n, 1);
    rig_peer_hello(&p, token);
    assert_int_equal(rig_peer_closed(&p), AL_E_INVITE);
}

static void an_invite_expires(void **state)
{
    uint8_t token[AL_TOKEN_BYTES];
    (void)state;
    invite(token, 1);
    r.now.wall_ms += UINT64_C(7) * 24 * 3600 * 1000;
    rig_peer_connect(&p, n, 1);
    rig_peer_hello(&p, token);
    assert_int_equal(rig_peer_closed(&p), AL_E_INVITE);
}

static void an_unknown_token_is_no_invite(void **state)
{
    static const uint8_t token[AL_TOKEN_BYTES] = {1};
    (void)state;
    rig_peer_connect(&p, n, 1);
    rig_peer_hello(&p, token);
    assert_int_equal(rig_peer_closed(&p), AL_E_INVITE);
}

static void the_certificate_must_be_of_the_device_that_shook_hands(void **state)
{
    struct rig_person friend;
    (void)state;
    rig_person(&friend, 2);
    rig_relate(n, &friend.root.identity, "follow", true);
    rig_peer_connect(&p, n, 1);
    p.who = friend; /* the connection shows the key of person 1 */
    rig_peer_hello(&p, NULL);
    assert_int_equal(rig_peer_closed(&p), AL_E_NOT_CERTIFIED);
    assert_int_equal(rig_peer_waiting(&p), 0);
}

static void a_boot_that_the_device_did_not_sign_is_refused(void **state)
{
    (void)state;
    struct rig_person other;
    rig_person(&other, 2);
    rig_relate(n, &who.root.identity, "follow", true);
    rig_peer_connect(&p, n, 1);
    memcpy(p.who.keyring.device_secret, other.keyring.device_secret, 64);
    rig_peer_hello(&p, NULL);
    assert_int_equal(rig_peer_closed(&p), AL_E_SIG);
    assert_int_equal(rig_peer_waiting(&p), 0);
}

static void a_greeting_is_signed_by_this_device(void **state)
{
    (void)state;
    struct al_message m;
    rig_relate(n, &who.root.identity, "follow", true);
    rig_peer_connect(&p, n, 1);
    rig_peer_hello(&p, NULL);
    assert_true(rig_peer_next(&p, AL_MSG_HELLO, &m));
    assert_int_equal(al_boot_verify(&m.u.hello.boot_sig, &n->me.keyring.device, m.u.hello.boot), 0);
}

static void this_very_device_is_turned_away(void **state)
{
    (void)state;
    rig_peer_connect(&p, n, 0);
    rig_peer_hello(&p, NULL);
    assert_int_equal(rig_peer_closed(&p), AL_E_SELF);
}

static void nothing_but_hello_is_heard_before_hello(void **state)
{
    static uint8_t lists[AL_MESSAGE_MAX];
    struct al_message m;
    (void)state;
    rig_relate(n, &who.root.identity, "follow", true);
    for (uint64_t type = AL_MSG_INTERESTS; type <= AL_MSG_CLONE; type++) {
        struct al_buf b = al_buf_fixed(lists, sizeof(lists));
        if (type == AL_MSG_GOODBYE || !sample_message(&m, type, &b))
            continue;
        rig_peer_connect(&p, n, 1);
        rig_peer_send(&p, &m);
        assert_int_equal(rig_peer_closed(&p), AL_E_UNEXPECTED);
        assert_int_equal(rig_peer_waiting(&p), 0);
    }
}

static void garbage_before_hello_ends_it(void **state)
{
    (void)state;
    rig_peer_connect(&p, n, 1);
    rig_peer_raw(&p, "\x9f", 1);
    assert_int_equal(rig_peer_closed(&p), AL_E_TRUNCATED);
    assert_int_equal(rig_peer_waiting(&p), 0);
}

static void a_second_hello_is_not_allowed(void **state)
{
    (void)state;
    rig_peer_friend(&p, n, 1);
    rig_peer_hello(&p, NULL);
    assert_int_equal(rig_peer_closed(&p), AL_E_UNEXPECTED);
}

static void whoever_stays_silent_is_let_go_after_five_seconds(void **state)
{
    (void)state;
    rig_peer_connect(&p, n, 1);
    rig_wait(&r, 4900);
    assert_int_equal(rig_peer_closed(&p), 0);
    rig_wait(&r, 200);
    assert_int_equal(rig_peer_closed(&p), AL_E_TIMEOUT);
    assert_int_equal(rig_peer_waiting(&p), 0);
}

static void a_newer_connection_of_a_device_replaces_the_older(void **state)
{
    struct rig_peer newer;
    (void)state;
    rig_peer_friend(&p, n, 1);
    rig_peer_connect(&newer, n, 1);
    rig_peer_hello(&newer, NULL);
    assert_int_equal(rig_peer_closed(&p), AL_E_DUPLICATE);
    assert_int_equal(rig_peer_closed(&newer), 0);
    assert_int_equal(rig_status(n, "peers"), 1);
    rig_peer_leave(&newer);
}

static void a_revoked_device_is_turned_away(void **state)
{
    static uint8_t bytes[2048];
    struct al_buf list = al_buf_fixed(bytes, sizeof(bytes));
    struct al_message m;
    struct al_device none = {{0}};
    struct al_logname no_log = {{0}};
    (void)state;
    rig_peer_friend(&p, n, 1);
    rig_peer_item(&p, &who.root.identity, &none, &no_log, 2);
    assert_true(rig_peer_next(&p, AL_MSG_WANT_STATEMENTS, &m));
    al_write_array(&list, 1);
    al_statement_encode_revoke(
        &list, &who.root.identity, who.root.secret, &who.keyring.device, NULL, 0);
    struct al_message answer = {.type = AL_MSG_STATEMENTS, .req = m.req};
    answer.u.statements.list = al_buf_slice(&list);
    answer.u.statements.count = 1;
    answer.u.statements.last = true;
    rig_peer_send(&p, &answer);
    rig_peer_leave(&p);
    rig_peer_connect(&p, n, 1);
    rig_peer_hello(&p, NULL);
    assert_int_equal(rig_peer_closed(&p), AL_E_REVOKED);
    assert_true(rig_peer_next(&p, AL_MSG_GOODBYE, &m)); /* it may not know */
    assert_true(al_slice_is(m.u.goodbye.reason, "revoked"));
    assert_false(rig_peer_next(&p, AL_MSG_HELLO, &m));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            a_stranger_learns_nothing_not_even_a_goodbye, setup, teardown),
        cmocka_unit_test_setup_teardown(a_stranger_leaves_nothing_behind, setup, teardown),
        cmocka_unit_test_setup_teardown(whoever_is_followed_is_greeted, setup, teardown),
        cmocka_unit_test_setup_teardown(
            whoever_is_blocked_is_turned_away_without_a_word_even_with_an_invite, setup, teardown),
        cmocka_unit_test_setup_teardown(
            an_invite_admits_its_bearer_again_and_again, setup, teardown),
        cmocka_unit_test_setup_teardown(a_replayed_invite_admits_nobody_else, setup, teardown),
        cmocka_unit_test_setup_teardown(an_invite_for_two_admits_two, setup, teardown),
        cmocka_unit_test_setup_teardown(a_binding_survives_a_restart, setup, teardown),
        cmocka_unit_test_setup_teardown(
            whoever_was_sent_away_does_not_come_back_by_the_old_invite, setup, teardown),
        cmocka_unit_test_setup_teardown(an_invite_expires, setup, teardown),
        cmocka_unit_test_setup_teardown(an_unknown_token_is_no_invite, setup, teardown),
        cmocka_unit_test_setup_teardown(
            the_certificate_must_be_of_the_device_that_shook_hands, setup, teardown),
        cmocka_unit_test_setup_teardown(
            a_boot_that_the_device_did_not_sign_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(a_greeting_is_signed_by_this_device, setup, teardown),
        cmocka_unit_test_setup_teardown(this_very_device_is_turned_away, setup, teardown),
        cmocka_unit_test_setup_teardown(nothing_but_hello_is_heard_before_hello, setup, teardown),
        cmocka_unit_test_setup_teardown(garbage_before_hello_ends_it, setup, teardown),
        cmocka_unit_test_setup_teardown(a_second_hello_is_not_allowed, setup, teardown),
        cmocka_unit_test_setup_teardown(
            whoever_stays_silent_is_let_go_after_five_seconds, setup, teardown),
        cmocka_unit_test_setup_teardown(
            a_newer_connection_of_a_device_replaces_the_older, setup, teardown),
        cmocka_unit_test_setup_teardown(a_revoked_device_is_turned_away, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
