/* The file itself: thrown away, damaged, of another log; and the doctor. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rng.h"
#include "shelfrig.h"
#include "statement.h"

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

/* Some of everything. */
static void live(struct rig *r)
{
    struct al_payload profile = {.kind = AL_KIND_PROFILE, .name = al_slice_str("kai")};
    struct al_payload me = rig_tagged("secret loop", "libuv");
    profile.audience = AL_AUDIENCE_NETWORK;
    me.audience = AL_AUDIENCE_ME;
    rig_relate(r, "follow", 1, true, T);
    rig_relate(r, "mute", 2, true, T);
    (void)rig_post(r, 1, profile, T + 1);
    (void)rig_post(r, 0, me, T + 2);
    struct al_ref a = rig_post(r, 1, rig_tagged("loop question", "libuv"), T + 3);
    struct al_ref b = rig_reply(r, 0, "loop answer", a, a, T + 4);
    (void)rig_edit(r, 0, b, "loop answer, better", T + 5);
    struct al_ref c = rig_note(r, 1, "regret loop", T + 6);
    (void)rig_retract(r, 1, c, T + 7);
    (void)rig_note(r, 2, "noise loop", T + 8);
    rig_sync(r, 4);
}

/* The answers that must not depend on how the file came to be. */
static void ask_all(struct rig *r, struct al_buf *answers)
{
    static const char *const methods[] = {"timeline", "people", "tags"};
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(rig_ask(r, methods[i], ""), 0);
        al_buf_put(answers, r->out.p, r->out.n);
    }
    assert_int_equal(rig_ask(r, "search", "query:s", "loop"), 0);
    al_buf_put(answers, r->out.p, r->out.n);
    assert_int_equal(rig_ask(r, "changes", "from:u", UINT64_C(0)), 0);
    al_buf_put(answers, r->out.p, r->out.n);
}

static void expect_same_after(struct rig *r, void (*change)(struct rig *r), uint64_t rebuilt)
{
    static uint8_t room[2][65536];
    struct al_buf before = al_buf_fixed(room[0], sizeof(room[0]));
    struct al_buf after = al_buf_fixed(room[1], sizeof(room[1]));
    ask_all(r, &before);
    change(r);
    ask_all(r, &after);
    assert_false(before.full || after.full);
    assert_int_equal(before.n, after.n);
    assert_memory_equal(before.p, after.p, before.n);
    assert_int_equal(rig_ask(r, "views_status", ""), 0);
    assert_int_equal(rig_uint(r, "rebuilt"), rebuilt);
    assert_int_equal(rig_uint(r, "behind"), 0);
    assert_int_equal(rig_uint(r, "unindexed"), 0);
}

static void a_deleted_file_comes_back_with_the_same_answers(void **state)
{
    live(*state);
    expect_same_after(*state, rig_rebuild, 0);
}

static void a_file_is_opened_again_as_it_was(void **state)
{
    live(*state);
    expect_same_after(*state, rig_reopen, 0);
}

static void overwrite(struct rig *r, long at, const char *bytes, size_t n)
{
    FILE *f = fopen(r->views_path, "r+b");
    assert_non_null(f);
    assert_int_equal(fseek(f, at, SEEK_SET), 0);
    assert_int_equal(fwrite(bytes, 1, n, f), n);
    assert_int_equal(fclose(f), 0);
}

static void damage_header(struct rig *r)
{
    rig_tidy(r); /* all of it is in the file, and the write-ahead log empty */
    overwrite(r, 0, "not a database any more", 23);
    rig_reopen(r);
}

static void write_other_version(struct rig *r)
{
    rig_tidy(r);
    overwrite(r, 60, "\0\0\0\x63", 4); /* user_version */
    rig_reopen(r);
}

static void a_damaged_file_is_replaced(void **state)
{
    live(*state);
    expect_same_after(*state, damage_header, 1);
}

static void a_file_of_another_version_is_replaced(void **state)
{
    live(*state);
    expect_same_after(*state, write_other_version, 1);
}

/* As after a restore from a backup: the views in place follow another log, of |count| entries. */
static void put_in_place(struct rig *r, uint64_t count)
{
    struct rig other;
    char command[512];
    rig_init(&other);
    for (uint64_t i = 0; i < count; i++)
        (void)rig_note(&other, 0, "of the other log", T + i);
    rig_sync(&other, 100);
    rig_tidy(&other);
    (void)snprintf(command, sizeof(command), "cp %s %s.new", other.views_path, r->views_path);
    assert_int_equal(system(command), 0);
    char from[128];
    (void)snprintf(from, sizeof(from), "%s.new", r->views_path);
    rig_tidy(r);
    assert_int_equal(rename(from, r->views_path), 0);
    rig_reopen(r);
    rig_fini(&other);
}

