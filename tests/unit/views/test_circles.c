/* Entries of circles: who they are for, when they can be read, and what they can't do. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "circles.h"
#include "heapbuf.h"
#include "identity.h"
#include "rng.h"
#include "rpc.h"
#include "shelfrig.h"
#include "statement.h"

#define T SAMPLE_TIME

/* The node's part: its own index over the same store. */
struct world {
    struct rig r;
    struct al_rng rng;
    struct al_record *records[RIG_PEOPLE];
    struct al_circles *node;
};

static void publish(struct world *w, int who, const uint8_t read_sk[32])
{
    const struct sample_person *p = &w->r.people[who];
    uint8_t bytes[512];
    uint8_t pk[32];
    struct al_statement s;
    bool is_new;
    struct al_buf b = al_buf_fixed(bytes, sizeof(bytes));
    al_read_key_public(pk, read_sk);
    struct al_read_box box = {.device = p->device};
    assert_int_equal(al_read_box_seal(box.box, &p->device, read_sk, &w->rng), 0);
    al_statement_encode_read(&b, &p->identity, p->root_secret, 1, pk, &box, 1);
    assert_int_equal(al_statement_open(&s, al_buf_slice(&b)), 0);
    w->records[who] = al_record_new(&p->identity);
    assert_int_equal(al_record_add(w->records[who], &is_new, &s, al_buf_slice(&b)), 0);
}

static const struct al_record *record_of(void *arg, const struct al_identity *identity)
{
    struct world *w = arg;
    for (int i = 0; i < RIG_PEOPLE; i++) {
        if (al_identity_eq(&w->r.people[i].identity, identity))
            return w->records[i];
    }
    return NULL;
}

static int setup(void **state)
{
    static struct world w;
    const uint8_t seed[32] = {5};
    w = (struct world){.node = NULL};
    al_rng_init(&w.rng, seed);
    rig_init(&w.r);
    for (int i = 0; i < RIG_PEOPLE; i++) {
        uint8_t sk[32];
        sample_bytes(sk, sizeof(sk), i == 0 ? 78 : 900 + (uint64_t)i);
        publish(&w, i, sk);
    }
    assert_int_equal(al_circles_new(&w.node, w.r.store, &w.r.keyring), 0);
    rig_relate(&w.r, "follow", 1, true, T);
    rig_relate(&w.r, "follow", 2, true, T);
    *state = &w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;
    al_circles_free(w->node);
    for (int i = 0; i < RIG_PEOPLE; i++)
        al_record_free(w->records[i]);
    rig_fini(&w->r);
    return 0;
}

/* The node looks at what it has stored, and says whose entries may open now. */
static void take(struct world *w, const struct al_ref *ref, const struct al_place *place,
    const struct al_payload *p)
{
    struct al_now now = {.mono_ms = 1000, .wall_ms = T};
    assert_int_equal(al_store_begin(w->r.store), 0);
    assert_int_equal(al_circles_take(w->node, &w->r.keyring.identity, ref, place, p, now), 0);
    assert_int_equal(al_store_commit(w->r.store), 0);
    for (int i = 0; i < RIG_PEOPLE; i++)
        rig_change(&w->r, AL_CHANGE_UNLOCKED, rig_log(&w->r, i), 0);
}

enum circle { TEAM = 1, BAND };

static const struct al_circle *circle_of(struct world *w, enum circle number)
{
    struct al_circle_id cid = {{(uint8_t)number}};
    const struct al_circle *circle = al_circles_find(w->node, &w->r.keyring.identity, &cid);
    assert_non_null(circle);
    return circle;
}

/* A circle of the owner with the people 1 and 2. */
static struct al_ref make_circle(struct world *w, const char *name, enum circle number)
{
    struct al_buf b = al_heapbuf();
    struct al_payload p;
    struct al_identity who;
    struct al_identity members[] = {w->r.people[1].identity, w->r.people[2].identity};
    struct al_circle_change change = {.name = al_slice_str(name), .add = members, .add_count = 2};
    change.cid.b[0] = (uint8_t)number;
    struct al_place place = rig_place(&w->r, 0);
    assert_int_equal(
        al_circle_compose(w->node, &b, &p, &who, &change, &place, record_of, w, &w->rng), 0);
    p.audience = AL_AUDIENCE_NETWORK;
    struct al_ref ref = rig_post(&w->r, 0, p, T);
    take(w, &ref, &place, &p);
    al_heapbuf_free(&b);
    return ref;
}

