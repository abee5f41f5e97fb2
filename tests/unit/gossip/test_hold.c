/* After a start own entries wait for those who may hold more of the log, and not for liars. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "logs.h"
#include "rig.h"
#include "rng.h"
#include "write.h"

static struct rig r;
static struct rig_node *n;
static struct rig_peer p;
static struct rig_peer q;
static struct al_ref known; /* the newest entry that another node said it holds */
static struct al_ref late;  /* written after the start */
static struct al_segment more;
static uint8_t space[AL_BLOCK_ENTRIES * RIG_PAYLOAD];

static void say_own_heads(struct rig_peer *from, const struct al_ref *refs, uint32_t count)
{
    struct al_buf list = al_heapbuf();
    struct al_message m = {.type = AL_MSG_OWN_HEADS};
    al_write_array(&list, count);
    for (uint32_t i = 0; i < count; i++)
        al_message_put_own_head(&list, &(struct al_own_head){.ref = refs[i]});
    m.u.own_heads.list = al_buf_slice(&list);
    m.u.own_heads.count = count;
    rig_peer_send(from, &m);
    al_heapbuf_free(&list);
}

/* It wants the entries of the node, and holds them as far as they were known before the start. */
static void meet(struct rig_peer *peer, uint64_t number)
{
    rig_peer_friend(peer, n, number);
    rig_peer_interests(peer, &n->me.root.identity, 1);
    rig_peer_item(peer, &n->me.root.identity, &known.device, &known.log, known.seq);
    rig_peer_drop(peer);
}

static int setup(void **state)
{
    (void)state;
    rig_init(&r);
    n = rig_add(&r, 0);
    rig_peer_friend(&p, n, 1);
    assert_int_equal(rig_post(n, "one", "network", &known), 0);
    say_own_heads(&p, &known, 1);
    rig_wait(&r, 10100);
    rig_peer_leave(&p);
    rig_stop(n);
    assert_int_equal(rig_start(n), 0);
    assert_int_equal(rig_post(n, "late", "network", &late), 0);
    assert_int_equal(late.seq, known.seq + 1);
    meet(&p, 1);
    q = p;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    rig_peer_leave(&p);
    rig_fini(&r);
    return 0;
}

/* The entry written after the start was pushed to |peer| since it was last asked. */
static bool left(struct rig_peer *peer)
{
    struct al_message m;
    static struct al_segment s;
    bool found = false;
    while (rig_peer_next(peer, AL_MSG_SEGMENT, &m)) {
        assert_int_equal(al_segment_open(&s, m.u.segment.segment), 0);
        found = found || (al_logname_eq(&s.log, &late.log) && al_segment_last(&s) >= late.seq);
    }
    return found;
}

static void it_waits_and_is_written_all_the_same(void **state)
{
    struct al_ref next;
    (void)state;
    rig_wait(&r, 5000);
    assert_false(left(&p));
    assert_int_equal(rig_post(n, "later", "network", &next), 0);
    assert_true(al_logname_eq(&next.log, &late.log));
    assert_true(next.seq > late.seq);
}

static void whoever_asks_gets_only_what_was_known(void **state)
{
    struct al_message m = {.type = AL_MSG_WANT, .req = 5};
    static struct al_segment s;
    (void)state;
    m.u.want.device = late.device;
    m.u.want.log = late.log;
    m.u.want.first = 1;
    m.u.want.last = 64;
    rig_peer_send(&p, &m);
    if (rig_peer_next(&p, AL_MSG_SEGMENT, &m)) {
        assert_int_equal(al_segment_open(&s, m.u.segment.segment), 0);
        assert_true(al_segment_last(&s) <= known.seq);
    }
}

static void whoever_holds_what_was_known_lets_it_go(void **state)
{
    (void)state;
    say_own_heads(&p, &known, 1);
    assert_true(left(&p));
    assert_int_equal(rig_post(n, "later", "network", &late), 0);
    assert_true(left(&p)); /* and what follows leaves at once */
}

static void whoever_knows_less_does_not(void **state)
{
    struct al_ref less = known;
    (void)state;
    less.seq = 1;
    say_own_heads(&p, NULL, 0);
    say_own_heads(&p, &less, 1); /* of another id, or not: it is less */
    rig_wait(&r, 9000);
    assert_false(left(&p));
    rig_wait(&r, 1100); /* ten seconds after the first peer was there */
    assert_true(left(&p));
}

static void a_peer_that_says_nothing_costs_ten_seconds(void **state)
{
    (void)state;
    rig_wait(&r, 9900);
    assert_false(left(&p));
    rig_wait(&r, 200);
    assert_true(left(&p));
}

