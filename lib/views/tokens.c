#include "tokens.h"

#include <stdlib.h>

struct Fts5Tokenizer { /* FTS5 leaves this type to each tokenizer */
    fts5_tokenizer words;
    Fts5Tokenizer *words_state;
};

/* --- scripts without spaces ----------------------------------------------------------------- */

static const struct {
    uint32_t first, last;
} unspaced[] = {
    {0x0e01, 0x0e3a},   /* Thai */
    {0x0e40, 0x0e4e},   /* Thai */
    {0x0e80, 0x0eff},   /* Lao */
    {0x1000, 0x1049},   /* Myanmar */
    {0x1050, 0x109f},   /* Myanmar */
    {0x1780, 0x17d3},   /* Khmer */
    {0x3005, 0x3007},   /* ideographic iteration mark, zero */
    {0x3041, 0x309f},   /* Hiragana */
    {0x30a1, 0x30fa},   /* Katakana */
    {0x30fc, 0x30ff},   /* Katakana, with its length mark */
    {0x31f0, 0x31ff},   /* Katakana */
    {0x3400, 0x4dbf},   /* Han */
    {0x4e00, 0x9fff},   /* Han */
    {0xa9e0, 0xa9fe},   /* Myanmar */
    {0xaa60, 0xaa7f},   /* Myanmar */
    {0xf900, 0xfaff},   /* Han */
    {0xff66, 0xff9f},   /* Katakana, half width */
    {0x20000, 0x323af}, /* Han */
};

static bool is_unspaced(uint32_t c)
{
    if (c < unspaced[0].first)
        return false;
    for (size_t i = 0; i < sizeof(unspaced) / sizeof(unspaced[0]); i++) {
        if (c <= unspaced[i].last)
            return c >= unspaced[i].first;
    }
    return false;
}

/* The character at |p|, and its bytes; a broken one is one byte. Text is UTF-8 by the scanner. */
static uint32_t decode(const uint8_t *p, size_t left, size_t *ret_n)
{
    size_t n = p[0] < 0xc0 ? 1 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
    *ret_n = 1;
    if (n == 1 || n > left)
        return p[0] < 0x80 ? p[0] : 0xfffd;
    uint32_t c = p[0] & (0x7fU >> n);
    for (size_t i = 1; i < n; i++)
        c = c << 6 | (p[i] & 0x3f);
    *ret_n = n;
    return c;
}

/* The bytes from |p| on until a run of the other sort begins: unspaced, or anything else. */
static size_t stretch(const uint8_t *p, size_t left, bool want)
{
    size_t at = 0;
    while (at < left) {
        size_t n = 1;
        /* All these scripts begin in the third row of UTF-8: most text is passed quickly. */
        bool is = p[at] >= 0xe0 && is_unspaced(decode(p + at, left - at, &n));
        if (is != want)
            break;
        at += n;
    }
    return at;
}

bool al_tokens_ends_single(struct al_slice text)
{
    size_t at = 0;
    while (at < text.n) {
        at += stretch(text.p + at, text.n - at, false);
        size_t run = stretch(text.p + at, text.n - at, true);
        size_t first = 0;
        if (run > 0)
            (void)decode(text.p + at, run, &first);
        at += run;
        if (run > 0 && at == text.n)
            return first == run;
    }
    return false;
}

/* --- the tokenizer of FTS5 ------------------------------------------------------------------ */

typedef int on_token(void *arg, int flags, const char *word, int n, int start, int end);

struct shift {
    void *arg;
    on_token *cb;
    int offset;
};

static int on_word(void *arg, int flags, const char *word, int n, int start, int end)
{
    const struct shift *s = arg;
    if (n > AL_TOKEN_MAX)
        n = AL_TOKEN_MAX;
    return s->cb(s->arg, flags, word, n, start + s->offset, end + s->offset);
}

static int each_pair(const char *text, size_t n, int offset, bool last_too, struct shift *s)
{
    const uint8_t *p = (const uint8_t *)text;
    size_t at = 0;
    size_t one;
    (void)decode(p, n, &one);
    int rc = SQLITE_OK;
    while (rc == SQLITE_OK && at < n) {
        size_t two = 0;
        if (at + one < n)
            (void)decode(p + at + one, n - at - one, &two);
        else if (!last_too && at > 0)
            break;
        int start = offset + (int)at;
        rc = s->cb(s->arg, 0, text + at, (int)(one + two), start, start + (int)(one + two));
        at += one;
        one = two;
    }
    return rc;
}

/* Marks are words as they stand, between spaces. */
static int each_mark(const char *text, size_t n, void *arg, on_token *cb)
{
    int rc = SQLITE_OK;
    for (size_t at = 1; rc == SQLITE_OK && at < n;) {
        const char *space = memchr(text + at, ' ', n - at);
        size_t end = space == NULL ? n : (size_t)(space - text);
        if (end > at)
            rc = cb(arg, 0, text + at, (int)(end - at), (int)at, (int)end);
        at = end + 1;
    }
    return rc;
}

