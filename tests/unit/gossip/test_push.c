/* What is new goes out at once, to those who want it and have all before it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rig.h"

static struct rig r;
static struct rig_node *n;
static struct rig_peer p;
static struct al_segment seg;

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

/* The hand wants the node's entries, and says it holds |seq| of the log of |ref|. */
static void want_after(const struct al_ref *ref)
{
    struct al_head head = {.device = ref->device, .log = ref->log, .seq = ref->seq};
    rig_peer_interests(&p, &n->me.root.identity, 1);
    rig_peer_heads(&p, &head, 1);
    rig_peer_drop(&p);
}

static bool next_push(void)
{
    struct al_message m;
    return rig_peer_next(&p, AL_MSG_SEGMENT, &m) && m.req == 0 &&
           al_segment_open(&seg, m.u.segment.segment) == 0 && al_segment_verify(&seg) == 0;
}

static void an_entry_goes_to_whoever_holds_all_before_it(void **state)
{
    struct al_ref ref;
    (void)state;
    assert_int_equal(rig_post(n, "one", "network", &ref), 0);
    want_after(&ref);
    assert_int_equal(rig_post(n, "two", "network", &ref), 0);
    assert_true(next_push());
    assert_int_equal(seg.first, ref.seq);
    assert_int_equal(seg.count, 1);
}

static void a_long_import_goes_out_block_by_block(void **state)
{
    struct al_ref ref;
    uint64_t next;
    (void)state;
    assert_int_equal(rig_post(n, "one", "network", &ref), 0);
    want_after(&ref);
    rig_post_many(n, 200, 10);
    next = ref.seq + 1;
    while (next_push()) {
        assert_int_equal(seg.first, next);
        next = al_segment_last(&seg) + 1;
    }
    assert_int_equal(next, ref.seq + 201);
}

static void nothing_is_pushed_before_its_commit(void **state)
{
    struct al_ref ref;
    (void)state;
    assert_int_equal(rig_post(n, "one", "network", &ref), 0);
    want_after(&ref);
    al_store_disk_fail_commit(n->disk, AL_E_IO, false);
    assert_int_equal(rig_post(n, "two", "network", &ref), AL_E_IO);
    assert_false(next_push());
}

static void whoever_lacks_more_hears_of_the_head_after_a_moment(void **state)
{
    struct al_message m;
    (void)state;
    rig_peer_interests(&p, &n->me.root.identity, 1);
    rig_peer_drop(&p);
    assert_int_equal(rig_post(n, "one", "network", NULL), 0);
    assert_int_equal(rig_peer_waiting(&p), 0);
    rig_wait(&r, 300);
    assert_true(rig_peer_next(&p, AL_MSG_HEADS, &m));
    assert_int_equal(m.u.heads.count, 1);
}

static void whoever_does_not_want_it_hears_nothing(void **state)
{
    (void)state;
    assert_int_equal(rig_post(n, "one", "network", NULL), 0);
    rig_wait(&r, 1000);
    assert_int_equal(rig_peer_waiting(&p), 0);
}

static void whoever_reads_slowly_gets_heads_instead_of_entries(void **state)
{
    struct al_ref ref;
    struct al_message m;
    size_t pushed = 0;
    (void)state;
    assert_int_equal(rig_post(n, "one", "network", &ref), 0);
    want_after(&ref);
    r.slow = true;
    for (int i = 0; i < 40; i++)
        rig_post_many(n, 64, 1500);
    rig_wait(&r, 300);
    while (rig_peer_waiting(&p) > 0 && rig_peer_next(&p, AL_MSG_SEGMENT, &m))
        pushed += m.raw.n;
    assert_in_range(pushed, 1024 * 1024, 1024 * 1024 + AL_MESSAGE_MAX);
}

