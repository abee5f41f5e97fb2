/* Search: what is found, in which order, and that nothing typed is ever more than text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#include "rpc.h"
#include "shelfrig.h"

#define T SAMPLE_TIME
#define DAY UINT64_C(86400000)

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

static const char *found(struct rig *r, const char *query)
{
    assert_int_equal(rig_ask(r, "search", "query:s rank:b", query, 0), 0);
    return rig_texts(r);
}

static void words_phrases_exclusions_and_prefixes(void **state)
{
    struct rig *r = *state;
    (void)rig_note(r, 0, "close the handle first", T);
    (void)rig_note(r, 0, "the handle, then close it", T + 1);
    (void)rig_note(r, 0, "Clos\xc3\xa9 handles everywhere", T + 2);
    rig_sync(r, 100);
    assert_string_equal(
        found(r, "handle close"), "the handle, then close it|close the handle first");
    assert_string_equal(found(r, "HANDLE"), "the handle, then close it|close the handle first");
    assert_string_equal(found(r, "\"close the handle\""), "close the handle first");
    assert_string_equal(found(r, "close-the"), "close the handle first");
    assert_string_equal(found(r, "handle -first"), "the handle, then close it");
    assert_string_equal(found(r, "-\"then close\" handle"), "close the handle first");
    assert_string_equal(found(r, "handle*"),
        "Clos\xc3\xa9 handles everywhere|the handle, then close it|close the handle first");
    assert_string_equal(found(r, "\"close the hand\"*"), "close the handle first");
    assert_string_equal(found(r, "handles close"), "Clos\xc3\xa9 handles everywhere");
    assert_string_equal(found(r, "nowhere"), "");
    assert_string_equal(found(r, "handle nowhere"), "");
}

static void fields_narrow_what_is_found(void **state)
{
    struct rig *r = *state;
    struct al_payload p = rig_tagged("loop question", "libuv");
    struct al_payload me = rig_tagged("loop secret", "libuv");
    struct al_payload name = {.kind = AL_KIND_PROFILE, .name = al_slice_str("Kai")};
    p.kind = AL_KIND_QUESTION;
    me.audience = AL_AUDIENCE_ME;
    name.audience = AL_AUDIENCE_NETWORK;
    (void)rig_post(r, 1, name, T);
    (void)rig_post(r, 1, p, T + DAY);
    (void)rig_post(r, 0, rig_tagged("loop note", "libuv"), T + 2 * DAY);
    (void)rig_post(r, 0, me, T + 3 * DAY);
    (void)rig_note(r, 2, "loop untagged", T + 4 * DAY);
    rig_sync(r, 100);
    assert_string_equal(found(r, "loop tag:libuv"), "loop secret|loop note|loop question");
    assert_string_equal(found(r, "tag:#libuv"), "loop secret|loop note|loop question");
    assert_string_equal(found(r, "loop from:kai"), "loop question");
    assert_string_equal(found(r, "from:@KAI tag:libuv"), "loop question");
    assert_string_equal(found(r, "loop kind:question"), "loop question");
    assert_string_equal(found(r, "loop to:me"), "loop secret");
    assert_string_equal(found(r, "loop from:me"), "loop secret|loop note");
    assert_string_equal(found(r, "tag:libuv -secret"), "loop note|loop question");
    assert_string_equal(found(r, "loop since:2023-11-17"), "loop untagged|loop secret");
    assert_string_equal(found(r, "loop until:2023-11-16"), "loop question");
    assert_string_equal(found(r, "loop until:\"2023-11-16 00:00\" kind:note"), "");
    assert_string_equal(found(r, "loop tag:nosuch"), "");
    assert_int_equal(rig_ask(r, "search", "query:s", "loop from:nobody"), AL_E_NOT_FOUND);
    assert_string_equal(r->why, "nobody called nobody here");
    assert_int_equal(rig_ask(r, "search", "query:s", "loop from:kaj"), AL_E_NOT_FOUND);
    assert_string_equal(r->why, "nobody called kaj here, but somebody called Kai");
    assert_string_equal(found(r, "libuv"), "loop secret|loop note|loop question");
}

static void a_query_without_sense_says_why(void **state)
{
    struct rig *r = *state;
    static const char *const bad[] = {"", "   ", "-", "*", "\"\"", "-word", "!!!", "kind:sermon",
        "to:nowhere", "since:whenever", "tag:\"\"", "-tag:x y"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(rig_ask(r, "search", "query:s", bad[i]), AL_E_QUERY);
        assert_string_not_equal(r->why, "");
    }
    assert_int_equal(rig_ask(r, "search", "query:u", UINT64_C(1)), AL_E_PARAMS);
}

static void hostile_queries_are_words_and_never_an_error(void **state)
{
    struct rig *r = *state;
    static const char *const hostile[] = {"a AND b", "a OR", "NOT a", "NEAR(a b, 2)", "a NEAR b",
        "text:a", "more : a", "{text more}:a", "- a", "^a", "a^2", "a \"b", "a\"b\"c", "\"a\"\"b\"",
        "a*b*c", "* a", "a' OR 1=1 --", "'; DROP TABLE entry; --", "a;b", "(((((((((((a", "a)))",
        "words_0", "a\\", "a%00b", "\xf0\x9f\x98\x80 a", "\xe2\x80\xae a", "tag: a", "tag:a tag:b",
        "a -\"", "a -\"\"", "a -*", "a +b", "?1 a", "a:b:c", "$a", "#a", "rank a", "a,b,c",
        "\x01\x02\x03 a", "NULL a", "undefined null nan a", "a/**/b", "@a", "a=b", "\xe6\x97\xa5*",
        "-\xe6\x97\xa5 a", "a\"\xe6\x97\xa5"};
    (void)rig_note(r, 0, "a b c", T);
    rig_sync(r, 100);
    for (size_t i = 0; i < sizeof(hostile) / sizeof(hostile[0]); i++) {
        int err = rig_ask(r, "search", "query:s", hostile[i]);
        if (err != 0)
            fail_msg("%s: %s", hostile[i], al_err_name(err));
    }
    char many[4096];
    size_t n = 0;
    for (int i = 0; i < 32; i++)
        n += (size_t)sprintf(many + n, "w%d ", i);
    assert_int_equal(rig_ask(r, "search", "query:s", many), 0);
    (void)strcpy(many + n, "over");
    assert_int_equal(rig_ask(r, "search", "query:s", many), AL_E_QUERY);
    memset(many, '(', 4000);
    many[4000] = '\0';
    assert_int_equal(rig_ask(r, "search", "query:s", many), AL_E_QUERY);
    memset(many, 'x', 4000);
    assert_int_equal(rig_ask(r, "search", "query:s", many), 0);
}

