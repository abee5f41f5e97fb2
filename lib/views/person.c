#include <stdlib.h>

#include "heapbuf.h"
#include "id.h"
#include "read.h"
#include "reader_int.h"
#include "text.h"
#include "write.h"

#define SIMILAR_MAX 3
#define DISTANCE_MAX 2  /* typing errors in a similar name */
#define NAME_LETTERS 32 /* of a name that are compared for them */
#define ID_MIN 4        /* characters from which a word by itself may be an id */
#define PEOPLE_MAX 64   /* that one typed name can mean */

/* What was typed, taken apart: "@name~prefix". */
struct who {
    struct al_slice name;
    struct al_id_prefix prefix;
    bool has_prefix; /* after a "~", or the whole of it reads like an id */
    bool needs_name; /* there was a "~" */
};

static uint8_t lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c - 'A' + 'a') : c;
}

static bool same_name(struct al_slice a, struct al_slice b)
{
    if (a.n != b.n || a.n == 0)
        return false;
    for (size_t i = 0; i < a.n; i++) {
        if (lower(a.p[i]) != lower(b.p[i]))
            return false;
    }
    return true;
}

static struct who parse_who(struct al_slice text)
{
    struct who who = {.name = text};
    if (text.n > 0 && text.p[0] == '@')
        who.name = al_slice_of(text.p + 1, text.n - 1);
    const uint8_t *tilde = who.name.n == 0 ? NULL : memrchr(who.name.p, '~', who.name.n);
    struct al_slice id = who.name;
    if (tilde != NULL) {
        const uint8_t *end = who.name.p + who.name.n;
        id = al_slice_of(tilde + 1, (size_t)(end - tilde - 1));
        who.name.n = (size_t)(tilde - who.name.p);
        who.needs_name = true;
    }
    who.has_prefix = (id.n >= ID_MIN || who.needs_name) && al_id_parse(&who.prefix, id) == 0;
    return who;
}

enum match { NO_MATCH, BY_ID, BY_NAME, BY_PETNAME };

static enum match match(const struct who *who, sqlite3_stmt *st)
{
    struct al_slice identity = al_viewdb_slice(st, 1);
    bool id = who->has_prefix && identity.n == 32 && al_id_has_prefix(identity.p, &who->prefix);
    bool petname = same_name(who->name, al_viewdb_slice(st, 3));
    bool name = same_name(who->name, al_viewdb_slice(st, 2));
    if (who->needs_name)
        return id && (petname || name || who->name.n == 0) ? BY_PETNAME : NO_MATCH;
    if (petname)
        return BY_PETNAME;
    if (name)
        return BY_NAME;
    return id ? BY_ID : NO_MATCH;
}

#define AUTHORS_SQL "SELECT no, identity, name, petname, mine FROM author ORDER BY no"

int al_people_find(struct al_call *c, int64_t *out, int max, struct al_slice text)
{
    if (al_slice_is(text, "me") || al_slice_is(text, "@me")) {
        int got = al_people_author(c, out, c->r->keyring->identity.b);
        return got;
    }
    struct who who = parse_who(text);
    enum match best = NO_MATCH;
    int count = 0;
    sqlite3_stmt *st = NULL;
    int got = al_call_prepare(c, &st, AUTHORS_SQL);
    while (got == 0 && (got = al_viewdb_step(st)) > 0) {
        enum match m = match(&who, st);
        if (m > best) { /* who has that petname is meant before who claims that name */
            best = m;
            count = 0;
        }
        if (m != NO_MATCH && m == best && count < max)
            out[count++] = sqlite3_column_int64(st, 0);
        got = 0;
    }
    (void)sqlite3_finalize(st);
    return got < 0 ? got : count;
}

/* --- similar names -------------------------------------------------------------------------- */

/* Insertions, deletions, changes and swaps of neighbours that make |b| of |a|. */
static size_t distance(struct al_slice a, struct al_slice b)
{
    size_t row[3][NAME_LETTERS + 1];
    if (a.n > NAME_LETTERS || b.n > NAME_LETTERS)
        return NAME_LETTERS;
    for (size_t j = 0; j <= b.n; j++)
        row[0][j] = j;
    for (size_t i = 1; i <= a.n; i++) {
        size_t *now = row[i % 3];
        const size_t *before = row[(i + 2) % 3];
        now[0] = i;
        for (size_t j = 1; j <= b.n; j++) {
            size_t best = before[j - 1] + (a.p[i - 1] != b.p[j - 1] ? 1 : 0);
            best = before[j] + 1 < best ? before[j] + 1 : best;
            best = now[j - 1] + 1 < best ? now[j - 1] + 1 : best;
            bool swapped = i > 1 && j > 1 && a.p[i - 1] == b.p[j - 2] && a.p[i - 2] == b.p[j - 1];
            if (swapped && row[(i + 1) % 3][j - 2] + 1 < best)
                best = row[(i + 1) % 3][j - 2] + 1;
            now[j] = best;
        }
    }
    return row[a.n % 3][b.n];
}

static bool is_similar(struct al_slice wanted, struct al_slice name)
{
    if (name.n == 0)
        return false;
    struct al_buf skeleton = al_heapbuf();
    al_text_skeleton(&skeleton, name);
    struct al_slice s = al_buf_slice(&skeleton);
    size_t allowed = wanted.n <= 3 ? 1 : DISTANCE_MAX;
    bool begins = wanted.n >= 2 && s.n > wanted.n && memcmp(s.p, wanted.p, wanted.n) == 0;
    bool similar = !skeleton.full && (begins || distance(wanted, s) <= allowed);
    al_heapbuf_free(&skeleton);
    return similar;
}

