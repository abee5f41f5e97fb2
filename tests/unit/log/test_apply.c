/* What a stored payload changes in the node. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "desk.h"
#include "write.h"

static struct desk d;
static struct rig_person other;
static struct al_segment seg;
static uint8_t space[AL_PAYLOAD_MAX];

static int setup(void **state)
{
    (void)state;
    desk_open(&d, 1);
    rig_person(&other, 2);
    desk_meet(&d, &other);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    desk_close(&d);
    return 0;
}

static bool has_payload(const struct al_ref *ref)
{
    struct al_store_row row;
    assert_true(desk_row(&d, &row, ref));
    return row.payload.n > 0;
}

static struct al_ref ref_of(const struct al_segment *s)
{
    return (struct al_ref){
        .device = s->device, .log = s->log, .seq = s->first, .id = s->items[0].id};
}

static struct al_payload retraction(const struct al_ref *of)
{
    struct al_payload p = desk_payload(AL_KIND_RETRACT, NULL);
    p.of = *of;
    return p;
}

static void a_retraction_drops_its_target(void **state)
{
    struct al_ref ref;
    (void)state;
    ref = desk_note(&d, "oops", AL_AUDIENCE_NETWORK);
    assert_true(has_payload(&ref));
    struct al_payload p = retraction(&ref);
    assert_int_equal(desk_append(&d, NULL, &p), 0);
    assert_false(has_payload(&ref));
    uint64_t pos = 0; /* whoever follows is told of the drop, too */
    assert_int_equal(al_store_position(d.store, &pos), 0);
    assert_int_equal(d.l->pos, pos);
}

static void a_retraction_that_arrives_before_its_target_drops_it_when_it_comes(void **state)
{
    static struct al_segment target;
    static uint8_t text[AL_PAYLOAD_MAX];
    struct al_payload note = desk_payload(AL_KIND_NOTE, "oops");
    struct al_ref ref;
    (void)state;
    desk_entry(&target, &other, 1, NULL, &note, text);
    ref = ref_of(&target);
    struct al_payload p = retraction(&ref);
    desk_entry(&seg, &other, 2, &target.items[0].id, &p, space);
    assert_int_equal(desk_ingest(&d, &seg), 0);
    desk_reopen(&d);
    assert_int_equal(desk_ingest(&d, &target), 0);
    assert_false(has_payload(&ref));
}

static void nobody_retracts_what_another_wrote(void **state)
{
    struct al_ref ref;
    (void)state;
    ref = desk_note(&d, "mine", AL_AUDIENCE_NETWORK);
    struct al_payload p = retraction(&ref);
    desk_entry(&seg, &other, 1, NULL, &p, space);
    assert_int_equal(desk_ingest(&d, &seg), 0);
    assert_true(has_payload(&ref));
}

static void a_payload_that_comes_after_its_retraction_is_not_kept(void **state)
{
    static uint8_t text[AL_PAYLOAD_MAX];
    struct al_payload note = desk_payload(AL_KIND_NOTE, "oops");
    struct al_segment stub;
    struct al_ref ref;
    (void)state;
    desk_entry(&seg, &other, 1, NULL, &note, text);
    ref = ref_of(&seg);
    stub = seg;
    stub.items[0].payload = al_slice_of(NULL, 0);
    stub.items[0].stub = AL_STUB_ASK;
    assert_int_equal(desk_ingest(&d, &stub), 0);
    struct al_payload p = retraction(&ref);
    static struct al_segment second;
    desk_entry(&second, &other, 2, &seg.items[0].id, &p, space);
    assert_int_equal(desk_ingest(&d, &second), 0);
    assert_int_equal(al_ingest_payload(d.l, &ref.device, &ref.log, 1, seg.items[0].payload), 0);
    assert_false(has_payload(&ref));
    uint64_t pos = 0;
    assert_int_equal(al_store_position(d.store, &pos), 0);
    assert_int_equal(d.l->pos, pos);
}

