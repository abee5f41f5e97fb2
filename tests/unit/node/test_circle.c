/* Circles over the local API, between nodes; and the epochs that a node opens by itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "node_int.h"
#include "rig.h"
#include "statement.h"

static struct rig r;
static struct rig_node *ana, *ben, *cai;
static struct al_circle_id cid;
static uint8_t keys;

static const struct al_identity *id_of(const struct rig_node *n)
{
    return &n->me.root.identity;
}

/* Everybody knows ana and she knows them; ben and cai meet in her circles only. */
static int setup(void **state)
{
    (void)state;
    rig_init(&r);
    ana = rig_add(&r, 1);
    ben = rig_add(&r, 2);
    cai = rig_add(&r, 3);
    const char *ticket = rig_invite(ana, 2);
    assert_int_equal(rig_join(ben, ticket), 0);
    assert_int_equal(rig_join(cai, ticket), 0);
    rig_wait(&r, 2000);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    rig_fini(&r);
    return 0;
}

/* --- calls ------------------------------------------------------------------------------------ */

static struct al_buf params(size_t pairs)
{
    uint8_t key[16] = {1, ++keys};
    struct al_buf b = al_heapbuf();
    al_write_map(&b, pairs + 1);
    al_write_cstr(&b, "key");
    al_write_bin(&b, key, sizeof(key));
    return b;
}

static int call(struct rig_node *n, const char *method, struct al_buf *b)
{
    int err = rig_call(n, method, al_buf_slice(b));
    al_heapbuf_free(b);
    return err;
}

static void put_people(struct al_buf *b, const char *key, const struct rig_node *one)
{
    al_write_cstr(b, key);
    al_write_array(b, one == NULL ? 0 : 1);
    if (one != NULL)
        al_write_bin(b, id_of(one)->b, 32);
}

static void put_circle(struct al_buf *b, bool owner)
{
    al_write_cstr(b, "circle");
    al_write_bin(b, cid.b, sizeof(cid.b));
    if (!owner)
        return;
    al_write_cstr(b, "owner");
    al_write_bin(b, id_of(ana)->b, 32);
}

static int make(const char *name, const struct rig_node *member)
{
    struct al_buf b = params(2);
    al_write_cstr(&b, "name");
    al_write_cstr(&b, name);
    put_people(&b, "members", member);
    int err = call(ana, "circle_new", &b);
    if (err == 0) {
        struct al_slice answer = al_buf_slice(&rig_last(&r)->bytes);
        assert_int_equal(param_bytes(cid.b, sizeof(cid.b), answer, "circle"), 0);
    }
    rig_wait(&r, 1000);
    return err;
}

static int change(const char *what, const struct rig_node *who)
{
    struct al_buf b = params(2);
    put_circle(&b, false);
    put_people(&b, what, who);
    int err = call(ana, "circle_change", &b);
    rig_wait(&r, 1000);
    return err;
}

static int leave(struct rig_node *n)
{
    struct al_buf b = params(2);
    put_circle(&b, true);
    return call(n, "circle_leave", &b);
}

/* Post to the circle, or to |to| instead; as a |kind| that is about |ref|. */
static int post(struct rig_node *n, const char *kind, const char *text, const char *to,
    const struct al_ref *ref, struct al_ref *ret)
{
    bool sealed = to != NULL && strcmp(to, "circle") == 0;
    bool reply = strcmp(kind, "reply") == 0;
    struct al_buf b = params((to != NULL ? 1u : 0u) + (sealed ? 2u : 0u) + 1);
    if (to != NULL) {
        al_write_cstr(&b, "to");
        al_write_cstr(&b, to);
    }
    if (sealed)
        put_circle(&b, true);
    al_write_cstr(&b, "entry");
    al_write_map(&b, ref == NULL ? 2 : 3);
    al_write_cstr(&b, "k");
    al_write_cstr(&b, kind);
    if (ref != NULL) {
        al_write_cstr(&b, reply ? "re" : "of");
        al_write_ref(&b, ref);
    }
    al_write_cstr(&b, "text");
    al_write_cstr(&b, text);
    int err = call(n, "post", &b);
    if (err == 0 && ret != NULL) {
        struct al_read in = al_read_init(al_rpc_param(al_buf_slice(&rig_last(&r)->bytes), "ref"));
        al_read_ref(&in, ret);
    }
    return err;
}

static bool answered(const char *key, const char *value)
{
    struct al_slice s;
    struct al_slice answer = al_buf_slice(&rig_last(&r)->bytes);
    return param_str(&s, 300, answer, key) == 0 && al_slice_is(s, value);
}

