/* Calls about circles: circles, circle_new, circle_change, circle_leave. */
#include <stdio.h>
#include <stdlib.h>

#include "id.h"
#include "node_int.h"

/* --- circles --------------------------------------------------------------------------------- */

static void write_people(
    struct al_buf *out, const char *key, const struct al_circle *circle, bool in)
{
    uint32_t count = al_circle_size(circle);
    al_write_cstr(out, key);
    al_write_array(out, in ? count : circle->member_count - count);
    for (uint32_t i = 0; i < circle->member_count; i++) {
        if (circle->members[i].in == in)
            al_write_bin(out, circle->members[i].identity.b, 32);
    }
}

static void write_bool(struct al_buf *out, const char *key, bool value)
{
    al_write_cstr(out, key);
    al_write_bool(out, value);
}

static void write_circle_id(
    struct al_buf *out, const struct al_identity *owner, const struct al_circle_id *cid)
{
    al_write_cstr(out, "circle");
    al_write_bin(out, cid->b, sizeof(cid->b));
    al_write_cstr(out, "owner");
    al_write_bin(out, owner->b, sizeof(owner->b));
}

static void write_circle(struct al_node *n, struct al_buf *out, const struct al_circle *circle)
{
    bool member = circle->member && !circle->left;
    al_write_map(out, 10);
    write_circle_id(out, &circle->owner, &circle->cid);
    al_write_cstr(out, "name");
    al_write_cstr(out, circle->name);
    write_bool(out, "mine", circle->mine);
    write_bool(out, "member", member);
    al_write_cstr(out, "epoch");
    al_write_uint(out, circle->n);
    al_write_cstr(out, "heads");
    al_write_uint(out, circle->heads);
    al_write_cstr(out, "warn");
    al_write_cstr(out, member ? node_circle_warning(n, circle) : "");
    write_people(out, "members", circle, true);
    write_people(out, "former", circle, false);
}

int api_circles(struct al_node *n, uint64_t call, struct al_slice params, struct al_buf *out)
{
    size_t count = al_circles_count(n->logs->circles);
    (void)call;
    (void)params;
    al_write_map(out, 1);
    al_write_cstr(out, "circles");
    al_write_array(out, count);
    for (size_t i = 0; i < count; i++)
        write_circle(n, out, al_circles_at(n->logs->circles, i));
    return 0;
}

/* --- changing -------------------------------------------------------------------------------- */

/* Say whose reading key is missing. */
static int unknown_member(struct al_node *n, const struct al_identity *who)
{
    char text[AL_ID_TEXT];
    al_id_text(text, who->b);
    (void)snprintf(n->why, sizeof(n->why),
        "nothing can be sealed for @%.12s: their reading key is not known here. Follow them first, "
        "and wait until their profile has come",
        text);
    (void)snprintf(n->hint_text, sizeof(n->hint_text), "aloud follow @%s", text);
    n->hint = n->hint_text;
    return AL_E_NOT_FOUND;
}

int node_change_circle(struct al_node *n, const struct al_circle_change *change)
{
    struct al_buf b = al_heapbuf();
    struct al_payload p;
    struct al_place place;
    struct al_identity who;
    int err = al_append_place(n->logs, &place);
    if (err == 0)
        err = al_circle_compose(
            n->logs->circles, &b, &p, &who, change, &place, node_record_of, n, &n->rng);
    if (err == AL_E_NOT_FOUND)
        err = unknown_member(n, &who);
    else if (err == AL_E_LIMIT)
        (void)snprintf(n->why, sizeof(n->why), "a circle has at most %d members", AL_MEMBERS_MAX);
    else if (err == 0)
        err = node_append(n, NULL, &p, 1);
    al_heapbuf_free(&b);
    return err;
}

/* Identities of a parameter that may be absent; the caller frees |ret|. */
static int param_people(struct al_identity **ret, uint32_t *ret_count, struct al_slice params,
    const char *key, bool optional)
{
    struct al_slice raw = al_rpc_param(params, key);
    struct al_read r = al_read_init(raw);
    *ret_count = 0;
    if (raw.n == 0)
        return optional ? 0 : AL_E_PARAMS;
    uint32_t count = al_read_array(&r, 0, AL_MEMBERS_MAX);
    struct al_identity *list = calloc((size_t)count + 1, sizeof(*list));
    if (list == NULL)
        return AL_E_NOMEM;
    for (uint32_t i = 0; i < count; i++)
        al_read_bytes(&r, list[i].b, sizeof(list[i].b));
    *ret = list;
    *ret_count = count;
    return r.err != 0 ? AL_E_PARAMS : 0;
}

