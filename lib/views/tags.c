#include "reader_int.h"
#include "write.h"

int al_tag_number(struct al_call *c, int64_t *ret, struct al_slice name)
{
    sqlite3_stmt *st = NULL;
    int got = al_call_prepare(c, &st, "SELECT no FROM tag WHERE name = ?1");
    if (got == 0) {
        al_viewdb_bind_text(st, 1, name);
        got = al_viewdb_int(st, ret, NULL, 0);
    }
    (void)sqlite3_finalize(st);
    return got;
}

int al_tags_call(struct al_call *c, struct al_buf *out)
{
    struct al_identity who;
    bool one = al_call_bytes32(c, "from", who.b);
    uint64_t limit = al_call_uint(c, "limit", 100, AL_ROWS_MAX);
    int64_t author = 0;
    if (c->err != 0)
        return c->err;
    int some = one ? al_people_author(c, &author, who.b) : 1;
    if (some < 0)
        return some;
    static const char all[] = "SELECT name, count, last FROM tag WHERE count > 0"
                              " ORDER BY count DESC, name LIMIT ?1";
    static const char of_author[] =
        "SELECT t.name, x.count, x.last FROM author_tag x JOIN tag t ON t.no = x.tag"
        " WHERE x.author = ?2 AND x.count > 0 ORDER BY x.count DESC, t.name LIMIT ?1";
    struct al_page page; /* of tags, not of rows */
    al_page_init(&page);
    sqlite3_stmt *st = NULL;
    int got = al_call_prepare(c, &st, one ? of_author : all);
    if (got == 0) {
        al_viewdb_bind_int(st, 1, (int64_t)limit);
        if (one)
            al_viewdb_bind_int(st, 2, author);
    }
    while (got == 0 && some > 0 && (got = al_viewdb_step(st)) > 0) {
        al_write_map(&page.rows, 3);
        al_write_cstr(&page.rows, "tag");
        al_write_str(&page.rows, al_viewdb_slice(st, 0));
        al_write_cstr(&page.rows, "count");
        al_write_uint(&page.rows, al_viewdb_uint(st, 1));
        al_write_cstr(&page.rows, "last");
        al_write_uint(&page.rows, al_viewdb_uint(st, 2));
        page.count++;
        got = 0;
    }
    if (got == 0) {
        al_write_map(out, 1);
        got = al_page_write(&page, out, "tags");
    }
    (void)sqlite3_finalize(st);
    al_page_free(&page);
    return got;
}
