#include "fold.h"

#include <stdlib.h>

#include "call.h"

#define BURST_MS 60000

struct al_slice al_fold_source(const struct al_row *r)
{
    struct al_slice src = al_get_str(r->fields, "src");
    const uint8_t *colon = src.n == 0 ? NULL : memchr(src.p, ':', src.n);
    return al_slice_of(src.p, colon == NULL ? 0 : (size_t)(colon - src.p));
}

static bool same_author(const struct al_row *a, const struct al_row *b)
{
    return memcmp(a->identity, b->identity, 32) == 0 && al_slice_eq(a->to, b->to) &&
           al_slice_eq(a->circle, b->circle);
}

static bool same_tags(const struct al_row *a, const struct al_row *b)
{
    if (a->tag_count != b->tag_count)
        return false;
    for (size_t i = 0; i < a->tag_count; i++) {
        if (!al_slice_eq(a->tags[i], b->tags[i]))
            return false;
    }
    return true;
}

/* An entry that somebody answered, or that is odd in some way, is shown for itself. */
static bool is_plain(const struct al_row *r)
{
    return r->replies == 0 && r->re == NULL && al_slice_is(r->kind, "note") &&
           !al_slice_is(r->state, "disputed");
}

static bool same_import(const struct al_row *a, const struct al_row *b)
{
    struct al_slice source = al_fold_source(a);
    return source.n > 0 && al_slice_eq(source, al_fold_source(b)) && same_author(a, b) &&
           same_tags(a, b) && is_plain(b);
}

static bool same_burst(const struct al_row *a, const struct al_row *b)
{
    uint64_t apart = a->time_ms > b->time_ms ? a->time_ms - b->time_ms : b->time_ms - a->time_ms;
    return apart < BURST_MS && al_fold_source(b).n == 0 && same_author(a, b) && is_plain(b);
}

/* Collect the rows that |first| stands for into |members|; |used| marks those of earlier folds. */
static size_t collect(
    size_t *members, const bool *used, const struct al_row *rows, size_t n, size_t first)
{
    const struct al_row *r = &rows[first];
    bool imported = al_fold_source(r).n > 0;
    size_t count = 0;
    members[count++] = first;
    if (!is_plain(r))
        return count;
    for (size_t i = first + 1; i < n; i++) {
        bool fits = !used[i] && (imported ? same_import(r, &rows[i]) : same_burst(r, &rows[i]));
        if (fits)
            members[count++] = i;
        else if (!imported)
            break; /* a burst is a run: nothing else stands between */
    }
    return count < AL_FOLD_MIN ? 1 : count;
}

int al_fold_rows(struct al_folds *ret, const struct al_row *rows, size_t n)
{
    struct al_folds f = {
        .v = calloc(n + 1, sizeof(*f.v)), .members = calloc(n + 1, sizeof(*f.members))};
    bool *used = calloc(n + 1, sizeof(*used));
    if (f.v == NULL || f.members == NULL || used == NULL) {
        al_folds_free(&f);
        free(used);
        return AL_E_NOMEM;
    }
    size_t member_count = 0;
    for (size_t i = 0; i < n; i++) {
        if (used[i])
            continue;
        size_t *member = f.members + member_count;
        size_t count = collect(member, used, rows, n, i);
        for (size_t k = 0; k < count; k++)
            used[member[k]] = true;
        member_count += count;
        f.v[f.count++] = (struct al_fold){.first = i,
            .count = count,
            .member = member,
            .imported = al_fold_source(&rows[i]).n > 0};
    }
    free(used);
    *ret = f;
    return 0;
}

void al_folds_free(struct al_folds *f)
{
    free(f->v);
    free(f->members);
    *f = (struct al_folds){0};
}
