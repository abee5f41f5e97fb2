#include "phrase_in.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "phrase.h"
#include "private.h"
#include "terminal.h"

#define LINE_BYTES 1024
#define WORD_BYTES 32
#define FILE_BYTES 4096

/* What was typed so far. */
struct typed {
    char words[AL_PHRASE_WORDS][WORD_BYTES];
    size_t count;
    bool over; /* there were more of them */
    char line[LINE_BYTES];
    char text[AL_PHRASE_WORDS * WORD_BYTES];
};

static void add_words(struct typed *t)
{
    char *rest = NULL;
    for (char *w = strtok_r(t->line, " \t\r\n\v\f", &rest); w != NULL;
         w = strtok_r(NULL, " \t\r\n\v\f", &rest)) {
        t->over = t->over || t->count == AL_PHRASE_WORDS;
        if (!t->over)
            (void)strlcpy(t->words[t->count++], w, WORD_BYTES);
    }
}

static struct al_slice join(struct typed *t)
{
    size_t n = 0;
    for (size_t i = 0; i < t->count; i++) {
        if (i > 0)
            t->text[n++] = ' ';
        n += strlcpy(t->text + n, t->words[i], WORD_BYTES);
    }
    return al_slice_of(t->text, n);
}

/* Type word |number| again; false at the end of the input. */
static bool again(struct typed *t, size_t number)
{
    char question[48];
    (void)snprintf(question, sizeof(question), "word %zu: ", number);
    if (!al_terminal_ask(t->line, sizeof(t->line), question))
        return false;
    char *rest = NULL;
    const char *word = strtok_r(t->line, " \t\r", &rest);
    (void)strlcpy(t->words[number - 1], word == NULL ? "" : word, WORD_BYTES);
    if (word == NULL)
        (void)strlcpy(t->words[number - 1], "?", WORD_BYTES);
    return true;
}

static bool ask_line(struct typed *t)
{
    char question[64];
    (void)snprintf(question, sizeof(question), "word %zu%s: ", t->count + 1,
        t->count + 1 < AL_PHRASE_WORDS ? " and on" : "");
    if (!al_terminal_ask(t->line, sizeof(t->line), question))
        return false;
    add_words(t);
    return true;
}

static bool mend_order(struct typed *t)
{
    al_terminal_say("Each word is on the list, but together they are no phrase: one of them is "
                    "another,\nor two have changed places.\n");
    if (!al_terminal_ask(
            t->line, sizeof(t->line), "number of the word to type again (Enter: all of them): "))
        return false;
    unsigned long number = strtoul(t->line, NULL, 10);
    if (number >= 1 && number <= AL_PHRASE_WORDS)
        return again(t, number);
    t->count = 0;
    return true;
}

static bool mend_word(struct typed *t, size_t number)
{
    char line[96];
    (void)snprintf(line, sizeof(line), "Word %zu is not on the list.\n", number);
    al_terminal_say(line);
    return again(t, number);
}

bool al_phrase_in_ask(uint8_t ret_entropy[AL_ENTROPY_BYTES])
{
    struct typed *t = calloc(1, sizeof(*t));
    if (t == NULL)
        return false;
    al_terminal_say("The 24 words, in their order. Capitals don't matter, and the first four\n"
                    "letters of each will do.\n");
    int err = AL_E_COUNT;
    bool going = true;
    while (going && err != 0) {
        size_t where = 0;
        err = t->over ? AL_E_LIMIT : al_phrase_parse(ret_entropy, &where, join(t));
        switch (err) {
        case 0:
            break;
        case AL_E_PHRASE_WORD:
            going = mend_word(t, where);
            break;
        case AL_E_PHRASE_CHECKSUM:
            going = mend_order(t);
            break;
        case AL_E_LIMIT:
            al_terminal_say("Those are more than 24 words. From the first one on, please.\n");
            t->over = false;
            t->count = 0;
            break;
        default:
            going = ask_line(t);
            break;
        }
    }
    sodium_memzero(t, sizeof(*t));
    free(t);
    return err == 0;
}

/* --- from a file --------------------------------------------------------------------------- */

static int fail(struct al_complaint *c, int err, const char *what, const char *why)
{
    c->err = err;
    c->what = what;
    c->why = why;
    return err;
}

static int open_words(int *ret_fd, const char *path, struct al_complaint *c)
{
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    struct stat st;
    if (fd < 0)
        return fail(c, al_private_err(errno), "the file with the words cannot be read", NULL);
    bool plain = fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
    bool ours = plain && st.st_uid == geteuid() && (st.st_mode & (S_IRWXG | S_IRWXO)) == 0;
    if (ours) {
        *ret_fd = fd;
        return 0;
    }
    (void)close(fd);
    (void)snprintf(c->command, sizeof(c->command), "chmod 600 '%s'", path);
    c->hint = plain ? c->command : NULL;
    return fail(c, AL_E_PERMISSION, "the file with the words is not safe",
        plain ? "it must be yours, and nobody else may read it" : "it is not a plain file");
}

int al_phrase_in_read(
    uint8_t ret_entropy[AL_ENTROPY_BYTES], const char *path, struct al_complaint *c)
{
    uint8_t bytes[FILE_BYTES];
    int fd;
    int err = open_words(&fd, path, c);
    if (err != 0)
        return err;
    ssize_t n = read(fd, bytes, sizeof(bytes));
    (void)close(fd);
    size_t where = 0;
    if (n < 0)
        err = fail(c, AL_E_IO, "the file with the words cannot be read", NULL);
    else
        err = al_phrase_parse(ret_entropy, &where, al_slice_of(bytes, (size_t)n));
    sodium_memzero(bytes, sizeof(bytes));
    if (err == 0 || n < 0)
        return err;
    if (err == AL_E_PHRASE_WORD)
        (void)snprintf(c->text, sizeof(c->text), "word %zu is not on the list", where);
    else if (err == AL_E_COUNT)
        (void)snprintf(c->text, sizeof(c->text), "there are %zu words, not 24", where);
    else
        (void)snprintf(c->text, sizeof(c->text),
            "each word is on the list, but one is another, or two have changed places");
    return fail(c, err, "the words in the file are not a phrase", c->text);
}