static void a_peer_that_comes_and_goes_does_not_begin_them_anew(void **state)
{
    struct rig_peer second;
    (void)state;
    for (int i = 0; i < 9; i++) {
        rig_wait(&r, 1000);
        rig_peer_friend(&second, n, 2);
        rig_peer_leave(&second);
    }
    rig_wait(&r, 1100);
    assert_true(left(&p));
}

static void a_liar_costs_no_more(void **state)
{
    struct al_ref lies[40];
    struct al_message m;
    struct al_ref next;
    uint64_t logs = rig_status(n, "logs");
    uint32_t asked = 0;
    (void)state;
    meet(&q, 2);
    lies[0] = known;
    lies[0].seq = known.seq + 1000;
    for (uint64_t i = 1; i < 40; i++) {
        lies[i] = known;
        lies[i].seq = AL_SEQ_MAX;
        sample_bytes(lies[i].log.b, sizeof(lies[i].log.b), i);
    }
    for (int i = 0; i < 20; i++) {
        say_own_heads(&p, lies, 40);
        while (rig_peer_next(&p, AL_MSG_WANT, &m)) {
            rig_peer_done(&p, m.req, AL_DONE_NOT_HELD);
            asked++;
        }
        assert_int_equal(rig_post(n, "later", "network", &next), 0);
        assert_true(al_logname_eq(&next.log, &late.log));
        rig_wait(&r, 400);
    }
    assert_true(asked > 0);
    assert_false(left(&q));
    rig_wait(&r, 2100);
    assert_true(left(&q));
    assert_true(rig_status(n, "logs") == logs);
    rig_peer_leave(&q);
}

static void whoever_claims_another_entry_is_asked_for_it(void **state)
{
    struct al_ref other = late;
    struct al_message m;
    (void)state;
    other.id.b[0] ^= 1;
    say_own_heads(&p, &other, 1);
    assert_true(rig_peer_next(&p, AL_MSG_WANT, &m));
    assert_int_equal(m.u.want.last, late.seq);
    assert_false(left(&p));
}

static void one_voucher_is_not_enough_while_another_claims_more(void **state)
{
    struct al_ref claim = known;
    (void)state;
    claim.seq = known.seq + 10;
    meet(&q, 2);
    say_own_heads(&q, &claim, 1);
    say_own_heads(&p, &known, 1);
    assert_false(left(&p));
    rig_peer_leave(&q);
    rig_wait(&r, 100);
    assert_true(left(&p));
}

/* The log was longer, before its database was replaced by an older one. */
static void what_others_prove_to_hold_ends_the_log(void **state)
{
    struct sample_person me = n->me.as_sample;
    struct al_message m;
    struct al_ref claim = known;
    struct al_ref next;
    (void)state;
    me.log = known.log;
    sample_segment(&more, &me, known.seq + 1, &known.id, 5, space, RIG_PAYLOAD, 3);
    claim.seq = known.seq + 5;
    claim.id = more.items[4].id;
    say_own_heads(&p, &claim, 1);
    for (int i = 0; i < 4 && rig_peer_next(&p, AL_MSG_WANT, &m); i++) {
        static struct al_segment part;
        uint32_t skip = (uint32_t)(m.u.want.first - (known.seq + 1));
        part = more;
        if (m.u.want.first > more.first) {
            part.first = m.u.want.first;
            part.prev = more.items[skip - 1].id;
            part.count -= skip;
            memmove(part.items, more.items + skip, part.count * sizeof(part.items[0]));
        }
        rig_peer_segment(&p, m.req, &part);
        rig_peer_done(&p, m.req, AL_DONE_OK);
    }
    assert_int_equal(rig_peer_closed(&p), 0);
    rig_peer_drop(&p);
    assert_int_equal(rig_post(n, "next", "network", &next), 0);
    assert_false(al_logname_eq(&next.log, &known.log));
    (void)rig_status(n, "logs");
    const struct al_buf *status = &rig_last(&r)->bytes;
    assert_non_null(memmem(status->p, status->n, "came back from ~", 16)); /* and it is told */
    rig_wait(&r, 1000);
    assert_true(rig_peer_waiting(&p) > 0); /* the new log is told at once */
}

/* It holds the newest entries and lacks older ones: while the log was on hold nobody told it. */
static void whoever_holds_parts_is_told_of_the_rest(void **state)
{
    struct al_message m;
    (void)state;
    rig_peer_drop(&p);
    say_own_heads(&p, &known, 1);
    assert_true(rig_peer_next(&p, AL_MSG_RECONCILE, &m));
    struct al_slice list = al_message_list(m.u.reconcile.ranges);
    struct al_range range = {.item_count = 0};
    for (uint32_t i = 0; i < m.u.reconcile.count && range.item_count == 0; i++)
        al_message_next_range(&range, &list);
    struct al_slice items = al_message_list(range.items);
    bool told = false;
    for (uint32_t i = 0; i < range.item_count; i++) {
        struct al_item item;
        al_message_next_item(&item, &items);
        told = told || (al_logname_eq(&item.log, &late.log) && item.seq >= late.seq);
    }
    assert_true(told);
}

