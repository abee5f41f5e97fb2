/* The timeline, the order of arrival, and what one entry shows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rpc.h"
#include "shelfrig.h"
#include "write.h"

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

static void own_and_followed_entries_stand_newest_first(void **state)
{
    struct rig *r = *state;
    (void)rig_note(r, 0, "mine", T + 1000);
    (void)rig_note(r, 1, "followed", T + 2000);
    (void)rig_note(r, 2, "stranger", T + 3000);
    rig_relate(r, "follow", 1, true, T + 4000);
    rig_sync(r, 100);
    assert_int_equal(rig_ask(r, "timeline", ""), 0);
    assert_string_equal(rig_texts(r), "followed|mine");
    assert_int_equal(rig_uint(r, "behind"), 0);
    assert_int_equal(rig_ask(r, "timeline", "from:i", r->people[2].identity.b), 0);
    assert_string_equal(rig_texts(r), "stranger");
    assert_int_equal(rig_ask(r, "timeline", "mine:b", 1), 0);
    assert_string_equal(rig_texts(r), "mine");
    assert_int_equal(rig_ask(r, "timeline", "oldest_first:b", 1), 0);
    assert_string_equal(rig_texts(r), "mine|followed");
}

static void muting_and_blocking_take_a_person_out_and_back(void **state)
{
    struct rig *r = *state;
    (void)rig_note(r, 1, "one", T);
    rig_relate(r, "follow", 1, true, T + 1);
    rig_relate(r, "mute", 1, true, T + 2);
    rig_sync(r, 100);
    assert_int_equal(rig_ask(r, "timeline", ""), 0);
    assert_string_equal(rig_texts(r), "");
    rig_relate(r, "mute", 1, false, T + 3);
    rig_relate(r, "block", 1, true, T + 3);
    rig_sync(r, 100);
    assert_int_equal(rig_ask(r, "timeline", ""), 0);
    assert_string_equal(rig_texts(r), "");
    assert_int_equal(rig_ask(r, "search", "query:s", "one"), 0);
    assert_string_equal(rig_texts(r), "");
    rig_relate(r, "block", 1, false, T + 4);
    rig_relate(r, "block", 1, true, T + 2); /* older, and came later: does not count */
    rig_sync(r, 100);
    assert_int_equal(rig_ask(r, "timeline", ""), 0);
    assert_string_equal(rig_texts(r), "one");
}

static void an_entry_never_floats_above_its_arrival(void **state)
{
    struct rig *r = *state;
    struct al_payload old = {.kind = AL_KIND_NOTE, .text = al_slice_str("import")};
    old.audience = AL_AUDIENCE_NETWORK;
    old.at_ms = T - 5000;
    r->arrived = T + 100;
    (void)rig_note(r, 0, "now", T);
    (void)rig_note(r, 0, "future", T + 1000000);
    (void)rig_post(r, 0, old, T);
    r->arrived = T + 200;
    (void)rig_note(r, 0, "later", T + 150);
    rig_sync(r, 100);
    assert_int_equal(rig_ask(r, "timeline", ""), 0);
    assert_string_equal(rig_texts(r), "later|future|now|import");
    struct al_slice row = rig_at(r, "rows", 3);
    assert_int_equal(map_uint(row, "at"), T - 5000);
    assert_int_equal(map_uint(row, "time"), T - 5000);
    assert_int_equal(map_uint(row, "claimed"), T);
    assert_int_equal(rig_ask(r, "timeline", "since:u until:u", T, T + 120), 0);
    assert_string_equal(rig_texts(r), "future|now");
}

static void pages_follow_each_other_without_gap_or_repeat(void **state)
{
    struct rig *r = *state;
    static const char *const pages[] = {"f|e", "d|c", "b|a"};
    for (int i = 0; i < 6; i++) /* pairs of one instant */
        (void)rig_note(r, 0, (const char[2]){(char)('a' + i), '\0'}, T + (uint64_t)i * 10);
    rig_sync(r, 100);
    assert_int_equal(rig_ask(r, "timeline", "limit:u", UINT64_C(2)), 0);
    for (size_t i = 0; i < 3; i++) {
        assert_string_equal(rig_texts(r), pages[i]);
        if (i == 2)
            break;
        uint8_t cursor[16];
        struct al_slice next = map_bin(al_buf_slice(&r->out), "next");
        assert_int_equal(next.n, sizeof(cursor));
        memcpy(cursor, next.p, sizeof(cursor));
        next.p = cursor;
        assert_int_equal(rig_ask(r, "timeline", "limit:u cursor:c", UINT64_C(2), next), 0);
    }
    assert_int_equal(rig_ask(r, "timeline", "cursor:c", al_slice_str("x")), AL_E_PARAMS);
    assert_string_not_equal(r->why, "");
}