/* An entry of |who| for that circle. */
static struct al_ref post(
    struct world *w, int who, enum circle number, struct al_payload p, uint64_t time_ms)
{
    p.audience = AL_AUDIENCE_CIRCLE;
    p.epoch_key = al_circles_key(w->node, circle_of(w, number));
    assert_non_null(p.epoch_key);
    return rig_post(&w->r, who, p, time_ms);
}

static struct al_slice row_of(struct world *w, struct al_ref ref)
{
    assert_int_equal(rig_ask(&w->r, "show", "id:i", ref.id.b), 0);
    return rig_value(&w->r, "row");
}

static const char *found(struct world *w, const char *query)
{
    assert_int_equal(rig_ask(&w->r, "search", "query:s rank:b", query, 0), 0);
    return rig_texts(&w->r);
}

static void entries_of_a_circle_are_read_and_found(void **state)
{
    struct world *w = *state;
    struct al_ref entry = make_circle(w, "team", TEAM);
    (void)make_circle(w, "band", BAND);
    struct al_ref ref = post(w, 1, TEAM, rig_tagged("loop for the team", "uv"), T + 1);
    (void)post(w, 0, BAND, rig_tagged("loop for the band", "uv"), T + 2);
    (void)rig_note(&w->r, 1, "loop for all", T + 3);
    rig_sync(&w->r, 100);
    for (int i = 0; i < 2; i++) { /* as it came, and made anew */
        assert_int_equal(rig_ask(&w->r, "timeline", ""), 0);
        assert_string_equal(rig_texts(&w->r), "loop for all|loop for the band|loop for the team");
        assert_string_equal(map_str(rig_at(&w->r, "rows", 2), "to"), "circle");
        assert_string_equal(map_str(rig_at(&w->r, "rows", 2), "circle"), "team");
        assert_string_equal(map_str(rig_at(&w->r, "rows", 0), "circle"), "");
        assert_true(map_bool(rig_at(&w->r, "rows", 2), "close"));
        assert_string_equal(found(w, "loop to:circle"), "loop for the band|loop for the team");
        assert_string_equal(found(w, "loop to:circle:Team"), "loop for the team");
        assert_string_equal(found(w, "to:circle:band tag:uv"), "loop for the band");
        assert_int_equal(rig_ask(&w->r, "timeline", "to:s", "circle:band"), 0);
        assert_string_equal(rig_texts(&w->r), "loop for the band");
        assert_int_equal(rig_ask(&w->r, "timeline", "to:s", "circle:crew"), AL_E_NOT_FOUND);
        assert_int_equal(rig_ask(&w->r, "search", "query:s", "to:circle:crew"), AL_E_NOT_FOUND);
        assert_string_equal(w->r.why, "there is no circle called crew here");
        assert_string_equal(map_str(row_of(w, entry), "kind"), "circle");
        assert_string_equal(map_str(row_of(w, ref), "text"), "loop for the team");
        rig_rebuild(&w->r);
    }
}

