/* Writing calls: post, post_many. */
#include <stdio.h>
#include <stdlib.h>

#include "node_int.h"
#include "sealed.h"

#define POST_MANY_MAX 8192

/* Check that |p| will be accepted by the log, before anything is stored. */
static int check(struct al_node *n, const struct al_payload *p)
{
    struct al_buf b = al_heapbuf();
    int err = al_payload_encode(&b, p);
    if (err == 0 && b.full)
        err = AL_E_NOMEM;
    bool sealed = p->audience == AL_AUDIENCE_ME || p->audience == AL_AUDIENCE_CIRCLE;
    if (err == 0 && sealed && b.n > AL_SEALED_INNER_MAX)
        err = AL_E_LENGTH;
    al_heapbuf_free(&b);
    if (err == AL_E_LENGTH)
        (void)strlcpy(n->why,
            p->files.n > 0 ? "the entry and what it says of its files are too long together: "
                             "attach less to one entry, which holds about 100 MiB of them"
                           : "the entry is too long: a text has at most 32768 bytes",
            sizeof(n->why));
    return err;
}

/* What is known of the entry that is answered. */
struct parent {
    bool known;
    enum al_audience audience;
    const struct al_circle *circle;
    struct al_ref root;
};

/* Audience and thread of the entry |ref|; its audience binds the answer. */
static int parent_of(struct al_node *n, struct parent *ret, const struct al_ref *ref)
{
    struct node_entry e;
    int err = node_find_entry(n, &e, ref);
    if (err == 0 && !e.readable)
        err = AL_E_NOT_FOUND;
    if (err == 0)
        *ret = (struct parent){.known = true,
            .audience = e.p.audience,
            .circle = e.circle,
            .root = e.p.rt.seq != 0 ? e.p.rt : *ref};
    node_entry_free(&e);
    return err;
}

int node_settle_to(struct al_node *n, struct al_payload *p, const struct audience *a)
{
    int err = al_audience_of(&p->audience, a->to);
    if (err == 0 && (p->audience == AL_AUDIENCE_CIRCLE) != (a->circle != NULL)) {
        (void)strlcpy(n->why, "an entry for a circle needs its id and its owner", sizeof(n->why));
        err = AL_E_PARAMS;
    }
    return err == 0 && a->circle != NULL ? node_seal_for(n, p, a->circle) : err;
}

/* Take the audience of what is answered; what is for the web is answered on the network. */
static int inherit(
    struct al_node *n, struct al_payload *p, struct audience *a, const struct parent *parent)
{
    p->audience = parent->audience == AL_AUDIENCE_WEB ? AL_AUDIENCE_NETWORK : parent->audience;
    a->circle = parent->circle;
    return parent->circle == NULL ? 0 : node_seal_for(n, p, parent->circle);
}

/* An answer in a thread that is not open goes to the same readers, or to oneself. */
static int check_answer(struct al_node *n, const struct al_payload *p, const struct audience *a,
    const struct parent *parent)
{
    if (p->audience == AL_AUDIENCE_ME || !parent->known)
        return 0;
    if (parent->audience == AL_AUDIENCE_ME)
        (void)strlcpy(n->why, "the thread is for me alone; a reply can't be wider than its thread",
            sizeof(n->why));
    else if (parent->circle != NULL && a->circle != parent->circle)
        (void)snprintf(n->why, sizeof(n->why),
            "the thread is for the circle '%s'; a reply has no other readers than its thread",
            parent->circle->name);
    return n->why[0] == '\0' ? 0 : AL_E_AUDIENCE;
}