static void the_order_of_arrival_does_not_matter(void **state)
{
    struct rig *r = *state;
    char first[4096];
    struct rig other;
    rig_init(&other);
    for (uint64_t i = 0; i < 60; i++) {
        /* Many share an instant, so that ids decide. */
        char text[8] = {(char)('a' + i % 26), (char)('0' + i / 26), '\0'};
        uint64_t time = T + i / 7 * 100;
        (void)rig_note(r, (int)(i % 3), text, time);
    }
    for (int who = 2; who >= 0; who--) {
        for (uint64_t i = 0; i < 60; i++) {
            char text[8] = {(char)('a' + i % 26), (char)('0' + i / 26), '\0'};
            uint64_t time = T + i / 7 * 100;
            other.salt = i + 1;
            if (i % 3 == (uint64_t)who)
                (void)rig_note(&other, who, text, time);
        }
    }
    for (int who = 1; who < 3; who++) {
        r->salt = other.salt = 1000 + (uint64_t)who;
        rig_relate(r, "follow", who, true, T);
        rig_relate(&other, "follow", who, true, T);
    }
    rig_sync(r, 1000);
    rig_sync(&other, 7);
    assert_int_equal(rig_ask(r, "timeline", "limit:u", UINT64_C(100)), 0);
    (void)strcpy(first, rig_texts(r));
    assert_int_equal(rig_count(r, "rows"), 60);
    assert_int_equal(rig_ask(&other, "timeline", "limit:u", UINT64_C(100)), 0);
    assert_string_equal(rig_texts(&other), first);
    rig_fini(&other);
}

static void changes_come_in_the_order_of_arrival(void **state)
{
    struct rig *r = *state;
    (void)rig_note(r, 0, "first", T + 9000);
    (void)rig_note(r, 1, "stranger", T + 9000);
    (void)rig_note(r, 0, "second", T);
    rig_sync(r, 100);
    assert_int_equal(rig_ask(r, "changes", "from:u", UINT64_C(0)), 0);
    assert_string_equal(rig_texts(r), "first|second");
    uint64_t end = rig_uint(r, "pos");
    assert_int_equal(rig_ask(r, "changes", "from:u limit:u", UINT64_C(0), UINT64_C(1)), 0);
    assert_string_equal(rig_texts(r), "first");
    assert_int_equal(rig_ask(r, "changes", "from:u", rig_uint(r, "pos")), 0);
    assert_string_equal(rig_texts(r), "second");
    assert_int_equal(rig_uint(r, "pos"), end);
    assert_int_equal(rig_ask(r, "changes", "from:u", end), 0);
    assert_string_equal(rig_texts(r), "");
    assert_int_equal(rig_uint(r, "pos"), end);
}

static void sealed_entries_of_mine_are_read_and_those_of_others_counted(void **state)
{
    struct rig *r = *state;
    struct al_payload p = {.kind = AL_KIND_NOTE, .text = al_slice_str("secret thought")};
    p.audience = AL_AUDIENCE_ME;
    struct al_ref mine = rig_post(r, 0, p, T);
    struct al_ref foreign = rig_post(r, 1, p, T + 1);
    (void)rig_note(r, 0, "open", T + 2);
    rig_sync(r, 100);
    assert_int_equal(rig_ask(r, "timeline", "to:s", "me"), 0);
    assert_string_equal(rig_texts(r), "secret thought");
    assert_string_equal(map_str(rig_at(r, "rows", 0), "to"), "me");
    assert_int_equal(rig_ask(r, "search", "query:s", "thought to:me"), 0);
    assert_string_equal(rig_texts(r), "secret thought");
    assert_int_equal(rig_ask(r, "show", "id:i", mine.id.b), 0);
    assert_int_equal(rig_ask(r, "show", "id:i", foreign.id.b), 0);
    assert_string_equal(map_str(rig_value(r, "row"), "state"), "unreadable");
    assert_int_equal(rig_ask(r, "views_status", ""), 0);
    assert_int_equal(rig_uint(r, "unreadable"), 1);
    assert_int_equal(rig_uint(r, "entries"), 3);
}

static void an_unreadable_payload_never_stops_the_follower(void **state)
{
    struct rig *r = *state;
    const struct sample_person *p = &r->people[1];
    static const uint8_t garbage[] = {0xc1, 0xff, 0x00};
    struct al_store_log log;
    struct al_hash prev;
    struct al_store_item item = {.time_ms = T, .payload = al_slice_of(garbage, sizeof(garbage))};
    struct al_sig sig = {{0}};
    uint64_t pos;
    al_entry_genesis(&prev, &p->identity, &p->device, &p->log);
    assert_int_equal(al_store_log_find(r->store, &log, &p->device, &p->log), 0);
    item.plen = sizeof(garbage);
    sample_bytes(item.id.b, sizeof(item.id.b), 5);
    assert_int_equal(al_store_begin(r->store), 0);
    assert_int_equal(al_store_put(r->store, &pos, log.no, 1, &prev, &item, 1, &sig, T), 0);
    assert_int_equal(al_store_commit(r->store), 0);
    (void)rig_note(r, 0, "after", T);
    rig_sync(r, 100);
    assert_int_equal(rig_ask(r, "timeline", ""), 0);
    assert_string_equal(rig_texts(r), "after");
    assert_int_equal(rig_ask(r, "show", "id:i", item.id.b), 0);
    assert_string_equal(map_str(rig_value(r, "row"), "state"), "unreadable");
}

