/* A peer that is let in and means harm: what it costs is bounded, and others notice nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "rig.h"
#include "sample_wire.h"
#include "write.h"

#define MIB ((size_t)1024 * 1024)

static struct rig r;
static struct rig_node *n;
static struct rig_peer p; /* the hostile one */
static struct rig_peer q; /* an honest one */
static size_t heap;       /* before it begins */

static int setup(void **state)
{
    (void)state;
    rig_init(&r);
    n = rig_add(&r, 0);
    rig_peer_friend(&p, n, 1);
    rig_peer_friend(&q, n, 2);
    rig_post_many(n, 640, 1000);
    rig_peer_interests(&p, &n->me.root.identity, 1);
    rig_wait(&r, 300);
    rig_peer_drop(&p);
    rig_peer_drop(&q);
    heap = rig_heap();
    return 0;
}

/* Whatever was done: the honest peer is served, and the owner can write. */
static int teardown(void **state)
{
    struct al_message m = {.type = AL_MSG_PING};
    int failed = 0;
    (void)state;
    r.slow = false;
    m.u.ping.n = 99;
    rig_peer_send(&q, &m);
    failed += !rig_peer_next(&q, AL_MSG_PONG, &m) || m.u.pong.n != 99;
    failed += rig_post(n, "still here", "network", NULL) != 0;
    failed += rig_peer_closed(&q) != 0;
    rig_peer_leave(&p);
    rig_peer_leave(&q);
    rig_fini(&r);
    return failed;
}

static bool heap_grew_by(size_t most)
{
    return rig_heap() > heap + most;
}

static void send_ranges(uint32_t session, bool more, const struct al_range *ranges, uint32_t count)
{
    struct al_buf list = al_heapbuf();
    struct al_message m = {.type = AL_MSG_RECONCILE};
    al_write_array(&list, count);
    for (uint32_t i = 0; i < count; i++)
        al_message_put_range(&list, &ranges[i]);
    m.u.reconcile.session = session;
    m.u.reconcile.more = more;
    m.u.reconcile.ranges = al_buf_slice(&list);
    m.u.reconcile.count = count;
    rig_peer_send(&p, &m);
    al_heapbuf_free(&list);
}

static void want(uint32_t req, uint64_t first)
{
    struct al_message m = {.type = AL_MSG_WANT, .req = req};
    struct al_store_log log;
    assert_true(rig_log(n, &log, &n->me.keyring.device));
    m.u.want.device = log.device;
    m.u.want.log = log.log;
    m.u.want.first = first;
    m.u.want.last = first + 63;
    rig_peer_send(&p, &m);
}

static void every_message_in_any_order_is_survived(void **state)
{
    static uint8_t lists[AL_MESSAGE_MAX];
    struct al_message m;
    (void)state;
    for (uint64_t first = AL_MSG_INTERESTS; first <= AL_MSG_GOODBYE; first++) {
        for (uint64_t second = AL_MSG_INTERESTS; second <= AL_MSG_GOODBYE; second++) {
            struct al_buf b = al_buf_fixed(lists, sizeof(lists));
            if (rig_peer_closed(&p) != 0) {
                rig_peer_leave(&p);
                r.conn_count -= 1; /* its place can be taken again: nothing is under way */
                rig_peer_connect(&p, n, 1);
                rig_peer_hello(&p, NULL);
            }
            if (sample_message(&m, first, &b))
                rig_peer_send(&p, &m);
            b = al_buf_fixed(lists, sizeof(lists));
            if (sample_message(&m, second, &b))
                rig_peer_send(&p, &m);
            rig_peer_drop(&p);
        }
    }
    assert_false(heap_grew_by(MIB));
}

static void garbage_ends_the_connection_with_its_name(void **state)
{
    struct al_message m;
    (void)state;
    rig_peer_raw(&p, "\x92\x1e\x81", 3);
    assert_int_equal(rig_peer_closed(&p), AL_E_TRUNCATED);
    assert_true(rig_peer_next(&p, AL_MSG_GOODBYE, &m));
    assert_true(al_slice_is(m.u.goodbye.reason, "truncated"));
}