static void a_key_that_comes_later_opens_what_came_before(void **state)
{
    struct world *w = *state;
    struct rig *r = &w->r;
    /* A circle that the views know of, and one more epoch's key that they do not have yet. */
    struct al_buf b = al_heapbuf();
    struct al_payload p;
    struct al_identity who;
    (void)make_circle(w, "team", TEAM);
    struct al_circle_change change = {.circle = circle_of(w, TEAM), .name = al_slice_str("crew")};
    struct al_place place = rig_place(r, 0);
    assert_int_equal(
        al_circle_compose(w->node, &b, &p, &who, &change, &place, record_of, w, &w->rng), 0);
    p.audience = AL_AUDIENCE_NETWORK;
    struct al_ref renamed = rig_post(r, 0, p, T + 1);
    /* What its members write with it is in the store before the node has looked at it. */
    struct al_now now = {.mono_ms = 1000, .wall_ms = T};
    assert_int_equal(al_store_begin(r->store), 0);
    assert_int_equal(al_circles_take(w->node, &r->keyring.identity, &renamed, &place, &p, now), 0);
    uint8_t key[AL_EPOCH_KEY_BYTES];
    const uint8_t *found_key = al_circles_key(w->node, circle_of(w, TEAM));
    assert_non_null(found_key);
    memcpy(key, found_key, sizeof(key)); /* the index forgets it with the transaction */
    al_store_rollback(r->store);
    struct al_payload note = rig_tagged("early loop", "uv");
    note.audience = AL_AUDIENCE_CIRCLE;
    note.epoch_key = key;
    struct al_ref early = rig_post(r, 1, note, T + 2);
    for (uint64_t i = 0; i < 100; i++)
        (void)rig_note(r, 1, "between", T + 3 + i);
    rig_sync(r, 100);
    assert_string_equal(map_str(row_of(w, early), "state"), "unreadable");
    assert_string_equal(map_str(row_of(w, early), "to"), "");
    assert_int_equal(rig_ask(r, "views_status", ""), 0);
    assert_int_equal(rig_uint(r, "unreadable"), 1);
    uint64_t before = rig_uint(r, "pos");
    al_circles_free(w->node);
    assert_int_equal(al_circles_new(&w->node, r->store, &r->keyring), 0);
    take(w, &renamed, &place, &p);
    rig_sync(r, 100);
    assert_string_equal(map_str(row_of(w, early), "text"), "early loop");
    assert_string_equal(map_str(row_of(w, early), "circle"), "crew");
    assert_string_equal(found(w, "early to:circle:crew"), "early loop");
    assert_int_equal(rig_ask(r, "changes", "from:u", before), 0);
    assert_string_equal(rig_texts(r), "early loop");
    assert_int_equal(rig_ask(r, "changes", "from:u", rig_uint(r, "pos")), 0);
    assert_string_equal(rig_texts(r), "");
    assert_int_equal(rig_ask(r, "views_status", ""), 0);
    assert_int_equal(rig_uint(r, "unreadable"), 0);
    al_heapbuf_free(&b);
}

static void an_edit_counts_only_for_the_same_circle(void **state)
{
    struct world *w = *state;
    (void)make_circle(w, "team", TEAM);
    (void)make_circle(w, "band", BAND);
    struct al_ref ref = post(w, 1, TEAM, rig_tagged("first", "uv"), T + 1);
    struct al_payload edit = {.kind = AL_KIND_EDIT, .of = ref, .text = al_slice_str("wrong")};
    (void)post(w, 1, BAND, edit, T + 9);
    (void)post(w, 2, TEAM, edit, T + 9);
    edit.audience = AL_AUDIENCE_NETWORK;
    (void)rig_post(&w->r, 1, edit, T + 9);
    rig_sync(&w->r, 100);
    assert_string_equal(map_str(row_of(w, ref), "text"), "first");
    assert_int_equal(rig_count(&w->r, "edits"), 0);
    edit.text = al_slice_str("second");
    (void)post(w, 1, TEAM, edit, T + 8);
    rig_sync(&w->r, 100);
    assert_string_equal(map_str(row_of(w, ref), "text"), "second");
    assert_string_equal(map_str(row_of(w, ref), "state"), "edited");
    assert_int_equal(rig_count(&w->r, "edits"), 2);
    assert_string_equal(found(w, "wrong"), "");
}

/* Whether the row of |ref| has |field|. */
static bool has_field(struct world *w, struct al_ref ref, const char *field)
{
    return al_rpc_param(al_rpc_param(row_of(w, ref), "fields"), field).n > 0;
}

static void a_share_is_by_its_author_and_wider(void **state)
{
    struct world *w = *state;
    (void)make_circle(w, "team", TEAM);
    (void)make_circle(w, "band", BAND);
    struct al_ref secret = post(w, 1, TEAM, rig_tagged("of the team", "uv"), T + 1);
    struct al_ref open = rig_note(&w->r, 1, "of all", T + 2);
    struct al_payload p = {.kind = AL_KIND_SHARE, .of = secret, .text = al_slice_str("shared")};
    p.audience = AL_AUDIENCE_NETWORK;
    struct al_ref good = rig_post(&w->r, 1, p, T + 3);
    struct al_ref stolen = rig_post(&w->r, 2, p, T + 4);
    struct al_ref aside = post(w, 1, BAND, p, T + 5);
    p.of = open;
    struct al_ref same = rig_post(&w->r, 1, p, T + 6);
    struct al_ref narrower = post(w, 1, TEAM, p, T + 7);
    rig_sync(&w->r, 100);
    assert_true(has_field(w, good, "of"));
    assert_false(has_field(w, stolen, "of"));
    assert_false(has_field(w, aside, "of"));
    assert_false(has_field(w, same, "of"));
    assert_false(has_field(w, narrower, "of"));
    assert_string_equal(map_str(row_of(w, stolen), "text"), "shared"); /* an entry of its own */
}