static void a_row_carries_what_it_should(void **state)
{
    struct rig *r = *state;
    struct al_payload link = {.kind = AL_KIND_LINK,
        .url = al_slice_str("https://example.org/x"),
        .title = al_slice_str("A title"),
        .text = al_slice_str("why"),
        .tag_count = 2};
    link.audience = AL_AUDIENCE_WEB;
    link.tags[0] = al_slice_str("c");
    link.tags[1] = al_slice_str("libuv");
    struct al_ref ref = rig_post(r, 0, link, T);
    struct al_ref reply = rig_reply(r, 1, "answer", ref, ref, T + 1);
    rig_sync(r, 100);
    assert_int_equal(rig_ask(r, "show", "id:i", ref.id.b), 0);
    struct al_slice row = rig_value(r, "row");
    assert_memory_equal(map_bin(row, "id").p, ref.id.b, 32);
    assert_memory_equal(map_bin(row, "identity").p, r->people[0].identity.b, 32);
    assert_string_equal(map_str(row, "kind"), "link");
    assert_string_equal(map_str(row, "to"), "web");
    assert_string_equal(map_str(row, "state"), "ok");
    assert_string_equal(map_str(al_rpc_param(row, "fields"), "url"), "https://example.org/x");
    assert_true(map_bool(row, "mine"));
    assert_int_equal(map_uint(row, "replies"), 1);
    assert_true(map_uint(row, "short") >= 4);
    assert_int_equal(map_uint(rig_value(r, "header"), "seq"), 1);
    assert_int_equal(map_uint(rig_value(r, "sig"), "seq"), 1);
    assert_int_equal(rig_ask(r, "show", "id:i", reply.id.b), 0);
    row = rig_value(r, "row");
    assert_memory_equal(map_bin(row, "re").p, ref.id.b, 32);
    assert_false(map_bool(row, "mine"));
    uint8_t unknown[32] = {1};
    assert_int_equal(rig_ask(r, "show", "id:i", unknown), AL_E_NOT_FOUND);
    assert_int_equal(rig_ask(r, "show", ""), AL_E_PARAMS);
    assert_int_equal(rig_ask(r, "no_such", ""), AL_E_METHOD);
}

static void unread_is_what_arrived_after_the_mark(void **state)
{
    struct rig *r = *state;
    struct al_payload mark = {.kind = AL_KIND_STATE, .key = al_slice_str("read-up-to")};
    mark.audience = AL_AUDIENCE_ME;
    mark.val = al_slice_of("\x01", 1);
    rig_relate(r, "follow", 1, true, T);
    (void)rig_note(r, 1, "seen", T + 5000);
    (void)rig_post(r, 0, mark, T + 5001);
    (void)rig_note(r, 1, "late import", T - 5000);
    (void)rig_note(r, 0, "own", T + 6000);
    rig_sync(r, 100);
    assert_int_equal(rig_ask(r, "timeline", "unread:b", 1), 0);
    assert_string_equal(rig_texts(r), "late import");
}

static void an_unknown_kind_is_shown_as_such(void **state)
{
    struct rig *r = *state;
    uint8_t room[128];
    struct al_buf b = al_buf_fixed(room, sizeof(room));
    al_write_map(&b, 4);
    al_write_cstr(&b, "a");
    al_write_cstr(&b, "network");
    al_write_cstr(&b, "k");
    al_write_cstr(&b, "poll");
    al_write_cstr(&b, "s");
    al_write_bin(&b, "0123456789abcdef", 16);
    al_write_cstr(&b, "text");
    al_write_cstr(&b, "tea or coffee");
    (void)rig_post(r, 0, (struct al_payload){.raw = al_buf_slice(&b)}, T);
    (void)rig_note(r, 0, "note", T + 1);
    rig_sync(r, 100);
    assert_int_equal(rig_ask(r, "timeline", "kind:s", "poll"), 0);
    assert_string_equal(rig_texts(r), "tea or coffee");
    assert_string_equal(map_str(rig_at(r, "rows", 0), "kind"), "poll");
    assert_int_equal(rig_ask(r, "timeline", "kind:s", "note"), 0);
    assert_string_equal(rig_texts(r), "note");
    assert_int_equal(rig_ask(r, "search", "query:s", "coffee"), 0);
    assert_string_equal(rig_texts(r), "tea or coffee");
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(own_and_followed_entries_stand_newest_first),
        TEST(muting_and_blocking_take_a_person_out_and_back),
        TEST(an_entry_never_floats_above_its_arrival),
        TEST(pages_follow_each_other_without_gap_or_repeat),
        TEST(the_order_of_arrival_does_not_matter),
        TEST(changes_come_in_the_order_of_arrival),
        TEST(sealed_entries_of_mine_are_read_and_those_of_others_counted),
        TEST(an_unreadable_payload_never_stops_the_follower),
        TEST(a_row_carries_what_it_should),
        TEST(unread_is_what_arrived_after_the_mark),
        TEST(an_unknown_kind_is_shown_as_such),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
