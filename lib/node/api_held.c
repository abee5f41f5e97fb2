/*
 * The outbox: posts that are held for a while before they are signed, and can vanish whole until
 * then. number u64 -> [due_ms, since_ms, to, circle, why, params of post]; |why| tells what went
 * wrong when it was due.
 */
#include <stdio.h>
#include <stdlib.h>

#include "node_int.h"

#define DUE_AT_ONCE 64 /* in one turn */
#define CLOCK_SLACK_MS 60000
#define WHY_MAX 256
#define CIRCLE_BYTES (32 + AL_CIRCLE_ID_BYTES)

struct held {
    uint64_t number;
    uint64_t due_ms;
    uint64_t since_ms;
    struct al_slice to;
    struct al_slice circle; /* owner and id of the one it is for, or empty */
    struct al_slice why;
    struct al_slice params;
};

static int held_read(struct held *ret, struct al_slice key, struct al_slice value)
{
    struct al_read r = al_read_init(value);
    if (key.n != 8)
        return AL_E_CORRUPT;
    ret->number = 0;
    for (size_t i = 0; i < key.n; i++)
        ret->number = ret->number << 8 | key.p[i];
    (void)al_read_array(&r, 6, 6);
    ret->due_ms = al_read_uint(&r, UINT64_MAX);
    ret->since_ms = al_read_uint(&r, UINT64_MAX);
    ret->to = al_read_str(&r, AL_NAME_MAX);
    ret->circle = al_read_bin(&r, 0, CIRCLE_BYTES);
    ret->why = al_read_str(&r, WHY_MAX);
    ret->params = al_slice_of(r.p, (size_t)(r.end - r.p));
    return r.err == 0 ? 0 : AL_E_CORRUPT;
}

static int held_put(struct al_node *n, const struct held *h)
{
    uint8_t key[8];
    struct al_buf k = al_buf_fixed(key, sizeof(key));
    struct al_buf b = al_heapbuf();
    al_buf_put_u64be(&k, h->number);
    al_write_array(&b, 6);
    al_write_uint(&b, h->due_ms);
    al_write_uint(&b, h->since_ms);
    al_write_str(&b, h->to);
    al_write_bin(&b, h->circle.p, h->circle.n);
    al_write_str(&b, h->why);
    al_write_raw(&b, h->params);
    int err = b.full ? AL_E_NOMEM
                     : al_store_kv_put(n->store, AL_SPACE_OUTBOX, al_slice_of(key, sizeof(key)),
                           al_buf_slice(&b));
    al_heapbuf_free(&b);
    return err;
}

static int held_del(struct al_node *n, uint64_t number)
{
    uint8_t key[8];
    struct al_buf k = al_buf_fixed(key, sizeof(key));
    al_buf_put_u64be(&k, number);
    return al_store_kv_del(n->store, AL_SPACE_OUTBOX, al_slice_of(key, sizeof(key)));
}

/* The row |number|, in a copy at |copy|. AL_E_NOT_FOUND. */
static int held_get(struct al_node *n, struct held *ret, struct al_buf *copy, uint64_t number)
{
    uint8_t key[8];
    struct al_buf k = al_buf_fixed(key, sizeof(key));
    struct al_slice value;
    al_buf_put_u64be(&k, number);
    int err = al_store_kv_get(n->store, &value, AL_SPACE_OUTBOX, al_slice_of(key, sizeof(key)));
    if (err != 0)
        return err;
    copy->n = 0;
    al_buf_put(copy, value.p, value.n);
    return copy->full ? AL_E_NOMEM
                      : held_read(ret, al_slice_of(key, sizeof(key)), al_buf_slice(copy));
}

/* --- what there is ------------------------------------------------------------------------- */

/* It was to be posted later than the clock says now, or the clock was set back since. */
static bool is_due(const struct al_node *n, const struct held *h)
{
    return n->now.wall_ms >= h->due_ms || n->now.wall_ms + CLOCK_SLACK_MS < h->since_ms;
}

static int count_held(void *arg, struct al_slice key, struct al_slice value)
{
    struct al_node *n = arg;
    struct held h;
    int err = held_read(&h, key, value);
    if (err != 0)
        return err;
    n->outbox.count++;
    if (h.why.n > 0)
        n->outbox.failed++;
    else if (is_due(n, &h))
        n->outbox.due_ms = 0;
    else if (h.due_ms < n->outbox.due_ms)
        n->outbox.due_ms = h.due_ms;
    return 0;
}

