#include "rank.h"

#include "tokens.h"

#define TYPICAL_BYTES 300.0 /* of an entry: what length is measured by */
#define SATURATION 1.2      /* k1 and b of BM25, as everybody sets them */
#define LENGTH_WEIGHT 0.75
#define COUNT_MAX 16 /* occurrences of one word that are counted */
#define SCALE 1000000.0

static void rank(
    const Fts5ExtensionApi *api, Fts5Context *fts, sqlite3_context *ctx, int n, sqlite3_value **v)
{
    double size = n > 0 ? (double)sqlite3_value_int64(v[0]) : TYPICAL_BYTES;
    double norm = SATURATION * (1 - LENGTH_WEIGHT + LENGTH_WEIGHT * size / TYPICAL_BYTES);
    double score = 0;
    for (int i = 0; i < api->xPhraseCount(fts); i++) {
        Fts5PhraseIter it;
        int column;
        int offset;
        double count = 0;
        int rc = api->xPhraseFirst(fts, i, &it, &column, &offset);
        while (rc == SQLITE_OK && column >= 0 && count < COUNT_MAX) {
            count += column == 0 ? 1 : 2;
            api->xPhraseNext(fts, &it, &column, &offset);
        }
        score += count / (count + norm);
    }
    sqlite3_result_int64(ctx, (sqlite3_int64)(score * SCALE));
}

int al_rank_register(sqlite3 *db)
{
    fts5_api *api;
    int err = al_tokens_api(&api, db);
    if (err != 0)
        return err;
    return api->xCreateFunction(api, "al_rank", NULL, rank, NULL) == SQLITE_OK ? 0 : AL_E_IO;
}
