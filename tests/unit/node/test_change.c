/* Changing one's mind: edit, retract and share keep to their rules, whoever calls. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "read.h"
#include "rig.h"
#include "rpc.h"
#include "write.h"

static struct rig r;
static struct rig_node *n;
static uint64_t keys;

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

static void put(struct al_buf *b, const char *key, const char *value)
{
    al_write_cstr(b, key);
    al_write_cstr(b, value);
}

/* Post {k: |kind|, of, text, |field|: |value|}; |to| and |of| may be NULL, |field| may be text. */
static int change(
    const char *kind, const struct al_ref *of, const char *to, const char *field, const char *value)
{
    uint8_t key[16] = {(uint8_t)++keys};
    struct al_buf b = al_heapbuf();
    al_write_map(&b, to == NULL ? 2 : 3);
    al_write_cstr(&b, "key");
    al_write_bin(&b, key, sizeof(key));
    if (to != NULL)
        put(&b, "to", to);
    al_write_cstr(&b, "entry");
    bool text = field != NULL && strcmp(field, "text") != 0;
    al_write_map(&b, (size_t)1 + (of != NULL) + (field != NULL) + text);
    put(&b, "k", kind);
    if (text)
        put(&b, "text", "second");
    if (of != NULL) {
        al_write_cstr(&b, "of");
        al_write_ref(&b, of);
    }
    if (field != NULL)
        put(&b, field, value);
    int err = rig_call(n, "post", al_buf_slice(&b));
    al_heapbuf_free(&b);
    return err;
}

static struct al_ref posted(void)
{
    struct al_ref ref;
    struct al_read in = al_read_init(al_rpc_param(al_buf_slice(&rig_last(&r)->bytes), "ref"));
    al_read_ref(&in, &ref);
    assert_int_equal(al_read_end(&in), 0);
    return ref;
}

static bool answered_to(const char *to)
{
    struct al_read in = al_read_init(al_rpc_param(al_buf_slice(&rig_last(&r)->bytes), "to"));
    return al_slice_is(al_read_str(&in, 16), to);
}

static bool has_payload(const struct al_ref *ref)
{
    struct al_store_log log;
    struct al_store_row row;
    assert_int_equal(al_store_log_find(n->store, &log, &ref->device, &ref->log), 0);
    assert_int_equal(al_store_get(n->store, &row, log.no, ref->seq), 0);
    return row.payload.n > 0;
}

static struct al_ref note(const char *to)
{
    struct al_ref ref;
    assert_int_equal(rig_post(n, "first", to, &ref), 0);
    return ref;
}

static void an_edit_has_the_readers_of_its_entry(void **state)
{
    static const char *const audiences[] = {"me", "network", "web"};
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct al_ref ref = note(audiences[i]);
        assert_int_equal(change("edit", &ref, NULL, "text", "second"), 0);
        assert_true(answered_to(audiences[i]));
        for (size_t k = 0; k < 3; k++)
            assert_int_equal(
                change("edit", &ref, audiences[k], "text", "third"), k == i ? 0 : AL_E_AUDIENCE);
    }
}

static void an_edit_has_only_fields_of_its_entrys_kind(void **state)
{
    struct al_ref ref = note("network");
    (void)state;
    assert_int_equal(change("edit", &ref, NULL, "url", "https://a.example"), AL_E_KIND);
    assert_non_null(strstr(rig_last(&r)->message, "note"));
    assert_int_equal(change("edit", &ref, NULL, NULL, NULL), AL_E_MISSING);
    assert_int_equal(change("edit", NULL, NULL, "text", "second"), AL_E_MISSING);
    assert_int_equal(change("edit", &ref, NULL, "text", "second"), 0);
    ref = posted();
    assert_int_equal(change("edit", &ref, NULL, "text", "of an edit"), AL_E_KIND);
}

