#include <stdlib.h>

#include "fake.h"
#include "heapbuf.h"
#include "read.h"
#include "rpc.h"
#include "views.h"
#include "write.h"

/* How far the views are; a step goes all the way. */
static atomic_uint_fast64_t views_pos;

int al_views_open(
    struct al_views **ret, const char *path, struct al_store *log, const struct al_keyring *keyring)
{
    (void)path;
    (void)keyring;
    *ret = (struct al_views *)(void *)log; /* opaque, and not NULL */
    return 0;
}

void al_views_close(struct al_views *v)
{
    (void)v;
}

int al_views_step(struct al_views *v, uint64_t *ret_pos, bool *ret_more, uint32_t limit)
{
    (void)v;
    (void)limit;
    views_pos = fake_seen.pos;
    *ret_pos = views_pos;
    *ret_more = false;
    return 0;
}

int al_views_tidy(struct al_views *v, bool *ret_more)
{
    (void)v;
    *ret_more = false;
    return 0;
}

int al_views_reader_open(struct al_views_reader **ret, const char *path, const char *log_path,
    const struct al_keyring *keyring)
{
    (void)path;
    (void)log_path;
    (void)keyring;
    *ret = malloc(1);
    return 0;
}

void al_views_reader_close(struct al_views_reader *r)
{
    free(r);
}

static uint64_t uint_param(struct al_slice params, const char *key)
{
    struct al_read r = al_read_init(al_rpc_param(params, key));
    return al_read_uint(&r, UINT64_MAX);
}

/* Rows are texts of |fake_seen.row_bytes| bytes. */
static void write_changes(struct al_buf *out, struct al_slice params)
{
    uint64_t from = uint_param(params, "from");
    uint64_t count = views_pos > from ? views_pos - from : 0;
    uint64_t limit = uint_param(params, "limit");
    count = count > limit ? limit : count;
    char *text = calloc(1, fake_seen.row_bytes + 1);
    memset(text, 'x', fake_seen.row_bytes);
    al_write_map(out, 2);
    al_write_cstr(out, "pos");
    al_write_uint(out, from + count);
    al_write_cstr(out, "rows");
    al_write_array(out, count);
    for (uint64_t i = 0; i < count; i++)
        al_write_cstr(out, text);
    free(text);
}

int al_views_query(struct al_views_reader *r, struct al_buf *out, char *ret_why,
    struct al_slice method, struct al_slice params, struct al_now now)
{
    (void)r;
    (void)now;
    ret_why[0] = '\0';
    if (al_slice_is(method, "search")) {
        (void)strcpy(ret_why, "an open quote");
        return AL_E_QUERY;
    }
    if (al_slice_is(method, "changes")) {
        write_changes(out, params);
        return 0;
    }
    al_write_map(out, 1);
    al_write_cstr(out, "pos");
    al_write_uint(out, views_pos);
    return 0;
}
