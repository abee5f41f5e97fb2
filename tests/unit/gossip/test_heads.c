/* What a peer claims to hold, and what others hold of ours. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rig.h"
#include "write.h"

static struct rig r;
static struct rig_node *n;
static struct rig_peer p;
static struct al_segment blocks[4];
static uint8_t space[4 * AL_BLOCK_ENTRIES * RIG_PAYLOAD];

static int setup(void **state)
{
    (void)state;
    rig_init(&r);
    n = rig_add(&r, 0);
    rig_peer_friend(&p, n, 1);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    rig_peer_leave(&p);
    rig_fini(&r);
    return 0;
}

/* The hand says that it holds |seq| of the log of |ref|, by the id of |ref|. */
static void say_own_head(const struct al_ref *ref, uint64_t seq)
{
    uint8_t bytes[256];
    struct al_buf list = al_buf_fixed(bytes, sizeof(bytes));
    struct al_own_head head = {.ref = *ref};
    struct al_message m = {.type = AL_MSG_OWN_HEADS};
    head.ref.seq = seq;
    al_write_array(&list, 1);
    al_message_put_own_head(&list, &head);
    m.u.own_heads.list = al_buf_slice(&list);
    m.u.own_heads.count = 1;
    rig_peer_send(&p, &m);
}

/* Two entries that follow |ref| in the log of the node, signed with its key, as a clone would. */
static void make_later_entries(struct al_segment *out, const struct al_ref *ref)
{
    struct sample_person clone = n->me.as_sample;
    clone.log = ref->log;
    sample_segment(out, &clone, ref->seq + 1, &ref->id, 2, space, RIG_PAYLOAD, 1);
}

static void restart(void)
{
    rig_peer_leave(&p);
    rig_stop(n);
    assert_int_equal(rig_start(n), 0);
}

static void a_claim_makes_a_request_and_no_log(void **state)
{
    struct al_message m;
    struct al_store_log log;
    const struct sample_person *who = &p.who.as_sample;
    (void)state;
    rig_peer_item(&p, &who->identity, &who->device, &who->log, 5);
    assert_true(rig_peer_next(&p, AL_MSG_WANT, &m));
    assert_int_equal(m.u.want.first, 1);
    assert_int_equal(m.u.want.last, 5);
    assert_false(rig_log(n, &log, &who->device));
}

static void invented_logs_do_not_shut_out_the_real_one(void **state)
{
    struct rig_peer author;
    struct al_head heads[200];
    struct al_store_log log;
    (void)state;
    rig_peer_friend(&author, n, 2);
    for (uint64_t i = 0; i < 200; i++) {
        heads[i] = (struct al_head){.device = author.who.keyring.device, .seq = 9};
        sample_bytes(heads[i].log.b, sizeof(heads[i].log.b), i);
    }
    rig_peer_heads(&p, heads, 200);
    rig_chain(blocks, &author.who, 3, space);
    rig_peer_segment(&author, 0, &blocks[0]);
    assert_int_equal(rig_peer_closed(&author), 0);
    assert_true(rig_log(n, &log, &author.who.keyring.device));
    assert_int_equal(log.held, 3);
    rig_peer_leave(&author);
}

static void what_is_not_wanted_is_not_remembered(void **state)
{
    struct al_message m;
    struct rig_person unknown;
    (void)state;
    rig_person(&unknown, 3);
    rig_peer_item(&p, &unknown.root.identity, &unknown.keyring.device, &unknown.as_sample.log, 5);
    assert_false(rig_peer_next(&p, AL_MSG_WANT, &m));
    assert_int_equal(rig_status(n, "behind"), 0);
}

static void a_head_waits_until_its_device_is_certified(void **state)
{
    static uint8_t bytes[1024];
    struct al_buf list = al_buf_fixed(bytes, sizeof(bytes));
    struct rig_person other;
    struct al_message m;
    struct al_device none = {{0}};
    struct al_logname no_log = {{0}};
    (void)state;
    rig_person(&other, 2);
    rig_relate(n, &other.root.identity, "follow", true);
    rig_peer_item(&p, &other.root.identity, &other.keyring.device, &other.as_sample.log, 3);
    assert_false(rig_peer_next(&p, AL_MSG_WANT, &m));
    rig_peer_item(&p, &other.root.identity, &none, &no_log, 1);
    assert_true(rig_peer_next(&p, AL_MSG_WANT_STATEMENTS, &m));
    al_write_array(&list, 1);
    rig_cert(&list, &other);
    struct al_message answer = {.type = AL_MSG_STATEMENTS, .req = m.req};
    answer.u.statements.list = al_buf_slice(&list);
    answer.u.statements.count = 1;
    answer.u.statements.last = true;
    rig_peer_send(&p, &answer);
    assert_true(rig_peer_next(&p, AL_MSG_WANT, &m));
    assert_int_equal(m.u.want.last, 3);
}