static void scripts_without_spaces_are_found_by_any_part(void **state)
{
    struct rig *r = *state;
    static const char japanese[] =
        "\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e\xe3\x82\x92" /* nihongo wo */
        "learn";
    static const char thai[] = "\xe0\xb8\xa0\xe0\xb8\xb2\xe0\xb8\xa9\xe0\xb8\xb2"; /* phasa */
    (void)rig_note(r, 0, japanese, T);
    (void)rig_note(r, 0, thai, T + 1);
    rig_sync(r, 100);
    assert_string_equal(found(r, "\xe6\x97\xa5"), japanese);
    assert_string_equal(found(r, "\xe8\xaa\x9e"), japanese);
    assert_string_equal(found(r, "\xe6\x9c\xac\xe8\xaa\x9e"), japanese);
    assert_string_equal(found(r, "\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e"), japanese);
    assert_string_equal(found(r, "\xe3\x82\x92"), japanese); /* the last of its run */
    assert_string_equal(found(r, "\xe3\x82\x92learn"), japanese);
    assert_string_equal(found(r, "\xe8\xaa\x9e\xe3\x82\x92learn"), japanese);
    assert_string_equal(found(r, "\xe6\x97\xa5\xe8\xaa\x9e"), ""); /* not side by side */
    assert_string_equal(found(r, "\xe6\x97\xa5 \xe8\xaa\x9e"), japanese);
    assert_string_equal(found(r, "learn"), japanese);
    assert_string_equal(found(r, "\xe0\xb8\xb2\xe0\xb8\xa9"), thai);
    assert_string_equal(found(r, "\xe0\xb8\xa9"), thai);
}

