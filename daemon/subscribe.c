#include "subscribe.h"

#include <stdlib.h>
#include <sys/queue.h>

#include "check.h"
#include "heapbuf.h"
#include "read.h"
#include "write.h"

#define PAGE_ROWS 64
#define REPLAY_QUEUE_BYTES (64 * 1024) /* a replay waits while the client has more than this */

struct subscription {
    LIST_ENTRY(subscription) link;
    struct al_rpc_client *client;
    uint64_t name;
    uint64_t pos;     /* everything up to it was sent */
    uint64_t checked; /* how far the views were when rows were last asked for */
    bool is_asking;   /* a reading call runs */
    bool is_live;     /* caught up once */
};

struct al_subscriptions {
    struct al_readers *readers;
    LIST_HEAD(, subscription) list;
    uint64_t serial;
    uint64_t pos; /* of the views */
};

static void step(struct al_subscriptions *s, struct subscription *sub);

struct al_subscriptions *al_subscriptions_new(struct al_readers *readers)
{
    struct al_subscriptions *s = calloc(1, sizeof(*s));
    if (s != NULL)
        s->readers = readers;
    return s;
}

static void end(struct subscription *sub)
{
    LIST_REMOVE(sub, link);
    free(sub);
}

void al_subscriptions_free(struct al_subscriptions *s)
{
    if (s == NULL)
        return;
    AL_ASSERT(LIST_EMPTY(&s->list)); /* the clients are gone by now */
    free(s);
}

static struct subscription *find(struct al_subscriptions *s, uint64_t name)
{
    struct subscription *sub;
    LIST_FOREACH (sub, &s->list, link) {
        if (sub->name == name)
            return sub;
    }
    return NULL;
}

int al_subscriptions_add(
    struct al_subscriptions *s, uint64_t *ret_sub, struct al_rpc_client *c, uint64_t from)
{
    unsigned count = 0;
    struct subscription *sub;
    LIST_FOREACH (sub, &s->list, link)
        count += sub->client == c;
    if (count == AL_SUBSCRIPTIONS_MAX)
        return AL_E_LIMIT;
    sub = calloc(1, sizeof(*sub));
    AL_ASSERT(sub != NULL);
    sub->client = c;
    sub->name = ++s->serial;
    sub->pos = from;
    LIST_INSERT_HEAD(&s->list, sub, link);
    *ret_sub = sub->name;
    return 0;
}

int al_subscriptions_remove(
    struct al_subscriptions *s, const struct al_rpc_client *c, uint64_t name)
{
    struct subscription *sub = find(s, name);
    if (sub == NULL || sub->client != c)
        return AL_E_NOT_FOUND;
    end(sub);
    return 0;
}

void al_subscriptions_drop(struct al_subscriptions *s, const struct al_rpc_client *c)
{
    struct subscription *sub, *next;
    LIST_FOREACH_SAFE (sub, &s->list, link, next) {
        if (sub->client == c)
            end(sub);
    }
}

static void lag(struct subscription *sub)
{
    uint8_t bytes[32];
    struct al_buf b = al_buf_fixed(bytes, sizeof(bytes));
    al_write_map(&b, 1);
    al_write_cstr(&b, "sub");
    al_write_uint(&b, sub->name);
    struct al_rpc_client *c = sub->client;
    end(sub);
    al_rpc_client_notify(c, "lagged", al_buf_slice(&b));
}

static void notify(struct subscription *sub, struct al_slice rows)
{
    struct al_buf b = al_heapbuf();
    al_write_map(&b, 3);
    al_write_cstr(&b, "pos");
    al_write_uint(&b, sub->pos);
    al_write_cstr(&b, "sub");
    al_write_uint(&b, sub->name);
    al_write_cstr(&b, "rows");
    al_write_raw(&b, rows);
    AL_ASSERT(!b.full);
    al_rpc_client_notify(sub->client, "rows", al_buf_slice(&b));
    al_heapbuf_free(&b);
}

/* The answer to ask(); the subscription may be gone by now. */
static void on_rows(void *arg, uint64_t name, int err, struct al_slice result, const char *why)
{
    (void)why;
    struct al_subscriptions *s = arg;
    struct subscription *sub = find(s, name);
    if (sub == NULL)
        return;
    sub->is_asking = false;
    if (err != 0) {
        lag(sub);
        return;
    }
    struct al_slice rows = al_rpc_param(result, "rows");
    struct al_read pos = al_read_init(al_rpc_param(result, "pos"));
    struct al_read count = al_read_init(rows);
    sub->pos = al_read_uint(&pos, UINT64_MAX);
    bool has_rows = al_read_array(&count, 0, UINT32_MAX) > 0;
    AL_ASSERT(pos.err == 0 && count.err == 0);
    if (!has_rows)
        sub->pos = sub->pos > sub->checked ? sub->pos : sub->checked;
    if (has_rows)
        notify(sub, rows);
    sub = find(s, name); /* a failed write ends the client and all it had */
    if (sub != NULL)
        step(s, sub);
}

static void ask(struct al_subscriptions *s, struct subscription *sub)
{
    uint8_t bytes[64];
    struct al_buf b = al_buf_fixed(bytes, sizeof(bytes));
    al_write_map(&b, 2);
    al_write_cstr(&b, "from");
    al_write_uint(&b, sub->pos);
    al_write_cstr(&b, "limit");
    al_write_uint(&b, PAGE_ROWS);
    sub->checked = s->pos;
    sub->is_asking = true;
    struct al_read_call call = {
        .method = al_slice_str("changes"),
        .params = al_buf_slice(&b),
        .pos = 0,
        .done = on_rows,
        .arg = s,
        .id = sub->name,
    };
    al_readers_query(s->readers, &call);
}

static void step(struct al_subscriptions *s, struct subscription *sub)
{
    if (sub->is_asking)
        return;
    if (sub->pos >= s->pos) {
        sub->is_live = true;
        return;
    }
    size_t queued = sub->client->queued_bytes;
    if (sub->is_live && queued > AL_RPC_QUEUE_MAX)
        lag(sub);
    else if (sub->is_live || queued <= REPLAY_QUEUE_BYTES)
        ask(s, sub);
}

/* Stepping may end a subscription, or all of a client, so the walk goes by name. */
static void step_all(struct al_subscriptions *s, const struct al_rpc_client *only)
{
    uint64_t after = UINT64_MAX; /* the list is descending by name */
    for (;;) {
        struct subscription *sub;
        LIST_FOREACH (sub, &s->list, link) {
            if (sub->name < after && (only == NULL || sub->client == only))
                break;
        }
        if (sub == NULL)
            return;
        after = sub->name;
        step(s, sub);
    }
}

void al_subscriptions_drained(struct al_subscriptions *s, const struct al_rpc_client *c)
{
    step_all(s, c);
}

void al_subscriptions_position(struct al_subscriptions *s, uint64_t pos)
{
    s->pos = pos;
    step_all(s, NULL);
}
