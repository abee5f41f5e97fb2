/* Entries one by one: of people whom the asker does not follow, from whoever holds them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "payload.h"
#include "proof.h"
#include "read.h"
#include "rig.h"
#include "rpc.h"
#include "sample_wire.h"
#include "statement.h"
#include "write.h"

static struct rig r;
static struct rig_node *n;     /* asks */
static struct rig_node *other; /* follows |author|, whom the first does not */
static struct rig_peer p;      /* by hand, a friend of the first */
static struct rig_peer author;
static struct rig_person unknown; /* person 9, of whom only excerpts are seen */
static struct al_segment blocks[2];
static uint8_t space[2 * AL_BLOCK_ENTRIES * RIG_PAYLOAD];

static int setup(void **state)
{
    (void)state;
    rig_init(&r);
    n = rig_add(&r, 0);
    rig_peer_friend(&p, n, 2);
    rig_person(&unknown, 9);
    rig_chain(blocks, &unknown, 70, space);
    other = NULL;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    rig_peer_leave(&p);
    rig_fini(&r);
    return 0;
}

/* The asker meets somebody who carries the log of |author|. */
static void meet_other(void)
{
    other = rig_add(&r, 1);
    assert_int_equal(rig_join(n, rig_invite(other, 1)), 0);
    rig_run(&r);
    rig_peer_friend(&author, other, 9);
    for (int i = 0; i < 2; i++)
        rig_peer_segment(&author, 0, &blocks[i]);
    assert_int_equal(rig_holds(other, &unknown), 70);
}

static struct al_ref ref_of(const struct al_segment *s, uint32_t index)
{
    return (struct al_ref){
        .device = s->device, .log = s->log, .seq = s->first + index, .id = s->items[index].id};
}

/* Call |method| about |ref|: the error, or RIG_PENDING. */
static int call(const char *method, const struct al_ref *ref, uint64_t timeout)
{
    struct al_buf b = al_heapbuf();
    al_write_map(&b, 2);
    al_write_cstr(&b, "ref");
    al_write_ref(&b, ref);
    al_write_cstr(&b, "timeout");
    al_write_uint(&b, timeout);
    int err = rig_call(n, method, al_buf_slice(&b));
    al_heapbuf_free(&b);
    return err;
}

/* What the last call was answered. */
static bool answered(const char *key, uint64_t *ret)
{
    const struct rig_answer *a = rig_last(&r);
    if (a == NULL)
        return false;
    assert_int_equal(a->err, 0);
    struct al_read in = al_read_init(al_rpc_param(al_buf_slice(&a->bytes), key));
    *ret = al_read_peek(&in) == AL_TYPE_BOOL ? al_read_bool(&in) : al_read_uint(&in, UINT64_MAX);
    assert_int_equal(al_read_end(&in), 0);
    return true;
}

static uint64_t answer(const char *key)
{
    uint64_t value = 0;
    assert_true(answered(key, &value));
    return value;
}

/* --- by hand ------------------------------------------------------------------------------- */

/* Answer |m|, a fetch, with entry |index| of |s| and the statements in |list|. */
static void give(
    uint32_t req, const struct al_segment *s, uint32_t index, struct al_slice list, uint32_t count)
{
    static struct al_segment stubbed;
    struct al_buf body = al_heapbuf();
    struct al_message m = {.type = AL_MSG_EXCERPT, .req = req};
    stubbed = *s;
    for (uint32_t i = 0; i < s->count; i++) {
        if (i == index)
            continue;
        stubbed.items[i].payload = al_slice_of(NULL, 0);
        stubbed.items[i].stub = AL_STUB_NOT_HELD;
    }
    al_segment_encode(&body, &stubbed);
    m.u.excerpt.statements = list;
    m.u.excerpt.count = count;
    m.u.excerpt.segment = al_buf_slice(&body);
    rig_peer_send(&p, &m);
    al_heapbuf_free(&body);
}