static void what_matched_is_marked_in_the_snippet(void **state)
{
    struct rig *r = *state;
    struct al_payload link = {.kind = AL_KIND_LINK,
        .url = al_slice_str("https://example.org/"),
        .title = al_slice_str("Sorting networks"),
        .text = al_slice_str("read this")};
    link.audience = AL_AUDIENCE_NETWORK;
    (void)rig_note(r, 0, "one\ntwo three \x02 four", T);
    (void)rig_post(r, 0, link, T + 1);
    rig_sync(r, 100);
    assert_string_equal(found(r, "TWO four"), "one\ntwo three \x02 four");
    assert_string_equal(map_str(rig_at(r, "rows", 0), "snippet"), "one \x02two\x03 three   \x02"
                                                                  "four\x03");
    assert_string_equal(found(r, "network*"), "read this");
    assert_string_equal(
        map_str(rig_at(r, "rows", 0), "snippet"), "Sorting \x02networks\x03 https://example.org/");
    char text[1200];
    memset(text, 0, sizeof(text));
    for (size_t i = 0; i < 1000; i += 5)
        memcpy(text + i, i == 500 ? "deep " : "\xc3\xa9ta ", 5);
    (void)rig_note(r, 0, text, T + 2);
    rig_sync(r, 100);
    (void)found(r, "deep");
    const char *snippet = map_str(rig_at(r, "rows", 0), "snippet");
    assert_non_null(strstr(snippet, "\x02"
                                    "deep\x03"));
    assert_true(strlen(snippet) < 300);
    assert_true(strncmp(snippet, "\xe2\x80\xa6", 3) == 0);
}

static void what_fits_better_stands_higher(void **state)
{
    struct rig *r = *state;
    static char essay[3000];
    memset(essay, 0, sizeof(essay));
    (void)strcpy(essay, "timers ");
    for (size_t n = strlen(essay); n < 2900; n += 5)
        memcpy(essay + n, "word ", 5);
    (void)rig_post(r, 0, rig_tagged("timers in libuv", "timers"), T);
    (void)rig_note(r, 0, "timers are fine", T + 1);
    (void)rig_note(r, 0, essay, T + 2);
    rig_sync(r, 100);
    assert_int_equal(rig_ask(r, "search", "query:s", "timers"), 0);
    assert_int_equal(rig_uint(r, "of"), 3);
    assert_string_equal(map_str(rig_at(r, "rows", 0), "text"), "timers in libuv");
    assert_string_equal(map_str(rig_at(r, "rows", 1), "text"), "timers are fine");
    assert_int_equal(rig_ask(r, "search", "query:s rank:b", "timers", 0), 0);
    assert_string_equal(map_str(rig_at(r, "rows", 2), "text"), "timers in libuv");
}

