#include "bulk.h"

#include "client.h"
#include "heapbuf.h"
#include "limit.h"
#include "write.h"

#define BATCH_ENTRIES 1000
#define BATCH_BYTES (512 * 1024)
#define LIMIT_MS 120000 /* an answer waits for those before it, each a transaction of its own */

int al_bulk_init(struct al_bulk *b, struct al_cli *c, const char *to)
{
    *b = (struct al_bulk){.cli = c, .to = to, .entries = al_heapbuf()};
    struct al_slice result;
    struct al_params params = {0};
    al_params_uint(&params, "v", AL_RPC_VERSION);
    int status = al_cli_call(c, &result, "hello", &params);
    al_params_free(&params);
    if (status == 0)
        al_client_limit(c->client, LIMIT_MS);
    return status;
}

void al_bulk_fini(struct al_bulk *b)
{
    al_heapbuf_free(&b->entries);
}

/* Wait for the oldest call under way. */
static int take_answer(struct al_bulk *b)
{
    struct al_slice result;
    int err = al_client_answer(b->cli->client, &result, b->ids[0]);
    if (err != 0)
        return al_cli_fail_call(b->cli, err);
    b->under_way--;
    memmove(b->ids, b->ids + 1, b->under_way * sizeof(b->ids[0]));
    b->added += al_get_uint(result, "added");
    b->known += al_get_uint(result, "known");
    return 0;
}

static int send_batch(struct al_bulk *b)
{
    int status = b->under_way == AL_BULK_UNDER_WAY ? take_answer(b) : 0;
    if (status != 0 || b->count == 0)
        return status;
    struct al_buf array = al_heapbuf();
    al_write_array(&array, b->count);
    al_buf_put(&array, b->entries.p, b->entries.n);
    struct al_params params = {0};
    al_params_key(&params);
    al_params_cstr(&params, "to", b->to);
    al_params_raw(&params, "entries", al_buf_slice(&array));
    bool full = array.full || b->entries.full;
    al_heapbuf_free(&array);
    struct al_slice encoded = al_params_done(&params);
    int err = AL_E_NOMEM;
    if (!full && encoded.n > 0)
        err = al_client_send(b->cli->client, &b->ids[b->under_way], "post_many", encoded);
    al_params_free(&params);
    if (err != 0)
        return al_cli_fail_call(b->cli, err);
    b->under_way++;
    b->entries.n = 0;
    b->count = 0;
    return 0;
}

int al_bulk_add(struct al_bulk *b, const struct al_bulk_entry *e)
{
    size_t most = e->text.n + e->src.n + 128 + e->tag_count * (AL_TAG_MAX + 2);
    if (b->count == BATCH_ENTRIES || (b->count > 0 && b->entries.n + most > BATCH_BYTES)) {
        int status = send_batch(b);
        if (status != 0)
            return status;
    }
    struct al_buf *out = &b->entries;
    al_write_map(out, e->tag_count > 0 ? 5 : 4);
    al_write_cstr(out, "k");
    al_write_cstr(out, "note");
    al_write_cstr(out, "at");
    al_write_uint(out, e->at_ms);
    al_write_cstr(out, "src");
    al_write_str(out, e->src);
    al_write_cstr(out, "text");
    al_write_str(out, e->text);
    if (e->tag_count > 0) {
        al_write_cstr(out, "tags");
        al_write_array(out, e->tag_count);
        for (size_t i = 0; i < e->tag_count; i++)
            al_write_str(out, e->tags[i]);
    }
    b->count++;
    return 0;
}

int al_bulk_finish(struct al_bulk *b)
{
    int status = send_batch(b);
    while (status == 0 && b->under_way > 0)
        status = take_answer(b);
    return status;
}

int al_bulk_stop(struct al_bulk *b)
{
    b->count = 0;
    b->entries.n = 0;
    return al_bulk_finish(b);
}