static struct al_slice certificate(const struct rig_person *who)
{
    static uint8_t bytes[1024];
    struct al_buf list = al_buf_fixed(bytes, sizeof(bytes));
    al_write_array(&list, 1);
    rig_cert(&list, who);
    return al_buf_slice(&list);
}

/* Ask for an entry and take the request off the hand's queue. */
static uint32_t asked_for(const struct al_ref *ref)
{
    struct al_message m;
    assert_int_equal(call("fetch", ref, 5000), RIG_PENDING);
    assert_true(rig_peer_next(&p, AL_MSG_FETCH, &m));
    assert_memory_equal(m.u.fetch.ref.id.b, ref->id.b, 32);
    return m.req;
}

/* --- what is asked for and comes ---------------------------------------------------------------
 */

static void an_entry_comes_from_whoever_holds_it(void **state)
{
    (void)state;
    rig_peer_leave(&p);
    meet_other();
    struct al_ref ref = ref_of(&blocks[0], 10);
    (void)call("fetch", &ref, 5000);
    rig_run(&r);
    assert_int_equal(answer("found"), 1);
    assert_int_equal(answer("asked"), 1);
    assert_in_range(rig_holds(n, &unknown), 1, AL_BLOCK_ENTRIES);
    (void)call("fetch", &ref, 5000); /* it is here now */
    assert_int_equal(answer("found"), 1);
    assert_int_equal(answer("asked"), 0);
    rig_peer_leave(&author);
}

static void what_nobody_holds_is_not_found(void **state)
{
    (void)state;
    rig_peer_leave(&p);
    meet_other();
    struct al_ref ref = ref_of(&blocks[0], 10);
    ref.id.b[0] ^= 1;
    (void)call("fetch", &ref, 5000);
    rig_run(&r);
    assert_int_equal(answer("found"), 0);
    assert_int_equal(answer("asked"), 1);
    rig_peer_leave(&author);
}

static void without_peers_the_answer_comes_at_once(void **state)
{
    (void)state;
    rig_peer_leave(&p);
    struct al_ref ref = ref_of(&blocks[0], 0);
    assert_int_equal(call("fetch", &ref, 5000), 0);
    assert_int_equal(answer("found"), 0);
    assert_int_equal(answer("asked"), 0);
}

static void a_peer_that_stays_silent_costs_the_timeout(void **state)
{
    uint64_t value;
    (void)state;
    struct al_ref ref = ref_of(&blocks[0], 0);
    uint32_t req = asked_for(&ref);
    rig_wait(&r, 4900);
    assert_false(answered("found", &value));
    rig_wait(&r, 200);
    assert_int_equal(answer("found"), 0);
    assert_int_equal(answer("asked"), 1);
    give(req, &blocks[0], 0, certificate(&unknown), 1); /* late, but it was asked for */
    assert_int_equal(rig_peer_closed(&p), 0);
    assert_int_equal(call("fetch", &ref, 5000), 0);
    assert_int_equal(answer("found"), 1);
}

static void answers_to_an_entry_are_found_and_fetched(void **state)
{
    struct al_ref ref;
    (void)state;
    rig_peer_leave(&p);
    meet_other();
    assert_int_equal(rig_post(n, "a question", "network", &ref), 0);
    rig_run(&r);
    for (uint64_t i = 0; i < 3; i++) {
        struct al_buf b = rig_post_params(100 + i, "an answer", "network", &ref);
        assert_int_equal(rig_call(other, "post", al_buf_slice(&b)), 0);
        al_heapbuf_free(&b);
    }
    rig_run(&r); /* these come by themselves, those below do not */
    rig_relate(n, &other->me.root.identity, "follow", false);
    rig_wait(&r, 1000);
    uint64_t before = rig_holds(n, &other->me);
    for (uint64_t i = 0; i < 3; i++) {
        struct al_buf b = rig_post_params(200 + i, "another answer", "network", &ref);
        assert_int_equal(rig_call(other, "post", al_buf_slice(&b)), 0);
        al_heapbuf_free(&b);
    }
    rig_run(&r);
    assert_int_equal(rig_holds(n, &other->me), before);
    (void)call("replies", &ref, 5000);
    rig_run(&r);
    assert_int_equal(answer("found"), 3);
    assert_int_equal(answer("asked"), 1);
    assert_int_equal(rig_holds(n, &other->me), before + 3);
    (void)call("replies", &ref, 5000);
    rig_run(&r);
    assert_int_equal(answer("found"), 0);
    rig_peer_leave(&author);
}