/* Own circles have names of their own, so that circle:NAME says which. */
static int check_name(struct al_node *n, struct al_slice name, const struct al_circle *but)
{
    if (name.n == 0 || name.n > AL_NAME_MAX || memchr(name.p, '\0', name.n) != NULL) {
        (void)snprintf(
            n->why, sizeof(n->why), "the name of a circle has 1 to %d bytes", AL_NAME_MAX);
        return AL_E_PARAMS;
    }
    for (enum al_audience a = AL_AUDIENCE_ME; a <= AL_AUDIENCE_WEB; a++) {
        if (!al_slice_is(name, al_audience_name(a)))
            continue;
        (void)snprintf(n->why, sizeof(n->why),
            "a circle can't be called '%s': that is an audience by itself", al_audience_name(a));
        return AL_E_PARAMS;
    }
    for (size_t i = 0; i < al_circles_count(n->logs->circles); i++) {
        const struct al_circle *circle = al_circles_at(n->logs->circles, i);
        if (circle == but || !circle->mine || circle->heads == 0 ||
            !al_slice_is(name, circle->name))
            continue;
        (void)snprintf(
            n->why, sizeof(n->why), "you have a circle of the name '%s' already", circle->name);
        n->hint = "aloud circle ls";
        return AL_E_EXISTS;
    }
    return 0;
}

static void write_change(struct al_node *n, struct al_buf *out, const struct al_circle *circle)
{
    al_write_cstr(out, "epoch");
    al_write_uint(out, circle->n);
    al_write_cstr(out, "pos");
    al_write_uint(out, n->logs->pos);
}

int api_circle_new(struct al_node *n, uint64_t call, struct al_slice params, struct al_buf *out)
{
    struct al_circle_change change = {.circle = NULL};
    struct al_identity *members = NULL;
    const struct al_identity *me = &n->logs->self->identity;
    (void)call;
    int err = param_people(&members, &change.add_count, params, "members", false);
    if (err == 0)
        err = param_str(&change.name, AL_RPC_REQUEST_MAX, params, "name");
    if (err == 0)
        err = check_name(n, change.name, NULL);
    if (err == 0) {
        al_rng_bytes(&n->rng, change.cid.b, sizeof(change.cid.b));
        change.add = members;
        err = node_change_circle(n, &change);
    }
    free(members);
    if (err != 0)
        return err;
    al_write_map(out, 4);
    write_circle_id(out, me, &change.cid);
    write_change(n, out, al_circles_find(n->logs->circles, me, &change.cid));
    return 0;
}

/* True if |change|, which was checked, leaves everything as it is. */
static bool is_idle(struct al_node *n, const struct al_circle_change *change)
{
    return !change->history && change->add_count == 0 && change->remove_count == 0 &&
           node_circle_needs(n, change->circle) == AL_CIRCLE_NEEDS_NOTHING &&
           (change->name.n == 0 || al_slice_is(change->name, change->circle->name));
}

static int refuse_member(
    struct al_node *n, int err, const struct al_identity *who, const char *words)
{
    char text[AL_ID_TEXT];
    al_id_text_prefix(text, who->b, 12);
    (void)snprintf(n->why, sizeof(n->why), "@%s %s", text, words);
    n->hint = "aloud circle ls";
    return err;
}

/* Who comes must be out, unless it is for the history, and who goes must be in. */
static int check_members(struct al_node *n, const struct al_circle_change *change)
{
    for (uint32_t i = 0; i < change->add_count && !change->history; i++) {
        if (al_circle_has(change->circle, &change->add[i]))
            return refuse_member(
                n, AL_E_EXISTS, &change->add[i], "is in the circle already: nothing was changed");
    }
    for (uint32_t i = 0; i < change->remove_count; i++) {
        if (al_identity_eq(&change->remove[i], &n->logs->self->identity)) {
            (void)strlcpy(n->why, "the owner stays in the circle", sizeof(n->why));
            return AL_E_STATE;
        }
        if (!al_circle_has(change->circle, &change->remove[i]))
            return refuse_member(
                n, AL_E_NOT_FOUND, &change->remove[i], "is not in the circle: nothing was changed");
    }
    return 0;
}

