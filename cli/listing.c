#include "listing.h"

#include <stdlib.h>

#include "refs.h"
#include "row_out.h"

#define PAGE_ROWS 200

int al_listing_from(struct al_cli *c, struct al_listing *l, const char *typed)
{
    struct al_person person;
    int status = al_refs_person(c, &person, typed);
    if (status != 0)
        return status;
    l->mine = person.me;
    l->from = person.me ? NULL : person.identity;
    return 0;
}

int al_listing_opts(struct al_cli *c, struct al_listing *l)
{
    l->tag = al_cli_opt(c, "tag");
    l->kind = al_cli_opt(c, "kind");
    l->to = al_cli_opt(c, "to");
    if (l->tag != NULL && (l->tag[0] == '#' || l->tag[0] == '+'))
        l->tag++;
    int status = al_cli_opt_when(c, &l->since_ms, "since");
    if (status == 0)
        status = al_cli_opt_when(c, &l->until_ms, "until");
    if (status == 0)
        status = al_cli_opt_uint(c, &l->limit, "limit", 1, 1000000);
    const char *from = al_cli_opt(c, "from");
    if (status == 0 && from != NULL)
        status = al_listing_from(c, l, from);
    return status;
}

static void put_params(
    struct al_params *p, const struct al_listing *l, uint64_t limit, struct al_slice cursor)
{
    al_params_uint(p, "limit", limit);
    if (cursor.n > 0)
        al_params_bin(p, "cursor", cursor.p, cursor.n);
    if (l->from != NULL)
        al_params_bin(p, "from", l->from, 32);
    if (l->mine)
        al_params_bool(p, "mine", true);
    if (l->tag != NULL)
        al_params_cstr(p, "tag", l->tag);
    if (l->kind != NULL)
        al_params_cstr(p, "kind", l->kind);
    if (l->to != NULL)
        al_params_cstr(p, "to", l->to);
    if (l->since_ms != 0)
        al_params_uint(p, "since", l->since_ms);
    if (l->until_ms != 0)
        al_params_uint(p, "until", l->until_ms);
    if (l->oldest_first)
        al_params_bool(p, "oldest_first", true);
}

/* Print the rows of one answer. Returns 0 or AL_E_RPC, AL_E_NOMEM. */
static int print_page(
    struct al_cli *c, struct al_feed *feed, struct al_slice result, size_t *ret_count)
{
    struct al_row *rows;
    size_t n;
    int err = al_row_out_read(&rows, &n, result, "rows");
    if (err != 0)
        return err;
    feed->cut = al_get_bin(result, "next").n > 0;
    if (al_out_is_pretty(c->out))
        err = al_feed_rows(feed, rows, n);
    else
        for (size_t i = 0; i < n; i++)
            al_row_out(c->out, &rows[i]);
    free(rows);
    *ret_count = n;
    return err;
}

int al_listing_print(
    struct al_cli *c, const struct al_listing *l, uint64_t *ret_count, bool *ret_more)
{
    struct al_feed feed = {.out = c->out, .now_ms = al_cli_now_ms(), .style = l->style};
    uint8_t cursor_bytes[256];
    struct al_slice cursor = {0};
    uint64_t count = 0;
    bool more = true;
    while (more && (l->limit == 0 || count < l->limit) && !al_out_gone(c->out)) {
        uint64_t left = l->limit == 0 ? PAGE_ROWS : l->limit - count;
        struct al_params params = {0};
        struct al_slice result;
        size_t n = 0;
        put_params(&params, l, left < PAGE_ROWS ? left : PAGE_ROWS, cursor);
        int status = al_cli_call(c, &result, "timeline", &params);
        al_params_free(&params);
        if (status != 0)
            return status;
        int err = print_page(c, &feed, result, &n);
        struct al_slice next = al_get_bin(result, "next");
        if (err == 0 && next.n > sizeof(cursor_bytes))
            err = AL_E_RPC;
        if (err != 0)
            return al_cli_fail_call(c, err);
        if (count == 0 && al_get_uint(result, "behind") > 0)
            al_cli_note(c, "%llu changes are still to be taken in.",
                (unsigned long long)al_get_uint(result, "behind"));
        if (next.n > 0)
            memcpy(cursor_bytes, next.p, next.n);
        cursor = al_slice_of(cursor_bytes, next.n);
        count += n;
        more = next.n > 0;
    }
    *ret_count = count;
    *ret_more = more;
    return 0;
}