/* --- what else comes ---------------------------------------------------------------------------
 */

static void another_entry_than_was_asked_for_ends_the_connection(void **state)
{
    (void)state;
    struct al_ref ref = ref_of(&blocks[0], 3);
    give(asked_for(&ref), &blocks[0], 4, certificate(&unknown), 1);
    assert_int_equal(rig_peer_closed(&p), AL_E_UNEXPECTED);
    assert_int_equal(rig_holds(n, &unknown), 0);
    assert_int_equal(answer("found"), 0); /* and nobody else is left to answer */
}

static void two_payloads_are_no_excerpt(void **state)
{
    struct al_message m = {.type = AL_MSG_EXCERPT};
    struct al_buf body = al_heapbuf();
    (void)state;
    struct al_ref ref = ref_of(&blocks[0], 3);
    m.req = asked_for(&ref);
    al_segment_encode(&body, &blocks[0]);
    m.u.excerpt.statements = certificate(&unknown);
    m.u.excerpt.count = 1;
    m.u.excerpt.segment = al_buf_slice(&body);
    rig_peer_send(&p, &m);
    al_heapbuf_free(&body);
    assert_int_equal(rig_peer_closed(&p), AL_E_INLINE);
    assert_int_equal(rig_holds(n, &unknown), 0);
}

static void statements_about_others_are_refused(void **state)
{
    static uint8_t bytes[2048];
    struct al_buf list = al_buf_fixed(bytes, sizeof(bytes));
    struct rig_person third;
    (void)state;
    rig_person(&third, 8);
    al_write_array(&list, 2);
    rig_cert(&list, &unknown);
    rig_cert(&list, &third);
    struct al_ref ref = ref_of(&blocks[0], 3);
    uint64_t pos = rig_status(n, "pos");
    give(asked_for(&ref), &blocks[0], 3, al_buf_slice(&list), 2);
    assert_int_equal(rig_peer_closed(&p), AL_E_UNEXPECTED);
    assert_int_equal(rig_status(n, "pos"), pos); /* not even the first was taken */
}

static void without_a_certificate_it_proves_nothing(void **state)
{
    static const uint8_t none = 0x90;
    (void)state;
    struct al_ref ref = ref_of(&blocks[0], 3);
    give(asked_for(&ref), &blocks[0], 3, al_slice_of(&none, 1), 0);
    assert_int_equal(rig_peer_closed(&p), AL_E_NOT_CERTIFIED);
    assert_int_equal(rig_holds(n, &unknown), 0);
}

static void an_entry_beyond_the_cut_is_not_taken(void **state)
{
    static uint8_t bytes[2048];
    struct al_buf list = al_buf_fixed(bytes, sizeof(bytes));
    struct al_cut cut = {.log = blocks[0].log, .seq = 3, .id = blocks[0].items[2].id};
    (void)state;
    al_write_array(&list, 2);
    rig_cert(&list, &unknown);
    al_statement_encode_revoke(
        &list, &unknown.root.identity, unknown.root.secret, &unknown.keyring.device, &cut, 1);
    struct al_ref ref = ref_of(&blocks[0], 3); /* number 4 */
    give(asked_for(&ref), &blocks[0], 3, al_buf_slice(&list), 2);
    assert_int_equal(rig_peer_closed(&p), 0); /* it need not be the sender's fault */
    assert_int_equal(rig_holds(n, &unknown), 0);
    assert_int_equal(answer("found"), 0);
}