/* A reply takes its thread's audience, and never a wider one. */
static int settle_audience(struct al_node *n, struct al_payload *p, struct audience *a)
{
    struct parent parent = {.root = p->re};
    bool is_reply = p->re.seq != 0;
    int err = is_reply ? parent_of(n, &parent, &p->re) : 0;
    if (err == AL_E_NOT_FOUND && a->to.n > 0)
        err = 0;
    if (err == AL_E_NOT_FOUND)
        (void)strlcpy(
            n->why, "what this answers is not here: say who may read the answer", sizeof(n->why));
    if (a->to.n == 0 && !is_reply)
        a->to = al_slice_str(n->opts.audience != NULL ? n->opts.audience : "network");
    if (err == 0)
        err = a->to.n > 0 ? node_settle_to(n, p, a) : inherit(n, p, a, &parent);
    if (err == 0)
        err = check_answer(n, p, a, &parent);
    if (err == 0 && is_reply && p->rt.seq == 0)
        p->rt = parent.root;
    return err;
}

static int read_entry(
    struct al_node *n, struct al_payload *p, struct audience *a, struct al_slice map)
{
    int err = al_payload_from_api(p, map);
    if (err == 0)
        err = node_files_resolve(n, p);
    if (err == 0)
        err = node_is_change(p) ? node_change_settle(n, p, a) : settle_audience(n, p, a);
    if (err == 0)
        err = check(n, p);
    return err;
}

int node_read_post(struct al_node *n, struct al_payload *ret, const struct al_circle **ret_circle,
    struct al_slice params)
{
    struct audience a = {.circle = NULL};
    struct al_slice entry = al_rpc_param(params, "entry");
    if (entry.n == 0)
        return AL_E_PARAMS;
    if (al_rpc_param(params, "to").n > 0 && param_str(&a.to, 16, params, "to") != 0)
        return AL_E_PARAMS;
    int err = node_read_circle(n, &a.circle, params);
    if (err == 0)
        err = read_entry(n, ret, &a, entry);
    if (err == 0)
        *ret_circle = a.circle;
    return err;
}

int node_post(struct al_node *n, struct al_ref *ret, const struct al_payload *p)
{
    int err = node_append(n, ret, p, 1);
    if (err == 0 && p->kind == AL_KIND_RETRACT)
        err = node_retract_edits(n, &p->of);
    return err;
}

/*
 * For how long a post is to wait, in seconds: what somebody typed may be regretted. A retraction
 * never waits.
 */
static int hold_of(
    struct al_node *n, uint64_t *ret, const struct al_payload *p, struct al_slice params)
{
    bool typed = p->kind != AL_KIND_PROFILE && p->kind != AL_KIND_FOLLOW &&
                 p->kind != AL_KIND_STATE && p->kind != AL_KIND_CIRCLE;
    if (param_uint(ret, params, "hold", typed ? n->opts.hold_s : 0) != 0)
        return AL_E_PARAMS;
    if (*ret > AL_HOLD_MAX_S) {
        (void)snprintf(
            n->why, sizeof(n->why), "a post can be held for at most %d seconds", AL_HOLD_MAX_S);
        return AL_E_PARAMS;
    }
    if (p->kind == AL_KIND_RETRACT)
        *ret = 0;
    return 0;
}

/* What is to be known of the readers that the audience does not tell; or "". */
static const char *warning_of(struct al_node *n, const struct al_circle *circle)
{
    if (node_is_revoked(n))
        return "this device was revoked: what is written here stays on it until it is a new "
               "device: "
               "aloud restore";
    if (n->logs->copy)
        return "this machine is a copy of another: what is written here stays on it until it is a "
               "device of its own: aloud restore";
    return circle == NULL ? "" : node_circle_warning(n, circle);
}