int node_outbox_load(struct al_node *n)
{
    n->outbox = (struct outbox){.due_ms = UINT64_MAX};
    return al_store_kv_scan(n->store, AL_SPACE_OUTBOX, al_slice_of(NULL, 0), count_held, n);
}

uint64_t node_outbox_deadline(const struct al_node *n)
{
    if (n->outbox.due_ms == UINT64_MAX)
        return UINT64_MAX;
    return n->now.mono_ms +
           (n->outbox.due_ms > n->now.wall_ms ? n->outbox.due_ms - n->now.wall_ms : 0);
}

/* --- holding ------------------------------------------------------------------------------- */

/* Numbers are given out once: who undoes 3 twice does not undo the next. */
static int next_number(struct al_node *n, uint64_t *ret)
{
    struct al_slice value;
    uint64_t number = 0;
    int err = al_store_kv_get(n->store, &value, AL_SPACE_META, al_slice_str(AL_META_OUTBOX));
    if (err != 0 && err != AL_E_NOT_FOUND)
        return err;
    if (err == 0) {
        struct al_read r = al_read_init(value);
        number = al_read_uint(&r, UINT64_MAX - 1);
        if (al_read_end(&r) != 0)
            return AL_E_CORRUPT;
    }
    uint8_t bytes[16];
    struct al_buf b = al_buf_fixed(bytes, sizeof(bytes));
    *ret = number + 1;
    al_write_uint(&b, number + 1);
    return al_store_kv_put(n->store, AL_SPACE_META, al_slice_str(AL_META_OUTBOX), al_buf_slice(&b));
}

/* Owner and id of |circle| in |out|; empty when it is NULL. */
static struct al_slice circle_name(uint8_t out[CIRCLE_BYTES], const struct al_circle *circle)
{
    if (circle == NULL)
        return al_slice_of(NULL, 0);
    memcpy(out, circle->owner.b, sizeof(circle->owner.b));
    memcpy(out + 32, circle->cid.b, sizeof(circle->cid.b));
    return al_slice_of(out, CIRCLE_BYTES);
}

int node_hold(struct al_node *n, uint64_t *ret_number, uint64_t *ret_due_ms,
    const struct al_payload *p, const struct al_circle *circle, struct al_slice params,
    uint64_t hold_s)
{
    uint8_t name[CIRCLE_BYTES];
    struct held h = {
        .circle = circle_name(name, circle),
        .due_ms = n->now.wall_ms + hold_s * 1000,
        .since_ms = n->now.wall_ms,
        .to = al_slice_str(al_audience_name(p->audience)),
        .params = params,
    };
    if (n->outbox.count >= AL_HELD_MAX) {
        (void)snprintf(n->why, sizeof(n->why), "%d posts are held already", AL_HELD_MAX);
        n->hint = "aloud held";
        return AL_E_LIMIT;
    }
    int err = next_number(n, &h.number);
    if (err == 0)
        err = held_put(n, &h);
    if (err == 0)
        err = node_outbox_load(n);
    *ret_number = h.number;
    *ret_due_ms = h.due_ms;
    return err;
}

/* --- posting what is due ------------------------------------------------------------------- */

struct due {
    const struct al_node *n;
    bool again; /* those that failed before, too */
    uint64_t numbers[DUE_AT_ONCE];
    uint32_t count;
};

static int collect_due(void *arg, struct al_slice key, struct al_slice value)
{
    struct due *due = arg;
    struct held h;
    int err = held_read(&h, key, value);
    if (err != 0)
        return err;
    if (is_due(due->n, &h) && (h.why.n == 0 || due->again))
        due->numbers[due->count++] = h.number;
    return due->count == DUE_AT_ONCE;
}

/* What a held post says is posted as it was said, for those it was said to, or not at all. */
static int post_held(struct al_node *n, const struct held *h)
{
    uint8_t name[CIRCLE_BYTES];
    const struct al_circle *circle = NULL;
    struct al_payload p;
    int err = node_read_post(n, &p, &circle, h->params);
    if (err == 0 && (!al_slice_is(h->to, al_audience_name(p.audience)) ||
                        !al_slice_eq(h->circle, circle_name(name, circle)))) {
        (void)strlcpy(
            n->why, "it would have other readers now than when it was written", sizeof(n->why));
        err = AL_E_AUDIENCE;
    }
    return err == 0 ? node_post(n, NULL, &p) : err;
}