static void a_flood_of_pings_is_cut_off(void **state)
{
    struct al_message m = {.type = AL_MSG_PING};
    uint32_t sent = 0;
    (void)state;
    while (rig_peer_closed(&p) == 0 && sent < 100000) {
        rig_peer_send(&p, &m);
        rig_peer_drop(&p);
        sent++;
    }
    assert_int_equal(rig_peer_closed(&p), AL_E_BUDGET);
    assert_in_range(sent, 1000, 20000);
}

static void messages_of_later_versions_are_ignored_within_the_budget(void **state)
{
    static uint8_t bytes[64 * 1024] = {0x92, 0xcd, 0x01, 0x00, 0xc5, 0xff, 0xf9};
    uint32_t sent = 0;
    (void)state;
    while (rig_peer_closed(&p) == 0 && sent < 100000) {
        rig_peer_raw(&p, bytes, sizeof(bytes));
        sent++;
    }
    assert_int_equal(rig_peer_closed(&p), AL_E_BUDGET);
    assert_true(sent > 1000);
    assert_false(heap_grew_by(MIB));
}

static void two_hundred_thousand_heads_are_not_remembered(void **state)
{
    struct al_head heads[500];
    (void)state;
    for (uint64_t i = 0; i < 400 && rig_peer_closed(&p) == 0; i++) {
        for (uint64_t k = 0; k < 500; k++) {
            heads[k] = (struct al_head){.device = p.who.keyring.device, .seq = AL_SEQ_MAX};
            sample_bytes(heads[k].log.b, sizeof(heads[k].log.b), i * 500 + k);
        }
        rig_peer_heads(&p, heads, 500);
        rig_peer_drop(&p);
    }
    assert_false(heap_grew_by(2 * MIB));
    assert_int_equal(rig_status(n, "logs"), 1);
    assert_int_equal(rig_peer_closed(&p), 0);
}

static void whoever_asks_and_does_not_read_is_told_to_wait(void **state)
{
    (void)state;
    r.slow = true;
    for (uint32_t i = 0; i < 20000 && rig_peer_closed(&p) == 0; i++)
        want(i + 1, 1 + 64 * (i % 10));
    assert_false(heap_grew_by(12 * MIB));
    assert_int_equal(rig_peer_closed(&p), 0);
}

/* It asks at a pace that the budget allows, and reads nothing. */
static void whoever_never_reads_is_let_go(void **state)
{
    struct al_message m = {.type = AL_MSG_RESET};
    struct al_identity id;
    uint32_t asked = 0;
    (void)state;
    for (uint64_t i = 0; i < 500; i++) {
        sample_bytes(&id, sizeof(id), 300 + i);
        rig_relate(n, &id, "follow", true);
    }
    rig_peer_drop(&p);
    rig_peer_drop(&q);
    r.slow = true;
    for (; rig_peer_closed(&p) == 0 && asked < 20000; asked++) {
        r.now.mono_ms += 10;
        rig_peer_send(&p, &m); /* each time it is told all 500 again */
    }
    assert_int_equal(rig_peer_closed(&p), AL_E_BUDGET);
    assert_in_range(asked, 1000, 4000);
}

static void whoever_asks_for_everything_again_and_again_is_cut_off(void **state)
{
    struct al_range everything = {.mode = AL_RANGE_FINGERPRINT};
    uint32_t asked = 0;
    (void)state;
    for (; rig_peer_closed(&p) == 0 && asked < 1000000; asked++) {
        send_ranges(2 * asked, false, &everything, 1);
        rig_peer_drop(&p);
    }
    assert_int_equal(rig_peer_closed(&p), AL_E_BUDGET);
}