int al_people_similar(struct al_call *c, struct al_buf *out, struct al_slice text)
{
    struct who who = parse_who(text);
    struct al_buf wanted = al_heapbuf();
    al_text_skeleton(&wanted, who.name);
    struct al_page page; /* of names */
    al_page_init(&page);
    sqlite3_stmt *st = NULL;
    int got = al_call_prepare(c, &st, AUTHORS_SQL);
    while (got == 0 && page.count < SIMILAR_MAX && (got = al_viewdb_step(st)) > 0) {
        for (int column = 3; column >= 2; column--) {
            struct al_slice name = al_viewdb_slice(st, column);
            if (page.count < SIMILAR_MAX && is_similar(al_buf_slice(&wanted), name)) {
                al_write_str(&page.rows, name);
                page.count++;
                break;
            }
        }
        got = 0;
    }
    if (got >= 0)
        got = al_page_write(&page, out, "similar");
    (void)sqlite3_finalize(st);
    al_page_free(&page);
    al_heapbuf_free(&wanted);
    return got;
}

int al_people_unknown(struct al_call *c, struct al_slice who)
{
    struct al_buf names = al_heapbuf();
    int err = al_people_similar(c, &names, who);
    struct al_read r = al_read_init(al_buf_slice(&names));
    (void)al_read_str(&r, AL_NAME_MAX);
    uint32_t count = err == 0 ? al_read_array(&r, 0, SIMILAR_MAX) : 0;
    struct al_slice name = count > 0 ? al_read_str(&r, AL_NAME_MAX) : al_slice_of(NULL, 0);
    if (err == 0)
        err = al_call_fail(c, AL_E_NOT_FOUND, "nobody called %.*s here%s%.*s", (int)who.n,
            (const char *)who.p, name.n > 0 ? ", but somebody called " : "", (int)name.n,
            name.n > 0 ? (const char *)name.p : "");
    al_heapbuf_free(&names);
    return err;
}

/* --- circles and kinds ---------------------------------------------------------------------- */

int al_circles_named(struct al_call *c, int64_t *out, int max, struct al_slice name)
{
    sqlite3_stmt *st = NULL;
    int count = 0;
    int got = al_call_prepare(c, &st,
        "SELECT c.no FROM circle c JOIN author a ON a.no = c.owner"
        " WHERE ?1 COLLATE NOCASE IN (c.name, c.name || '@' || a.petname, c.name || '@' || a.name)"
        " LIMIT ?2");
    if (got == 0) {
        al_viewdb_bind_text(st, 1, name);
        al_viewdb_bind_int(st, 2, max);
    }
    while (got == 0 && count < max && (got = al_viewdb_step(st)) > 0) {
        out[count++] = sqlite3_column_int64(st, 0);
        got = 0;
    }
    (void)sqlite3_finalize(st);
    return got < 0 ? got : count;
}

int al_kind_seen(struct al_call *c, struct al_slice name)
{
    sqlite3_stmt *st = NULL;
    int64_t one;
    int got = al_call_prepare(c, &st,
        "SELECT 1 FROM line l JOIN entry e ON e.n = l.n WHERE l.kind = 0 AND e.kind = ?1 LIMIT 1");
    if (got == 0) {
        al_viewdb_bind_text(st, 1, name);
        got = al_viewdb_int(st, &one, NULL, 0);
    }
    (void)sqlite3_finalize(st);
    return got;
}

/* --- person --------------------------------------------------------------------------------- */

int al_person_call(struct al_call *c, struct al_buf *out)
{
    struct al_slice who = al_call_str(c, "who", AL_NAME_MAX * 2);
    if (c->err != 0)
        return c->err;
    int64_t authors[PEOPLE_MAX];
    int count = al_people_find(c, authors, PEOPLE_MAX, who);
    if (count < 0)
        return count;
    sqlite3_stmt *st = NULL;
    int err =
        al_call_prepare(c, &st, "SELECT identity, name, petname, mine FROM author WHERE no = ?1");
    al_write_map(out, 2);
    al_write_cstr(out, "people");
    al_write_array(out, (size_t)count);
    for (int i = 0; err == 0 && i < count; i++) {
        al_viewdb_bind_int(st, 1, authors[i]);
        int got = al_viewdb_step(st);
        if (got <= 0) {
            err = got < 0 ? got : AL_E_CORRUPT;
            break;
        }
        struct al_slice identity = al_viewdb_slice(st, 0);
        al_write_map(out, 4);
        al_write_cstr(out, "identity");
        al_write_bin(out, identity.p, identity.n);
        al_write_cstr(out, "name");
        al_write_str(out, al_viewdb_slice(st, 1));
        al_write_cstr(out, "petname");
        al_write_str(out, al_viewdb_slice(st, 2));
        al_write_cstr(out, "me");
        al_write_bool(out, sqlite3_column_int(st, 3) != 0);
        (void)sqlite3_reset(st);
    }
    (void)sqlite3_finalize(st);
    if (err == 0 && count > 0) {
        al_write_cstr(out, "similar");
        al_write_array(out, 0);
    }
    return err == 0 && count == 0 ? al_people_similar(c, out, who) : err;
}
