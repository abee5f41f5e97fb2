/* Folding: imports and bursts read as one line, everything else for itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fold.h"
#include "heapbuf.h"
#include "write.h"

static const uint8_t ada[32] = {1};
static const uint8_t kai[32] = {2};

/* {"src": "git:..."}; kept until the end of the test. */
static struct al_slice source(const char *src)
{
    static uint8_t bytes[64];
    struct al_buf b = al_buf_fixed(bytes, sizeof(bytes));
    al_write_map(&b, 1);
    al_write_cstr(&b, "src");
    al_write_cstr(&b, src);
    return al_buf_slice(&b);
}

static struct al_row note(const uint8_t *who, uint64_t time_ms)
{
    return (struct al_row){.identity = who,
        .to = al_slice_str("me"),
        .kind = al_slice_str("note"),
        .state = al_slice_str("ok"),
        .time_ms = time_ms};
}

static struct al_row commit(const uint8_t *who, uint64_t time_ms)
{
    struct al_row r = note(who, time_ms);
    r.fields = source("git:0123");
    r.tags[0] = al_slice_str("aloud");
    r.tag_count = 1;
    return r;
}

static void expect_counts(const struct al_row *rows, size_t n, const size_t *counts, size_t folds)
{
    struct al_folds f;
    assert_int_equal(al_fold_rows(&f, rows, n), 0);
    assert_int_equal(f.count, folds);
    for (size_t i = 0; i < folds; i++)
        assert_int_equal(f.v[i].count, counts[i]);
    al_folds_free(&f);
}

static void nothing_folds_to_nothing(void **state)
{
    (void)state;
    expect_counts(NULL, 0, NULL, 0);
}

static void an_import_folds_even_when_others_stand_between(void **state)
{
    (void)state;
    const struct al_row rows[] = {
        commit(ada, 9), note(kai, 8), commit(ada, 7), commit(ada, 6), note(kai, 5), commit(ada, 4)};
    const size_t counts[] = {4, 1, 1};
    expect_counts(rows, 6, counts, 3);
    struct al_folds f;
    assert_int_equal(al_fold_rows(&f, rows, 6), 0);
    assert_true(f.v[0].imported);
    assert_int_equal(f.v[0].first, 0);
    assert_int_equal(f.v[0].member[1], 2);
    assert_int_equal(f.v[0].member[3], 5);
    al_folds_free(&f);
}

static void a_few_do_not_fold(void **state)
{
    (void)state;
    const struct al_row rows[] = {commit(ada, 3), commit(ada, 2), commit(ada, 1)};
    const size_t counts[] = {1, 1, 1};
    expect_counts(rows, 3, counts, 3);
}

static void imports_of_others_tags_or_audiences_stay_apart(void **state)
{
    (void)state;
    struct al_row rows[8];
    for (size_t i = 0; i < 8; i++)
        rows[i] = commit(ada, 10 - i);
    rows[0].identity = kai;
    rows[2].tags[0] = al_slice_str("libuv");
    rows[4].to = al_slice_str("network");
    rows[6].fields = (struct al_slice){0};
    const size_t counts[] = {1, 4, 1, 1, 1};
    expect_counts(rows, 8, counts, 5);
}

static void a_burst_is_a_run_within_a_minute(void **state)
{
    (void)state;
    struct al_row rows[5];
    for (size_t i = 0; i < 5; i++)
        rows[i] = note(ada, 100000 - i * 1000);
    const size_t all[] = {5};
    expect_counts(rows, 5, all, 1);
    rows[4].time_ms = 100000 - 60000; /* a minute before the first */
    const size_t but_last[] = {4, 1};
    expect_counts(rows, 5, but_last, 2);
    rows[2].identity = kai;
    const size_t none[] = {1, 1, 1, 1, 1};
    expect_counts(rows, 5, none, 5);
}

static void what_people_talk_about_is_shown_for_itself(void **state)
{
    (void)state;
    struct al_row rows[6];
    for (size_t i = 0; i < 6; i++)
        rows[i] = commit(ada, 10 - i);
    rows[1].replies = 1;
    rows[3].state = al_slice_str("disputed");
    const size_t counts[] = {4, 1, 1};
    expect_counts(rows, 6, counts, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_folds_to_nothing),
        cmocka_unit_test(an_import_folds_even_when_others_stand_between),
        cmocka_unit_test(a_few_do_not_fold),
        cmocka_unit_test(imports_of_others_tags_or_audiences_stay_apart),
        cmocka_unit_test(a_burst_is_a_run_within_a_minute),
        cmocka_unit_test(what_people_talk_about_is_shown_for_itself),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