static void nothing_comes_that_was_not_asked_for(void **state)
{
    (void)state;
    uint64_t pos = rig_status(n, "pos");
    give(77, &blocks[0], 3, certificate(&unknown), 1);
    assert_int_equal(rig_peer_closed(&p), 0); /* as if it had been given up meanwhile */
    assert_int_equal(rig_status(n, "pos"), pos);
}

static void a_flood_of_excerpts_is_cut_off(void **state)
{
    uint32_t sent = 0;
    (void)state;
    for (; rig_peer_closed(&p) == 0 && sent < 100000; sent++)
        give(1000 + sent, &blocks[0], 3, certificate(&unknown), 1);
    assert_int_equal(rig_peer_closed(&p), AL_E_BUDGET);
    assert_int_equal(rig_holds(n, &unknown), 0);
}

static void an_excerpt_is_no_answer_to_another_question(void **state)
{
    struct al_message m;
    struct al_device none = {{0}};
    struct al_logname no_log = {{0}};
    (void)state;
    rig_peer_item(&p, &p.who.root.identity, &none, &no_log, 2);
    assert_true(rig_peer_next(&p, AL_MSG_WANT_STATEMENTS, &m));
    give(m.req, &blocks[0], 3, certificate(&unknown), 1);
    assert_int_equal(rig_peer_closed(&p), AL_E_UNEXPECTED);
}

/* --- what becomes of it ---------------------------------------------------------------------- */

static void only_the_entry_and_what_proves_it_is_kept(void **state)
{
    (void)state;
    struct al_ref ref = ref_of(&blocks[0], 60);
    give(asked_for(&ref), &blocks[0], 60, certificate(&unknown), 1);
    assert_int_equal(answer("found"), 1);
    assert_int_equal(rig_holds(n, &unknown), 4); /* numbers 61 to 64 */
}

static void it_is_not_told_as_if_the_log_were_carried(void **state)
{
    struct al_message m;
    struct rig_peer q;
    (void)state;
    struct al_ref ref = ref_of(&blocks[0], 60);
    give(asked_for(&ref), &blocks[0], 60, certificate(&unknown), 1);
    rig_peer_interests(&p, &unknown.root.identity, 1);
    rig_wait(&r, 1000);
    while (rig_peer_next(&p, AL_MSG_RECONCILE, &m))
        assert_int_equal(m.u.reconcile.count, 1);
    rig_peer_item(&p, &unknown.root.identity, &unknown.keyring.device, &blocks[0].log, 70);
    assert_false(rig_peer_next(&p, AL_MSG_WANT, &m)); /* nor is the rest of it asked for */
    rig_peer_friend(&q, n, 3);
    m = (struct al_message){.type = AL_MSG_WANT, .req = 9};
    m.u.want.device = unknown.keyring.device;
    m.u.want.log = blocks[0].log;
    m.u.want.first = m.u.want.last = 61;
    rig_peer_send(&q, &m);
    assert_true(rig_peer_next(&q, AL_MSG_DONE, &m));
    assert_int_equal(m.u.done.status, AL_DONE_DECLINED);
    rig_peer_leave(&q);
}

static void the_rest_comes_once_the_author_is_followed(void **state)
{
    (void)state;
    rig_peer_leave(&p);
    meet_other();
    struct al_ref ref = ref_of(&blocks[0], 60);
    (void)call("fetch", &ref, 5000);
    rig_run(&r);
    assert_int_equal(answer("found"), 1);
    rig_relate(n, &unknown.root.identity, "follow", true);
    rig_wait(&r, 2000);
    assert_int_equal(rig_holds(n, &unknown), 70);
    ref = ref_of(&blocks[0], 62); /* it came as a stub beside what was asked for */
    assert_int_equal(call("fetch", &ref, 5000), 0);
    assert_int_equal(answer("asked"), 0);
    rig_peer_leave(&author);
}

