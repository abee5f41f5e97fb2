/* Text in columns: widths, cutting, wrapping, titles. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "heapbuf.h"
#include "rng.h"
#include "text.h"

static void widths_are_those_of_a_terminal(void **state)
{
    (void)state;
    assert_int_equal(al_text_width(al_slice_str("")), 0);
    assert_int_equal(al_text_width(al_slice_str("abc")), 3);
    assert_int_equal(al_text_width(al_slice_str("Grüße")), 5);
    assert_int_equal(al_text_width(al_slice_str("e\xCC\x81")), 1);
    assert_int_equal(al_text_width(al_slice_str("日本語")), 6);
    assert_int_equal(al_text_width(al_slice_str("한글 ｶﾅ Ａ")), 10);
    assert_int_equal(al_text_width(al_slice_str("🎉")), 2);
    assert_int_equal(al_text_width(al_slice_str("❤️")), 2);
    assert_int_equal(al_text_width(al_slice_str("👩‍💻")), 4);
    assert_int_equal(al_text_width(al_slice_str("─│✓…")), 4);
}

static void a_cut_never_splits_a_character(void **state)
{
    (void)state;
    assert_int_equal(al_text_fit(al_slice_str("abc"), 2), 2);
    assert_int_equal(al_text_fit(al_slice_str("abc"), 9), 3);
    assert_int_equal(al_text_fit(al_slice_str("日本"), 3), 3);
    assert_int_equal(al_text_fit(al_slice_str("日本"), 1), 0);
    assert_int_equal(al_text_fit(al_slice_str("ae\xCC\x81x"), 2), 4);
    assert_int_equal(al_text_fit(al_slice_str("x👩‍💻"), 3), 1);
}

static void expect_wrap(
    const char *in, size_t columns, size_t indent, const char *want, const char *file, int line)
{
    struct al_buf b = al_heapbuf();
    al_text_wrap(&b, al_slice_str(in), columns, indent);
    al_buf_put(&b, "", 1);
    _assert_string_equal((const char *)b.p, want, file, line);
    al_heapbuf_free(&b);
}

#define EXPECT_WRAP(in, columns, indent, want)                                                     \
    expect_wrap(in, columns, indent, want, __FILE__, __LINE__)

static void lines_are_broken_at_spaces(void **state)
{
    (void)state;
    EXPECT_WRAP("", 10, 2, "");
    EXPECT_WRAP("one two three", 13, 2, "one two three");
    EXPECT_WRAP("one two three", 12, 2, "one two\n  three");
    EXPECT_WRAP("one   two", 4, 0, "one\ntwo");
    EXPECT_WRAP("one two ", 7, 0, "one two");
    EXPECT_WRAP("    if (x)\n        y();", 20, 2, "    if (x)\n          y();");
    EXPECT_WRAP("a\n\nb\n", 9, 2, "a\n\n  b");
}

static void long_words_are_broken_where_the_line_ends(void **state)
{
    (void)state;
    EXPECT_WRAP("abcdefgh", 3, 1, "abc\n def\n gh");
    EXPECT_WRAP("a bcdefgh", 3, 0, "a\nbcd\nefg\nh");
    EXPECT_WRAP("日本", 1, 0, "日\n本"); /* wider than the line, and yet it ends */
}

static void wide_scripts_break_anywhere_but_before_a_stop(void **state)
{
    (void)state;
    EXPECT_WRAP("今日は晴れ", 6, 0, "今日は\n晴れ");
    EXPECT_WRAP("今日は。晴れ", 6, 0, "今日\nは。晴\nれ");
    EXPECT_WRAP("ab 今日は", 6, 0, "ab 今\n日は");
}

static void no_line_is_longer_than_asked(void **state)
{
    (void)state;
    struct al_rng rng;
    al_rng_init(&rng, (const uint8_t[32]){2});
    static const char *const parts[] = {"a", "word", " ", "  ", " \u0BBE", "日本", "。", "🎉",
        "👩‍💻", "e\xCC\x81", "\n", "long-winded"};
    for (int round = 0; round < 5000; round++) {
        struct al_buf in = al_heapbuf();
        struct al_buf out = al_heapbuf();
        for (uint64_t i = al_rng_below(&rng, 20); i > 0; i--) {
            const char *part = parts[al_rng_below(&rng, 12)];
            al_buf_put(&in, part, strlen(part));
        }
        size_t columns = 4 + al_rng_below(&rng, 20);
        al_text_wrap(&out, al_buf_slice(&in), columns, 0);
        for (size_t at = 0; at < out.n;) {
            const uint8_t *end = memchr(out.p + at, '\n', out.n - at);
            size_t n = end == NULL ? out.n - at : (size_t)(end - out.p) - at;
            assert_true(al_text_width(al_slice_of(out.p + at, n)) <= columns);
            at += n + 1;
        }
        al_heapbuf_free(&in);
        al_heapbuf_free(&out);
    }
}

static void expect_title(
    const char *in, size_t columns, const char *want, const char *file, int line)
{
    struct al_buf b = al_heapbuf();
    al_buf_put(&b, "x", 1);
    al_text_title(&b, al_slice_str(in), columns);
    al_buf_put(&b, "", 1);
    _assert_string_equal((const char *)b.p + 1, want, file, line);
    al_heapbuf_free(&b);
}

#define EXPECT_TITLE(in, columns, want) expect_title(in, columns, want, __FILE__, __LINE__)

static void the_title_is_the_first_sentence_or_line(void **state)
{
    (void)state;
    EXPECT_TITLE("", 20, "");
    EXPECT_TITLE("\n\n  Fix it\n\nBecause.", 20, "Fix it");
    EXPECT_TITLE("Fixed it. Then tea.", 40, "Fixed it.");
    EXPECT_TITLE("Use v1.2, e.g. this one. Or not.", 60, "Use v1.2, e.g. this one.");
    EXPECT_TITLE("Why? Because.", 40, "Why?");
    EXPECT_TITLE("晴れ。雨。", 40, "晴れ。");
    EXPECT_TITLE("a\x1b[31mb", 40, "a\xEF\xBF\xBD[31mb");
}

static void a_long_title_is_cut_at_a_word(void **state)
{
    (void)state;
    EXPECT_TITLE("one two three", 13, "one two three");
    EXPECT_TITLE("one two three", 12, "one two…");
    EXPECT_TITLE("abcdefgh", 4, "abc…");
    EXPECT_TITLE("日本語", 4, "日…");
    EXPECT_TITLE("日本語", 2, "…");
    EXPECT_TITLE("abc", 0, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(widths_are_those_of_a_terminal),
        cmocka_unit_test(a_cut_never_splits_a_character),
        cmocka_unit_test(lines_are_broken_at_spaces),
        cmocka_unit_test(long_words_are_broken_where_the_line_ends),
        cmocka_unit_test(wide_scripts_break_anywhere_but_before_a_stop),
        cmocka_unit_test(no_line_is_longer_than_asked),
        cmocka_unit_test(the_title_is_the_first_sentence_or_line),
        cmocka_unit_test(a_long_title_is_cut_at_a_word),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
