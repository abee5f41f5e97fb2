/* People, tags, and what a typed name or reference means. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>

#include "heapbuf.h"
#include "id.h"
#include "read.h"
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

static void call_themselves(struct rig *r, int who, const char *name, uint64_t time_ms)
{
    struct al_payload p = {.kind = AL_KIND_PROFILE, .name = al_slice_str(name)};
    p.audience = AL_AUDIENCE_NETWORK;
    p.about = al_slice_str("about text");
    (void)rig_post(r, who, p, time_ms);
}

/* The numbers of the people that |who| means, as digits. */
static const char *meant(struct rig *r, const char *who)
{
    static char out[8][16];
    static unsigned turn;
    char *text = out[turn++ % 8];
    size_t n = 0;
    assert_int_equal(rig_ask(r, "person", "who:s", who), 0);
    for (size_t i = 0; i < rig_count(r, "people"); i++) {
        struct al_slice identity = map_bin(rig_at(r, "people", i), "identity");
        for (int k = 0; k < RIG_PEOPLE; k++) {
            if (memcmp(identity.p, r->people[k].identity.b, 32) == 0)
                text[n++] = (char)('0' + k);
        }
    }
    text[n] = '\0';
    return text;
}

static void a_name_means_who_is_called_so(void **state)
{
    struct rig *r = *state;
    char id[AL_ID_TEXT];
    char typed[80];
    call_themselves(r, 0, "ann", T);
    call_themselves(r, 1, "kai", T);
    call_themselves(r, 2, "kai", T);
    call_themselves(r, 3, "noor", T);
    rig_sync(r, 100);
    assert_string_equal(meant(r, "noor"), "3");
    assert_string_equal(meant(r, "@Noor"), "3");
    assert_string_equal(meant(r, "me"), "0");
    assert_string_equal(meant(r, "kai"), "12");
    al_id_text(id, r->people[2].identity.b);
    (void)snprintf(typed, sizeof(typed), "@kai~%.6s", id);
    assert_string_equal(meant(r, typed), "2");
    (void)snprintf(typed, sizeof(typed), "noor~%.6s", id);
    assert_string_equal(meant(r, typed), "");
    assert_string_equal(meant(r, id), "2");
    id[8] = '\0';
    assert_string_equal(meant(r, id), "2");
    id[3] = '\0';
    assert_string_equal(meant(r, id), ""); /* a short word is no id */
    rig_petname(r, 3, "kai", T + 1);       /* my own name for somebody is meant before claims */
    rig_sync(r, 100);
    assert_string_equal(meant(r, "kai"), "3");
    assert_string_equal(meant(r, "noor"), "3");
    assert_string_equal(meant(r, "nooor"), "");
    assert_int_equal(rig_count(r, "similar"), 1);
    struct al_read read = al_read_init(rig_at(r, "similar", 0));
    assert_true(al_slice_is(al_read_str(&read, 64), "noor"));
    assert_string_equal(meant(r, ""), "");
    assert_string_equal(meant(r, "@"), "");
}

static void petname_wins_over_the_claimed_name_in_rows(void **state)
{
    struct rig *r = *state;
    call_themselves(r, 1, "claimed", T);
    (void)rig_note(r, 1, "hello", T + 1);
    rig_sync(r, 100);
    assert_int_equal(rig_ask(r, "timeline", "from:i", r->people[1].identity.b), 0);
    assert_string_equal(map_str(rig_at(r, "rows", 0), "name"), "claimed");
    assert_false(map_bool(rig_at(r, "rows", 0), "petname"));
    rig_petname(r, 1, "mine", T + 2);
    rig_sync(r, 100);
    assert_int_equal(rig_ask(r, "timeline", "from:i", r->people[1].identity.b), 0);
    assert_string_equal(map_str(rig_at(r, "rows", 0), "name"), "mine");
    assert_true(map_bool(rig_at(r, "rows", 0), "petname"));
}

