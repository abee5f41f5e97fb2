/* The outbox: posts that wait, can vanish, and go out when they are due. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "read.h"
#include "rig.h"
#include "rpc.h"
#include "write.h"

#define HOLD_S 30

static struct rig r;
static struct rig_node *n;
static uint8_t keys;

static int setup(void **state)
{
    (void)state;
    rig_init(&r);
    n = rig_add(&r, 0);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    rig_fini(&r);
    return 0;
}

/* Post a note under key |key|, held for |hold_s|; UINT64_MAX: as configured. */
static int post(uint8_t key, const char *text, uint64_t hold_s, const struct al_ref *re)
{
    uint8_t bytes[16] = {key};
    struct al_buf b = al_heapbuf();
    al_write_map(&b, hold_s == UINT64_MAX ? 2 : 3);
    al_write_cstr(&b, "key");
    al_write_bin(&b, bytes, sizeof(bytes));
    if (hold_s != UINT64_MAX) {
        al_write_cstr(&b, "hold");
        al_write_uint(&b, hold_s);
    }
    al_write_cstr(&b, "entry");
    al_write_map(&b, re == NULL ? 2 : 3);
    al_write_cstr(&b, "k");
    al_write_cstr(&b, re == NULL ? "note" : "reply");
    if (re != NULL) {
        al_write_cstr(&b, "re");
        al_write_ref(&b, re);
    }
    al_write_cstr(&b, "text");
    al_write_cstr(&b, text);
    int err = rig_call(n, "post", al_buf_slice(&b));
    al_heapbuf_free(&b);
    return err;
}

static int post_held(const char *text)
{
    return post(++keys, text, HOLD_S, NULL);
}

static uint64_t answered(const char *key)
{
    struct al_read in = al_read_init(al_rpc_param(al_buf_slice(&rig_last(&r)->bytes), key));
    return al_read_uint(&in, UINT64_MAX);
}

static int unhold(uint8_t key, uint64_t number)
{
    uint8_t bytes[16] = {0xff, key};
    struct al_buf b = al_heapbuf();
    al_write_map(&b, 2);
    al_write_cstr(&b, "key");
    al_write_bin(&b, bytes, sizeof(bytes));
    al_write_cstr(&b, "n");
    al_write_uint(&b, number);
    int err = rig_call(n, "unhold", al_buf_slice(&b));
    al_heapbuf_free(&b);
    return err;
}

static struct al_slice answered_text(void)
{
    struct al_slice entry = al_rpc_param(al_buf_slice(&rig_last(&r)->bytes), "entry");
    struct al_read in = al_read_init(al_rpc_param(entry, "text"));
    return entry.n == 0 ? entry : al_read_str(&in, 100);
}

static int find_words(void *arg, struct al_slice key, struct al_slice value)
{
    (void)key;
    const char *words = arg;
    return memmem(value.p, value.n, words, strlen(words)) != NULL;
}

/* Whether any fact of |space| holds |words|. */
static bool is_in(enum al_space space, char *words)
{
    int got = al_store_kv_scan(n->store, space, al_slice_of(NULL, 0), find_words, words);
    assert_true(got >= 0);
    return got == 1;
}

static void a_held_post_is_signed_when_it_is_due(void **state)
{
    uint64_t before = rig_status(n, "own_entries");
    (void)state;
    assert_int_equal(post_held("wait"), 0);
    assert_int_equal(answered("held"), 1);
    assert_int_equal(al_rpc_param(al_buf_slice(&rig_last(&r)->bytes), "ref").n, 0);
    assert_int_equal(rig_status(n, "held"), 1);
    rig_wait(&r, HOLD_S * 1000 - 1000);
    assert_int_equal(rig_status(n, "own_entries"), before);
    rig_wait(&r, 2000);
    assert_int_equal(rig_status(n, "own_entries"), before + 1);
    assert_int_equal(rig_status(n, "held"), 0);
}

static void the_configuration_says_how_long_a_post_is_held(void **state)
{
    (void)state;
    rig_stop(n);
    n->hold_s = HOLD_S;
    assert_int_equal(rig_start(n), 0);
    assert_int_equal(post(++keys, "wait", UINT64_MAX, NULL), 0);
    assert_int_equal(rig_status(n, "held"), 1);
    assert_int_equal(post(++keys, "at once", 0, NULL), 0);
    assert_int_equal(rig_status(n, "held"), 1);
    assert_int_equal(post(++keys, "too long", AL_HOLD_MAX_S + 1, NULL), AL_E_PARAMS);
}

static void what_is_undone_leaves_no_word(void **state)
{
    static char words[] = "canary";
    uint64_t before = rig_status(n, "own_entries");
    (void)state;
    assert_int_equal(post_held("one"), 0);
    assert_int_equal(post_held(words), 0);
    assert_true(is_in(AL_SPACE_OUTBOX, words));
    assert_int_equal(unhold(1, 2), 0);
    assert_true(al_slice_is(answered_text(), words));
    assert_false(is_in(AL_SPACE_OUTBOX, words));
    assert_false(is_in(AL_SPACE_CALL, words));
    assert_true(al_store_is_untidy(n->store));
    assert_int_equal(unhold(1, 2), 0); /* asked again: done */
    assert_int_equal(answered_text().n, 0);
    assert_int_equal(unhold(2, 2), AL_E_NOT_FOUND);
    assert_int_equal(rig_status(n, "held"), 1);
    rig_wait(&r, HOLD_S * 1000 + 1000);
    assert_int_equal(rig_status(n, "own_entries"), before + 1);
    rig_wait(&r, 15000);
    assert_false(al_store_is_untidy(n->store));
    assert_int_equal(post_held("three"), 0);
    assert_int_equal(answered("held"), 3); /* a number is given once */
}

