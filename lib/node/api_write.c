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
    if (err == 0 && p->audience == AL_AUDIENCE_ME && b.n > AL_SEALED_INNER_MAX)
        err = AL_E_LENGTH;
    al_heapbuf_free(&b);
    if (err == AL_E_LENGTH)
        (void)strlcpy(n->why,
            p->files.n > 0 ? "the entry and what it says of its files are too long together: "
                             "attach less to one entry"
                           : "the entry is too long: a text has at most 32768 bytes",
            sizeof(n->why));
    return err;
}

/* Audience and thread of the entry |ref| that is answered; its audience binds the answer. */
static int parent_of(struct al_node *n, const struct al_ref *ref, enum al_audience *ret_audience,
    struct al_ref *ret_root)
{
    const struct al_log *log = al_logs_find(n->logs, &ref->device, &ref->log);
    struct al_store_row row;
    struct al_payload p;
    int err = log == NULL ? AL_E_NOT_FOUND : al_store_get(n->store, &row, log->no, ref->seq);
    if (err == 0 && (!al_hash_eq(&row.id, &ref->id) || row.payload.n == 0))
        err = AL_E_NOT_FOUND;
    if (err != 0)
        return err;
    *ret_root = *ref;
    if (al_payload_is_sealed(row.payload)) {
        *ret_audience = AL_AUDIENCE_ME;
        return 0;
    }
    if (al_payload_open(&p, row.payload, false) != 0)
        return AL_E_NOT_FOUND;
    *ret_audience = p.audience;
    if (p.rt.seq != 0)
        *ret_root = p.rt;
    return 0;
}

/* A reply takes its thread's audience, and never a wider one. */
static int settle_audience(struct al_node *n, struct al_payload *p, struct al_slice to)
{
    enum al_audience parent = AL_AUDIENCE_NETWORK;
    struct al_ref root = p->re;
    bool is_reply = p->re.seq != 0;
    int err = is_reply ? parent_of(n, &p->re, &parent, &root) : 0;
    bool parent_known = is_reply && err == 0;
    if (err == AL_E_NOT_FOUND && to.n > 0)
        err = 0;
    if (err == AL_E_NOT_FOUND)
        (void)strlcpy(
            n->why, "what this answers is not here: say who may read the answer", sizeof(n->why));
    if (to.n == 0 && !is_reply)
        to = al_slice_str(n->opts.audience != NULL ? n->opts.audience : "network");
    if (err == 0 && to.n > 0)
        err = al_audience_of(&p->audience, to);
    else if (err == 0)
        p->audience = parent == AL_AUDIENCE_WEB ? AL_AUDIENCE_NETWORK : parent;
    if (err == 0 && p->audience == AL_AUDIENCE_CIRCLE)
        err = AL_E_AUDIENCE;
    if (err == 0 && parent_known && parent == AL_AUDIENCE_ME && p->audience != AL_AUDIENCE_ME) {
        (void)strlcpy(n->why, "the thread is for me alone; a reply can't be wider than its thread",
            sizeof(n->why));
        err = AL_E_AUDIENCE;
    }
    if (err == 0 && is_reply && p->rt.seq == 0)
        p->rt = root;
    return err;
}

static int read_entry(
    struct al_node *n, struct al_payload *p, struct al_slice map, struct al_slice to)
{
    int err = al_payload_from_api(p, map);
    if (err == 0)
        err = node_files_resolve(n, p);
    if (err == 0)
        err = node_is_change(p) ? node_change_settle(n, p, to) : settle_audience(n, p, to);
    if (err == 0)
        err = check(n, p);
    return err;
}

int node_read_post(struct al_node *n, struct al_payload *ret, struct al_slice params)
{
    struct al_slice to = al_slice_of(NULL, 0);
    struct al_slice entry = al_rpc_param(params, "entry");
    if (entry.n == 0)
        return AL_E_PARAMS;
    if (al_rpc_param(params, "to").n > 0 && param_str(&to, 16, params, "to") != 0)
        return AL_E_PARAMS;
    return read_entry(n, ret, entry, to);
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

int api_post(struct al_node *n, uint64_t call, struct al_slice params, struct al_buf *out)
{
    struct al_payload p;
    struct al_ref ref;
    uint64_t hold_s = 0;
    uint64_t number = 0;
    uint64_t due_ms = 0;
    (void)call;
    int err = node_read_post(n, &p, params);
    if (err == 0)
        err = hold_of(n, &hold_s, &p, params);
    if (err == 0)
        err = hold_s > 0 ? node_hold(n, &number, &due_ms, &p, params, hold_s)
                         : node_post(n, &ref, &p);
    if (err != 0)
        return err;
    al_write_map(out, hold_s > 0 ? 6 : 5);
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
    al_write_cstr(out, "people");
    al_write_uint(out, node_count_people(n, false));
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
    struct al_read *r, struct al_slice to)
{
    for (uint32_t i = 0; i < count; i++) {
        int err = read_entry(n, &list[i], al_read_raw(r), to);
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
    struct al_slice to;
    struct al_slice entries = al_rpc_param(params, "entries");
    struct al_read r = al_read_init(entries);
    (void)call;
    if (entries.n == 0 || param_str(&to, 16, params, "to") != 0)
        return AL_E_PARAMS;
    uint32_t count = al_read_array(&r, 0, POST_MANY_MAX);
    if (r.err != 0)
        return AL_E_PARAMS;
    struct al_payload *list = calloc((size_t)count + 1, sizeof(*list));
    if (list == NULL)
        return AL_E_NOMEM;
    uint32_t added = count;
    int err = read_entries(n, list, count, &r, to);
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