static void people_lists_relations_counts_and_devices(void **state)
{
    struct rig *r = *state;
    const struct sample_person *p = &r->people[1];
    struct sample_person stranger = sample_person(50);
    struct al_buf cert = al_heapbuf();
    struct al_statement s;
    uint8_t key[64];
    uint64_t pos;
    assert_int_equal(al_store_begin(r->store), 0);
    const struct sample_person *certified[] = {p, &stranger};
    for (size_t i = 0; i < 2; i++) {
        cert.n = 0;
        al_statement_encode_cert(&cert, &certified[i]->identity, certified[i]->root_secret,
            &certified[i]->device, certified[i]->device_secret, T, al_slice_str("laptop"));
        assert_int_equal(al_statement_open(&s, al_buf_slice(&cert)), 0);
        memcpy(key, s.identity.b, 32);
        memcpy(key + 32, s.hash.b, 32);
        assert_int_equal(al_store_kv_put(r->store, AL_SPACE_STATEMENT, al_slice_of(key, 64),
                             al_buf_slice(&cert)),
            0);
    }
    assert_int_equal(al_store_change(r->store, &pos, AL_CHANGE_PEOPLE, 0, 0), 0);
    assert_int_equal(al_store_commit(r->store), 0);
    al_heapbuf_free(&cert);
    call_themselves(r, 1, "kai", T);
    (void)rig_note(r, 1, "one", T + 5);
    (void)rig_note(r, 0, "two", T + 6);
    rig_relate(r, "follow", 1, true, T + 7);
    rig_relate(r, "admit", 1, true, T + 7);
    rig_sync(r, 100);
    assert_int_equal(rig_ask(r, "people", ""), 0);
    assert_int_equal(rig_count(r, "people"), 3); /* the stranger has a statement only */
    assert_true(map_bool(rig_at(r, "people", 0), "me"));
    struct al_slice kai = rig_at(r, "people", 1);
    assert_string_equal(map_str(kai, "name"), "kai");
    assert_true(map_bool(kai, "following"));
    assert_true(map_bool(kai, "admitted"));
    assert_false(map_bool(kai, "blocked"));
    assert_int_equal(map_uint(kai, "entries"), 2);
    assert_int_equal(map_uint(kai, "last"), T + 5);
    assert_int_equal(map_uint(kai, "devices"), 1);
    assert_int_equal(rig_ask(r, "profile", "identity:i", p->identity.b), 0);
    assert_string_equal(map_str(al_buf_slice(&r->out), "about"), "about text");
    assert_int_equal(rig_uint(r, "first"), T);
    assert_int_equal(rig_count(r, "devices"), 1);
    assert_string_equal(map_str(rig_at(r, "devices", 0), "name"), "laptop");
    uint8_t unknown[32] = {3};
    assert_int_equal(rig_ask(r, "profile", "identity:i", unknown), AL_E_NOT_FOUND);
}

static const char *tags_of(struct rig *r)
{
    static char out[256];
    size_t n = 0;
    out[0] = '\0';
    for (size_t i = 0; i < rig_count(r, "tags"); i++)
        n += (size_t)snprintf(out + n, sizeof(out) - n, "%s%s %u", i == 0 ? "" : "|",
            map_str(rig_at(r, "tags", i), "tag"),
            (unsigned)map_uint(rig_at(r, "tags", i), "count"));
    return out;
}

static void tags_are_counted_by_all_and_by_each(void **state)
{
    struct rig *r = *state;
    (void)rig_post(r, 0, rig_tagged("a", "c"), T);
    (void)rig_post(r, 1, rig_tagged("b", "c"), T + 9);
    (void)rig_post(r, 1, rig_tagged("c", "libuv"), T + 3);
    (void)rig_post(r, 1, rig_tagged("d", "c"), T + 4);
    rig_sync(r, 2);
    assert_int_equal(rig_ask(r, "tags", ""), 0);
    assert_string_equal(tags_of(r), "c 3|libuv 1");
    assert_int_equal(map_uint(rig_at(r, "tags", 0), "last"), T + 9);
    assert_int_equal(rig_ask(r, "tags", "from:i", r->people[1].identity.b), 0);
    assert_string_equal(tags_of(r), "c 2|libuv 1");
    assert_int_equal(rig_ask(r, "tags", "limit:u", UINT64_C(1)), 0);
    assert_string_equal(tags_of(r), "c 3");
    rig_relate(r, "block", 1, true, T + 10);
    rig_sync(r, 100);
    (void)rig_post(r, 1, rig_tagged("e", "spam"), T + 11);
    rig_sync(r, 100);
    assert_int_equal(rig_ask(r, "tags", ""), 0);
    assert_string_equal(tags_of(r), "c 1");
    rig_relate(r, "block", 1, false, T + 12);
    rig_sync(r, 100);
    assert_int_equal(rig_ask(r, "tags", ""), 0);
    assert_string_equal(tags_of(r), "c 3|libuv 1|spam 1");
    assert_int_equal(rig_ask(r, "timeline", "tag:s from:i", "c", r->people[1].identity.b), 0);
    assert_string_equal(rig_texts(r), "b|d");
    assert_int_equal(rig_ask(r, "timeline", "tag:s", "none"), 0);
    assert_string_equal(rig_texts(r), "");
}