static void a_post_that_was_due_while_the_node_was_down_goes_out_at_its_start(void **state)
{
    uint64_t before = rig_status(n, "own_entries");
    (void)state;
    assert_int_equal(post_held("wait"), 0);
    rig_stop(n);
    r.now.wall_ms += 10000000;
    assert_int_equal(rig_start(n), 0);
    assert_int_equal(rig_status(n, "own_entries"), before + 1);
    assert_int_equal(post(keys, "wait", HOLD_S, NULL), 0); /* the client asks again */
    assert_int_equal(answered("held"), 1);
    rig_wait(&r, HOLD_S * 2000);
    assert_int_equal(rig_status(n, "own_entries"), before + 1);
}

static void a_clock_that_was_set_back_holds_nothing_for_ever(void **state)
{
    uint64_t before = rig_status(n, "own_entries");
    (void)state;
    assert_int_equal(post_held("wait"), 0);
    rig_stop(n);
    r.now.wall_ms -= 10000000;
    assert_int_equal(rig_start(n), 0);
    assert_int_equal(rig_status(n, "own_entries"), before + 1);
}

static void a_held_post_that_cannot_go_out_is_kept_and_told(void **state)
{
    struct al_ref parent;
    uint8_t key[16] = {0xee};
    (void)state;
    assert_int_equal(rig_post(n, "parent", "me", &parent), 0);
    assert_int_equal(post(++keys, "reply", HOLD_S, &parent), 0);
    struct al_buf b = al_heapbuf();
    al_write_map(&b, 2);
    al_write_cstr(&b, "key");
    al_write_bin(&b, key, sizeof(key));
    al_write_cstr(&b, "entry");
    al_write_map(&b, 2);
    al_write_cstr(&b, "k");
    al_write_cstr(&b, "retract");
    al_write_cstr(&b, "of");
    al_write_ref(&b, &parent);
    assert_int_equal(rig_call(n, "post", al_buf_slice(&b)), 0);
    al_heapbuf_free(&b);
    uint64_t before = rig_status(n, "own_entries");
    rig_wait(&r, HOLD_S * 1000 + 1000);
    assert_int_equal(rig_status(n, "own_entries"), before);
    assert_int_equal(rig_status(n, "held"), 1);
    assert_non_null(memmem(rig_last(&r)->bytes.p, rig_last(&r)->bytes.n, "held-failed", 11));
    assert_int_equal(rig_call(n, "held", al_slice_str("\x80")), 0);
    assert_non_null(memmem(rig_last(&r)->bytes.p, rig_last(&r)->bytes.n, "not here", 8));
    assert_int_equal(unhold(1, 1), 0);
    assert_true(al_slice_is(answered_text(), "reply"));
}

static void what_the_log_refuses_is_refused_before_it_is_held(void **state)
{
    struct al_ref nowhere = {.seq = 1};
    (void)state;
    assert_int_equal(post(++keys, "reply", HOLD_S, &nowhere), AL_E_NOT_FOUND);
    assert_int_equal(rig_status(n, "held"), 0);
}

static void the_outbox_has_an_end(void **state)
{
    (void)state;
    for (int i = 0; i < AL_HELD_MAX - 1; i++) {
        struct al_buf b = rig_post_params(++r.next_call, "one", "network", NULL);
        b.p[0]++; /* one pair more */
        al_write_cstr(&b, "hold");
        al_write_uint(&b, HOLD_S);
        assert_int_equal(rig_call(n, "post", al_buf_slice(&b)), 0);
        al_heapbuf_free(&b);
    }
    assert_int_equal(post_held("the last"), 0);
    assert_int_equal(post_held("one too many"), AL_E_LIMIT);
    uint64_t before = rig_status(n, "own_entries");
    rig_wait(&r, HOLD_S * 1000 + 1000);
    assert_int_equal(rig_status(n, "own_entries"), before + AL_HELD_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_held_post_is_signed_when_it_is_due, setup, teardown),
        cmocka_unit_test_setup_teardown(
            the_configuration_says_how_long_a_post_is_held, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_undone_leaves_no_word, setup, teardown),
        cmocka_unit_test_setup_teardown(
            a_post_that_was_due_while_the_node_was_down_goes_out_at_its_start, setup, teardown),
        cmocka_unit_test_setup_teardown(
            a_clock_that_was_set_back_holds_nothing_for_ever, setup, teardown),
        cmocka_unit_test_setup_teardown(
            a_held_post_that_cannot_go_out_is_kept_and_told, setup, teardown),
        cmocka_unit_test_setup_teardown(
            what_the_log_refuses_is_refused_before_it_is_held, setup, teardown),
        cmocka_unit_test_setup_teardown(the_outbox_has_an_end, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