/* Another machine has the key, and was there first: it may go on with this very log. */
static void tell_clone(void)
{
    struct al_message m = {.type = AL_MSG_CLONE};
    al_u64be(m.u.clone.boot, 777);
    al_boot_sign(
        &m.u.clone.boot_sig, &n->me.keyring.device, n->me.keyring.device_secret, m.u.clone.boot);
    m.u.clone.yield = true;
    rig_peer_send(&p, &m);
    assert_int_equal(rig_peer_closed(&p), AL_E_CLONE);
}

static struct al_logs *load(struct al_rng *rng, struct al_store **ret_store)
{
    struct al_logs *l;
    static const uint8_t seed[32] = {2};
    al_rng_init(rng, seed);
    rig_stop(n);
    assert_int_equal(al_store_open_disk(ret_store, n->disk), 0);
    assert_int_equal(al_logs_new(&l, *ret_store, &n->me.keyring, rng), 0);
    return l;
}

static void in_a_copy_it_stands_where_it_never_leaves(void **state)
{
    struct al_store *store;
    struct al_rng rng;
    (void)state;
    tell_clone();
    assert_int_equal(rig_post(n, "as a copy", "network", &late), 0);
    assert_false(al_logname_eq(&late.log, &known.log));
    assert_true(late.seq > 1);
    struct al_logs *l = load(&rng, &store);
    assert_int_equal(al_log_head(al_logs_find(l, &known.device, &known.log)), known.seq);
    assert_int_equal(al_log_head(l->local), late.seq);
    assert_int_equal(l->aside, 0);
    al_logs_free(l);
    al_store_close(store);
    assert_int_equal(rig_start(n), 0);
}

/* It was started again meanwhile, and never was with anybody. */
static void what_it_wrote_in_an_earlier_life_goes_there_too(void **state)
{
    struct al_store *store;
    struct al_rng rng;
    (void)state;
    rig_peer_leave(&p);
    rig_stop(n);
    assert_int_equal(rig_start(n), 0);
    rig_peer_friend(&p, n, 1);
    tell_clone();
    struct al_logs *l = load(&rng, &store);
    uint64_t head = al_log_head(al_logs_find(l, &known.device, &known.log));
    bool has_local = l->local != NULL;
    al_logs_free(l);
    al_store_close(store);
    assert_int_equal(rig_start(n), 0);
    assert_int_equal(head, known.seq);
    assert_true(has_local);
}

static void what_has_left_stays_when_it_becomes_a_copy(void **state)
{
    struct al_store *store;
    struct al_rng rng;
    (void)state;
    say_own_heads(&p, &known, 1);
    assert_true(left(&p));
    tell_clone();
    struct al_logs *l = load(&rng, &store);
    assert_true(al_log_head(al_logs_find(l, &known.device, &known.log)) >= late.seq);
    assert_null(l->local);
    al_logs_free(l);
    al_store_close(store);
    assert_int_equal(rig_start(n), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(in_a_copy_it_stands_where_it_never_leaves, setup, teardown),
        cmocka_unit_test_setup_teardown(
            what_it_wrote_in_an_earlier_life_goes_there_too, setup, teardown),
        cmocka_unit_test_setup_teardown(
            what_has_left_stays_when_it_becomes_a_copy, setup, teardown),
        cmocka_unit_test_setup_teardown(it_waits_and_is_written_all_the_same, setup, teardown),
        cmocka_unit_test_setup_teardown(whoever_asks_gets_only_what_was_known, setup, teardown),
        cmocka_unit_test_setup_teardown(whoever_holds_what_was_known_lets_it_go, setup, teardown),
        cmocka_unit_test_setup_teardown(whoever_knows_less_does_not, setup, teardown),
        cmocka_unit_test_setup_teardown(
            a_peer_that_says_nothing_costs_ten_seconds, setup, teardown),
        cmocka_unit_test_setup_teardown(
            a_peer_that_comes_and_goes_does_not_begin_them_anew, setup, teardown),
        cmocka_unit_test_setup_teardown(a_liar_costs_no_more, setup, teardown),
        cmocka_unit_test_setup_teardown(
            whoever_claims_another_entry_is_asked_for_it, setup, teardown),
        cmocka_unit_test_setup_teardown(
            one_voucher_is_not_enough_while_another_claims_more, setup, teardown),
        cmocka_unit_test_setup_teardown(whoever_holds_parts_is_told_of_the_rest, setup, teardown),
        cmocka_unit_test_setup_teardown(what_others_prove_to_hold_ends_the_log, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