static int find_own(struct al_node *n, const struct al_circle **ret, struct al_slice params)
{
    struct al_circle_id cid;
    if (param_bytes(cid.b, sizeof(cid.b), params, "circle") != 0)
        return AL_E_PARAMS;
    *ret = al_circles_find(n->logs->circles, &n->logs->self->identity, &cid);
    if (*ret != NULL)
        return 0;
    (void)strlcpy(
        n->why, "that is no circle of yours, and only its owner changes a circle", sizeof(n->why));
    n->hint = "aloud circle ls";
    return AL_E_NOT_FOUND;
}

static int read_change(struct al_node *n, struct al_circle_change *change, struct al_identity **add,
    struct al_identity **remove, struct al_slice params)
{
    int err = find_own(n, &change->circle, params);
    if (err == 0)
        err = param_people(add, &change->add_count, params, "add", true);
    if (err == 0)
        err = param_people(remove, &change->remove_count, params, "remove", true);
    if (err == 0)
        err = param_bool(&change->history, params, "history", false);
    if (err == 0 && al_rpc_param(params, "name").n > 0) {
        err = param_str(&change->name, AL_RPC_REQUEST_MAX, params, "name");
        if (err == 0)
            err = check_name(n, change->name, change->circle);
    }
    change->add = *add;
    change->remove = *remove;
    return err == 0 ? check_members(n, change) : err;
}

int api_circle_change(struct al_node *n, uint64_t call, struct al_slice params, struct al_buf *out)
{
    struct al_circle_change change = {.circle = NULL};
    struct al_identity *add = NULL;
    struct al_identity *remove = NULL;
    struct al_circle_id cid;
    (void)call;
    int err = read_change(n, &change, &add, &remove, params);
    if (err == 0) {
        cid = change.circle->cid;
        err = is_idle(n, &change) ? 0 : node_change_circle(n, &change);
    }
    free(add);
    free(remove);
    if (err != 0)
        return err;
    al_write_map(out, 2);
    write_change(n, out, al_circles_find(n->logs->circles, &n->logs->self->identity, &cid));
    return 0;
}

/* --- leaving --------------------------------------------------------------------------------- */

static int ask_to_leave(struct al_node *n, const struct al_circle *circle)
{
    struct al_payload p = {
        .kind = AL_KIND_LEAVE,
        .kind_name = al_slice_str(al_kind_name(AL_KIND_LEAVE)),
        .cid = al_slice_of(circle->cid.b, sizeof(circle->cid.b)),
    };
    int err = node_seal_for(n, &p, circle);
    return err != 0 ? err : node_append(n, NULL, &p, 1);
}

static int choose_left(struct al_node *n, const struct al_circle *circle)
{
    char key[AL_LEFT_KEY_BYTES];
    uint8_t value[16];
    struct al_buf b = al_buf_fixed(value, sizeof(value));
    al_apply_left_key(key, &circle->owner, &circle->cid);
    al_write_uint(&b, circle->n);
    return node_choose_key(n, al_slice_str(key), al_buf_slice(&b));
}

int api_circle_leave(struct al_node *n, uint64_t call, struct al_slice params, struct al_buf *out)
{
    const struct al_circle *circle;
    (void)call;
    int err = node_read_circle(n, &circle, params);
    if (err == 0 && circle == NULL)
        err = AL_E_PARAMS;
    if (err == 0 && circle->mine) {
        (void)strlcpy(n->why, "it is your own circle: remove the others instead", sizeof(n->why));
        n->hint = "aloud circle ls";
        err = AL_E_STATE;
    }
    if (err == 0)
        err = ask_to_leave(n, circle);
    if (err == 0)
        err = choose_left(n, circle);
    if (err != 0)
        return err;
    al_write_map(out, 1);
    al_write_cstr(out, "pos");
    al_write_uint(out, n->logs->pos);
    return 0;
}