static void payloads_asked_for_in_one_breath_do_not_pile_up(void **state)
{
    uint8_t bytes[64 * 9 + 5];
    struct al_store_log log;
    (void)state;
    r.slow = true;
    rig_post_many(n, 64, 30000);
    heap = rig_heap();
    assert_true(rig_log(n, &log, &n->me.keyring.device));
    for (uint32_t i = 0; i < 2000 && rig_peer_closed(&p) == 0; i++) {
        struct al_buf list = al_buf_fixed(bytes, sizeof(bytes));
        struct al_message m = {.type = AL_MSG_WANT_PAYLOAD, .req = i + 1};
        al_write_array(&list, 64);
        for (uint64_t k = 0; k < 64; k++)
            al_write_uint(&list, log.head_seq - 63 + k);
        m.u.want_payload.device = log.device;
        m.u.want_payload.log = log.log;
        m.u.want_payload.seqs = al_buf_slice(&list);
        m.u.want_payload.count = 64;
        rig_peer_send(&p, &m);
    }
    assert_false(heap_grew_by(12 * MIB));
    assert_int_equal(rig_peer_closed(&p), 0);
}

static void records_asked_for_in_one_breath_do_not_pile_up(void **state)
{
    static uint8_t bytes[40];
    (void)state;
    r.slow = true;
    for (uint32_t i = 0; i < 30000 && rig_peer_closed(&p) == 0; i++) {
        struct al_buf list = al_buf_fixed(bytes, sizeof(bytes));
        struct al_message m = {.type = AL_MSG_WANT_STATEMENTS, .req = i + 1};
        al_write_array(&list, 1);
        al_write_bin(&list, n->me.root.identity.b, 32);
        m.u.want_statements.list = al_buf_slice(&list);
        m.u.want_statements.count = 1;
        rig_peer_send(&p, &m);
    }
    assert_false(heap_grew_by(12 * MIB));
    assert_int_equal(rig_peer_closed(&p), 0);
}

static void lists_that_never_end_keep_one_place(void **state)
{
    struct al_range everything = {.mode = AL_RANGE_FINGERPRINT};
    (void)state;
    for (uint32_t i = 0; i < 5000 && rig_peer_closed(&p) == 0; i++) {
        send_ranges(2 * i, true, &everything, 1);
        rig_peer_drop(&p);
    }
    assert_false(heap_grew_by(MIB));
    assert_int_equal(rig_peer_closed(&p), 0);
}

static void ranges_in_any_order_are_answered_and_done_with(void **state)
{
    static const uint8_t high[] = {0xff, 0xff};
    static const uint8_t low[] = {0x01};
    struct al_range ranges[] = {
        {.mode = AL_RANGE_FINGERPRINT, .upper = al_slice_of(high, sizeof(high))},
        {.mode = AL_RANGE_FINGERPRINT},
    };
    struct al_range back = {.mode = AL_RANGE_FINGERPRINT, .upper = al_slice_of(low, sizeof(low))};
    struct al_message m;
    (void)state;
    send_ranges(0, true, ranges, 2);
    for (int i = 0; i < 100; i++)
        send_ranges(0, true, &back, 1); /* the list goes on, and goes back */
    send_ranges(0, false, &back, 1);
    while (rig_peer_next(&p, AL_MSG_RECONCILE, &m))
        ;
    assert_false(heap_grew_by(MIB));
    assert_int_equal(rig_peer_closed(&p), 0);
}

static void a_record_that_always_differs_is_asked_for_once_at_a_time(void **state)
{
    struct al_device none = {{0}};
    struct al_logname no_log = {{0}};
    struct al_message m;
    uint32_t asked = 0;
    (void)state;
    for (uint64_t i = 0; i < 1000; i++)
        rig_peer_item(&p, &p.who.root.identity, &none, &no_log, 2 + i);
    while (rig_peer_next(&p, AL_MSG_WANT_STATEMENTS, &m))
        asked++;
    assert_int_equal(asked, 1);
}

