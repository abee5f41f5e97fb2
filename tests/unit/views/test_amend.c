/* Edits and retractions, in whatever order they come. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "shelfrig.h"

#define T SAMPLE_TIME

static int setup(void **state)
{
    static struct rig rig;
    rig_init(&rig);
    *state = &rig;
    return 0;
}

static int teardown(void **state)
{
    rig_fini(*state);
    return 0;
}

static const char *state_of(struct rig *r, struct al_ref ref)
{
    assert_int_equal(rig_ask(r, "show", "id:i", ref.id.b), 0);
    return map_str(rig_value(r, "row"), "state");
}

static const char *found(struct rig *r, const char *query)
{
    assert_int_equal(rig_ask(r, "search", "query:s", query), 0);
    return rig_texts(r);
}

/* A note of person 1 as it will be, so that others can name it before it is stored. */
static struct al_ref note_to_come(struct rig *r, const char *text, uint64_t salt)
{
    struct rig other;
    rig_init(&other);
    other.salt = salt;
    struct al_ref ref = rig_note(&other, 1, text, T);
    rig_fini(&other);
    r->salt = salt + 1000; /* not the same again */
    return ref;
}

static void a_retracted_entry_is_gone_from_everywhere(void **state)
{
    struct rig *r = *state;
    struct al_ref ref = rig_post(r, 0, rig_tagged("xylophonist regret", "quagmire"), T);
    (void)rig_post(r, 0, rig_tagged("something else", "quagmire"), T + 1);
    rig_sync(r, 100);
    assert_string_equal(found(r, "xylophonist"), "xylophonist regret");
    (void)rig_retract(r, 0, ref, T + 2);
    rig_sync(r, 100);
    assert_string_equal(found(r, "xylophonist"), "");
    assert_int_equal(rig_ask(r, "timeline", ""), 0);
    assert_string_equal(rig_texts(r), "something else");
    assert_int_equal(rig_ask(r, "tags", ""), 0);
    assert_int_equal(map_uint(rig_at(r, "tags", 0), "count"), 1);
    assert_string_equal(state_of(r, ref), "retracted");
    assert_string_equal(map_str(rig_value(r, "row"), "text"), "");
}

static void nothing_of_a_retracted_text_stays_in_the_files(void **state)
{
    struct rig *r = *state;
    for (uint64_t i = 0; i < 300; i++)
        (void)rig_note(r, 1, "a text of somebody about nothing in particular", T + i);
    struct al_ref ref = rig_post(r, 1, rig_tagged("xylophonist quagmire", "zugzwang"), T + 500);
    for (uint64_t i = 0; i < 300; i++)
        (void)rig_note(r, 1, "a text of somebody about nothing in particular", T + 600 + i);
    rig_sync(r, 100); /* indexed by the drain: in a segment with others */
    assert_true(rig_files_hold(r, "quagmire"));
    (void)rig_retract(r, 1, ref, T + 2000);
    rig_sync(r, 100);
    rig_tidy(r);
    assert_false(rig_files_hold(r, "quagmire"));
    assert_false(rig_files_hold(r, "xylophonist"));
    assert_false(rig_files_hold(r, "zugzwang"));
    assert_true(rig_files_hold(r, "particular"));
    assert_string_not_equal(found(r, "particular"), "");
}

static void a_retraction_counts_before_its_target_arrives(void **state)
{
    struct rig *r = *state;
    struct al_ref ref = note_to_come(r, "xylophonist", 500);
    struct al_payload p = {.kind = AL_KIND_RETRACT, .of = ref};
    p.audience = AL_AUDIENCE_NETWORK;
    (void)rig_note(r, 2, "unrelated", T);
    /* The same person, another device: only so can it come first. */
    struct sample_person second = r->people[1];
    struct sample_person other = sample_person(99);
    uint32_t no;
    second.device = other.device;
    memcpy(second.device_secret, other.device_secret, sizeof(second.device_secret));
    assert_int_equal(al_store_begin(r->store), 0);
    assert_int_equal(
        al_store_log_add(r->store, &no, &second.identity, &second.device, &second.log), 0);
    assert_int_equal(al_store_commit(r->store), 0);
    struct sample_person first = r->people[1];
    r->people[1] = second;
    (void)rig_post(r, 1, p, T + 5);
    r->people[1] = first;
    rig_sync(r, 100);
    r->salt = 500;
    struct al_ref came = rig_note(r, 1, "xylophonist", T);
    assert_memory_equal(came.id.b, ref.id.b, 32);
    rig_sync(r, 100);
    assert_string_equal(state_of(r, ref), "retracted");
    assert_string_equal(found(r, "xylophonist"), "");
    assert_false(rig_files_hold(r, "xylophonist"));
}