static struct al_payload edit(const struct al_ref *of, const char *text)
{
    struct al_payload p = desk_payload(AL_KIND_EDIT, text);
    p.of = *of;
    return p;
}

static void a_retraction_takes_every_edit_along(void **state)
{
    struct al_ref ref;
    struct al_ref edits[2];
    (void)state;
    ref = desk_note(&d, "oops", AL_AUDIENCE_ME);
    for (size_t i = 0; i < 2; i++) {
        struct al_payload p = edit(&ref, "oops, changed");
        p.audience = AL_AUDIENCE_ME;
        assert_int_equal(desk_append(&d, &edits[i], &p), 0);
    }
    desk_reopen(&d);
    struct al_payload p = retraction(&ref);
    assert_int_equal(desk_append(&d, NULL, &p), 0);
    assert_false(has_payload(&ref));
    assert_false(has_payload(&edits[0]));
    assert_false(has_payload(&edits[1]));
}

static void an_edit_that_arrives_after_the_retraction_of_its_target_is_dropped(void **state)
{
    static struct al_segment note;
    static struct al_segment change;
    static uint8_t text[2][AL_PAYLOAD_MAX];
    struct al_payload p = desk_payload(AL_KIND_NOTE, "oops");
    struct al_ref ref;
    struct al_ref changed;
    (void)state;
    desk_entry(&note, &other, 1, NULL, &p, text[0]);
    ref = ref_of(&note);
    p = edit(&ref, "oops, changed");
    desk_entry(&change, &other, 2, &note.items[0].id, &p, text[1]);
    changed = ref_of(&change);
    p = retraction(&ref);
    desk_entry(&seg, &other, 3, &change.items[0].id, &p, space);
    assert_int_equal(desk_ingest(&d, &seg), 0);
    assert_int_equal(desk_ingest(&d, &change), 0);
    assert_int_equal(desk_ingest(&d, &note), 0);
    assert_false(has_payload(&changed));
    assert_false(has_payload(&ref));
}

static void an_edit_by_another_stays_when_its_target_is_retracted(void **state)
{
    struct al_ref ref;
    struct al_ref theirs;
    (void)state;
    ref = desk_note(&d, "mine", AL_AUDIENCE_NETWORK);
    struct al_payload p = edit(&ref, "not mine");
    desk_entry(&seg, &other, 1, NULL, &p, space);
    theirs = ref_of(&seg);
    assert_int_equal(desk_ingest(&d, &seg), 0);
    p = retraction(&ref);
    assert_int_equal(desk_append(&d, NULL, &p), 0);
    assert_false(has_payload(&ref));
    assert_true(has_payload(&theirs));
}

static void choose_at(uint64_t ms, bool on, const struct al_identity *who)
{
    char key[AL_RELATION_KEY_BYTES];
    uint8_t value = on ? 0xc3 : 0xc2;
    struct al_payload p = desk_payload(AL_KIND_STATE, NULL);
    al_apply_relation_key(key, "follow", who);
    p.audience = AL_AUDIENCE_ME;
    p.key = al_slice_str(key);
    p.val = al_slice_of(&value, 1);
    d.now.wall_ms = ms;
    assert_int_equal(desk_append(&d, NULL, &p), 0);
}

static void the_latest_choice_counts_in_whatever_order_they_come(void **state)
{
    const struct al_person *person = al_logs_person(d.l, &other.root.identity);
    (void)state;
    choose_at(RIG_WALL_MS + 10, true, &other.root.identity);
    assert_true(person->follow);
    choose_at(RIG_WALL_MS + 5, false, &other.root.identity);
    assert_true(person->follow);
    choose_at(RIG_WALL_MS + 20, false, &other.root.identity);
    assert_false(person->follow);
    desk_reopen(&d);
    assert_false(al_logs_person(d.l, &other.root.identity)->follow);
}