static int post_number(struct al_node *n, struct al_buf *copy, uint64_t number)
{
    struct held h;
    int err = held_get(n, &h, copy, number);
    if (err != 0)
        return err;
    n->why[0] = '\0';
    err = post_held(n, &h);
    if (err == 0)
        return held_del(n, number);
    if (al_store_is_error(err))
        return err;
    h.why = al_slice_str(n->why[0] != '\0' ? n->why : al_err_words(err));
    return held_put(n, &h);
}

int node_post_due(struct al_node *n, bool again)
{
    if (!again && n->outbox.due_ms > n->now.wall_ms)
        return 0;
    struct due *due = calloc(1, sizeof(*due));
    struct al_buf copy = al_heapbuf();
    if (due == NULL)
        return AL_E_NOMEM;
    due->n = n;
    due->again = again;
    int err = al_store_kv_scan(n->store, AL_SPACE_OUTBOX, al_slice_of(NULL, 0), collect_due, due);
    if (err == 1) {
        n->due = true; /* there are more */
        err = 0;
    }
    for (uint32_t i = 0; err == 0 && i < due->count; i++)
        err = post_number(n, &copy, due->numbers[i]);
    if (err == 0)
        err = node_outbox_load(n);
    al_heapbuf_free(&copy);
    free(due);
    return err;
}

/* --- calls --------------------------------------------------------------------------------- */

struct list {
    const struct al_node *n;
    struct al_buf bytes;
    uint32_t count;
};

/* Names change: the present one is told. */
static const char *name_of(const struct al_node *n, struct al_slice circle)
{
    struct al_identity owner;
    struct al_circle_id cid;
    if (circle.n != CIRCLE_BYTES)
        return "";
    memcpy(owner.b, circle.p, sizeof(owner.b));
    memcpy(cid.b, circle.p + 32, sizeof(cid.b));
    const struct al_circle *found = al_circles_find(n->logs->circles, &owner, &cid);
    return found == NULL ? "" : found->name;
}

static int write_held(void *arg, struct al_slice key, struct al_slice value)
{
    struct list *list = arg;
    struct al_buf *b = &list->bytes;
    struct held h;
    int err = held_read(&h, key, value);
    if (err != 0)
        return err;
    al_write_map(b, 6);
    al_write_cstr(b, "n");
    al_write_uint(b, h.number);
    al_write_cstr(b, "due");
    al_write_uint(b, h.due_ms);
    al_write_cstr(b, "to");
    al_write_str(b, h.to);
    al_write_cstr(b, "circle");
    al_write_cstr(b, name_of(list->n, h.circle));
    al_write_cstr(b, "why");
    al_write_str(b, h.why);
    al_write_cstr(b, "entry");
    al_write_raw(b, al_rpc_param(h.params, "entry"));
    list->count++;
    return 0;
}

int api_held(struct al_node *n, uint64_t call, struct al_slice params, struct al_buf *out)
{
    struct list list = {.n = n, .bytes = al_heapbuf()};
    (void)call;
    (void)params;
    int err = al_store_kv_scan(n->store, AL_SPACE_OUTBOX, al_slice_of(NULL, 0), write_held, &list);
    if (err == 0) {
        al_write_map(out, 1);
        al_write_cstr(out, "held");
        al_write_array(out, list.count);
        al_write_raw(out, al_buf_slice(&list.bytes));
        err = list.bytes.full ? AL_E_NOMEM : 0;
    }
    al_heapbuf_free(&list.bytes);
    return err;
}

int api_unhold(struct al_node *n, uint64_t call, struct al_slice params, struct al_buf *out)
{
    uint64_t number;
    struct held h;
    struct al_buf copy = al_heapbuf();
    (void)call;
    int err = param_uint(&number, params, "n", 0);
    if (err == 0)
        err = held_get(n, &h, &copy, number);
    if (err == AL_E_NOT_FOUND)
        (void)strlcpy(n->why, "that post is not held any more: it has gone out, or was undone",
            sizeof(n->why));
    if (err == 0) {
        al_write_map(out, 2);
        al_write_cstr(out, "to");
        al_write_str(out, h.to);
        al_write_cstr(out, "entry");
        al_write_raw(out, al_rpc_param(h.params, "entry"));
        err = held_del(n, number);
    }
    if (err == 0)
        err = node_outbox_load(n);
    al_heapbuf_free(&copy);
    return err;
}