static void only_the_author_can_retract_or_edit(void **state)
{
    struct rig *r = *state;
    struct al_ref ref = rig_note(r, 1, "original", T);
    (void)rig_retract(r, 2, ref, T + 1);
    (void)rig_edit(r, 2, ref, "forged", T + 2);
    (void)rig_edit(r, 0, ref, "forged", T + 2);
    rig_sync(r, 100);
    assert_string_equal(state_of(r, ref), "ok");
    assert_string_equal(map_str(rig_value(r, "row"), "text"), "original");
}

static void the_newest_edit_shows_and_the_others_are_its_history(void **state)
{
    struct rig *r = *state;
    struct al_ref ref = rig_post(r, 0, rig_tagged("frist", "old"), T);
    (void)rig_edit(r, 0, ref, "third", T + 30);
    (void)rig_edit(r, 0, ref, "second", T + 20); /* comes later, was written before */
    rig_sync(r, 1);
    assert_string_equal(state_of(r, ref), "edited");
    assert_string_equal(map_str(rig_value(r, "row"), "text"), "third");
    assert_int_equal(map_uint(rig_value(r, "row"), "time"), T);
    assert_int_equal(rig_count(r, "edits"), 3);
    assert_string_equal(map_str(rig_at(r, "edits", 0), "text"), "frist");
    assert_string_equal(map_str(rig_at(r, "edits", 1), "text"), "second");
    assert_string_equal(map_str(rig_at(r, "edits", 2), "text"), "third");
    assert_string_equal(found(r, "third"), "third");
    assert_string_equal(found(r, "frist"), "");
    assert_string_equal(found(r, "second"), "");
    assert_int_equal(rig_ask(r, "tags", ""), 0);
    assert_int_equal(rig_count(r, "tags"), 0); /* the edit has none */
    assert_int_equal(rig_ask(r, "timeline", ""), 0);
    assert_string_equal(rig_texts(r), "third");
}

static void an_edit_for_another_audience_does_not_count(void **state)
{
    struct rig *r = *state;
    struct al_ref ref = rig_note(r, 0, "open", T);
    struct al_payload p = {.kind = AL_KIND_EDIT, .of = ref, .text = al_slice_str("private")};
    p.audience = AL_AUDIENCE_ME;
    (void)rig_post(r, 0, p, T + 1);
    rig_sync(r, 100);
    assert_string_equal(state_of(r, ref), "ok");
    assert_string_equal(map_str(rig_value(r, "row"), "text"), "open");
}

static void retracting_an_edit_brings_the_text_before_back(void **state)
{
    struct rig *r = *state;
    struct al_ref ref = rig_note(r, 0, "original", T);
    struct al_ref first = rig_edit(r, 0, ref, "better", T + 1);
    struct al_ref second = rig_edit(r, 0, ref, "xylophonist", T + 2);
    rig_sync(r, 100);
    (void)rig_retract(r, 0, second, T + 3);
    rig_sync(r, 100);
    assert_string_equal(found(r, "xylophonist"), "");
    assert_string_equal(found(r, "better"), "better");
    (void)rig_retract(r, 0, first, T + 4);
    rig_sync(r, 100);
    assert_string_equal(state_of(r, ref), "ok");
    assert_string_equal(found(r, "original"), "original");
    rig_tidy(r);
    assert_false(rig_files_hold(r, "xylophonist"));
}

static void retracting_an_edited_entry_takes_every_version(void **state)
{
    struct rig *r = *state;
    struct al_ref ref = rig_note(r, 0, "xylophonist", T);
    struct al_ref edit = rig_edit(r, 0, ref, "quagmire", T + 1);
    rig_sync(r, 100);
    (void)rig_retract(r, 0, ref, T + 2);
    struct al_ref late = rig_edit(r, 0, ref, "zugzwang", T + 3);
    rig_sync(r, 100);
    rig_tidy(r);
    assert_string_equal(state_of(r, ref), "retracted");
    assert_string_equal(state_of(r, edit), "retracted");
    assert_string_equal(state_of(r, late), "retracted");
    assert_false(rig_files_hold(r, "xylophonist"));
    assert_false(rig_files_hold(r, "quagmire"));
    assert_false(rig_files_hold(r, "zugzwang"));
}

static void a_retracted_profile_gives_the_name_before_back(void **state)
{
    struct rig *r = *state;
    struct al_payload p = {.kind = AL_KIND_PROFILE, .name = al_slice_str("kai")};
    p.audience = AL_AUDIENCE_NETWORK;
    (void)rig_post(r, 1, p, T);
    p.name = al_slice_str("kay");
    struct al_ref second = rig_post(r, 1, p, T + 10);
    p.name = al_slice_str("old name that came late");
    (void)rig_post(r, 1, p, T - 10);
    rig_sync(r, 100);
    assert_int_equal(rig_ask(r, "profile", "identity:i", r->people[1].identity.b), 0);
    assert_string_equal(map_str(al_buf_slice(&r->out), "name"), "kay");
    (void)rig_retract(r, 1, second, T + 20);
    rig_sync(r, 100);
    assert_int_equal(rig_ask(r, "profile", "identity:i", r->people[1].identity.b), 0);
    assert_string_equal(map_str(al_buf_slice(&r->out), "name"), "kai");
}