static void choices_of_others_are_none_of_ours(void **state)
{
    struct al_payload p = desk_payload(AL_KIND_NOTE, "text");
    struct al_slice found;
    (void)state;
    p.src = al_slice_str("git:1");
    desk_entry(&seg, &other, 1, NULL, &p, space);
    assert_int_equal(desk_ingest(&d, &seg), 0);
    bool known = true;
    assert_int_equal(al_apply_source(d.l, &known, al_slice_str("git:1")), 0);
    assert_false(known);
    assert_int_equal(
        al_store_kv_get(d.store, &found, AL_SPACE_META, al_slice_str(AL_META_OWN_NAME)), 0);
    p = desk_payload(AL_KIND_PROFILE, NULL);
    p.name = al_slice_str("Impostor");
    struct al_hash prev = seg.items[0].id;
    desk_entry(&seg, &other, 2, &prev, &p, space);
    assert_int_equal(desk_ingest(&d, &seg), 0);
    assert_int_equal(
        al_store_kv_get(d.store, &found, AL_SPACE_META, al_slice_str(AL_META_OWN_NAME)), 0);
    assert_true(al_slice_is(found, "me"));
}

static void an_import_remembers_its_source(void **state)
{
    struct al_payload p = desk_payload(AL_KIND_NOTE, "text");
    bool known = true;
    (void)state;
    assert_int_equal(al_apply_source(d.l, &known, al_slice_str("git:1")), 0);
    assert_false(known);
    p.src = al_slice_str("git:1");
    assert_int_equal(desk_append(&d, NULL, &p), 0);
    desk_reopen(&d);
    assert_int_equal(al_apply_source(d.l, &known, al_slice_str("git:1")), 0);
    assert_true(known);
}

static void a_reply_leaves_an_edge_to_its_parent(void **state)
{
    struct al_payload p = desk_payload(AL_KIND_REPLY, "text");
    struct al_ref ref;
    struct al_ref reply;
    struct al_slice found;
    uint8_t key[64];
    (void)state;
    ref = desk_note(&d, "one", AL_AUDIENCE_NETWORK);
    p.re = p.rt = ref;
    assert_int_equal(desk_append(&d, &reply, &p), 0);
    memcpy(key, ref.id.b, 32);
    memcpy(key + 32, reply.id.b, 32);
    assert_int_equal(
        al_store_kv_get(d.store, &found, AL_SPACE_REPLY, al_slice_of(key, sizeof(key))), 0);
}

static void a_payload_that_cannot_be_read_is_data(void **state)
{
    static uint8_t junk[AL_BLOCK_ENTRIES * RIG_PAYLOAD];
    struct al_ref ref;
    (void)state;
    rig_chain(&seg, &other, 3, junk);
    assert_int_equal(desk_ingest(&d, &seg), 0);
    ref = ref_of(&seg);
    assert_true(has_payload(&ref));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_retraction_drops_its_target, setup, teardown),
        cmocka_unit_test_setup_teardown(
            a_retraction_that_arrives_before_its_target_drops_it_when_it_comes, setup, teardown),
        cmocka_unit_test_setup_teardown(nobody_retracts_what_another_wrote, setup, teardown),
        cmocka_unit_test_setup_teardown(
            a_payload_that_comes_after_its_retraction_is_not_kept, setup, teardown),
        cmocka_unit_test_setup_teardown(a_retraction_takes_every_edit_along, setup, teardown),
        cmocka_unit_test_setup_teardown(
            an_edit_that_arrives_after_the_retraction_of_its_target_is_dropped, setup, teardown),
        cmocka_unit_test_setup_teardown(
            an_edit_by_another_stays_when_its_target_is_retracted, setup, teardown),
        cmocka_unit_test_setup_teardown(
            the_latest_choice_counts_in_whatever_order_they_come, setup, teardown),
        cmocka_unit_test_setup_teardown(choices_of_others_are_none_of_ours, setup, teardown),
        cmocka_unit_test_setup_teardown(an_import_remembers_its_source, setup, teardown),
        cmocka_unit_test_setup_teardown(a_reply_leaves_an_edge_to_its_parent, setup, teardown),
        cmocka_unit_test_setup_teardown(a_payload_that_cannot_be_read_is_data, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