static bool warned(void)
{
    return al_rpc_param(al_buf_slice(&rig_last(&r)->bytes), "warn").n > 0;
}

/* --- what is known ---------------------------------------------------------------------------- */

static const struct al_circle *circle_at(const struct rig_node *n)
{
    return al_circles_find(n->node->logs->circles, id_of(ana), &cid);
}

static bool reads(struct rig_node *n, const struct al_ref *ref, const char *text)
{
    struct node_entry e;
    bool same = node_find_entry(n->node, &e, ref) == 0 && e.readable &&
                al_slice_is(e.p.text, text) && e.circle == circle_at(n);
    node_entry_free(&e);
    return same;
}

static void members_read_each_other_through_the_owner(void **state)
{
    struct al_ref ref, reply;
    (void)state;
    assert_int_equal(make("team", ben), 0);
    assert_int_equal(change("add", cai), 0);
    assert_int_equal(circle_at(ben)->n, 2);
    assert_int_equal(post(ben, "note", "hello", "circle", NULL, &ref), 0);
    assert_true(answered("to", "circle") && answered("circle", "team"));
    assert_false(warned());
    rig_wait(&r, 2000);
    assert_true(reads(ana, &ref, "hello"));
    assert_true(reads(cai, &ref, "hello")); /* whom he does not follow */
    assert_int_equal(post(cai, "reply", "hi", NULL, &ref, &reply), 0);
    assert_true(answered("to", "circle") && answered("circle", "team"));
    rig_wait(&r, 2000);
    assert_true(reads(ben, &reply, "hi"));
}

static void an_outsider_carries_what_it_cannot_read(void **state)
{
    struct al_ref ref;
    (void)state;
    assert_int_equal(make("team", ben), 0);
    assert_int_equal(post(ana, "note", "hello", "circle", NULL, &ref), 0);
    rig_wait(&r, 2000);
    struct node_entry e;
    assert_int_equal(node_find_entry(cai->node, &e, &ref), 0);
    assert_false(e.readable);
    node_entry_free(&e);
    assert_null(circle_at(cai));
    assert_int_equal(post(cai, "note", "hello", "circle", NULL, NULL), AL_E_NOT_FOUND);
    assert_true(rig_holds(cai, &ben->me) == 0); /* no circle, no interest */
}

static void a_circle_that_cannot_be_made_says_why(void **state)
{
    struct rig_node stranger = {.rig = &r};
    (void)state;
    rig_person(&stranger.me, 77);
    assert_int_equal(make("team", &stranger), AL_E_NOT_FOUND);
    assert_non_null(strstr(rig_last(&r)->message, "reading key"));
    assert_int_equal(make("team", ben), 0);
    assert_int_equal(make("team", cai), AL_E_EXISTS);
    assert_int_equal(make("", cai), AL_E_PARAMS);
    struct al_circle_id first = cid;
    assert_int_equal(make("crew", cai), 0);
    struct al_buf b = params(2);
    put_circle(&b, false);
    al_write_cstr(&b, "name");
    al_write_cstr(&b, "team");
    assert_int_equal(call(ana, "circle_change", &b), AL_E_EXISTS);
    cid = first;
    assert_int_equal(change("remove", ana), AL_E_STATE);
    assert_int_equal(leave(ana), AL_E_STATE);
    b = params(2);
    put_circle(&b, false);
    put_people(&b, "add", cai);
    assert_int_equal(call(ben, "circle_change", &b), AL_E_NOT_FOUND);
}

static void what_changes_nothing_opens_no_epoch(void **state)
{
    (void)state;
    assert_int_equal(make("team", ben), 0);
    assert_int_equal(change("add", ben), AL_E_EXISTS);
    assert_non_null(strstr(rig_last(&r)->message, "is in the circle already"));
    assert_int_equal(change("remove", cai), AL_E_NOT_FOUND);
    assert_non_null(strstr(rig_last(&r)->message, "is not in the circle"));
    assert_int_equal(make("network", ben), AL_E_PARAMS);
    assert_int_equal(circle_at(ana)->n, 1);
    rig_wait(&r, 120000);
    assert_int_equal(circle_at(ana)->n, 1);
}

