/* Dates as people type them, over days that are shorter or longer than others. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "limit.h"
#include "when.h"

/* Sunday 22 November 2026, 14:03:05.678 in Berlin (UTC+1). */
#define NOW UINT64_C(1795352585678)

static int in_berlin(void **state)
{
    (void)state;
    setenv("TZ", "Europe/Berlin", 1);
    tzset();
    return 0;
}

static void expect_at(const char *text, uint64_t now, const char *utc, const char *file, int line)
{
    uint64_t ms = 0;
    char out[32];
    if (al_when_parse(&ms, al_slice_str(text), now) != 0) {
        print_error("not understood: %s\n", text);
        _fail(file, line);
    }
    al_when_utc(out, ms);
    _assert_string_equal(out, utc, file, line);
}

#define EXPECT(text, utc) expect_at(text, NOW, utc, __FILE__, __LINE__)
#define EXPECT_AT(now, text, utc) expect_at(text, now, utc, __FILE__, __LINE__)

static void iso_dates_are_local_unless_they_name_a_zone(void **state)
{
    (void)state;
    EXPECT("2026-11-22", "2026-11-21T23:00:00Z");
    EXPECT("2026-07-01", "2026-06-30T22:00:00Z");
    EXPECT("2026-11-22T14:03", "2026-11-22T13:03:00Z");
    EXPECT("2026-11-22 14:03:09", "2026-11-22T13:03:09Z");
    EXPECT("2026-11-22T14:03:09.5Z", "2026-11-22T14:03:09Z");
    EXPECT("2026-11-22t14:03:09z", "2026-11-22T14:03:09Z");
    EXPECT("2026-11-22T14:03:09+05:30", "2026-11-22T08:33:09Z");
    EXPECT("2026-11-22 14:03:09 -0800", "2026-11-22T22:03:09Z");
    uint64_t ms;
    assert_int_equal(al_when_parse(&ms, al_slice_str("1970-01-01T00:00:00.042Z"), NOW), 0);
    assert_int_equal(ms, 42);
}

static void days_and_times_are_named_from_now(void **state)
{
    (void)state;
    EXPECT("now", "2026-11-22T13:03:05Z");
    EXPECT("today", "2026-11-21T23:00:00Z");
    EXPECT("Today 09:30", "2026-11-22T08:30:00Z");
    EXPECT("yesterday", "2026-11-20T23:00:00Z");
    EXPECT("  Yesterday   17:00 ", "2026-11-21T16:00:00Z");
    EXPECT("14:03", "2026-11-22T13:03:00Z");
    EXPECT("9:03", "2026-11-22T08:03:00Z");
    EXPECT("yesterday 9:03", "2026-11-21T08:03:00Z");
    EXPECT("23:59:59", "2026-11-22T22:59:59Z");
    EXPECT("monday", "2026-11-15T23:00:00Z");
    EXPECT("sunday", "2026-11-21T23:00:00Z");
    EXPECT("last sunday", "2026-11-14T23:00:00Z");
    EXPECT("last monday 08:00", "2026-11-16T07:00:00Z");
    EXPECT("fri 12:00", "2026-11-20T11:00:00Z");
}

static void spans_go_back_from_now(void **state)
{
    (void)state;
    EXPECT("-90s", "2026-11-22T13:01:35Z");
    EXPECT("5 minutes ago", "2026-11-22T12:58:05Z");
    EXPECT("-2h", "2026-11-22T11:03:05Z");
    EXPECT("-2d", "2026-11-20T13:03:05Z");
    EXPECT("3 days ago", "2026-11-19T13:03:05Z");
    EXPECT("1 day ago", "2026-11-21T13:03:05Z");
    EXPECT("2 weeks ago", "2026-11-08T13:03:05Z");
    EXPECT("-1mo", "2026-10-22T12:03:05Z"); /* the same time of day, in summer */
    EXPECT("-14mo", "2025-09-22T12:03:05Z");
    EXPECT("2 years ago", "2024-11-22T13:03:05Z");
}

static void months_and_years_end_on_a_day_that_exists(void **state)
{
    (void)state;
    EXPECT_AT(UINT64_C(1774947600000), "-1mo", "2026-02-28T10:00:00Z"); /* from 31 March */
    EXPECT_AT(UINT64_C(1709200800000), "-1y", "2023-02-28T10:00:00Z");  /* from 29 February */
    EXPECT("2024-02-29", "2024-02-28T23:00:00Z");
    EXPECT("2000-02-29", "2000-02-28T23:00:00Z");
}

static void days_when_clocks_change_begin_and_end_at_midnight(void **state)
{
    (void)state;
    EXPECT("2026-03-29", "2026-03-28T23:00:00Z");
    EXPECT("2026-03-30", "2026-03-29T22:00:00Z"); /* 23 hours later */
    EXPECT("2026-10-25", "2026-10-24T22:00:00Z");
    EXPECT("2026-10-26", "2026-10-25T23:00:00Z");       /* 25 hours later */
    EXPECT("2026-10-25 02:30", "2026-10-25T00:30:00Z"); /* comes twice: the first */
    EXPECT("2026-10-25 03:00", "2026-10-25T02:00:00Z");
    EXPECT("2026-03-29 02:30", "2026-03-29T01:30:00Z"); /* is skipped: 03:30 */
    EXPECT("2026-03-29 01:59", "2026-03-29T00:59:00Z");
    /* yesterday, from the day after the clocks went forward */
    EXPECT_AT(UINT64_C(1774864800000), "yesterday", "2026-03-28T23:00:00Z");
    EXPECT_AT(UINT64_C(1774864800000), "-1d", "2026-03-29T10:00:00Z");
}

