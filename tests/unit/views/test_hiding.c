/* What a revocation hides, what is taken out of the store, and what comes back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "attachment.h"
#include "read.h"
#include "rpc.h"
#include "shelfrig.h"
#include "write.h"

#define T SAMPLE_TIME

static int setup(void **state)
{
    static struct rig rig;
    rig_init(&rig);
    rig_relate(&rig, "follow", 1, true, T);
    rig_relate(&rig, "follow", 2, true, T);
    *state = &rig;
    return 0;
}

static int teardown(void **state)
{
    rig_fini(*state);
    return 0;
}

static void hide(struct rig *r, int who, uint64_t seq)
{
    rig_change(r, AL_CHANGE_HIDDEN, rig_log(r, who), seq);
}

static const char *timeline(struct rig *r)
{
    assert_int_equal(rig_ask(r, "timeline", ""), 0);
    return rig_texts(r);
}

static const char *found(struct rig *r, const char *query)
{
    assert_int_equal(rig_ask(r, "search", "query:s rank:b", query, 0), 0);
    return rig_texts(r);
}

static struct al_slice row_of(struct rig *r, struct al_ref ref)
{
    assert_int_equal(rig_ask(r, "show", "id:i", ref.id.b), 0);
    return rig_value(r, "row");
}

static uint64_t entries_of(struct rig *r, int who)
{
    assert_int_equal(rig_ask(r, "profile", "identity:i", r->people[who].identity.b), 0);
    return rig_uint(r, "entries");
}

static void the_last_word_of_the_root_is_followed_down_and_up(void **state)
{
    struct rig *r = *state;
    static const char *const texts[] = {"loop 1", "loop 2", "loop 3", "loop 4"};
    struct al_ref refs[4];
    struct al_payload name = {.kind = AL_KIND_PROFILE, .name = al_slice_str("kai")};
    name.audience = AL_AUDIENCE_NETWORK;
    for (uint64_t i = 0; i < 4; i++)
        refs[i] = rig_post(r, 1, rig_tagged(texts[i], "uv"), T + i);
    (void)rig_post(r, 1, name, T + 10);
    struct al_ref root = rig_note(r, 2, "root", T + 11);
    (void)rig_reply(r, 1, "loop 6", root, root, T + 12);
    rig_sync(r, 3);
    assert_int_equal(entries_of(r, 1), 6);
    hide(r, 1, 3);
    rig_sync(r, 3);
    assert_string_equal(timeline(r), "root|loop 2|loop 1");
    assert_string_equal(found(r, "loop"), "loop 2|loop 1");
    assert_int_equal(entries_of(r, 1), 2);
    assert_string_equal(map_str(al_buf_slice(&r->out), "name"), "");
    assert_int_equal(rig_ask(r, "tags", ""), 0);
    assert_int_equal(map_uint(rig_at(r, "tags", 0), "count"), 2);
    assert_int_equal(rig_ask(r, "thread", "id:i", root.id.b), 0);
    assert_int_equal(rig_count(r, "rows"), 1);
    assert_int_equal(map_uint(row_of(r, root), "replies"), 0);
    assert_string_equal(map_str(row_of(r, refs[2]), "state"), "revoked");
    assert_string_equal(map_str(row_of(r, refs[2]), "text"), "");
    hide(r, 1, 1);
    (void)rig_note(r, 1, "late loop", T + 20);
    rig_sync(r, 3);
    assert_string_equal(timeline(r), "root");
    hide(r, 1, 6);
    rig_sync(r, 3);
    assert_string_equal(timeline(r), "root|loop 4|loop 3|loop 2|loop 1");
    assert_string_equal(found(r, "loop tag:uv"), "loop 4|loop 3|loop 2|loop 1");
    assert_int_equal(entries_of(r, 1), 5);
    assert_string_equal(map_str(al_buf_slice(&r->out), "name"), "kai");
    hide(r, 1, AL_SEQ_MAX + 1);
    rig_sync(r, 3);
    assert_string_equal(timeline(r), "late loop|loop 6|root|loop 4|loop 3|loop 2|loop 1");
    assert_int_equal(map_uint(row_of(r, root), "replies"), 1);
}

/* Answers come between the steps, and the position is reached only when all is hidden. */
static void a_long_job_keeps_nobody_waiting(void **state)
{
    struct rig *r = *state;
    uint64_t pos;
    uint64_t end;
    bool more = true;
    for (uint64_t i = 0; i < 50; i++)
        (void)rig_note(r, 1, "loop", T + i);
    rig_sync(r, 100);
    hide(r, 1, 1);
    (void)rig_note(r, 2, "after", T + 100);
    assert_int_equal(al_store_position(r->store, &end), 0);
    uint64_t before = 50;
    for (int steps = 0; before > 0; steps++) {
        assert_int_equal(al_views_step(r->views, &pos, &more, 10), 0);
        assert_true(more && steps < 20);
        assert_int_equal(rig_ask(r, "timeline", "limit:u", UINT64_C(100)), 0);
        assert_in_range(rig_count(r, "rows"), before > 10 ? before - 10 : 0, before);
        before = rig_count(r, "rows");
        assert_true(pos < end);
    }
    rig_sync(r, 10);
    assert_string_equal(timeline(r), "after");
}