static void who_leaves_is_let_go_by_the_owners_node(void **state)
{
    struct al_ref ref;
    (void)state;
    assert_int_equal(make("team", ben), 0);
    assert_int_equal(change("add", cai), 0);
    assert_true(rig_holds(ben, &cai->me) > 0);
    assert_int_equal(leave(ben), 0);
    assert_int_equal(post(ben, "note", "late", "circle", NULL, NULL), AL_E_AUDIENCE);
    rig_wait(&r, 100); /* the wish has arrived, the node waits a while */
    assert_int_equal(circle_at(ana)->n, 2);
    assert_int_equal(post(ana, "note", "soon", "circle", NULL, NULL), 0);
    assert_true(warned());
    rig_wait(&r, 30000);
    assert_int_equal(circle_at(ana)->n, 3);
    assert_false(al_circle_has(circle_at(ana), id_of(ben)));
    assert_int_equal(post(ana, "note", "without ben", "circle", NULL, &ref), 0);
    assert_false(warned());
    uint64_t held = rig_holds(ben, &cai->me);
    assert_int_equal(post(cai, "note", "more", "circle", NULL, NULL), 0);
    rig_wait(&r, 2000);
    assert_true(reads(cai, &ref, "without ben"));
    assert_false(reads(ben, &ref, "without ben"));
    assert_int_equal(rig_holds(ben, &cai->me), held); /* not wanted any more */
    rig_wait(&r, 300000);
    assert_int_equal(circle_at(ana)->n, 3);
}

/* Ben's next reading key, as if a device of his had been revoked. */
static void rekey(struct rig_node *at)
{
    uint8_t bytes[512], sk[32], pk[32];
    struct al_buf b = al_buf_fixed(bytes, sizeof(bytes));
    const struct rig_person *who = &ben->me;
    struct al_read_box box = {.device = who->keyring.device};
    struct al_rng rng;
    uint8_t seed[32] = {5};
    bool is_new;
    al_rng_init(&rng, seed);
    al_root_read_key(sk, &who->root, 2);
    al_read_key_public(pk, sk);
    assert_int_equal(al_read_box_seal(box.box, &box.device, sk, &rng), 0);
    al_statement_encode_read(&b, id_of(ben), who->root.secret, 2, pk, &box, 1);
    rig_begin(at);
    assert_int_equal(al_logs_statement(at->node->logs, &is_new, al_buf_slice(&b)), 0);
    rig_end(at);
    assert_true(is_new);
}

static void a_new_reading_key_is_answered_by_a_new_epoch(void **state)
{
    (void)state;
    assert_int_equal(make("team", ben), 0);
    rekey(ana);
    assert_int_equal(post(ana, "note", "hello", "circle", NULL, NULL), 0);
    assert_true(warned());
    rig_wait(&r, 30000);
    assert_int_equal(circle_at(ana)->n, 2);
    assert_int_equal(al_circle_member(circle_at(ana), id_of(ben))->generation, 2);
    assert_int_equal(post(ana, "note", "hello", "circle", NULL, NULL), 0);
    assert_false(warned());
    rig_wait(&r, 300000);
    assert_int_equal(circle_at(ana)->n, 2);
}

/* Whoever finds reasons again and again makes one epoch a minute, not one for each. */
static void between_epochs_opened_by_itself_lies_a_minute(void **state)
{
    (void)state;
    assert_int_equal(make("team", ben), 0);
    assert_int_equal(change("add", cai), 0);
    assert_int_equal(leave(ben), 0);
    rig_wait(&r, 20000);
    assert_int_equal(circle_at(ana)->n, 3);
    assert_int_equal(leave(cai), 0);
    rig_wait(&r, 30000);
    assert_int_equal(circle_at(ana)->n, 3);
    assert_true(al_circle_has(circle_at(ana), id_of(cai)));
    rig_wait(&r, 30000);
    assert_int_equal(circle_at(ana)->n, 4);
    assert_false(al_circle_has(circle_at(ana), id_of(cai)));
    /* what the owner asks for waits for nothing */
    assert_int_equal(change("add", cai), 0);
    assert_int_equal(circle_at(ana)->n, 5);
}

static void an_owner_who_was_away_does_it_when_back(void **state)
{
    struct al_ref ref;
    (void)state;
    assert_int_equal(make("team", ben), 0);
    assert_int_equal(change("add", cai), 0);
    rig_stop(ana);
    assert_int_equal(leave(ben), 0);
    assert_int_equal(rig_start(ana), 0);
    rig_wait(&r, 120000);
    assert_false(al_circle_has(circle_at(ana), id_of(ben)));
    assert_int_equal(circle_at(ana)->n, 3);
    rig_stop(cai);
    assert_int_equal(rig_start(cai), 0);
    rig_wait(&r, 60000);
    assert_int_equal(post(ana, "note", "hello", "circle", NULL, &ref), 0);
    rig_wait(&r, 2000);
    assert_true(reads(cai, &ref, "hello"));
    assert_false(reads(ben, &ref, "hello"));
}

