#include "terminal.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "phrase.h"

#define COLUMNS 4
#define CHECKED_WORDS 3

bool al_terminal_is_there(void)
{
    return isatty(STDIN_FILENO) == 1 && isatty(STDOUT_FILENO) == 1;
}

bool al_terminal_can_redraw(void)
{
    const char *term = getenv("TERM");
    return isatty(STDOUT_FILENO) == 1 && term != NULL && strcmp(term, "dumb") != 0;
}

void al_terminal_say(const char *text)
{
    size_t n = strlen(text);
    while (n > 0) {
        ssize_t put = write(STDOUT_FILENO, text, n);
        if (put < 0 && errno != EINTR)
            return;
        text += put < 0 ? 0 : put;
        n -= put < 0 ? 0 : (size_t)put;
    }
}

/* A byte at a time, so that nothing typed ahead stays in a buffer of ours. */
bool al_terminal_ask(char *out, size_t cap, const char *question)
{
    al_terminal_say(question);
    size_t n = 0;
    char c = '\0';
    while (c != '\n') {
        ssize_t got = read(STDIN_FILENO, &c, 1);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return false;
        if (c != '\n' && n + 1 < cap)
            out[n++] = c;
    }
    out[n] = '\0';
    return true;
}

void al_terminal_show_phrase(const uint8_t entropy[32])
{
    char line[128];
    for (unsigned i = 0; i < AL_PHRASE_WORDS; i++) {
        const char *end = i % COLUMNS == COLUMNS - 1 ? "\n" : "";
        (void)snprintf(line, sizeof(line), "  %2u %-10s%s", i + 1, al_phrase_word(entropy, i), end);
        al_terminal_say(line);
    }
    sodium_memzero(line, sizeof(line));
}

static bool check_word(const uint8_t entropy[32], unsigned i)
{
    char question[64], answer[64];
    (void)snprintf(question, sizeof(question), "  word %u? ", i + 1);
    bool right = false, skipped = false;
    while (!right && !skipped) {
        skipped = !al_terminal_ask(answer, sizeof(answer), question) || answer[0] == '\0';
        right = !skipped && al_phrase_confirms(entropy, i, al_slice_str(answer));
        if (!right && !skipped)
            al_terminal_say("  That is another word; look again.\n");
    }
    sodium_memzero(answer, sizeof(answer));
    return right;
}

bool al_terminal_check_phrase(const uint8_t entropy[32])
{
    /* One of each third, so that they are three, and in order. */
    for (unsigned third = 0; third < CHECKED_WORDS; third++) {
        unsigned size = AL_PHRASE_WORDS / CHECKED_WORDS;
        if (!check_word(entropy, third * size + randombytes_uniform(size)))
            return false;
    }
    return true;
}
