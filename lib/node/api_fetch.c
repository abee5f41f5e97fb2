/* Calls for what is not here: fetch one entry, or the entries that answer one. */
#include <stdlib.h>

#include "node_int.h"

#define FETCH_MS 10000
#define FETCH_MAX_MS 600000

static void answer(struct al_node *n, const struct call *c, const struct al_search *s)
{
    struct al_buf out = al_heapbuf();
    bool here = s->found > 0;
    al_write_map(&out, 2);
    al_write_cstr(&out, "found");
    if (c->counts)
        al_write_uint(&out, s->found);
    else
        al_write_bool(&out, here);
    al_write_cstr(&out, "asked");
    al_write_uint(&out, s->asked);
    node_reply(n, c->id, &out);
    al_heapbuf_free(&out);
}

void node_end_fetches(struct al_node *n)
{
    struct calls waiting = STAILQ_HEAD_INITIALIZER(waiting);
    struct call *c;
    STAILQ_CONCAT(&waiting, &n->fetches);
    while ((c = STAILQ_FIRST(&waiting)) != NULL) {
        struct al_search s = {.open = false};
        STAILQ_REMOVE_HEAD(&waiting, link);
        bool known = al_gossip_search(n->gossip, &s, c->search);
        bool enough = s.found > 0 && !c->counts;
        if (known && s.open && !enough && c->deadline_ms > n->now.mono_ms) {
            STAILQ_INSERT_TAIL(&n->fetches, c, link);
            continue;
        }
        answer(n, c, &s);
        al_gossip_search_end(n->gossip, c->search);
        STAILQ_INSERT_TAIL(&n->in_turn, c, link); /* it is told, should the turn be lost */
    }
}

void node_drop_fetch(struct al_node *n, uint64_t call)
{
    struct call *c;
    STAILQ_FOREACH (c, &n->fetches, link) {
        if (c->id != call)
            continue;
        STAILQ_REMOVE(&n->fetches, c, call, link);
        if (n->gossip != NULL)
            al_gossip_search_end(n->gossip, c->search);
        free(c);
        return;
    }
}

static int begin(
    struct al_node *n, uint64_t call, uint64_t timeout, const struct al_ref *ref, bool counts)
{
    struct call *c = calloc(1, sizeof(*c));
    if (c == NULL)
        return AL_E_NOMEM;
    int err = counts ? al_gossip_replies(n->gossip, &c->search, ref)
                     : al_gossip_fetch(n->gossip, &c->search, ref);
    if (err != 0) {
        free(c);
        return err;
    }
    c->id = call;
    c->counts = counts;
    c->deadline_ms = n->now.mono_ms + timeout;
    STAILQ_INSERT_TAIL(&n->fetches, c, link); /* the end of this turn looks at it first */
    return CALL_WAITS;
}

static int read_params(uint64_t *ret_timeout, struct al_ref *ret_ref, struct al_slice params)
{
    struct al_read r = al_read_init(al_rpc_param(params, "ref"));
    al_read_ref(&r, ret_ref);
    if (al_read_end(&r) != 0 || param_uint(ret_timeout, params, "timeout", FETCH_MS) != 0 ||
        *ret_timeout > FETCH_MAX_MS)
        return AL_E_PARAMS;
    return 0;
}

int api_fetch(struct al_node *n, uint64_t call, struct al_slice params, struct al_buf *out)
{
    struct al_ref ref;
    uint64_t timeout;
    bool held = false;
    int err = read_params(&timeout, &ref, params);
    if (err == 0)
        err = al_gossip_holds(n->gossip, &held, &ref);
    if (err != 0)
        return err;
    if (!held)
        return begin(n, call, timeout, &ref, false);
    al_write_map(out, 2);
    al_write_cstr(out, "found");
    al_write_bool(out, true);
    al_write_cstr(out, "asked");
    al_write_uint(out, 0);
    return 0;
}

int api_replies(struct al_node *n, uint64_t call, struct al_slice params, struct al_buf *out)
{
    struct al_ref ref;
    uint64_t timeout;
    (void)out;
    int err = read_params(&timeout, &ref, params);
    return err != 0 ? err : begin(n, call, timeout, &ref, true);
}
