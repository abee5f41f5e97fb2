/* Calls of the local API that the node answers: dispatch, idempotency, parameters, answers. */
#include <stdlib.h>

#include "check.h"
#include "node_int.h"

#define CALL_KEEP_MS ((uint64_t)30 * 24 * 3600 * 1000)

static const struct {
    const char *name;
    call_fn *fn;
    enum {
        READS,  /* and does nothing else: is answered also when nothing can be written */
        DOES,   /* something, but nothing that would have to be told from the same done twice */
        WRITES, /* has a "key": asked again, it gives the same answer and does nothing */
        WIPES,  /* the same, but no more than that it was done is kept: what it says must go */
    } how;
} methods[] = {
    {"circle_change", api_circle_change, WRITES},
    {"circle_leave", api_circle_leave, WRITES},
    {"circle_new", api_circle_new, WRITES},
    {"circles", api_circles, READS},
    {"confirm_phrase", api_confirm_phrase, WRITES},
    {"device_rekey", api_device_rekey, WRITES},
    {"device_rename", api_device_rename, WRITES},
    {"device_revoke", api_device_revoke, WRITES},
    {"devices", api_devices, READS},
    {"fetch", api_fetch, DOES},
    {"file_get", api_file_get, DOES},
    {"file_new", api_file_new, WRITES},
    {"file_put", api_file_put, DOES}, /* a piece that comes twice is passed over */
    {"file_read", api_file_read, READS},
    {"held", api_held, READS},
    {"invite", api_invite, WRITES},
    {"join", api_join, WRITES},
    {"peers", api_peers, READS},
    {"post", api_post, WRITES},
    {"post_many", api_post_many, WRITES},
    {"relate", api_relate, WRITES},
    {"replies", api_replies, DOES},
    {"status", api_status, READS},
    {"unhold", api_unhold, WIPES},
    {"wait", api_wait, DOES},
};

/* --- parameters ---------------------------------------------------------------------------- */

int param_bytes(uint8_t *ret, size_t bytes, struct al_slice params, const char *key)
{
    struct al_slice raw = al_rpc_param(params, key);
    struct al_read r = al_read_init(raw);
    struct al_slice value = al_read_bin(&r, bytes, bytes);
    if (raw.n == 0 || r.err != 0)
        return AL_E_PARAMS;
    memcpy(ret, value.p, bytes);
    return 0;
}

int param_str(struct al_slice *ret, size_t max, struct al_slice params, const char *key)
{
    struct al_slice raw = al_rpc_param(params, key);
    struct al_read r = al_read_init(raw);
    struct al_slice value = al_read_str(&r, max);
    if (raw.n == 0 || r.err != 0)
        return AL_E_PARAMS;
    *ret = value;
    return 0;
}

int param_uint(uint64_t *ret, struct al_slice params, const char *key, uint64_t absent)
{
    struct al_slice raw = al_rpc_param(params, key);
    struct al_read r = al_read_init(raw);
    uint64_t value = raw.n == 0 ? absent : al_read_uint(&r, UINT64_MAX);
    if (r.err != 0)
        return AL_E_PARAMS;
    *ret = value;
    return 0;
}

int param_bool(bool *ret, struct al_slice params, const char *key, bool absent)
{
    struct al_slice raw = al_rpc_param(params, key);
    struct al_read r = al_read_init(raw);
    bool value = raw.n == 0 ? absent : al_read_bool(&r);
    if (r.err != 0)
        return AL_E_PARAMS;
    *ret = value;
    return 0;
}

/* --- answers ------------------------------------------------------------------------------- */

void node_reply(struct al_node *n, uint64_t call, const struct al_buf *result)
{
    struct al_effect e = {
        .type = AL_EFFECT_REPLY,
        .call = call,
        .bytes = al_buf_slice(result),
        .pos = n->logs->pos,
    };
    al_effects_add(n->effects, &e);
}

void node_reply_error(struct al_node *n, uint64_t call, int err)
{
    struct al_effect e = {
        .type = AL_EFFECT_REPLY,
        .call = call,
        .err = err,
        .message = n->why[0] == '\0' ? NULL : n->why,
        .hint = n->hint,
    };
    al_effects_add(n->effects, &e);
}

/* --- idempotency: key -> [when, result] ------------------------------------------------------ */

/* The kept answer to |key|, appended to |out|: true if there is one. */
static int kept_answer(
    struct al_node *n, const uint8_t key[AL_RPC_KEY_BYTES], struct al_buf *out, bool *ret_kept)
{
    struct al_slice value;
    int err = al_store_kv_get(n->store, &value, AL_SPACE_CALL, al_slice_of(key, AL_RPC_KEY_BYTES));
    *ret_kept = err == 0;
    if (err == AL_E_NOT_FOUND)
        return 0;
    if (err != 0)
        return err;
    struct al_read r = al_read_init(value);
    (void)al_read_array(&r, 2, 2);
    (void)al_read_uint(&r, UINT64_MAX);
    al_write_raw(out, al_read_raw(&r));
    return al_read_end(&r) == 0 ? 0 : AL_E_CORRUPT;
}