static void views_of_another_log_are_thrown_away(void **state)
{
    struct rig *r = *state;
    live(r);
    for (uint64_t count = 2; count < 60; count += 40) { /* behind our log, and ahead of it */
        put_in_place(r, count);
        assert_int_equal(rig_ask(r, "timeline", ""), 0);
        assert_string_equal(rig_texts(r), "loop answer, better|loop question|secret loop");
        assert_int_equal(rig_ask(r, "search", "query:s", "other"), 0);
        assert_string_equal(rig_texts(r), "");
    }
}

static void the_file_is_for_its_owner_only(void **state)
{
    struct rig *r = *state;
    struct stat st;
    live(r);
    assert_int_equal(stat(r->views_path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
}

static void a_reader_cannot_come_before_the_writer(void **state)
{
    struct rig *r = *state;
    struct al_views_reader *reader;
    assert_int_equal(
        al_views_reader_open(&reader, "/nonexistent/views.db", r->log_path, &r->keyring),
        AL_E_NOT_FOUND);
}

static void the_doctor_finds_nothing_where_nothing_is_wrong(void **state)
{
    struct rig *r = *state;
    live(r);
    assert_int_equal(rig_ask(r, "doctor", ""), 0);
    assert_int_equal(rig_count(r, "findings"), 1);
    assert_string_equal(map_str(rig_at(r, "findings", 0), "code"), "ok");
    assert_int_equal(rig_uint(r, "entries"), 10);
    assert_int_equal(rig_ask(r, "doctor", "from:i", r->people[2].identity.b), 0);
    assert_int_equal(rig_uint(r, "entries"), 1);
    assert_int_equal(rig_uint(r, "logs"), 1);
}

/* Whether the doctor names |code|. */
static bool finds(struct rig *r, const char *code)
{
    bool found = false;
    assert_int_equal(rig_ask(r, "doctor", ""), 0);
    for (size_t i = 0; i < rig_count(r, "findings"); i++)
        found = found || strcmp(map_str(rig_at(r, "findings", i), "code"), code) == 0;
    return found;
}

static void put(struct rig *r, int who, uint64_t seq, struct al_slice payload, bool right_id)
{
    struct sample_person *p = &r->people[who];
    struct al_store_log log;
    struct al_store_item item = {.time_ms = T, .payload = payload};
    struct al_hash prev;
    struct al_sig sig = {{1}};
    uint64_t pos;
    assert_int_equal(al_store_log_find(r->store, &log, &p->device, &p->log), 0);
    al_entry_genesis(&prev, &p->identity, &p->device, &p->log);
    item.plen = (uint32_t)payload.n;
    al_entry_payload_hash(&item.phash, payload);
    const struct al_header h = {.device = p->device,
        .log = p->log,
        .seq = seq,
        .time_ms = T,
        .prev = prev,
        .plen = item.plen,
        .phash = item.phash};
    al_header_id(&item.id, &h);
    if (right_id)
        al_entry_sign(&sig, p->device_secret, &item.id);
    else
        item.id.b[0] ^= 1;
    assert_int_equal(al_store_begin(r->store), 0);
    assert_int_equal(al_store_put(r->store, &pos, log.no, seq, &prev, &item, 1, &sig, T), 0);
    assert_int_equal(al_store_commit(r->store), 0);
}

static void the_doctor_names_what_is_wrong(void **state)
{
    struct rig *r = *state;
    uint64_t pos;
    put(r, 1, 1, al_slice_str("whatever"), false);
    put(r, 2, 1, al_slice_str("whatever"), true);
    put(r, 2, 9, al_slice_str("not next to it"), true);
    rig_sync(r, 100);
    assert_true(finds(r, "entry-damaged"));
    assert_true(finds(r, "signature-bad"));
    assert_true(finds(r, "gap"));
    assert_true(finds(r, "unreadable"));
    assert_false(finds(r, "fork"));
    assert_false(finds(r, "ok"));
    assert_int_equal(al_store_begin(r->store), 0);
    assert_int_equal(al_store_change(r->store, &pos, AL_CHANGE_FROZEN, 3, 1), 0);
    assert_int_equal(al_store_payload_drop(r->store, 3, 9), 0);
    assert_int_equal(al_store_commit(r->store), 0);
    rig_sync(r, 100);
    assert_true(finds(r, "fork"));
    assert_true(finds(r, "payload-missing"));
}

static void keep(struct rig *r, const struct al_identity *identity, const struct al_buf *b)
{
    uint8_t key[64];
    static uint64_t number; /* for its hash, which nobody asks for here */
    memcpy(key, identity->b, 32);
    sample_bytes(key + 32, 32, number++);
    assert_int_equal(al_store_begin(r->store), 0);
    assert_int_equal(al_store_kv_put(r->store, AL_SPACE_STATEMENT, al_slice_of(key, sizeof(key)),
                         al_buf_slice(b)),
        0);
    assert_int_equal(al_store_commit(r->store), 0);
    rig_change(r, AL_CHANGE_PEOPLE, 0, 0);
}

/* Certify a device of person |who|, seal the reading key to it, and revoke it. */
static void revoke_laptop(struct rig *r, int who)
{
    const struct sample_person *p = &r->people[who];
    uint8_t bytes[1024];
    uint8_t pk[32] = {7};
    struct al_rng rng;
    al_rng_init(&rng, pk);
    struct al_buf b = al_buf_fixed(bytes, sizeof(bytes));
    al_statement_encode_cert(
        &b, &p->identity, p->root_secret, &p->device, p->device_secret, T, al_slice_str("laptop"));
    keep(r, &p->identity, &b);
    b.n = 0;
    al_read_key_public(pk, r->keyring.read_sk);
    struct al_read_box box = {.device = p->device};
    assert_int_equal(al_read_box_seal(box.box, &p->device, r->keyring.read_sk, &rng), 0);
    al_statement_encode_read(&b, &p->identity, p->root_secret, 1, pk, &box, 1);
    keep(r, &p->identity, &b);
    b.n = 0;
    al_statement_encode_revoke(&b, &p->identity, p->root_secret, &p->device, NULL, 0);
    keep(r, &p->identity, &b);
    rig_change(r, AL_CHANGE_HIDDEN, rig_log(r, who), 1);
}

/* Whether the doctor's finding |code| of |person| says |text|. */
static bool says(struct rig *r, const char *code, const char *text, const char *hint)
{
    for (size_t i = 0; i < rig_count(r, "findings"); i++) {
        struct al_slice f = rig_at(r, "findings", i);
        if (strcmp(map_str(f, "code"), code) == 0 && strstr(map_str(f, "text"), text) != NULL &&
            strcmp(map_str(f, "try"), hint) == 0)
            return true;
    }
    return false;
}

static void the_doctor_looks_at_devices_and_statements(void **state)
{
    struct rig *r = *state;
    live(r);
    revoke_laptop(r, 0);
    revoke_laptop(r, 1);
    rig_sync(r, 100);
    assert_int_equal(rig_ask(r, "doctor", ""), 0);
    assert_true(says(r, "device-revoked", "you revoked the device laptop", "aloud device ls"));
    assert_true(says(r, "device-revoked", "4 entries of it are held and do not count", ""));
    assert_true(says(r, "reading-key-unsafe", "can still open", "aloud device rekey"));
    assert_false(finds(r, "statement-bad"));
    uint8_t damaged[3] = {0x92, 0x00, 0x00};
    struct al_buf b = al_buf_fixed(damaged, sizeof(damaged));
    b.n = sizeof(damaged);
    keep(r, &r->people[2].identity, &b);
    rig_sync(r, 100);
    assert_true(finds(r, "statement-bad"));
    assert_int_equal(rig_ask(r, "doctor", "from:i", r->people[1].identity.b), 0);
    assert_true(says(r, "device-revoked", "@", "")); /* their name is hidden, too */
    assert_false(says(r, "reading-key-unsafe", "", "aloud device rekey"));
    assert_false(says(r, "statement-bad", "", "aloud restore"));
    assert_false(finds(r, "copy"));
    assert_int_equal(al_store_begin(r->store), 0);
    assert_int_equal(
        al_store_kv_put(r->store, AL_SPACE_META, al_slice_str("copy"), al_slice_str("1")), 0);
    assert_int_equal(al_store_commit(r->store), 0);
    assert_true(finds(r, "copy"));
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(the_doctor_looks_at_devices_and_statements),
        TEST(a_deleted_file_comes_back_with_the_same_answers),
        TEST(a_file_is_opened_again_as_it_was),
        TEST(a_damaged_file_is_replaced),
        TEST(a_file_of_another_version_is_replaced),
        TEST(views_of_another_log_are_thrown_away),
        TEST(the_file_is_for_its_owner_only),
        TEST(a_reader_cannot_come_before_the_writer),
        TEST(the_doctor_finds_nothing_where_nothing_is_wrong),
        TEST(the_doctor_names_what_is_wrong),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