static void a_thread_in_a_circle_stays_there(void **state)
{
    struct al_ref ref;
    (void)state;
    assert_int_equal(make("team", ben), 0);
    assert_int_equal(post(ana, "note", "hello", "circle", NULL, &ref), 0);
    assert_int_equal(post(ana, "reply", "wide", "network", &ref, NULL), AL_E_AUDIENCE);
    assert_int_equal(post(ana, "reply", "mine", "me", &ref, NULL), 0);
    assert_int_equal(post(ana, "reply", "same", "circle", &ref, NULL), 0);
    struct al_circle_id first = cid;
    assert_int_equal(make("crew", cai), 0);
    assert_int_equal(post(ana, "reply", "other", "circle", &ref, NULL), AL_E_AUDIENCE);
    cid = first;
    assert_int_equal(post(ana, "note", "no circle", "me", NULL, NULL), 0);
    struct al_buf b = rig_post_params(90000, "no id", "circle", NULL);
    assert_int_equal(call(ana, "post", &b), AL_E_PARAMS);
}

static void an_edit_keeps_the_circle_and_a_share_leaves_it(void **state)
{
    struct al_ref ref, edit;
    (void)state;
    assert_int_equal(make("team", ben), 0);
    assert_int_equal(post(ana, "note", "hello", "circle", NULL, &ref), 0);
    assert_int_equal(post(ana, "edit", "changed", "network", &ref, NULL), AL_E_AUDIENCE);
    assert_int_equal(post(ana, "edit", "changed", NULL, &ref, &edit), 0);
    assert_true(answered("to", "circle") && answered("circle", "team"));
    rig_wait(&r, 2000);
    assert_true(reads(ben, &edit, "changed"));
    assert_int_equal(post(ana, "share", "changed", "circle", &ref, NULL), AL_E_AUDIENCE);
    assert_int_equal(post(ana, "share", "changed", "network", &ref, NULL), 0);
    assert_int_equal(post(ana, "note", "mine", "me", NULL, &ref), 0);
    assert_int_equal(post(ana, "share", "mine", "circle", &ref, &edit), 0);
    rig_wait(&r, 2000);
    assert_true(reads(ben, &edit, "mine"));
}

static void circles_tells_all_of_it(void **state)
{
    static const uint8_t empty = 0x80;
    bool flag;
    uint64_t number;
    (void)state;
    assert_int_equal(make("team", ben), 0);
    assert_int_equal(change("remove", ben), 0);
    assert_int_equal(rig_call(ben, "circles", al_slice_of(&empty, 1)), 0);
    struct al_read in = al_read_init(al_rpc_param(al_buf_slice(&rig_last(&r)->bytes), "circles"));
    assert_int_equal(al_read_array(&in, 1, 1), 1);
    struct al_slice one = al_read_raw(&in);
    assert_int_equal(param_bool(&flag, one, "member", true), 0);
    assert_false(flag);
    assert_int_equal(param_uint(&number, one, "epoch", 0), 0);
    assert_int_equal(number, 1);
    assert_int_equal(rig_call(ana, "circles", al_slice_of(&empty, 1)), 0);
    in = al_read_init(al_rpc_param(al_buf_slice(&rig_last(&r)->bytes), "circles"));
    assert_int_equal(al_read_array(&in, 1, 1), 1);
    one = al_read_raw(&in);
    assert_int_equal(param_bool(&flag, one, "mine", false), 0);
    assert_true(flag);
    struct al_read people = al_read_init(al_rpc_param(one, "former"));
    assert_int_equal(al_read_array(&people, 1, 1), 1);
}

int main(void)
{
#define NODE_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        NODE_TEST(members_read_each_other_through_the_owner),
        NODE_TEST(an_outsider_carries_what_it_cannot_read),
        NODE_TEST(a_circle_that_cannot_be_made_says_why),
        NODE_TEST(what_changes_nothing_opens_no_epoch),
        NODE_TEST(who_leaves_is_let_go_by_the_owners_node),
        NODE_TEST(a_new_reading_key_is_answered_by_a_new_epoch),
        NODE_TEST(between_epochs_opened_by_itself_lies_a_minute),
        NODE_TEST(an_owner_who_was_away_does_it_when_back),
        NODE_TEST(a_thread_in_a_circle_stays_there),
        NODE_TEST(an_edit_keeps_the_circle_and_a_share_leaves_it),
        NODE_TEST(circles_tells_all_of_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