static void a_push_is_stored_and_passed_on(void **state)
{
    static uint8_t space[AL_BLOCK_ENTRIES * RIG_PAYLOAD];
    struct rig_peer q;
    struct al_message m;
    (void)state;
    rig_peer_friend(&q, n, 2);
    rig_peer_interests(&q, &p.who.root.identity, 1);
    rig_peer_drop(&q);
    rig_chain(&seg, &p.who, 2, space);
    rig_peer_segment(&p, 0, &seg);
    assert_int_equal(rig_holds(n, &p.who), 2);
    assert_true(rig_peer_next(&q, AL_MSG_SEGMENT, &m));
    assert_true(rig_peer_next(&p, AL_MSG_OWN_HEADS, &m)); /* and acknowledged to its author */
    assert_int_equal(m.u.own_heads.count, 1);
    rig_peer_leave(&q);
}

static void nothing_is_acknowledged_before_its_commit(void **state)
{
    static uint8_t space[AL_BLOCK_ENTRIES * RIG_PAYLOAD];
    struct al_message m;
    (void)state;
    rig_chain(&seg, &p.who, 2, space);
    al_store_disk_fail_commit(n->disk, AL_E_IO, false);
    rig_peer_segment(&p, 0, &seg);
    assert_int_equal(rig_holds(n, &p.who), 0);
    assert_false(rig_peer_next(&p, AL_MSG_OWN_HEADS, &m));
    assert_int_equal(rig_peer_closed(&p), AL_E_CLOSED);
}

static void a_push_that_leaves_a_gap_is_an_announcement(void **state)
{
    static struct al_segment blocks[2];
    static uint8_t space[2 * AL_BLOCK_ENTRIES * RIG_PAYLOAD];
    struct al_message m;
    (void)state;
    rig_chain(blocks, &p.who, 70, space);
    rig_peer_segment(&p, 0, &blocks[1]);
    assert_int_equal(rig_holds(n, &p.who), 0);
    assert_true(rig_peer_next(&p, AL_MSG_WANT, &m));
    assert_int_equal(m.u.want.first, 65);
    assert_int_equal(m.u.want.last, 70);
}

static void a_push_that_nobody_wants_is_dropped(void **state)
{
    static uint8_t space[AL_BLOCK_ENTRIES * RIG_PAYLOAD];
    struct rig_person other;
    (void)state;
    rig_person(&other, 3);
    rig_chain(&seg, &other, 2, space);
    rig_peer_segment(&p, 0, &seg);
    assert_int_equal(rig_peer_closed(&p), 0);
    assert_int_equal(rig_holds(n, &other), 0);
}

static void a_push_with_a_bad_signature_ends_the_connection(void **state)
{
    static uint8_t space[AL_BLOCK_ENTRIES * RIG_PAYLOAD];
    (void)state;
    rig_chain(&seg, &p.who, 2, space);
    seg.sig.b[0] ^= 1;
    rig_peer_segment(&p, 0, &seg);
    assert_int_equal(rig_peer_closed(&p), AL_E_SIG);
    assert_int_equal(rig_holds(n, &p.who), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            an_entry_goes_to_whoever_holds_all_before_it, setup, teardown),
        cmocka_unit_test_setup_teardown(a_long_import_goes_out_block_by_block, setup, teardown),
        cmocka_unit_test_setup_teardown(nothing_is_pushed_before_its_commit, setup, teardown),
        cmocka_unit_test_setup_teardown(
            whoever_lacks_more_hears_of_the_head_after_a_moment, setup, teardown),
        cmocka_unit_test_setup_teardown(whoever_does_not_want_it_hears_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(
            whoever_reads_slowly_gets_heads_instead_of_entries, setup, teardown),
        cmocka_unit_test_setup_teardown(a_push_is_stored_and_passed_on, setup, teardown),
        cmocka_unit_test_setup_teardown(nothing_is_acknowledged_before_its_commit, setup, teardown),
        cmocka_unit_test_setup_teardown(
            a_push_that_leaves_a_gap_is_an_announcement, setup, teardown),
        cmocka_unit_test_setup_teardown(a_push_that_nobody_wants_is_dropped, setup, teardown),
        cmocka_unit_test_setup_teardown(
            a_push_with_a_bad_signature_ends_the_connection, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