int node_keep_answer(
    struct al_node *n, const uint8_t key[AL_RPC_KEY_BYTES], const struct al_buf *result)
{
    struct al_buf b = al_heapbuf();
    al_write_array(&b, 2);
    al_write_uint(&b, n->now.wall_ms);
    al_write_raw(&b, al_buf_slice(result));
    int err = b.full ? AL_E_NOMEM
                     : al_store_kv_put(n->store, AL_SPACE_CALL, al_slice_of(key, AL_RPC_KEY_BYTES),
                           al_buf_slice(&b));
    al_heapbuf_free(&b);
    return err;
}

/* Answers older than 30 days are forgotten, some at each start. */
struct old_keys {
    uint64_t before_ms;
    uint8_t keys[256][AL_RPC_KEY_BYTES];
    uint32_t count;
};

static int collect_old(void *arg, struct al_slice key, struct al_slice value)
{
    struct old_keys *old = arg;
    struct al_read r = al_read_init(value);
    (void)al_read_array(&r, 2, 2);
    uint64_t when = al_read_uint(&r, UINT64_MAX);
    if (r.err == 0 && when < old->before_ms && key.n == AL_RPC_KEY_BYTES)
        memcpy(old->keys[old->count++], key.p, key.n);
    return old->count == sizeof(old->keys) / sizeof(old->keys[0]);
}

int node_forget_answers(struct al_node *n)
{
    if (n->now.wall_ms < CALL_KEEP_MS)
        return 0;
    struct old_keys *old = calloc(1, sizeof(*old));
    if (old == NULL)
        return AL_E_NOMEM;
    old->before_ms = n->now.wall_ms - CALL_KEEP_MS;
    int err = al_store_kv_scan(n->store, AL_SPACE_CALL, al_slice_of(NULL, 0), collect_old, old);
    if (err == 1)
        err = 0;
    for (uint32_t i = 0; err == 0 && i < old->count; i++)
        err = al_store_kv_del(n->store, AL_SPACE_CALL, al_slice_of(old->keys[i], AL_RPC_KEY_BYTES));
    free(old);
    return err;
}

/* --- dispatch ------------------------------------------------------------------------------ */

static int answer(
    struct al_node *n, uint64_t call, size_t method, struct al_slice params, struct al_buf *out)
{
    uint8_t key[AL_RPC_KEY_BYTES];
    bool kept = false;
    if (methods[method].how == READS || methods[method].how == DOES)
        return methods[method].fn(n, call, params, out);
    if (param_bytes(key, sizeof(key), params, "key") != 0) {
        (void)strlcpy(n->why, "a write needs a key of 16 random bytes", sizeof(n->why));
        return AL_E_PARAMS;
    }
    int err = kept_answer(n, key, out, &kept);
    if (err != 0 || kept)
        return err;
    err = methods[method].fn(n, call, params, out);
    if (err != 0)
        return err;
    uint8_t empty_map = 0x80;
    struct al_buf done = al_buf_fixed(&empty_map, 1);
    done.n = 1;
    return node_keep_answer(n, key, methods[method].how == WIPES ? &done : out);
}

void al_node_call(struct al_node *n, uint64_t call, struct al_slice method, struct al_slice params)
{
    struct call *c = calloc(1, sizeof(*c));
    AL_ASSERT(c != NULL);
    c->id = call;
    STAILQ_INSERT_TAIL(&n->in_turn, c, link);
    n->why[0] = '\0';
    n->hint = NULL;
    n->turn_bytes += params.n;
    size_t i = 0;
    while (i < sizeof(methods) / sizeof(methods[0]) && !al_slice_is(method, methods[i].name))
        i++;
    bool reads = i < sizeof(methods) / sizeof(methods[0]) && methods[i].how == READS;
    if (n->turn_err != 0 && !(n->full && reads && n->turn_err == AL_E_FULL))
        return; /* the commit tells the caller */
    if (i == sizeof(methods) / sizeof(methods[0])) {
        node_reply_error(n, call, AL_E_METHOD);
        return;
    }
    struct al_buf out = al_heapbuf();
    int err = answer(n, call, i, params, &out);
    if (err == 0 && out.full)
        err = AL_E_NOMEM;
    if (err == CALL_WAITS)
        STAILQ_REMOVE(&n->in_turn, c, call, link);
    else if (err == 0)
        node_reply(n, call, &out);
    else if (al_store_is_error(err))
        n->turn_err = err;
    else
        node_reply_error(n, call, err);
    if (err == CALL_WAITS)
        free(c);
    else
        c->answered = err == 0 || !al_store_is_error(err);
    al_heapbuf_free(&out);
}

static void drop_call(struct calls *calls, uint64_t id)
{
    struct call *c;
    STAILQ_FOREACH (c, calls, link) {
        if (c->id == id) {
            STAILQ_REMOVE(calls, c, call, link);
            free(c);
            return;
        }
    }
}

void al_node_call_gone(struct al_node *n, uint64_t call)
{
    drop_call(&n->waits, call);
    drop_call(&n->invites, call);
    node_drop_fetch(n, call);
    node_drop_file_get(n, call);
}
