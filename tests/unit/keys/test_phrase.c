/* The 24 words: the published cases, what people may type, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <ctype.h>
#include <jansson.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "phrase.h"
#include "wordlist.h"

#define ZEROS                                                                                      \
    "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon "     \
    "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon "     \
    "abandon art"

static int parse(uint8_t entropy[32], size_t *where, const char *text)
{
    return al_phrase_parse(entropy, where, al_slice_str(text));
}

static void the_word_list_is_that_of_bip39(void **state)
{
    (void)state;
    crypto_hash_sha256_state st;
    crypto_hash_sha256_init(&st);
    for (size_t i = 0; i < AL_WORDLIST_COUNT; i++) {
        const uint8_t *word = (const uint8_t *)al_wordlist[i];
        crypto_hash_sha256_update(&st, word, strlen(al_wordlist[i]));
        crypto_hash_sha256_update(&st, (const uint8_t *)"\n", 1);
    }
    uint8_t sum[32];
    char hex[65];
    crypto_hash_sha256_final(&st, sum);
    sodium_bin2hex(hex, sizeof(hex), sum, sizeof(sum));
    /* of english.txt as the Bitcoin project publishes it */
    assert_string_equal(hex, "2f5eed53a4727b4bf8880d8f3f199efc90e58503646d9ff8eff3a2ed3b24dbda");
}

static void the_published_cases_of_256_bits_agree_in_both_directions(void **state)
{
    (void)state;
    char path[4096];
    const char *dir = getenv("ALOUD_PUBLISHED");
    assert_non_null(dir);
    (void)snprintf(path, sizeof(path), "%s/bip39/english-256.json", dir);
    json_t *root = json_load_file(path, 0, NULL);
    assert_non_null(root);
    size_t i;
    json_t *row;
    size_t ran = 0;
    json_array_foreach(json_object_get(root, "english"), i, row)
    {
        const char *hex = json_string_value(json_array_get(row, 0));
        const char *words = json_string_value(json_array_get(row, 1));
        uint8_t entropy[32], got[32];
        size_t n, where;
        assert_int_equal(sodium_hex2bin(entropy, 32, hex, strlen(hex), NULL, &n, NULL), 0);
        assert_int_equal(n, 32);
        char text[AL_PHRASE_BYTES];
        al_phrase_text(text, entropy);
        assert_string_equal(text, words);
        assert_int_equal(parse(got, &where, words), 0);
        assert_memory_equal(got, entropy, 32);
        ran++;
    }
    assert_int_equal(ran, 8);
    json_decref(root);
}

static void capitals_white_space_and_four_letters_are_enough(void **state)
{
    (void)state;
    uint8_t entropy[32], got[32];
    size_t where;
    for (size_t i = 0; i < sizeof(entropy); i++)
        entropy[i] = (uint8_t)(i * 37 + 5);
    char typed[1024] = "\n\t ";
    for (size_t i = 0; i < AL_PHRASE_WORDS; i++) {
        char word[16];
        (void)snprintf(word, sizeof(word), i % 2 == 0 ? "%.4s" : "%s", al_phrase_word(entropy, i));
        word[0] = (char)toupper((unsigned char)word[0]);
        strcat(typed, word);
        strcat(typed, i % 3 == 0 ? " \r\n " : "  ");
    }
    assert_int_equal(parse(got, &where, typed), 0);
    assert_memory_equal(got, entropy, 32);
}

static void an_unknown_word_is_named_by_its_position(void **state)
{
    (void)state;
    uint8_t got[32];
    size_t where = 0;
    assert_int_equal(parse(got, &where, "abandon abandon abandn"), AL_E_PHRASE_WORD);
    assert_int_equal(where, 3);
    assert_int_equal(parse(got, &where, "aba"), AL_E_PHRASE_WORD); /* three letters fit several */
    assert_int_equal(where, 1);
    assert_int_equal(parse(got, &where, "act zoo abandoned"), AL_E_PHRASE_WORD);
    assert_int_equal(where, 3);
    assert_int_equal(parse(got, &where, "act abandon\xc3\xa9"), AL_E_PHRASE_WORD);
    assert_int_equal(where, 2);
}

static void another_number_of_words_is_refused_with_the_count(void **state)
{
    (void)state;
    uint8_t got[32] = {1};
    size_t where = 99;
    assert_int_equal(parse(got, &where, " "), AL_E_COUNT);
    assert_int_equal(where, 0);
    assert_int_equal(parse(got, &where, "abandon art"), AL_E_COUNT);
    assert_int_equal(where, 2);
    assert_int_equal(parse(got, &where, ZEROS " art"), AL_E_COUNT);
    assert_int_equal(where, 25);
    assert_int_equal(got[0], 1);
}

static void each_single_wrong_last_word_but_those_of_the_checksum_is_refused(void **state)
{
    (void)state;
    /* The last word holds 3 bits of entropy and 8 of checksum: 8 of 2048 words fit. */
    size_t fits = 0;
    for (size_t i = 0; i < AL_WORDLIST_COUNT; i++) {
        char text[AL_PHRASE_BYTES + 16] = ZEROS;
        memcpy(strrchr(text, ' ') + 1, al_wordlist[i], AL_WORDLIST_BYTES);
        uint8_t got[32];
        size_t where;
        int err = parse(got, &where, text);
        assert_true(err == 0 || err == AL_E_PHRASE_CHECKSUM);
        fits += err == 0;
    }
    assert_int_equal(fits, 8);
}

static void asked_back_a_word_is_confirmed_as_tolerantly(void **state)
{
    (void)state;
    const uint8_t zeros[32] = {0};
    assert_true(al_phrase_confirms(zeros, 23, al_slice_str(" ART\n")));
    assert_true(al_phrase_confirms(zeros, 0, al_slice_str("aban")));
    assert_false(al_phrase_confirms(zeros, 0, al_slice_str("art")));
    assert_false(al_phrase_confirms(zeros, 23, al_slice_str("art art")));
    assert_false(al_phrase_confirms(zeros, 23, al_slice_str("")));
    assert_false(al_phrase_confirms(zeros, 23, al_slice_str("ar")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_word_list_is_that_of_bip39),
        cmocka_unit_test(the_published_cases_of_256_bits_agree_in_both_directions),
        cmocka_unit_test(capitals_white_space_and_four_letters_are_enough),
        cmocka_unit_test(an_unknown_word_is_named_by_its_position),
        cmocka_unit_test(another_number_of_words_is_refused_with_the_count),
        cmocka_unit_test(each_single_wrong_last_word_but_those_of_the_checksum_is_refused),
        cmocka_unit_test(asked_back_a_word_is_confirmed_as_tolerantly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