static void the_oldest_gives_way(void **state)
{
    (void)state;
    uint64_t entries = rig_status(n, "entries");
    for (uint32_t i = 0; i < 600; i++) {
        static uint8_t payload[65536 - 64];
        static struct al_segment seg;
        struct sample_person who = unknown.as_sample;
        sample_bytes(who.log.b, sizeof(who.log.b), 4000 + i % 60);
        sample_segment(&seg, &who, 1 + (uint64_t)(i / 60) * 64, i < 60 ? NULL : &seg.prev, 1,
            payload, sizeof(payload), i);
        struct al_ref ref = ref_of(&seg, 0);
        uint32_t req = asked_for(&ref);
        give(req, &seg, 0, certificate(&unknown), 1);
        assert_int_equal(answer("found"), 1);
        r.now.mono_ms += 1000; /* the budget is none of this */
    }
    assert_in_range(rig_status(n, "entries") - entries, 200, 256); /* 16 MiB */
    assert_in_range(rig_holds(n, &unknown), 200, 256);
}

static void what_was_fetched_is_kept_over_a_restart_and_gives_way_then(void **state)
{
    (void)state;
    struct al_ref ref = ref_of(&blocks[0], 60);
    give(asked_for(&ref), &blocks[0], 60, certificate(&unknown), 1);
    rig_peer_leave(&p);
    rig_stop(n);
    assert_int_equal(rig_start(n), 0);
    assert_int_equal(rig_holds(n, &unknown), 4);
    rig_peer_friend(&p, n, 2);
    assert_int_equal(call("fetch", &ref, 5000), 0);
    assert_int_equal(answer("found"), 1);
}

/* --- giving ---------------------------------------------------------------------------------- */

static void ask_by_hand(enum al_message_type type, const struct al_ref *ref, uint32_t req)
{
    struct al_message m = {.type = type, .req = req};
    if (type == AL_MSG_FETCH)
        m.u.fetch.ref = *ref;
    else
        m.u.replies.ref = *ref;
    rig_peer_send(&p, &m);
}

static void an_excerpt_proves_its_entry(void **state)
{
    static struct al_excerpt x;
    struct al_message m;
    struct al_ref ref;
    (void)state;
    assert_int_equal(rig_post(n, "one", "network", &ref), 0);
    ask_by_hand(AL_MSG_FETCH, &ref, 5);
    assert_true(rig_peer_next(&p, AL_MSG_EXCERPT, &m));
    assert_int_equal(m.req, 5);
    assert_int_equal(m.u.excerpt.count, 1);
    assert_int_equal(al_excerpt_open_parts(&x, m.u.excerpt.statements, m.u.excerpt.segment), 0);
    assert_int_equal(x.segment.first + x.index, ref.seq);
    assert_memory_equal(x.segment.items[x.index].id.b, ref.id.b, 32);
}

static void what_is_not_held_is_declined_in_words(void **state)
{
    struct al_message m;
    struct al_ref ref = ref_of(&blocks[0], 3);
    (void)state;
    ask_by_hand(AL_MSG_FETCH, &ref, 5);
    assert_true(rig_peer_next(&p, AL_MSG_DONE, &m));
    assert_int_equal(m.u.done.status, AL_DONE_NOT_HELD);
    ask_by_hand(AL_MSG_REPLIES, &ref, 6);
    assert_true(rig_peer_next(&p, AL_MSG_REFS, &m));
    assert_int_equal(m.u.refs.count, 0);
}