static void a_thiefs_changes_of_mind_do_not_count(void **state)
{
    struct rig *r = *state;
    struct al_ref kept = rig_note(r, 1, "loop kept", T);
    struct al_ref gone = rig_note(r, 1, "loop gone", T + 1);
    struct al_ref edit = rig_edit(r, 1, gone, "loop edited", T + 2);
    (void)rig_edit(r, 1, kept, "loop of a thief", T + 3);
    (void)rig_retract(r, 1, gone, T + 4);
    rig_sync(r, 100);
    assert_string_equal(timeline(r), "loop of a thief");
    assert_string_equal(map_str(row_of(r, edit), "state"), "retracted");
    hide(r, 1, 4);
    rig_sync(r, 100);
    assert_string_equal(timeline(r), "loop edited|loop kept");
    assert_string_equal(found(r, "loop"), "loop edited|loop kept");
    assert_string_equal(map_str(row_of(r, edit), "state"), "ok");
    hide(r, 1, 6);
    rig_sync(r, 100);
    assert_string_equal(timeline(r), "loop of a thief");
}

static void a_retraction_is_not_taken_back(void **state)
{
    struct rig *r = *state;
    struct al_ref gone = rig_note(r, 1, "gone", T);
    struct al_ref retraction = rig_retract(r, 1, gone, T + 1);
    (void)rig_retract(r, 1, retraction, T + 2);
    rig_sync(r, 100);
    assert_string_equal(map_str(row_of(r, gone), "state"), "retracted");
    assert_string_equal(map_str(row_of(r, retraction), "state"), "ok");
}

/* Which edit counts is the same everywhere: neither when it came, nor what it says of "at". */
static void the_latest_edit_is_that_of_the_latest_header(void **state)
{
    struct rig *r = *state;
    struct al_ref ref = rig_note(r, 1, "first", T);
    r->arrived = T + 100; /* both clocks are ahead, and the earlier edit comes last */
    (void)rig_edit(r, 1, ref, "latest", T + 6000);
    struct al_payload p = {.kind = AL_KIND_EDIT, .of = ref, .text = al_slice_str("earlier")};
    p.audience = AL_AUDIENCE_NETWORK;
    p.at_ms = T + 9000;
    (void)rig_post(r, 1, p, T + 5000);
    rig_sync(r, 100);
    assert_string_equal(map_str(row_of(r, ref), "text"), "latest");
}

static void only_content_is_edited(void **state)
{
    struct rig *r = *state;
    struct al_payload name = {.kind = AL_KIND_PROFILE, .name = al_slice_str("kai")};
    struct al_payload p = {.kind = AL_KIND_THANKS, .text = al_slice_str("thanks")};
    name.audience = p.audience = AL_AUDIENCE_NETWORK;
    p.who = al_slice_of(r->people[2].identity.b, 32);
    struct al_ref profile = rig_post(r, 1, name, T);
    struct al_ref thanks = rig_post(r, 1, p, T + 1);
    struct al_ref edit = rig_edit(r, 1, thanks, "many thanks", T + 2);
    (void)rig_edit(r, 1, profile, "not a name", T + 3);
    (void)rig_edit(r, 1, edit, "an edit of an edit", T + 4);
    p = rig_tagged("narrower", "uv");
    p.kind = AL_KIND_EDIT;
    p.of = thanks;
    p.audience = AL_AUDIENCE_WEB; /* another audience, wider or not */
    (void)rig_post(r, 1, p, T + 5);
    rig_sync(r, 100);
    assert_string_equal(map_str(row_of(r, profile), "state"), "ok");
    assert_string_equal(map_str(row_of(r, edit), "state"), "ok");
    assert_string_equal(map_str(row_of(r, thanks), "text"), "many thanks");
    struct al_slice fields = al_rpc_param(row_of(r, thanks), "fields");
    assert_memory_equal(map_bin(fields, "who").p, r->people[2].identity.b, 32);
    assert_int_equal(al_rpc_param(fields, "of").n, 0); /* that is the edit's */
}

