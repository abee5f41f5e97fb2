#include "gitlog.h"

#include "check.h"

/* Where a field is kept, and how much of it. */
static char *room_of(struct al_gitlog *g, size_t *ret_cap)
{
    struct {
        char *p;
        size_t cap;
    } rooms[AL_GITLOG_FIELDS] = {
        {g->hash, sizeof(g->hash)},
        {g->time, sizeof(g->time)},
        {g->email, sizeof(g->email)},
        {g->message, sizeof(g->message)},
    };
    AL_ASSERT(g->field < AL_GITLOG_FIELDS);
    *ret_cap = rooms[g->field].cap;
    return rooms[g->field].p;
}

/* Keep what fits of a field; the rest of it is passed over. */
static void keep(struct al_gitlog *g, struct al_slice s)
{
    size_t cap;
    char *room = room_of(g, &cap);
    size_t left = cap - g->n[g->field];
    size_t n = s.n < left ? s.n : left;
    if (n > 0)
        memcpy(room + g->n[g->field], s.p, n);
    g->n[g->field] += n;
}

static bool is_hash(const char *s, size_t n)
{
    if (n != 40 && n != 64)
        return false;
    for (size_t i = 0; i < n; i++) {
        bool digit = (s[i] >= '0' && s[i] <= '9') || (s[i] >= 'a' && s[i] <= 'f');
        if (!digit)
            return false;
    }
    return true;
}

/* Commits claim any time, also of before 1970 and of after the end of the world. */
static uint64_t time_of(const char *s, size_t n)
{
    uint64_t v = 0;
    for (size_t i = 0; i < n; i++) {
        if (s[i] < '0' || s[i] > '9')
            return 1;
        v = v * 10 + (uint64_t)(s[i] - '0');
        if (v > AL_TIME_MAX / 1000)
            return AL_TIME_MAX;
    }
    return v == 0 ? 1 : v * 1000;
}

static bool is_blank(char c)
{
    return c == '\n' || c == '\r' || c == ' ' || c == '\t';
}

static struct al_slice trimmed(const char *s, size_t n)
{
    while (n > 0 && (s[0] == '\n' || s[0] == '\r')) {
        s++;
        n--;
    }
    while (n > 0 && is_blank(s[n - 1]))
        n--;
    return al_slice_of(s, n);
}

static int finish(struct al_gitlog *g, struct al_commit *ret)
{
    g->done = true;
    if (!is_hash(g->hash, g->n[0]))
        return AL_E_CORRUPT;
    *ret = (struct al_commit){
        .hash = al_slice_of(g->hash, g->n[0]),
        .email = al_slice_of(g->email, g->n[2]),
        .message = trimmed(g->message, g->n[3]),
        .at_ms = time_of(g->time, g->n[1]),
    };
    return 0;
}

int al_gitlog_feed(struct al_gitlog *g, struct al_commit *ret, size_t *ret_n, struct al_slice bytes)
{
    size_t at = 0;
    if (g->done) {
        g->done = false;
        g->field = 0;
        memset(g->n, 0, sizeof(g->n));
    }
    while (at < bytes.n) {
        const uint8_t *from = bytes.p + at;
        const uint8_t *nul = memchr(from, '\0', bytes.n - at);
        size_t n = nul == NULL ? bytes.n - at : (size_t)(nul - from);
        keep(g, al_slice_of(from, n));
        at += n;
        if (nul == NULL)
            break;
        at++;
        if (++g->field == AL_GITLOG_FIELDS) {
            *ret_n = at;
            return finish(g, ret);
        }
    }
    *ret_n = at;
    return AL_E_MORE;
}

bool al_gitlog_at_end(const struct al_gitlog *g)
{
    return g->done || (g->field == 0 && g->n[0] == 0);
}