static void statements_nobody_asked_for_end_the_connection(void **state)
{
    static uint8_t bytes[1024];
    struct al_buf list = al_buf_fixed(bytes, sizeof(bytes));
    struct al_message m = {.type = AL_MSG_STATEMENTS, .req = 77};
    struct rig_person other;
    (void)state;
    rig_person(&other, 9);
    al_write_array(&list, 1);
    rig_cert(&list, &other);
    m.u.statements.list = al_buf_slice(&list);
    m.u.statements.count = 1;
    m.u.statements.last = true;
    rig_peer_send(&p, &m);
    assert_int_equal(rig_peer_closed(&p), AL_E_UNEXPECTED);
}

static void statements_of_somebody_else_are_no_answer(void **state)
{
    static uint8_t bytes[1024];
    struct al_buf list = al_buf_fixed(bytes, sizeof(bytes));
    struct al_message m;
    struct al_message answer = {.type = AL_MSG_STATEMENTS};
    struct al_device none = {{0}};
    struct al_logname no_log = {{0}};
    struct rig_person other;
    (void)state;
    rig_person(&other, 9);
    rig_peer_item(&p, &p.who.root.identity, &none, &no_log, 2);
    assert_true(rig_peer_next(&p, AL_MSG_WANT_STATEMENTS, &m));
    al_write_array(&list, 1);
    rig_cert(&list, &other);
    answer.req = m.req;
    answer.u.statements.list = al_buf_slice(&list);
    answer.u.statements.count = 1;
    answer.u.statements.last = true;
    rig_peer_send(&p, &answer);
    assert_int_equal(rig_peer_closed(&p), AL_E_IDENTITY);
}

static void the_same_segment_again_and_again_is_cut_off(void **state)
{
    static struct al_segment seg;
    static uint8_t space[AL_BLOCK_ENTRIES * RIG_PAYLOAD];
    uint32_t sent = 0;
    (void)state;
    rig_chain(&seg, &p.who, 3, space);
    while (rig_peer_closed(&p) == 0 && sent < 100000) {
        rig_peer_segment(&p, 0, &seg);
        rig_peer_drop(&p);
        sent++;
    }
    assert_int_equal(rig_peer_closed(&p), AL_E_BUDGET);
    assert_int_equal(rig_holds(n, &p.who), 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_message_in_any_order_is_survived, setup, teardown),
        cmocka_unit_test_setup_teardown(garbage_ends_the_connection_with_its_name, setup, teardown),
        cmocka_unit_test_setup_teardown(a_flood_of_pings_is_cut_off, setup, teardown),
        cmocka_unit_test_setup_teardown(
            messages_of_later_versions_are_ignored_within_the_budget, setup, teardown),
        cmocka_unit_test_setup_teardown(
            two_hundred_thousand_heads_are_not_remembered, setup, teardown),
        cmocka_unit_test_setup_teardown(
            whoever_asks_and_does_not_read_is_told_to_wait, setup, teardown),
        cmocka_unit_test_setup_teardown(whoever_never_reads_is_let_go, setup, teardown),
        cmocka_unit_test_setup_teardown(
            whoever_asks_for_everything_again_and_again_is_cut_off, setup, teardown),
        cmocka_unit_test_setup_teardown(
            payloads_asked_for_in_one_breath_do_not_pile_up, setup, teardown),
        cmocka_unit_test_setup_teardown(
            records_asked_for_in_one_breath_do_not_pile_up, setup, teardown),
        cmocka_unit_test_setup_teardown(lists_that_never_end_keep_one_place, setup, teardown),
        cmocka_unit_test_setup_teardown(
            ranges_in_any_order_are_answered_and_done_with, setup, teardown),
        cmocka_unit_test_setup_teardown(
            a_record_that_always_differs_is_asked_for_once_at_a_time, setup, teardown),
        cmocka_unit_test_setup_teardown(
            statements_nobody_asked_for_end_the_connection, setup, teardown),
        cmocka_unit_test_setup_teardown(statements_of_somebody_else_are_no_answer, setup, teardown),
        cmocka_unit_test_setup_teardown(
            the_same_segment_again_and_again_is_cut_off, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