/* What was attached is named, without the key that opens it. */
static void attachments_are_named(void **state)
{
    struct rig *r = *state;
    const uint8_t hash[32] = {1};
    uint8_t room[512];
    uint8_t hashes[34];
    struct al_buf b = al_buf_fixed(room, sizeof(room));
    struct al_buf list = al_buf_fixed(hashes, sizeof(hashes));
    al_write_bin(&list, hash, sizeof(hash));
    struct al_attachment a = {.size = 1000, .pieces = 1, .hashes = al_buf_slice(&list)};
    a.name = al_slice_str("notes.pdf");
    a.mime = al_slice_str("application/pdf");
    memset(a.key, 0x5a, sizeof(a.key));
    al_write_array(&b, 1);
    al_attachment_encode(&b, &a);
    struct al_payload p = rig_tagged("see there", "uv");
    p.files = al_buf_slice(&b);
    struct al_ref ref = rig_post(r, 1, p, T);
    (void)rig_edit(r, 1, ref, "see here", T + 1);
    rig_sync(r, 100);
    struct al_slice row = row_of(r, ref);
    struct al_slice files = al_rpc_param(al_rpc_param(row, "fields"), "files");
    struct al_read read = al_read_init(files);
    assert_int_equal(al_read_array(&read, 1, 1), 1);
    assert_int_equal(al_read_array(&read, 3, 3), 3);
    assert_int_equal(al_read_uint(&read, UINT64_MAX), 1000);
    assert_true(al_slice_is(al_read_str(&read, 64), "application/pdf"));
    assert_true(al_slice_is(al_read_str(&read, 64), "notes.pdf"));
    assert_null(memmem(row.p, row.n, a.key, sizeof(a.key)));
}

/* A block is taken out: nothing of it stays, and it may come again. */
static void what_is_taken_out_leaves_nothing(void **state)
{
    struct rig *r = *state;
    struct al_ref root = rig_note(r, 2, "root", T);
    struct al_payload p = rig_tagged("xylophonist", "quagmire");
    p.kind = AL_KIND_REPLY;
    p.re = p.rt = root;
    struct al_ref out = rig_post(r, 1, p, T + 1);
    (void)rig_edit(r, 1, out, "zugzwang", T + 2);
    (void)rig_reply(r, 2, "child", out, root, T + 3);
    rig_sync(r, 100);
    assert_string_equal(timeline(r), "child|zugzwang|root");
    assert_int_equal(al_store_begin(r->store), 0);
    assert_int_equal(al_store_remove(r->store, rig_log(r, 1), 1), 0);
    assert_int_equal(al_store_commit(r->store), 0);
    rig_sync(r, 100);
    rig_tidy(r);
    assert_string_equal(timeline(r), "child|root");
    assert_int_equal(rig_ask(r, "show", "id:i", out.id.b), AL_E_NOT_FOUND);
    assert_int_equal(entries_of(r, 1), 0);
    assert_string_equal(found(r, "zugzwang"), "");
    assert_int_equal(map_uint(row_of(r, root), "replies"), 0);
    assert_false(rig_files_hold(r, "xylophonist"));
    assert_false(rig_files_hold(r, "zugzwang"));
    assert_false(rig_files_hold(r, "quagmire"));
    rig_reopen(r);
    assert_int_equal(rig_ask(r, "views_status", ""), 0);
    assert_int_equal(rig_uint(r, "rebuilt"), 0); /* the file still knows its store */
    (void)rig_note(r, 1, "anew", T + 4);
    rig_sync(r, 100);
    assert_string_equal(timeline(r), "anew|child|root");
}

static void a_fork_that_is_settled_is_disputed_no_more(void **state)
{
    struct rig *r = *state;
    (void)rig_note(r, 1, "plain", T);
    struct al_ref ref = rig_note(r, 1, "forked", T + 1);
    struct al_ref old = rig_note(r, 1, "old", T - 1);
    rig_sync(r, 100);
    rig_change(r, AL_CHANGE_FROZEN, rig_log(r, 1), 2);
    (void)rig_edit(r, 1, old, "edited", T + 2);
    rig_sync(r, 100);
    assert_string_equal(map_str(row_of(r, ref), "state"), "disputed");
    rig_change(r, AL_CHANGE_FROZEN, rig_log(r, 1), 4);
    rig_sync(r, 100);
    assert_string_equal(map_str(row_of(r, ref), "state"), "ok");
    assert_string_equal(map_str(row_of(r, old), "state"), "disputed"); /* its edit is */
    rig_change(r, AL_CHANGE_FROZEN, rig_log(r, 1), 0);
    rig_sync(r, 100);
    assert_string_equal(map_str(row_of(r, old), "state"), "edited");
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(the_last_word_of_the_root_is_followed_down_and_up),
        TEST(a_long_job_keeps_nobody_waiting),
        TEST(a_thiefs_changes_of_mind_do_not_count),
        TEST(a_retraction_is_not_taken_back),
        TEST(the_latest_edit_is_that_of_the_latest_header),
        TEST(only_content_is_edited),
        TEST(attachments_are_named),
        TEST(what_is_taken_out_leaves_nothing),
        TEST(a_fork_that_is_settled_is_disputed_no_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
