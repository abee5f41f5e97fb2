/*
 * What people type into a search. Whatever it is, FTS5 takes what becomes of it, and finds just
 * the texts that we find when we look for each term ourselves.
 */
#include <sqlite3.h>

#include "fuzz.h"
#include "match.h"
#include "scan.h"

static const char *const texts[] = {
    "",
    "a b c",
    "close the handle, then close it: a AND b OR \"c\" NOT near",
    "Clos\xc3\xa9 \xc3\xa9t\xc3\xa9 handle-first a*b c++ words_0 text:a",
    "\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e\xe3\x82\x92learn a\xe6\x97\xa5",
    "\xe0\xb8\xa0\xe0\xb8\xb2\xe0\xb8\xa9\xe0\xb8\xb2 12 3.4",
};

#define TEXT_COUNT (sizeof(texts) / sizeof(texts[0]))

static sqlite3 *db;
static struct al_tokens *tokens;
static sqlite3_stmt *search;

static void open_index(void)
{
    sqlite3_stmt *st;
    AL_ASSERT(sqlite3_open(":memory:", &db) == SQLITE_OK);
    AL_ASSERT(al_tokens_register(db) == 0);
    AL_ASSERT(al_tokens_new(&tokens, db) == 0);
    AL_ASSERT(sqlite3_exec(db,
                  "CREATE VIRTUAL TABLE words_0 USING fts5 (text, more, content = '',"
                  " columnsize = 0, tokenize = 'aloud')",
                  NULL, NULL, NULL) == SQLITE_OK);
    AL_ASSERT(sqlite3_prepare_v2(db, "INSERT INTO words_0 (rowid, text) VALUES (?1, ?2)", -1, &st,
                  NULL) == SQLITE_OK);
    for (size_t i = 0; i < TEXT_COUNT; i++) {
        AL_ASSERT(sqlite3_bind_int64(st, 1, (sqlite3_int64)i + 1) == SQLITE_OK);
        AL_ASSERT(sqlite3_bind_text(st, 2, texts[i], -1, SQLITE_STATIC) == SQLITE_OK);
        AL_ASSERT(sqlite3_step(st) == SQLITE_DONE);
        AL_ASSERT(sqlite3_reset(st) == SQLITE_OK);
    }
    AL_ASSERT(sqlite3_finalize(st) == SQLITE_OK);
    AL_ASSERT(sqlite3_prepare_v2(db, "SELECT rowid FROM words_0 WHERE words_0 MATCH ?1", -1,
                  &search, NULL) == SQLITE_OK);
}

/* Whether |text| holds what is wanted and nothing that is excluded, term by term. */
static bool fits(const struct al_query *q, struct al_slice text)
{
    bool all = true;
    for (uint32_t i = 0; i < q->term_count; i++) {
        struct al_query one = {.terms = {q->terms[i]}, .term_count = 1};
        struct al_match *m;
        AL_ASSERT(al_match_new(&m, &one, q->terms[i].not, tokens) == 0);
        int any = al_match_any(m, text);
        AL_ASSERT(any >= 0);
        all = all && (any > 0) != q->terms[i].not ;
        al_match_free(m);
    }
    return all;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    char why[128] = "";
    struct al_query q;
    struct al_slice input = al_slice_of(data, n);
    if (db == NULL)
        open_index();
    /* The scanner of the local API has passed every text before it comes here. */
    if (n > AL_QUERY_BYTES_MAX || !al_utf8_valid(input))
        return 0;
    int err = al_query_parse(&q, why, input, tokens, UINT64_C(1795352585678));
    if (err != 0) {
        AL_ASSERT(err == AL_E_QUERY && why[0] != '\0');
        return 0;
    }
    if (q.wanted == 0)
        return 0;
    bool found[TEXT_COUNT] = {false};
    struct al_buf match = fuzz_buf();
    al_query_match(&match, &q, al_slice_of(NULL, 0));
    AL_ASSERT(!match.full && memchr(match.p, '\0', match.n) == match.p + match.n - 1);
    AL_ASSERT(sqlite3_bind_text(search, 1, (const char *)match.p, -1, SQLITE_STATIC) == SQLITE_OK);
    int rc;
    while ((rc = sqlite3_step(search)) == SQLITE_ROW)
        found[sqlite3_column_int64(search, 0) - 1] = true;
    AL_ASSERT(rc == SQLITE_DONE);
    AL_ASSERT(sqlite3_reset(search) == SQLITE_OK);
    for (size_t i = 0; i < TEXT_COUNT; i++)
        AL_ASSERT(found[i] == fits(&q, al_slice_str(texts[i])));
    return 0;
}