static int tokenize(Fts5Tokenizer *t, void *arg, int flags, const char *text, int n, on_token *cb)
{
    const uint8_t *p = (const uint8_t *)text;
    size_t end = n > 0 ? (size_t)n : 0;
    struct shift s = {.arg = arg, .cb = cb};
    int rc = SQLITE_OK;
    if (end > 0 && p[0] == AL_TOKENS_MARK && (flags & FTS5_TOKENIZE_AUX) == 0)
        return each_mark(text, end, arg, cb);
    for (size_t at = 0; rc == SQLITE_OK && at < end;) {
        size_t words = stretch(p + at, end - at, false);
        if (words > 0) {
            s.offset = (int)at;
            rc = t->words.xTokenize(t->words_state, &s, flags, text + at, (int)words, on_word);
        }
        at += words;
        size_t run = stretch(p + at, end - at, true);
        if (rc == SQLITE_OK && run > 0) {
            /* The end of a query need not be the end of a run. */
            bool last_too = (flags & FTS5_TOKENIZE_QUERY) == 0 || at + run < end;
            rc = each_pair(text + at, run, (int)at, last_too, &s);
        }
        at += run;
    }
    return rc;
}

static void delete (Fts5Tokenizer *t)
{
    if (t == NULL)
        return;
    if (t->words_state != NULL)
        t->words.xDelete(t->words_state);
    sqlite3_free(t);
}

static int create(void *arg, const char **args, int count, Fts5Tokenizer **ret)
{
    (void)args;
    (void)count;
    fts5_api *api = arg;
    void *words_arg;
    const char *words_args[] = {"remove_diacritics", "2"};
    Fts5Tokenizer *t = sqlite3_malloc(sizeof(*t));
    if (t == NULL)
        return SQLITE_NOMEM;
    t->words_state = NULL;
    int rc = api->xFindTokenizer(api, "unicode61", &words_arg, &t->words);
    if (rc == SQLITE_OK)
        rc = t->words.xCreate(words_arg, words_args, 2, &t->words_state);
    if (rc != SQLITE_OK) {
        delete (t);
        return rc;
    }
    *ret = t;
    return SQLITE_OK;
}

int al_tokens_api(fts5_api **ret, sqlite3 *db)
{
    sqlite3_stmt *st = NULL;
    fts5_api *api = NULL;
    int rc = sqlite3_prepare_v2(db, "SELECT fts5(?1)", -1, &st, NULL);
    if (rc == SQLITE_OK) {
        (void)sqlite3_bind_pointer(st, 1, &api, "fts5_api_ptr", NULL);
        (void)sqlite3_step(st);
    }
    (void)sqlite3_finalize(st);
    if (api == NULL || api->iVersion < 2)
        return AL_E_IO;
    *ret = api;
    return 0;
}

int al_tokens_register(sqlite3 *db)
{
    fts5_tokenizer tokenizer = {.xCreate = create, .xDelete = delete, .xTokenize = tokenize};
    fts5_api *api;
    int err = al_tokens_api(&api, db);
    if (err != 0)
        return err;
    return api->xCreateTokenizer(api, "aloud", api, &tokenizer, NULL) == SQLITE_OK ? 0 : AL_E_IO;
}

/* --- outside of FTS5 ------------------------------------------------------------------------ */

struct al_tokens {
    Fts5Tokenizer *t;
};

int al_tokens_new(struct al_tokens **ret, sqlite3 *db)
{
    fts5_api *api;
    int err = al_tokens_api(&api, db);
    if (err != 0)
        return err;
    struct al_tokens *t = malloc(sizeof(*t));
    if (t == NULL)
        return AL_E_NOMEM;
    if (create(api, NULL, 0, &t->t) != SQLITE_OK) {
        free(t);
        return AL_E_NOMEM;
    }
    *ret = t;
    return 0;
}

void al_tokens_free(struct al_tokens *t)
{
    if (t == NULL)
        return;
    delete (t->t);
    free(t);
}

struct each {
    int (*cb)(void *arg, struct al_slice word, size_t start, size_t end);
    void *arg;
    int result;
};

static int on_each(void *arg, int flags, const char *word, int n, int start, int end)
{
    (void)flags;
    struct each *each = arg;
    each->result = each->cb(each->arg, al_slice_of(word, (size_t)n), (size_t)start, (size_t)end);
    return each->result == 0 ? SQLITE_OK : SQLITE_DONE;
}

int al_tokens_each(struct al_tokens *t, struct al_slice text, bool query,
    int (*cb)(void *arg, struct al_slice word, size_t start, size_t end), void *arg)
{
    struct each each = {.cb = cb, .arg = arg};
    int flags = FTS5_TOKENIZE_AUX | (query ? FTS5_TOKENIZE_QUERY : 0);
    int rc = tokenize(t->t, &each, flags, (const char *)text.p, (int)text.n, on_each);
    if (each.result != 0)
        return each.result;
    return rc == SQLITE_OK ? 0 : AL_E_NOMEM;
}

static int on_any(void *arg, struct al_slice word, size_t start, size_t end)
{
    (void)arg;
    (void)word;
    (void)start;
    (void)end;
    return 1;
}

int al_tokens_any(struct al_tokens *t, struct al_slice text)
{
    return al_tokens_each(t, text, false, on_any, NULL);
}