static void a_reply_that_more_can_read_is_marked(void **state)
{
    struct world *w = *state;
    (void)make_circle(w, "team", TEAM);
    (void)make_circle(w, "band", BAND);
    struct al_ref secret = post(w, 1, TEAM, rig_tagged("of the team", "uv"), T + 1);
    struct al_payload p = {.kind = AL_KIND_REPLY, .re = secret, .rt = secret};
    p.text = al_slice_str("as you said");
    struct al_ref inside = post(w, 2, TEAM, p, T + 2);
    struct al_ref aside = post(w, 2, BAND, p, T + 3);
    struct al_ref outside = rig_reply(&w->r, 2, "as you said", secret, secret, T + 4);
    rig_sync(&w->r, 100);
    assert_false(has_field(w, inside, "wider"));
    assert_true(has_field(w, aside, "wider"));
    assert_true(has_field(w, outside, "wider"));
}

static void nobody_chooses_for_others_in_a_circle(void **state)
{
    struct world *w = *state;
    (void)make_circle(w, "team", TEAM);
    struct al_payload p = {.kind = AL_KIND_STATE, .key = al_slice_str("read-up-to")};
    p.val = al_slice_of("\x01", 1);
    struct al_ref choice = post(w, 1, TEAM, p, T + 1);
    p = (struct al_payload){.kind = AL_KIND_LEAVE};
    struct al_circle_id cid = {{TEAM}};
    p.cid = al_slice_of(cid.b, sizeof(cid.b));
    struct al_ref leave = post(w, 1, TEAM, p, T + 2);
    p.audience = AL_AUDIENCE_ME;
    (void)rig_note(&w->r, 1, "last", T + 3);
    rig_sync(&w->r, 100);
    assert_string_equal(map_str(row_of(w, choice), "state"), "unreadable");
    assert_string_equal(map_str(row_of(w, leave), "kind"), "leave");
    assert_int_equal(rig_ask(&w->r, "timeline", ""), 0);
    assert_string_equal(rig_texts(&w->r), "last");
    assert_int_equal(rig_ask(&w->r, "timeline", "unread:b", 1), 0);
    assert_string_equal(rig_texts(&w->r), "last");
}

static void a_retracted_text_of_a_circle_leaves_the_files(void **state)
{
    struct world *w = *state;
    (void)make_circle(w, "team", TEAM);
    struct al_ref ref = post(w, 1, TEAM, rig_tagged("xylophonist", "quagmire"), T + 1);
    struct al_payload edit = {.kind = AL_KIND_EDIT, .of = ref, .text = al_slice_str("zugzwang")};
    (void)post(w, 1, TEAM, edit, T + 2);
    rig_sync(&w->r, 100);
    assert_string_equal(found(w, "zugzwang"), "zugzwang");
    (void)rig_retract(&w->r, 1, ref, T + 3);
    rig_sync(&w->r, 100);
    rig_tidy(&w->r);
    assert_string_equal(found(w, "zugzwang"), "");
    assert_false(rig_files_hold(&w->r, "xylophonist"));
    assert_false(rig_files_hold(&w->r, "quagmire"));
    assert_false(rig_files_hold(&w->r, "zugzwang"));
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(entries_of_a_circle_are_read_and_found),
        TEST(a_key_that_comes_later_opens_what_came_before),
        TEST(an_edit_counts_only_for_the_same_circle),
        TEST(a_share_is_by_its_author_and_wider),
        TEST(a_reply_that_more_can_read_is_marked),
        TEST(nobody_chooses_for_others_in_a_circle),
        TEST(a_retracted_text_of_a_circle_leaves_the_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
