#include "phrase.h"

#include <sodium.h>

#include "check.h"
#include "wordlist.h"

#define PREFIX_MIN 4 /* letters that tell all words apart */

/* The entropy and its checksum: 24 times 11 bits. */
static void with_checksum(uint8_t out[33], const uint8_t entropy[32])
{
    uint8_t sum[crypto_hash_sha256_BYTES];
    (void)crypto_hash_sha256(sum, entropy, 32);
    memcpy(out, entropy, 32);
    out[32] = sum[0];
    sodium_memzero(sum, sizeof(sum));
}

static const char *word_at(const uint8_t bits[33], size_t i)
{
    size_t at = i * 11;
    uint32_t three = 0; /* eleven bits touch at most three bytes */
    for (size_t k = 0; k < 3; k++)
        three = three << 8 | (at / 8 + k < 33 ? bits[at / 8 + k] : 0U);
    return al_wordlist[three >> (13 - at % 8) & 0x7ff];
}

const char *al_phrase_word(const uint8_t entropy[32], size_t i)
{
    AL_ASSERT(i < AL_PHRASE_WORDS);
    uint8_t bits[33];
    with_checksum(bits, entropy);
    const char *word = word_at(bits, i);
    sodium_memzero(bits, sizeof(bits));
    return word;
}

void al_phrase_text(char out[AL_PHRASE_BYTES], const uint8_t entropy[32])
{
    uint8_t bits[33];
    with_checksum(bits, entropy);
    size_t n = 0;
    for (size_t i = 0; i < AL_PHRASE_WORDS; i++) {
        for (const char *c = word_at(bits, i); *c != '\0'; c++)
            out[n++] = *c;
        out[n++] = i + 1 < AL_PHRASE_WORDS ? ' ' : '\0';
    }
    sodium_memzero(bits, sizeof(bits));
}

static bool is_space(uint8_t c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Cut the next word off |text|: n = 0 at the end. */
static struct al_slice next_word(struct al_slice *text)
{
    while (text->n > 0 && is_space(text->p[0]))
        *text = al_slice_of(text->p + 1, text->n - 1);
    struct al_slice word = al_slice_of(text->p, 0);
    while (word.n < text->n && !is_space(text->p[word.n]))
        word.n++;
    *text = al_slice_of(text->p + word.n, text->n - word.n);
    return word;
}

/* The number of a word, whole or cut down to an unmistakable beginning; -1: not on the list. */
static int number_of(struct al_slice word)
{
    char lower[AL_WORDLIST_BYTES] = {0};
    int found = -1;
    if (word.n == 0 || word.n >= AL_WORDLIST_BYTES)
        return -1;
    for (size_t i = 0; i < word.n; i++) {
        uint8_t c = word.p[i];
        lower[i] = (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
    }
    for (int i = 0; i < AL_WORDLIST_COUNT && found < 0; i++) {
        if (strcmp(al_wordlist[i], lower) == 0 ||
            (word.n >= PREFIX_MIN && strncmp(al_wordlist[i], lower, word.n) == 0))
            found = i;
    }
    sodium_memzero(lower, sizeof(lower));
    return found;
}

int al_phrase_parse(uint8_t ret_entropy[32], size_t *where, struct al_slice text)
{
    uint8_t bits[33] = {0};
    uint8_t expect[33] = {0};
    int err = 0;
    size_t count = 0;
    for (struct al_slice word = next_word(&text); word.n > 0; word = next_word(&text)) {
        int number = number_of(word);
        if (number < 0) {
            *where = count + 1;
            err = AL_E_PHRASE_WORD;
            goto out;
        }
        for (size_t k = 0; k < 11 && count < AL_PHRASE_WORDS; k++) {
            size_t at = count * 11 + k;
            bits[at / 8] |= (uint8_t)((number >> (10 - k) & 1) << (7 - at % 8));
        }
        count++;
    }
    if (count != AL_PHRASE_WORDS) {
        *where = count;
        err = AL_E_COUNT;
        goto out;
    }
    with_checksum(expect, bits);
    if (bits[32] != expect[32]) {
        err = AL_E_PHRASE_CHECKSUM;
        goto out;
    }
    memcpy(ret_entropy, bits, 32);
out:
    sodium_memzero(bits, sizeof(bits));
    sodium_memzero(expect, sizeof(expect));
    return err;
}

bool al_phrase_confirms(const uint8_t entropy[32], size_t i, struct al_slice typed)
{
    struct al_slice word = next_word(&typed);
    int number = number_of(word);
    return number >= 0 && next_word(&typed).n == 0 &&
           strcmp(al_wordlist[number], al_phrase_word(entropy, i)) == 0;
}