/* Read all pages and return how many rows they held; none may come twice. */
static size_t read_pages(struct rig *r, int rank, uint64_t limit)
{
    uint8_t seen[64][32];
    size_t count = 0;
    uint8_t cursor[16];
    int err = rig_ask(r, "search", "query:s rank:b limit:u", "page", rank, limit);
    for (;;) {
        assert_int_equal(err, 0);
        assert_int_equal(rig_uint(r, "of"), 40);
        for (size_t i = 0; i < rig_count(r, "rows"); i++) {
            const uint8_t *id = map_bin(rig_at(r, "rows", i), "id").p;
            for (size_t k = 0; k < count; k++)
                assert_memory_not_equal(seen[k], id, 32);
            assert_true(count < 64);
            memcpy(seen[count++], id, 32);
        }
        struct al_slice next = al_rpc_param(al_buf_slice(&r->out), "next");
        if (next.n == 0)
            return count;
        memcpy(cursor, map_bin(al_buf_slice(&r->out), "next").p, 16);
        err = rig_ask(r, "search", "query:s rank:b limit:u cursor:c", "page", rank, limit,
            al_slice_of(cursor, 16));
    }
}

static void pages_of_results_hold_each_entry_once(void **state)
{
    struct rig *r = *state;
    for (uint64_t i = 0; i < 40; i++)
        (void)rig_note(r, 0, i % 3 == 0 ? "page page" : "page of a book", T + i / 5);
    rig_sync(r, 1000);
    assert_int_equal(read_pages(r, 1, 7), 40);
    assert_int_equal(read_pages(r, 0, 7), 40);
    assert_int_equal(read_pages(r, 0, 40), 40);
}

static void one_post_is_found_at_once_and_a_bulk_after_the_drain(void **state)
{
    struct rig *r = *state;
    uint64_t pos;
    bool more;
    for (uint64_t i = 0; i < 200; i++)
        (void)rig_note(r, 1, "bulk", T + i);
    assert_int_equal(al_views_step(r->views, &pos, &more, 1000), 0);
    assert_true(more);
    assert_string_equal(found(r, "bulk"), "");
    assert_int_equal(rig_uint(r, "behind"), 200);
    (void)rig_note(r, 0, "own", T);
    assert_int_equal(al_views_step(r->views, &pos, &more, 1000), 0);
    assert_true(more);
    assert_string_equal(found(r, "own"), "own");
    rig_sync(r, 1000);
    assert_int_equal(rig_ask(r, "search", "query:s limit:u", "bulk", UINT64_C(1)), 0);
    assert_int_equal(rig_uint(r, "of"), 200);
    assert_int_equal(rig_uint(r, "behind"), 0);
    assert_string_equal(found(r, "own"), "own"); /* and not twice */
}

static void nobody_can_forge_the_marks_of_an_entry(void **state)
{
    struct rig *r = *state;
    (void)rig_note(r, 1,
        "\x01"
        "A1 K3 U0 forged",
        T);
    (void)rig_note(r, 0, "mine", T + 1);
    rig_sync(r, 100);
    assert_string_equal(found(r, "in:me"), "");
    assert_string_equal(found(r, "kind:question"), "");
    assert_string_equal(found(r, "from:me"), "mine");
    assert_int_equal(rig_ask(r, "search", "query:s", "A1 forged"), 0);
    assert_int_equal(rig_count(r, "rows"), 1); /* they are words like others */
    assert_int_equal(rig_ask(r, "search", "query:s",
                         "\x01"
                         "K2"),
        0);
    assert_int_equal(rig_count(r, "rows"), 0);
    assert_int_equal(rig_ask(r, "search", "query:s", "K2"), 0);
    assert_int_equal(rig_count(r, "rows"), 0);
}

int main(void)
{
    (void)setenv("TZ", "UTC", 1);
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(words_phrases_exclusions_and_prefixes),
        TEST(fields_narrow_what_is_found),
        TEST(a_query_without_sense_says_why),
        TEST(hostile_queries_are_words_and_never_an_error),
        TEST(scripts_without_spaces_are_found_by_any_part),
        TEST(what_matched_is_marked_in_the_snippet),
        TEST(what_fits_better_stands_higher),
        TEST(pages_of_results_hold_each_entry_once),
        TEST(nobody_can_forge_the_marks_of_an_entry),
        TEST(one_post_is_found_at_once_and_a_bulk_after_the_drain),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