static void answers_are_told_newest_first_and_at_most_64(void **state)
{
    struct al_message m;
    struct al_ref ref;
    struct al_ref newest;
    (void)state;
    assert_int_equal(rig_post(n, "a question", "network", &ref), 0);
    for (uint64_t i = 0; i < 70; i++) {
        struct al_buf b = rig_post_params(100 + i, "an answer", "network", &ref);
        r.now.wall_ms++;
        assert_int_equal(rig_call(n, "post", al_buf_slice(&b)), 0);
        al_heapbuf_free(&b);
    }
    ask_by_hand(AL_MSG_REPLIES, &ref, 6);
    assert_true(rig_peer_next(&p, AL_MSG_REFS, &m));
    assert_int_equal(m.u.refs.count, 64);
    struct al_slice list = al_message_list(m.u.refs.list);
    al_message_next_ref(&newest, &list);
    assert_int_equal(newest.seq, ref.seq + 70);
}

static void sealed_answers_are_not_told(void **state)
{
    struct al_message m;
    struct al_ref ref;
    (void)state;
    assert_int_equal(rig_post(n, "a question", "network", &ref), 0);
    struct al_buf b = rig_post_params(100, "to myself", "me", &ref);
    assert_int_equal(rig_call(n, "post", al_buf_slice(&b)), 0);
    al_heapbuf_free(&b);
    ask_by_hand(AL_MSG_REPLIES, &ref, 6);
    assert_true(rig_peer_next(&p, AL_MSG_REFS, &m));
    assert_int_equal(m.u.refs.count, 0);
}

static void a_flood_of_questions_is_cut_off(void **state)
{
    struct al_ref ref;
    uint32_t sent = 0;
    (void)state;
    assert_int_equal(rig_post(n, "one", "network", &ref), 0);
    for (; rig_peer_closed(&p) == 0 && sent < 100000; sent++) {
        ask_by_hand(AL_MSG_FETCH, &ref, sent + 1);
        rig_peer_drop(&p);
    }
    assert_int_equal(rig_peer_closed(&p), AL_E_BUDGET);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_entry_comes_from_whoever_holds_it, setup, teardown),
        cmocka_unit_test_setup_teardown(what_nobody_holds_is_not_found, setup, teardown),
        cmocka_unit_test_setup_teardown(without_peers_the_answer_comes_at_once, setup, teardown),
        cmocka_unit_test_setup_teardown(
            a_peer_that_stays_silent_costs_the_timeout, setup, teardown),
        cmocka_unit_test_setup_teardown(answers_to_an_entry_are_found_and_fetched, setup, teardown),
        cmocka_unit_test_setup_teardown(
            another_entry_than_was_asked_for_ends_the_connection, setup, teardown),
        cmocka_unit_test_setup_teardown(two_payloads_are_no_excerpt, setup, teardown),
        cmocka_unit_test_setup_teardown(statements_about_others_are_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(without_a_certificate_it_proves_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(an_entry_beyond_the_cut_is_not_taken, setup, teardown),
        cmocka_unit_test_setup_teardown(nothing_comes_that_was_not_asked_for, setup, teardown),
        cmocka_unit_test_setup_teardown(a_flood_of_excerpts_is_cut_off, setup, teardown),
        cmocka_unit_test_setup_teardown(
            an_excerpt_is_no_answer_to_another_question, setup, teardown),
        cmocka_unit_test_setup_teardown(only_the_entry_and_what_proves_it_is_kept, setup, teardown),
        cmocka_unit_test_setup_teardown(it_is_not_told_as_if_the_log_were_carried, setup, teardown),
        cmocka_unit_test_setup_teardown(
            the_rest_comes_once_the_author_is_followed, setup, teardown),
        cmocka_unit_test_setup_teardown(the_oldest_gives_way, setup, teardown),
        cmocka_unit_test_setup_teardown(
            what_was_fetched_is_kept_over_a_restart_and_gives_way_then, setup, teardown),
        cmocka_unit_test_setup_teardown(an_excerpt_proves_its_entry, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_not_held_is_declined_in_words, setup, teardown),
        cmocka_unit_test_setup_teardown(
            answers_are_told_newest_first_and_at_most_64, setup, teardown),
        cmocka_unit_test_setup_teardown(sealed_answers_are_not_told, setup, teardown),
        cmocka_unit_test_setup_teardown(a_flood_of_questions_is_cut_off, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
