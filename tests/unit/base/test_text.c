/* Safe text: nothing from outside steers a terminal or hides from a reader. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>
#include <utf8proc.h>

#include "heapbuf.h"
#include "rng.h"
#include "scan.h"
#include "text.h"

#define GONE "\xEF\xBF\xBD" /* U+FFFD */

static void expect_bytes(
    const char *in, size_t n, enum al_text_use use, const char *want, const char *file, int line)
{
    struct al_buf b = al_heapbuf();
    al_text_safe(&b, al_slice_of(in, n), use);
    al_buf_put(&b, "", 1);
    assert_false(b.full);
    _assert_string_equal((const char *)b.p, want, file, line);
    al_heapbuf_free(&b);
}

#define EXPECT(in, use, want)                                                                      \
    expect_bytes(in, sizeof(in) - 1, AL_TEXT_##use, want, __FILE__, __LINE__)

static void plain_text_of_many_scripts_passes_unchanged(void **state)
{
    (void)state;
    EXPECT("", BLOCK, "");
    EXPECT("Grüße, naïve café. 日本語、한국어; ελληνικά (кириллица)!", BLOCK,
        "Grüße, naïve café. 日本語、한국어; ελληνικά (кириллица)!");
    EXPECT("e\xCC\x81 o\xCC\x88", BLOCK, "e\xCC\x81 o\xCC\x88"); /* combining marks */
    EXPECT("नमस्ते ภาษาไทย שלום مرحبا", BLOCK, "नमस्ते ภาษาไทย שלום مرحبا");
    EXPECT("─│┌ ▁▂▃ ✓ → €", BLOCK, "─│┌ ▁▂▃ ✓ → €");
}

static void escape_sequences_lose_their_control_characters(void **state)
{
    (void)state;
    EXPECT("\x1b]52;c;ZXZpbA==\x07", LINE, GONE "]52;c;ZXZpbA==" GONE); /* clipboard */
    EXPECT("\x1b]0;title\x1b\\", LINE, GONE "]0;title" GONE "\\");
    EXPECT("\x1b]8;;http://evil\x1b\\ok\x1b]8;;\x1b\\", LINE,
        GONE "]8;;http://evil" GONE "\\ok" GONE "]8;;" GONE "\\");
    EXPECT("\x1bP$qm\x1b\\", LINE, GONE "P$qm" GONE "\\"); /* asks the terminal to answer */
    EXPECT("a\x1b[8mhidden\x1b[0m", LINE, "a" GONE "[8mhidden" GONE "[0m");
    EXPECT("good\rEVIL", BLOCK, "good" GONE "EVIL");
    EXPECT("secret\b\b\b\x7f", BLOCK, "secret" GONE);
    EXPECT("a\0b", BLOCK, "a" GONE "b");
}

static void c1_controls_are_removed_in_both_their_forms(void **state)
{
    (void)state;
    EXPECT("\xC2\x9B"
           "31mred",
        LINE, GONE "31mred"); /* U+009B is CSI */
    EXPECT("\xC2\x9D"
           "0;t\xC2\x9C",
        LINE, GONE "0;t" GONE);
    EXPECT("\x9B"
           "31mred",
        LINE, GONE "31mred"); /* the 8-bit byte is no UTF-8 */
    EXPECT("a\xC2\x85"
           "b",
        BLOCK, "a" GONE "b");
}

static void bidirectional_controls_are_removed(void **state)
{
    (void)state;
    EXPECT("if \xE2\x80\xAE admin", LINE, "if " GONE " admin"); /* U+202E, CVE-2021-42574 */
    EXPECT("\xE2\x81\xA6x\xE2\x81\xA9", LINE, GONE "x" GONE);   /* U+2066, U+2069 */
    EXPECT("\xE2\x80\x8Fx\xD8\x9C", LINE, GONE "x" GONE);       /* U+200F, U+061C */
}

static void invisible_characters_are_removed(void **state)
{
    (void)state;
    EXPECT("pay\xE2\x80\x8Bpal", LINE, "pay" GONE "pal"); /* U+200B */
    EXPECT("\xEF\xBB\xBFtext", BLOCK, GONE "text");       /* U+FEFF */
    EXPECT("a\xC2\xAD"
           "b\xE2\x81\xA0"
           "c",
        LINE, "a" GONE "b" GONE "c"); /* U+00AD, U+2060 */
    EXPECT("a\xE2\x80\xA8"
           "b\xE2\x80\xA9"
           "c",
        BLOCK, "a" GONE "b" GONE "c");
    EXPECT("x\xF3\xA0\x81\xA1\xF3\xA0\x81\xA2", LINE, "x" GONE); /* tags U+E0061, U+E0062 */
    EXPECT("x\xEE\x80\x80", LINE, "x" GONE);                     /* private use U+E000 */
    EXPECT("x\xF3\xB0\x80\x80", LINE, "x" GONE);                 /* private use U+F0000 */
    EXPECT("x\xCD\xB8", LINE, "x" GONE);                         /* unassigned U+0378 */
    EXPECT("x\xEF\xBF\xBF", LINE, "x" GONE);                     /* U+FFFF */
}

static void invalid_utf8_becomes_one_mark_for_each_run(void **state)
{
    (void)state;
    EXPECT("a\xFF\xFE"
           "b",
        LINE, "a" GONE "b");
    EXPECT("a\xC0\x80"
           "b",
        LINE, "a" GONE "b"); /* overlong NUL */
    EXPECT("a\xC0\x9B"
           "b",
        LINE, "a" GONE "b"); /* overlong ESC */
    EXPECT("a\xED\xA0\x80"
           "b",
        LINE, "a" GONE "b"); /* surrogate */
    EXPECT("a\xF4\x90\x80\x80"
           "b",
        LINE, "a" GONE "b");             /* beyond U+10FFFF */
    EXPECT("a\xE2\x82", LINE, "a" GONE); /* cut off */
    EXPECT("\xE2\x82"
           "a",
        LINE, GONE "a");
}

static void joiners_stay_only_where_writing_needs_them(void **state)
{
    (void)state;
    EXPECT("👩‍💻 ❤️‍🔥 👨🏽‍🚀", LINE,
        "👩‍💻 ❤️‍🔥 👨🏽‍🚀");
    EXPECT("می‌خواهم", LINE, "می‌خواهم"); /* Persian, ZWNJ */
    EXPECT("क्‍ष", LINE, "क्‍ष");           /* Devanagari, virama and ZWJ */
    EXPECT("k\xE2\x80\x8D"
           "ai",
        LINE, "k" GONE "ai");
    EXPECT("k\xE2\x80\x8C"
           "ai",
        LINE, "k" GONE "ai");
    EXPECT("👩\xE2\x80\x8D", LINE, "👩" GONE);
    EXPECT("👩\xE2\x80\x8Dx", LINE, "👩" GONE "x");
    EXPECT("👩\xE2\x80\x8D\xF0\x9F\xAB\xB9", LINE, "👩" GONE); /* U+1FAF9 is not assigned */
}

static void marks_need_a_base_and_do_not_pile_up(void **state)
{
    (void)state;
    EXPECT("\xCC\x81x", LINE, GONE "x");
    EXPECT("a\n\xCC\x81x", BLOCK, "a\n" GONE "x");
    EXPECT("a \xCC\x81x", LINE, "a " GONE "x");
#define MARK4 "\xCC\x81\xCC\x82\xCC\x83\xCC\x84"
    EXPECT("z" MARK4 MARK4, LINE, "z" MARK4 MARK4);
    EXPECT("z" MARK4 MARK4 "\xCC\x81", LINE, "z" MARK4 MARK4 GONE);
    EXPECT("1\xEF\xB8\x8F\xE2\x83\xA3", LINE, "1\xEF\xB8\x8F\xE2\x83\xA3"); /* keycap */
    EXPECT("x\xEF\xB8\x8F\xEF\xB8\x8E", LINE, "x\xEF\xB8\x8F" GONE);        /* data in selectors */
}

static void white_space_follows_the_use(void **state)
{
    (void)state;
    EXPECT("a\tb\r\nc\n\n  d\n", BLOCK, "a    b\nc\n\n  d\n");
    EXPECT(" a\tb\r\nc\n\n  d\n", LINE, "a b c d");
    EXPECT("a\xC2\xA0\xE3\x80\x80"
           "b",
        LINE, "a b");
    EXPECT("a\tb\r\nc\\d", FIELD, "a\\tb\\nc\\\\d");
}

static void names_have_nothing_invisible(void **state)
{
    (void)state;
    EXPECT("  kai \n lee ", NAME, "kai lee");
    EXPECT("k\xE2\x80\x8D"
           "ai\xEF\xB8\x8F",
        NAME, "kai");
    EXPECT("\xE3\x85\xA4", NAME, GONE);          /* Hangul filler */
    EXPECT("kai\xE2\xA0\x80", NAME, "kai" GONE); /* Braille blank */
    EXPECT("a\xCD\x8F"
           "b",
        NAME, "a" GONE "b"); /* grapheme joiner */
    EXPECT("⠓⠑⠇⠇⠕", NAME, "⠓⠑⠇⠇⠕");
}

static void expect_utf8(const char *in, size_t bytes_max, const char *want)
{
    struct al_buf b = al_heapbuf();
    al_text_utf8(&b, al_slice_str(in), bytes_max);
    al_buf_put(&b, "", 1);
    assert_string_equal((const char *)b.p, want);
    al_heapbuf_free(&b);
}

static void stored_text_is_valid_and_cut_between_characters(void **state)
{
    (void)state;
    expect_utf8("a\tb\x1b\n", 99, "a\tb\x1b\n");
    expect_utf8("a\xFF\xE2\x82z", 99, "a" GONE GONE GONE "z");
    expect_utf8("日本", 6, "日本");
    expect_utf8("日本", 5, "日");
    expect_utf8("a\xFF", 3, "a");
    expect_utf8("a", 0, "");
}

static bool is_forbidden(int32_t cp)
{
    utf8proc_category_t c = utf8proc_category(cp);
    bool joiner = cp == 0x200C || cp == 0x200D;
    return (c == UTF8PROC_CATEGORY_CC && cp != '\n') || (c == UTF8PROC_CATEGORY_CF && !joiner) ||
           c == UTF8PROC_CATEGORY_CO || c == UTF8PROC_CATEGORY_CS || c == UTF8PROC_CATEGORY_CN ||
           c == UTF8PROC_CATEGORY_ZL || c == UTF8PROC_CATEGORY_ZP;
}

/* Random code points from where trouble lives, and now and then a raw byte. */
static size_t hostile(struct al_rng *rng, uint8_t *out, size_t cap)
{
    static const int32_t from[] = {0, 0x300, 0x600, 0x900, 0x1160, 0x2000, 0x2060, 0xFE00, 0xE0000,
        0xE0100, 0x1F3F0, 0x1F460, 0x1FAF0, 0xD7F0, 0x10FFF0, 0x4E00};
    size_t n = 0;
    while (n + 4 <= cap) {
        if (al_rng_below(rng, 8) == 0) {
            out[n++] = (uint8_t)al_rng_below(rng, 256);
            continue;
        }
        int32_t cp = from[al_rng_below(rng, 16)] + (int32_t)al_rng_below(rng, 48);
        if (utf8proc_codepoint_valid(cp))
            n += (size_t)utf8proc_encode_char(cp, out + n);
    }
    return n;
}

static void anything_becomes_safe_and_a_second_time_changes_nothing(void **state)
{
    (void)state;
    struct al_rng rng;
    al_rng_init(&rng, (const uint8_t[32]){1});
    for (int round = 0; round < 20000; round++) {
        uint8_t in[64];
        size_t n = hostile(&rng, in, 1 + al_rng_below(&rng, sizeof(in)));
        for (int use = AL_TEXT_BLOCK; use <= AL_TEXT_FIELD; use++) {
            struct al_buf once = al_heapbuf();
            struct al_buf twice = al_heapbuf();
            al_text_safe(&once, al_slice_of(in, n), (enum al_text_use)use);
            assert_true(al_utf8_valid(al_buf_slice(&once)));
            for (size_t at = 0; at < once.n;) {
                int32_t cp;
                at += (size_t)utf8proc_iterate(once.p + at, (utf8proc_ssize_t)(once.n - at), &cp);
                assert_false(is_forbidden(cp));
                assert_false(cp == '\n' && use != AL_TEXT_BLOCK);
            }
            al_text_safe(&twice, al_buf_slice(&once), (enum al_text_use)use);
            if (use != AL_TEXT_FIELD) {
                assert_int_equal(twice.n, once.n);
                assert_true(al_slice_eq(al_buf_slice(&once), al_buf_slice(&twice)));
            }
            al_heapbuf_free(&once);
            al_heapbuf_free(&twice);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_text_of_many_scripts_passes_unchanged),
        cmocka_unit_test(escape_sequences_lose_their_control_characters),
        cmocka_unit_test(c1_controls_are_removed_in_both_their_forms),
        cmocka_unit_test(bidirectional_controls_are_removed),
        cmocka_unit_test(invisible_characters_are_removed),
        cmocka_unit_test(invalid_utf8_becomes_one_mark_for_each_run),
        cmocka_unit_test(joiners_stay_only_where_writing_needs_them),
        cmocka_unit_test(marks_need_a_base_and_do_not_pile_up),
        cmocka_unit_test(white_space_follows_the_use),
        cmocka_unit_test(names_have_nothing_invisible),
        cmocka_unit_test(stored_text_is_valid_and_cut_between_characters),
        cmocka_unit_test(anything_becomes_safe_and_a_second_time_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
