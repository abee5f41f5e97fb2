/* Which words are tags, and which only look like some. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tags.h"

static void expect_scan(const char *text, const char *tags)
{
    struct al_tags t = {0};
    char joined[AL_TAGS_MAX * (AL_TAG_MAX + 1)] = "";
    assert_int_equal(al_tags_scan(&t, al_slice_str(text)), 0);
    for (size_t i = 0; i < t.count; i++) {
        (void)strcat(joined, i > 0 ? " " : "");
        (void)strcat(joined, t.tag[i]);
    }
    assert_string_equal(joined, tags);
}

static void hash_words_in_a_text_are_tags(void **state)
{
    (void)state;
    expect_scan("#libuv and (#C, \"#posix\")", "c libuv posix");
    expect_scan("at the end #done.", "done");
    expect_scan("twice #a #A #a", "a");
    expect_scan("#größe #日本語 #v1.2", "größe v1.2 日本語");
}

static void what_only_looks_like_a_tag_is_none(void **state)
{
    (void)state;
    expect_scan("# heading, #42, C#, a#b, ##, #", "");
    expect_scan("http://x.org/#anchor", "");
    expect_scan("`#no` and ``#no ` #no`` and\n```\n#include <x>\n```\nbut #yes", "yes");
    expect_scan("one ` that is never closed #yes", "yes");
}

static void plus_words_are_tags_when_they_have_a_letter(void **state)
{
    (void)state;
    assert_true(al_tags_is_word("+libuv"));
    assert_true(al_tags_is_word("+1up"));
    assert_false(al_tags_is_word("+1"));
    assert_false(al_tags_is_word("+"));
    assert_false(al_tags_is_word("+two words"));
    assert_false(al_tags_is_word("libuv"));
    assert_false(al_tags_is_word("+dot."));
}

static void too_long_or_too_many_is_refused(void **state)
{
    (void)state;
    struct al_tags t = {0};
    char tag[AL_TAG_MAX + 2];
    memset(tag, 'x', AL_TAG_MAX + 1);
    assert_int_equal(al_tags_add(&t, al_slice_of(tag, AL_TAG_MAX + 1)), AL_E_LENGTH);
    assert_int_equal(al_tags_add(&t, al_slice_of(tag, AL_TAG_MAX)), 0);
    for (int i = 1; i < AL_TAGS_MAX; i++) {
        tag[0] = (char)('a' + i);
        assert_int_equal(al_tags_add(&t, al_slice_of(tag, 1)), 0);
    }
    assert_int_equal(al_tags_add(&t, al_slice_str("one-more")), AL_E_LIMIT);
    assert_int_equal(al_tags_add(&t, al_slice_str("b")), 0);
    assert_int_equal(al_tags_add(&t, al_slice_str("no tag")), AL_E_KIND);
    assert_int_equal(al_tags_add(&t, al_slice_str("")), AL_E_KIND);
    assert_int_equal(t.count, AL_TAGS_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hash_words_in_a_text_are_tags),
        cmocka_unit_test(what_only_looks_like_a_tag_is_none),
        cmocka_unit_test(plus_words_are_tags_when_they_have_a_letter),
        cmocka_unit_test(too_long_or_too_many_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