static void a_mere_claim_on_the_own_log_changes_nothing(void **state)
{
    struct al_ref first;
    struct al_ref second;
    (void)state;
    assert_int_equal(rig_post(n, "one", "network", &first), 0);
    say_own_head(&first, first.seq + 7);
    assert_int_equal(rig_post(n, "two", "network", &second), 0);
    assert_true(al_logname_eq(&first.log, &second.log));
    assert_int_equal(second.seq, first.seq + 1);
}

static void own_entries_from_outside_end_the_log(void **state)
{
    struct al_ref first;
    struct al_ref second;
    struct al_message m;
    (void)state;
    assert_int_equal(rig_post(n, "one", "network", &first), 0);
    make_later_entries(&blocks[0], &first);
    say_own_head(&first, first.seq + 2);
    assert_true(rig_peer_next(&p, AL_MSG_WANT, &m));
    rig_peer_segment(&p, m.req, &blocks[0]);
    rig_peer_done(&p, m.req, AL_DONE_OK);
    assert_int_equal(rig_post(n, "two", "network", &second), 0);
    assert_false(al_logname_eq(&first.log, &second.log));
    assert_int_equal(second.seq, 1);
}

static void the_log_stays_ended_after_a_restart(void **state)
{
    struct al_ref first;
    struct al_ref second;
    (void)state;
    assert_int_equal(rig_post(n, "one", "network", &first), 0);
    make_later_entries(&blocks[0], &first);
    rig_peer_segment(&p, 0, &blocks[0]);
    restart();
    assert_int_equal(rig_post(n, "two", "network", &second), 0);
    assert_false(al_logname_eq(&first.log, &second.log));
}

static void entries_are_alone_until_another_node_says_it_holds_them(void **state)
{
    struct al_ref ref;
    (void)state;
    assert_int_equal(rig_post(n, "one", "network", &ref), 0);
    assert_int_equal(rig_status(n, "alone"), ref.seq);
    say_own_head(&ref, ref.seq);
    assert_int_equal(rig_status(n, "alone"), 0);
    assert_int_equal(rig_post(n, "two", "network", NULL), 0);
    assert_int_equal(rig_status(n, "alone"), 1);
}

static void another_entry_of_that_number_is_no_acknowledgement(void **state)
{
    struct al_ref ref;
    (void)state;
    assert_int_equal(rig_post(n, "one", "network", &ref), 0);
    ref.id.b[0] ^= 1;
    say_own_head(&ref, ref.seq);
    assert_int_equal(rig_status(n, "alone"), ref.seq);
}

static void acknowledgements_are_kept_with_the_next_write(void **state)
{
    struct al_ref ref;
    (void)state;
    assert_int_equal(rig_post(n, "one", "network", &ref), 0);
    say_own_head(&ref, ref.seq);
    assert_int_equal(rig_post(n, "two", "network", NULL), 0);
    restart();
    assert_int_equal(rig_status(n, "alone"), 1);
}

static void acknowledgements_are_kept_after_ten_seconds_without_a_write(void **state)
{
    struct al_ref ref;
    (void)state;
    assert_int_equal(rig_post(n, "one", "network", &ref), 0);
    say_own_head(&ref, ref.seq);
    rig_wait(&r, 10100);
    restart();
    assert_int_equal(rig_status(n, "alone"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_claim_makes_a_request_and_no_log, setup, teardown),
        cmocka_unit_test_setup_teardown(
            invented_logs_do_not_shut_out_the_real_one, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_not_wanted_is_not_remembered, setup, teardown),
        cmocka_unit_test_setup_teardown(
            a_head_waits_until_its_device_is_certified, setup, teardown),
        cmocka_unit_test_setup_teardown(
            a_mere_claim_on_the_own_log_changes_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(own_entries_from_outside_end_the_log, setup, teardown),
        cmocka_unit_test_setup_teardown(the_log_stays_ended_after_a_restart, setup, teardown),
        cmocka_unit_test_setup_teardown(
            entries_are_alone_until_another_node_says_it_holds_them, setup, teardown),
        cmocka_unit_test_setup_teardown(
            another_entry_of_that_number_is_no_acknowledgement, setup, teardown),
        cmocka_unit_test_setup_teardown(
            acknowledgements_are_kept_with_the_next_write, setup, teardown),
        cmocka_unit_test_setup_teardown(
            acknowledgements_are_kept_after_ten_seconds_without_a_write, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