int api_post(struct al_node *n, uint64_t call, struct al_slice params, struct al_buf *out)
{
    struct al_payload p;
    struct al_ref ref;
    uint64_t hold_s = 0;
    uint64_t number = 0;
    uint64_t due_ms = 0;
    const struct al_circle *circle = NULL;
    (void)call;
    int err = node_read_post(n, &p, &circle, params);
    if (err == 0)
        err = hold_of(n, &hold_s, &p, params);
    if (err == 0)
        err = hold_s > 0 ? node_hold(n, &number, &due_ms, &p, circle, params, hold_s)
                         : node_post(n, &ref, &p);
    if (err != 0)
        return err;
    const char *warn = warning_of(n, circle);
    al_write_map(out, (hold_s > 0 ? 7u : 6u) + (warn[0] != '\0' ? 1u : 0u));
    if (hold_s > 0) {
        al_write_cstr(out, "held");
        al_write_uint(out, number);
        al_write_cstr(out, "due");
        al_write_uint(out, due_ms);
    } else {
        al_write_cstr(out, "ref");
        al_write_ref(out, &ref);
    }
    al_write_cstr(out, "pos");
    al_write_uint(out, n->logs->pos);
    al_write_cstr(out, "to");
    al_write_cstr(out, al_audience_name(p.audience));
    al_write_cstr(out, "circle");
    al_write_cstr(out, circle == NULL ? "" : circle->name);
    if (warn[0] != '\0') {
        al_write_cstr(out, "warn");
        al_write_cstr(out, warn);
    }
    al_write_cstr(out, "people");
    al_write_uint(out, circle == NULL ? node_count_people(n, false) : al_circle_size(circle));
    al_write_cstr(out, "devices");
    al_write_uint(out, node_count_devices(n));
    return 0;
}

/* Leave out what is there already, in the store or twice in this call: the number that stays. */
static int leave_known(struct al_node *n, struct al_payload *list, uint32_t *count)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < *count; i++) {
        bool known = false;
        int err = list[i].src.n == 0 ? 0 : al_apply_source(n->logs, &known, list[i].src);
        if (err != 0)
            return err;
        if (kept > 0 && list[i].src.n > 0 && al_slice_eq(list[kept - 1].src, list[i].src))
            known = true;
        if (!known)
            list[kept++] = list[i];
    }
    *count = kept;
    return 0;
}

static int read_entries(struct al_node *n, struct al_payload *list, uint32_t count,
    struct al_read *r, const struct audience *to)
{
    for (uint32_t i = 0; i < count; i++) {
        struct audience a = *to;
        int err = read_entry(n, &list[i], &a, al_read_raw(r));
        if (err == 0 && node_is_change(&list[i]))
            err = AL_E_KIND; /* one by one, with `post` */
        if (err != 0) {
            if (n->why[0] == '\0')
                (void)snprintf(
                    n->why, sizeof(n->why), "entry %u of this call: %s", i + 1, al_err_words(err));
            return err;
        }
    }
    return 0;
}

int api_post_many(struct al_node *n, uint64_t call, struct al_slice params, struct al_buf *out)
{
    struct audience a = {.circle = NULL};
    struct al_slice entries = al_rpc_param(params, "entries");
    struct al_read r = al_read_init(entries);
    (void)call;
    if (entries.n == 0 || param_str(&a.to, 16, params, "to") != 0)
        return AL_E_PARAMS;
    uint32_t count = al_read_array(&r, 0, POST_MANY_MAX);
    if (r.err != 0)
        return AL_E_PARAMS;
    struct al_payload *list = calloc((size_t)count + 1, sizeof(*list));
    if (list == NULL)
        return AL_E_NOMEM;
    uint32_t added = count;
    int err = node_read_circle(n, &a.circle, params);
    if (err == 0)
        err = read_entries(n, list, count, &r, &a);
    if (err == 0)
        err = leave_known(n, list, &added);
    if (err == 0 && added > 0)
        err = node_append(n, NULL, list, added);
    free(list);
    if (err != 0)
        return err;
    al_write_map(out, 3);
    al_write_cstr(out, "added");
    al_write_uint(out, added);
    al_write_cstr(out, "known");
    al_write_uint(out, count - added);
    al_write_cstr(out, "pos");
    al_write_uint(out, n->logs->pos);
    return 0;
}