static void a_day_whose_midnight_is_skipped_begins_after_it(void **state)
{
    (void)state;
    setenv("TZ", "Asia/Beirut", 1); /* 29 March 2020: 00:00 became 01:00 */
    tzset();
    EXPECT("2020-03-29", "2020-03-28T22:00:00Z");
    assert_int_equal(al_when_day(UINT64_C(1585476000000)), UINT64_C(1585432800000));
    setenv("TZ", "America/Havana", 1); /* 1 November 2020: 01:00 became 00:00 */
    tzset();
    EXPECT("2020-11-01", "2020-11-01T04:00:00Z");
    in_berlin(state);
}

static void garbage_is_refused(void **state)
{
    (void)state;
    static const char *const garbage[] = {"", " ", "soon", "2026", "2026-13-01", "2026-00-10",
        "2026-02-29", "1900-02-29", "2026-11-31", "2026-11-22T", "2026-11-22T24:00",
        "2026-11-22T14:60", "2026-11-22T14:03:60", "2026-11-22T14:03x", "2026-11-22T14:03+15:00",
        "2026-11-22 14:03:09.", "2026/11/22", "26-11-22", "14:0", "1:3", "111:03", "24:00",
        "now 14:03", "last", "last year", "last friday noon", "-2", "-2x", "--2d", "2d", "3 days",
        "days ago", "1234567 days ago", "-999999y", "1969-12-31", "yesterday 25:00", "today\x01",
        "sundays", "22. November", "２０２６-11-22",
        "2026-11-22T14:03:09Z and much more than anybody types", "9999999999999999999 days ago"};
    for (size_t i = 0; i < sizeof(garbage) / sizeof(garbage[0]); i++) {
        uint64_t ms = 7;
        if (al_when_parse(&ms, al_slice_str(garbage[i]), NOW) != AL_E_WHEN)
            fail_msg("understood: %s", garbage[i]);
        assert_int_equal(ms, 7);
    }
    uint64_t ms;
    assert_int_equal(al_when_parse(&ms, al_slice_of("now\0", 4), NOW), AL_E_WHEN);
}

static void utc_covers_all_times(void **state)
{
    (void)state;
    char out[32];
    al_when_utc(out, 0);
    assert_string_equal(out, "1970-01-01T00:00:00Z");
    al_when_utc(out, NOW);
    assert_string_equal(out, "2026-11-22T13:03:05Z");
    al_when_utc(out, AL_TIME_MAX);
    assert_string_equal(out, "10889-08-02T05:31:50Z");
}

static void expect_relative(int64_t ago_s, const char *want, const char *file, int line)
{
    char out[20];
    al_when_relative(out, sizeof(out), (uint64_t)((int64_t)NOW - ago_s * 1000), NOW);
    _assert_string_equal(out, want, file, line);
}

#define EXPECT_RELATIVE(ago_s, want) expect_relative(ago_s, want, __FILE__, __LINE__)

static void the_relative_form_says_no_more_than_needed(void **state)
{
    (void)state;
    EXPECT_RELATIVE(0, "just now");
    EXPECT_RELATIVE(59, "just now");
    EXPECT_RELATIVE(300, "5 min ago");
    EXPECT_RELATIVE(3600, "13:03");
    EXPECT_RELATIVE(14 * 3600, "00:03");
    EXPECT_RELATIVE(15 * 3600, "yesterday 23:03");
    EXPECT_RELATIVE(86400, "yesterday 14:03");
    EXPECT_RELATIVE(2 * 86400, "Fri 20 Nov");
    EXPECT_RELATIVE(300 * 86400, "Mon 26 Jan");
    EXPECT_RELATIVE(400 * 86400, "18 Oct 2025");
    EXPECT_RELATIVE(-300, "in 5 min");
    EXPECT_RELATIVE(-7200, "16:03");
    EXPECT_RELATIVE(-86400, "tomorrow 14:03");
    EXPECT_RELATIVE(-3 * 86400, "Wed 25 Nov");
}

static void a_day_by_itself_has_its_year(void **state)
{
    (void)state;
    char out[16];
    al_when_day_text(out, NOW);
    assert_string_equal(out, "22 Nov 2026");
    al_when_day_text(out, NOW - UINT64_C(20) * 24 * 3600 * 1000);
    assert_string_equal(out, "2 Nov 2026");
}

static void days_have_a_heading_and_entries_a_time(void **state)
{
    (void)state;
    char out[40];
    al_when_clock(out, NOW);
    assert_string_equal(out, "14:03");
    al_when_date(out, sizeof(out), NOW, NOW);
    assert_string_equal(out, "Sunday 22 November");
    al_when_date(out, sizeof(out), NOW - UINT64_C(400) * 86400000, NOW);
    assert_string_equal(out, "Saturday 18 October 2025");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(iso_dates_are_local_unless_they_name_a_zone),
        cmocka_unit_test(days_and_times_are_named_from_now),
        cmocka_unit_test(spans_go_back_from_now),
        cmocka_unit_test(months_and_years_end_on_a_day_that_exists),
        cmocka_unit_test(days_when_clocks_change_begin_and_end_at_midnight),
        cmocka_unit_test(a_day_whose_midnight_is_skipped_begins_after_it),
        cmocka_unit_test(garbage_is_refused),
        cmocka_unit_test(utc_covers_all_times),
        cmocka_unit_test(the_relative_form_says_no_more_than_needed),
        cmocka_unit_test(a_day_by_itself_has_its_year),
        cmocka_unit_test(days_have_a_heading_and_entries_a_time),
    };
    return cmocka_run_group_tests(tests, in_berlin, NULL);
}
