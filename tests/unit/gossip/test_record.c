/* What the root of a person says, and what follows from it for those who carry its logs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proof.h"
#include "rig.h"
#include "statement.h"
#include "write.h"

#define CUT 50

static struct rig r;
static struct rig_node *n;
static struct rig_peer p;
static struct rig_peer q;
static struct rig_person author;
static struct al_segment good[2]; /* the branch that the root will name */
static struct al_segment bad[2];  /* parts from it at 40 */
static uint8_t space[2][2 * AL_BLOCK_ENTRIES * RIG_PAYLOAD];

static int setup(void **state)
{
    (void)state;
    rig_init(&r);
    n = rig_add(&r, 0);
    rig_person(&author, 1);
    rig_relate(n, &author.root.identity, "follow", true);
    rig_chain(good, &author, 70, space[0]);
    rig_chain(bad, &author, 70, space[1]);
    space[1][39 * RIG_PAYLOAD] ^= 1;
    sample_sign(&bad[0], &author.as_sample);
    bad[1].prev = bad[0].items[63].id;
    sample_sign(&bad[1], &author.as_sample);
    rig_peer_friend(&p, n, 2);
    rig_peer_friend(&q, n, 3);
    rig_peer_interests(&p, &author.root.identity, 1);
    rig_peer_interests(&q, &author.root.identity, 1);
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

/* |from| tells that the record differs, and answers the question. */
static void tell_statements(struct rig_peer *from, struct al_slice list, uint32_t count)
{
    struct al_device none = {{0}};
    struct al_logname no_log = {{0}};
    struct al_message m;
    rig_peer_item(from, &author.root.identity, &none, &no_log, 90 + count);
    assert_true(rig_peer_next(from, AL_MSG_WANT_STATEMENTS, &m));
    struct al_message answer = {.type = AL_MSG_STATEMENTS, .req = m.req};
    answer.u.statements.list = list;
    answer.u.statements.count = count;
    answer.u.statements.last = true;
    rig_peer_send(from, &answer);
}

static void certify(struct rig_peer *from)
{
    static uint8_t bytes[1024];
    struct al_buf list = al_buf_fixed(bytes, sizeof(bytes));
    al_write_array(&list, 1);
    rig_cert(&list, &author);
    tell_statements(from, al_buf_slice(&list), 1);
}

/* The root lets count what |branch| holds up to CUT. */
static void revoke(struct rig_peer *from, const struct al_segment *branch)
{
    static uint8_t bytes[2048];
    struct al_buf list = al_buf_fixed(bytes, sizeof(bytes));
    struct al_cut cut = {.log = branch->log, .seq = CUT, .id = branch->items[CUT - 1].id};
    al_write_array(&list, 1);
    al_statement_encode_revoke(
        &list, &author.root.identity, author.root.secret, &author.keyring.device, &cut, 1);
    tell_statements(from, al_buf_slice(&list), 1);
}

static void say_head(struct rig_peer *from, uint64_t seq)
{
    rig_peer_item(from, &author.root.identity, &author.keyring.device, &good[0].log, seq);
}

/* Answer what |from| is asked for out of |branch|, up to the cut: how often. */
static uint32_t serve(struct rig_peer *from, const struct al_segment *branch)
{
    struct al_message m;
    uint32_t asked = 0;
    for (; asked < 1000 && rig_peer_next(from, AL_MSG_WANT, &m); asked++) {
        static struct al_segment s;
        uint64_t first = m.u.want.first;
        uint64_t last = m.u.want.last;
        uint32_t req = m.req;
        s = branch[al_block_of(first)];
        uint32_t skip = (uint32_t)(first - s.first);
        if (skip > 0)
            s.prev = s.items[skip - 1].id;
        memmove(s.items, s.items + skip, (s.count - skip) * sizeof(s.items[0]));
        s.first = first;
        s.count = (uint32_t)(last - first + 1);
        sample_sign(&s, &author.as_sample);
        rig_peer_segment(from, req, &s);
        rig_peer_done(from, req, AL_DONE_OK);
    }
    return asked;
}

static bool holds_id(uint64_t seq, const struct al_segment *branch)
{
    struct al_store_log log;
    struct al_store_row row;
    assert_true(rig_log(n, &log, &author.keyring.device));
    if (al_store_get(n->store, &row, log.no, seq) != 0)
        return false;
    return al_hash_eq(&row.id, &branch[(seq - 1) / 64].items[(seq - 1) % 64].id);
}

static void a_device_that_is_revoked_is_let_go(void **state)
{
    struct rig_peer thief;
    struct al_message m;
    (void)state;
    certify(&p);
    rig_peer_friend(&thief, n, 1);
    rig_peer_segment(&thief, 0, &good[0]);
    revoke(&p, good);
    assert_int_equal(rig_peer_closed(&thief), AL_E_REVOKED);
    assert_true(rig_peer_next(&thief, AL_MSG_GOODBYE, &m));
    assert_true(al_slice_is(m.u.goodbye.reason, "revoked"));
    assert_int_equal(rig_peer_closed(&p), 0);
    assert_int_equal(rig_holds(n, &author), 64); /* hidden, not gone */
    rig_peer_leave(&thief);
}

static void a_change_is_told_to_everybody_else(void **state)
{
    struct al_message m;
    (void)state;
    certify(&p);
    assert_true(rig_peer_next(&q, AL_MSG_RECONCILE, &m));
    rig_peer_drop(&p);
    rig_peer_drop(&q);
    revoke(&p, good);
    assert_true(rig_peer_next(&q, AL_MSG_RECONCILE, &m));
    assert_false(rig_peer_next(&p, AL_MSG_RECONCILE, &m)); /* it has just told it */
    revoke(&q, good);                                      /* known: nobody is told */
    assert_false(rig_peer_next(&p, AL_MSG_RECONCILE, &m));
}

static void nothing_beyond_the_cut_is_given_asked_for_or_taken(void **state)
{
    struct al_message m;
    static struct al_segment s;
    (void)state;
    certify(&p);
    rig_peer_segment(&p, 0, &good[0]);
    revoke(&p, good);
    rig_peer_drop(&p);
    rig_peer_drop(&q);
    say_head(&q, 70);
    assert_false(rig_peer_next(&q, AL_MSG_WANT, &m));
    rig_peer_segment(&q, 0, &good[1]);
    assert_int_equal(rig_peer_closed(&q), 0);
    assert_int_equal(rig_holds(n, &author), 64);
    m = (struct al_message){.type = AL_MSG_WANT, .req = 5};
    m.u.want.device = author.keyring.device;
    m.u.want.log = good[0].log;
    m.u.want.first = 41;
    m.u.want.last = 64;
    rig_peer_send(&q, &m);
    assert_true(rig_peer_next(&q, AL_MSG_SEGMENT, &m));
    assert_int_equal(al_segment_open(&s, m.u.segment.segment), 0);
    assert_int_equal(al_segment_last(&s), CUT);
    uint8_t seqs[] = {0x91, CUT + 1};
    m = (struct al_message){.type = AL_MSG_WANT_PAYLOAD, .req = 6};
    m.u.want_payload.device = author.keyring.device;
    m.u.want_payload.log = good[0].log;
    m.u.want_payload.seqs = al_slice_of(seqs, sizeof(seqs));
    m.u.want_payload.count = 1;
    rig_peer_send(&q, &m);
    assert_false(rig_peer_next(&q, AL_MSG_PAYLOAD, &m));
}

static void the_branch_that_the_root_named_takes_the_place_of_the_other(void **state)
{
    (void)state;
    certify(&p);
    rig_peer_segment(&p, 0, &bad[0]);
    rig_peer_segment(&q, 0, &good[0]); /* the fork is noticed */
    assert_true(holds_id(45, bad));
    revoke(&p, good);
    assert_false(holds_id(45, bad));
    rig_peer_drop(&q);
    say_head(&q, CUT);
    assert_true(serve(&p, bad) > 0); /* it was asked first, and can't show what the root named */
    assert_true(serve(&q, good) > 0);
    for (uint64_t seq = 1; seq <= CUT; seq++)
        assert_true(holds_id(seq, good));
}

static void whoever_offers_the_other_branch_is_not_asked_in_circles(void **state)
{
    uint32_t asked = 0;
    (void)state;
    certify(&p);
    rig_peer_segment(&p, 0, &bad[0]);
    rig_peer_segment(&q, 0, &good[0]);
    revoke(&p, good);
    asked += serve(&p, bad);
    rig_wait(&r, 5000);
    asked += serve(&p, bad);
    assert_in_range(asked, 1, 4);
    assert_int_equal(rig_peer_closed(&p), 0);
    say_head(&q, CUT);
    assert_true(serve(&q, good) > 0); /* and the good one is found all the same */
    assert_true(holds_id(45, good));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_device_that_is_revoked_is_let_go, setup, teardown),
        cmocka_unit_test_setup_teardown(a_change_is_told_to_everybody_else, setup, teardown),
        cmocka_unit_test_setup_teardown(
            nothing_beyond_the_cut_is_given_asked_for_or_taken, setup, teardown),
        cmocka_unit_test_setup_teardown(
            the_branch_that_the_root_named_takes_the_place_of_the_other, setup, teardown),
        cmocka_unit_test_setup_teardown(
            whoever_offers_the_other_branch_is_not_asked_in_circles, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