static void references_mean_entries(void **state)
{
    struct rig *r = *state;
    char id[AL_ID_TEXT];
    struct al_payload old = {.kind = AL_KIND_NOTE, .text = al_slice_str("typed last")};
    old.audience = AL_AUDIENCE_NETWORK;
    old.at_ms = T - 100000;
    call_themselves(r, 1, "kai", T);
    struct al_ref first = rig_note(r, 0, "first", T + 1);
    (void)rig_post(r, 0, old, T + 2); /* --at: still what was written last */
    (void)rig_note(r, 1, "theirs", T + 3);
    rig_relate(r, "follow", 1, true, T + 4); /* no row */
    rig_sync(r, 100);
    assert_int_equal(rig_ask(r, "resolve", "ref:s", "last"), 0);
    assert_string_equal(rig_texts(r), "typed last");
    assert_int_equal(rig_ask(r, "resolve", "ref:s", "last~1"), 0);
    assert_string_equal(rig_texts(r), "first");
    assert_int_equal(rig_ask(r, "resolve", "ref:s", "last~7"), 0);
    assert_string_equal(rig_texts(r), "");
    assert_int_equal(rig_ask(r, "resolve", "ref:s", "@kai/last"), 0);
    assert_string_equal(rig_texts(r), "theirs");
    assert_int_equal(rig_ask(r, "resolve", "ref:s", "@kay/last"), 0);
    assert_int_equal(rig_count(r, "rows"), 0);
    assert_int_equal(rig_count(r, "similar"), 1);
    al_id_text(id, first.id.b);
    static const size_t lengths[] = {52, 29, 6};
    for (size_t i = 0; i < 3; i++) {
        id[lengths[i]] = '\0';
        assert_int_equal(rig_ask(r, "resolve", "ref:s", id), 0);
        assert_string_equal(rig_texts(r), "first");
    }
    id[1] = '\0';
    assert_int_equal(rig_ask(r, "resolve", "ref:s", id), 0);
    assert_true(rig_count(r, "rows") >= 1);
    static const char *const nothing[] = {
        "", "last~", "last~x", "last~99999", "@/last", "uuu", "@kai/x", "@kai/last/last"};
    for (size_t i = 0; i < sizeof(nothing) / sizeof(nothing[0]); i++) {
        assert_int_equal(rig_ask(r, "resolve", "ref:s", nothing[i]), 0);
        assert_int_equal(rig_count(r, "rows"), 0);
    }
}

static void an_id_is_as_short_as_its_neighbours_allow(void **state)
{
    struct rig *r = *state;
    char text[AL_ID_TEXT];
    for (uint64_t i = 0; i < 400; i++)
        (void)rig_note(r, 0, "many", T + i);
    rig_sync(r, 1000);
    assert_int_equal(rig_ask(r, "timeline", "limit:u", UINT64_C(400)), 0);
    assert_int_equal(rig_count(r, "rows"), 400);
    for (size_t i = 0; i < 400; i += 40) {
        assert_int_equal(rig_ask(r, "timeline", "limit:u", UINT64_C(400)), 0);
        struct al_slice row = rig_at(r, "rows", i);
        uint64_t chars = map_uint(row, "short");
        assert_true(chars >= 4 && chars <= 8);
        al_id_text_prefix(text, map_bin(row, "id").p, (size_t)chars - 2);
        assert_int_equal(rig_ask(r, "resolve", "ref:s", text), 0);
        assert_int_equal(rig_count(r, "rows"), 1);
    }
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_name_means_who_is_called_so),
        TEST(petname_wins_over_the_claimed_name_in_rows),
        TEST(people_lists_relations_counts_and_devices),
        TEST(tags_are_counted_by_all_and_by_each),
        TEST(references_mean_entries),
        TEST(an_id_is_as_short_as_its_neighbours_allow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