static void a_dropped_payload_is_missing_until_it_comes_again(void **state)
{
    struct rig *r = *state;
    struct al_ref ref = rig_post(r, 0, rig_tagged("heavy words", "weight"), T);
    (void)rig_note(r, 0, "after", T + 1);
    struct al_store_log log;
    struct al_store_row row;
    uint8_t payload[256];
    assert_int_equal(al_store_log_find(r->store, &log, &ref.device, &ref.log), 0);
    assert_int_equal(al_store_get(r->store, &row, log.no, ref.seq), 0);
    size_t n = row.payload.n;
    assert_true(n <= sizeof(payload));
    memcpy(payload, row.payload.p, n);
    rig_sync(r, 100);
    assert_int_equal(al_store_begin(r->store), 0);
    assert_int_equal(al_store_payload_drop(r->store, log.no, ref.seq), 0);
    assert_int_equal(al_store_commit(r->store), 0);
    rig_sync(r, 100);
    assert_string_equal(state_of(r, ref), "missing");
    assert_string_equal(found(r, "heavy"), "");
    assert_int_equal(rig_ask(r, "changes", "from:u", UINT64_C(0)), 0);
    assert_string_equal(rig_texts(r), "after");
    uint64_t before = rig_uint(r, "pos");
    assert_int_equal(al_store_begin(r->store), 0);
    assert_int_equal(al_store_payload_put(r->store, log.no, ref.seq, al_slice_of(payload, n)), 0);
    assert_int_equal(al_store_commit(r->store), 0);
    rig_sync(r, 100);
    assert_string_equal(state_of(r, ref), "ok");
    assert_string_equal(found(r, "heavy tag:weight"), "heavy words");
    assert_int_equal(rig_ask(r, "changes", "from:u", before), 0);
    assert_string_equal(rig_texts(r), "heavy words"); /* who follows sees it now */
    assert_int_equal(rig_ask(r, "changes", "from:u", UINT64_C(0)), 0);
    assert_string_equal(rig_texts(r), "after|heavy words"); /* and only once */
    assert_int_equal(rig_ask(r, "views_status", ""), 0);
    assert_int_equal(rig_uint(r, "entries"), 2);
}

static void entries_beyond_a_revocation_are_hidden_and_of_a_fork_disputed(void **state)
{
    struct rig *r = *state;
    uint64_t pos;
    struct al_ref refs[3];
    rig_relate(r, "follow", 1, true, T);
    rig_relate(r, "follow", 2, true, T);
    for (uint64_t i = 0; i < 3; i++)
        refs[i] = rig_note(r, 1, (const char *[]){"good", "bad", "ugly"}[i], T + i);
    (void)rig_note(r, 2, "plain", T + 10);
    struct al_ref fork = rig_note(r, 2, "forked", T + 11);
    rig_sync(r, 100);
    struct al_store_log log[2];
    assert_int_equal(al_store_log_find(r->store, &log[0], &refs[0].device, &refs[0].log), 0);
    assert_int_equal(al_store_log_find(r->store, &log[1], &fork.device, &fork.log), 0);
    assert_int_equal(al_store_begin(r->store), 0);
    assert_int_equal(al_store_change(r->store, &pos, AL_CHANGE_HIDDEN, log[0].no, 2), 0);
    assert_int_equal(al_store_change(r->store, &pos, AL_CHANGE_FROZEN, log[1].no, 2), 0);
    assert_int_equal(al_store_commit(r->store), 0);
    (void)rig_note(r, 1, "after the cut", T + 20);
    rig_sync(r, 100);
    assert_int_equal(rig_ask(r, "timeline", ""), 0);
    assert_string_equal(rig_texts(r), "forked|plain|good");
    assert_string_equal(map_str(rig_at(r, "rows", 0), "state"), "disputed");
    assert_string_equal(map_str(rig_at(r, "rows", 1), "state"), "ok");
    assert_string_equal(found(r, "ugly"), "");
    assert_string_equal(state_of(r, refs[1]), "revoked");
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_retracted_entry_is_gone_from_everywhere),
        TEST(nothing_of_a_retracted_text_stays_in_the_files),
        TEST(a_retraction_counts_before_its_target_arrives),
        TEST(only_the_author_can_retract_or_edit),
        TEST(the_newest_edit_shows_and_the_others_are_its_history),
        TEST(an_edit_for_another_audience_does_not_count),
        TEST(retracting_an_edit_brings_the_text_before_back),
        TEST(retracting_an_edited_entry_takes_every_version),
        TEST(a_retracted_profile_gives_the_name_before_back),
        TEST(a_dropped_payload_is_missing_until_it_comes_again),
        TEST(entries_beyond_a_revocation_are_hidden_and_of_a_fork_disputed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