static void nobody_changes_what_another_wrote(void **state)
{
    static struct al_segment seg;
    static uint8_t space[RIG_PAYLOAD];
    struct rig_peer peer;
    (void)state;
    rig_peer_friend(&peer, n, 5);
    rig_chain(&seg, &peer.who, 1, space);
    rig_peer_interests(&peer, &n->me.root.identity, 1);
    rig_peer_segment(&peer, 0, &seg);
    struct al_ref ref = {.device = seg.device, .log = seg.log, .seq = 1, .id = seg.items[0].id};
    uint64_t before = rig_status(n, "own_entries");
    assert_int_equal(rig_holds(n, &peer.who), 1);
    assert_int_equal(change("edit", &ref, NULL, "text", "x"), AL_E_PERMISSION);
    assert_int_equal(change("retract", &ref, NULL, NULL, NULL), AL_E_PERMISSION);
    assert_int_equal(change("share", &ref, "web", "text", "x"), AL_E_PERMISSION);
    assert_int_equal(rig_status(n, "own_entries"), before);
    rig_peer_leave(&peer);
}

static void what_is_not_here_cannot_change(void **state)
{
    struct al_ref ref = note("network");
    (void)state;
    ref.id.b[0] ^= 1;
    assert_int_equal(change("retract", &ref, NULL, NULL, NULL), AL_E_NOT_FOUND);
    ref.id.b[0] ^= 1;
    ref.seq += 100;
    assert_int_equal(change("edit", &ref, NULL, "text", "x"), AL_E_NOT_FOUND);
}

static void a_retraction_is_open_and_takes_sealed_edits_along(void **state)
{
    struct al_ref ref = note("me");
    struct al_ref edit;
    (void)state;
    assert_int_equal(change("edit", &ref, NULL, "text", "second"), 0);
    edit = posted();
    uint64_t before = rig_status(n, "own_entries");
    assert_int_equal(change("retract", &ref, "me", NULL, NULL), AL_E_AUDIENCE);
    assert_int_equal(change("retract", &ref, NULL, "text", "why"), 0);
    assert_true(answered_to("network"));
    assert_false(has_payload(&ref));
    assert_false(has_payload(&edit));
    /* one for the entry, and one for the edit, which others can't read */
    assert_int_equal(rig_status(n, "own_entries"), before + 2);
    assert_int_equal(change("retract", &ref, NULL, NULL, NULL), AL_E_NOT_FOUND);
    assert_int_equal(change("edit", &ref, NULL, "text", "x"), AL_E_NOT_FOUND);
    assert_int_equal(rig_status(n, "own_entries"), before + 2);
}

static void a_retracted_edit_is_not_retracted_twice(void **state)
{
    struct al_ref ref = note("network");
    struct al_ref edit;
    (void)state;
    assert_int_equal(change("edit", &ref, NULL, "text", "second"), 0);
    edit = posted();
    assert_int_equal(change("retract", &edit, NULL, NULL, NULL), 0);
    assert_true(has_payload(&ref));
    uint64_t before = rig_status(n, "own_entries");
    assert_int_equal(change("retract", &ref, NULL, NULL, NULL), 0);
    ref = posted();
    assert_int_equal(rig_status(n, "own_entries"), before + 1);
    assert_int_equal(change("retract", &ref, NULL, NULL, NULL), AL_E_KIND);
}

static void a_share_goes_outward_only(void **state)
{
    struct al_ref mine = note("me");
    struct al_ref network = note("network");
    (void)state;
    assert_int_equal(change("share", &mine, NULL, "text", "x"), AL_E_AUDIENCE);
    assert_int_equal(change("share", &mine, "me", "text", "x"), AL_E_AUDIENCE);
    assert_int_equal(change("share", &network, "network", "text", "x"), AL_E_AUDIENCE);
    assert_int_equal(change("share", &network, "web", "text", "x"), 0);
    assert_int_equal(change("share", &mine, "network", "text", "x"), 0);
    mine = posted();
    assert_int_equal(change("share", &mine, "network", "text", "x"), AL_E_AUDIENCE);
    assert_int_equal(change("share", &mine, "web", "text", "x"), 0);
    assert_int_equal(change("edit", &mine, NULL, "text", "y"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_edit_has_the_readers_of_its_entry, setup, teardown),
        cmocka_unit_test_setup_teardown(
            an_edit_has_only_fields_of_its_entrys_kind, setup, teardown),
        cmocka_unit_test_setup_teardown(nobody_changes_what_another_wrote, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_not_here_cannot_change, setup, teardown),
        cmocka_unit_test_setup_teardown(
            a_retraction_is_open_and_takes_sealed_edits_along, setup, teardown),
        cmocka_unit_test_setup_teardown(a_retracted_edit_is_not_retracted_twice, setup, teardown),
        cmocka_unit_test_setup_teardown(a_share_goes_outward_only, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
