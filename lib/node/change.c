/* Changing one's mind: what an edit, a retraction or a share of an own entry must keep to. */
#include <stdio.h>
#include <stdlib.h>

#include "node_int.h"
#include "sealed.h"

#define BIT(kind) (1u << AL_KIND_##kind)
#define SHAREABLE                                                                                  \
    (BIT(NOTE) | BIT(QUESTION) | BIT(ANSWER) | BIT(ACCEPT) | BIT(REPLY) | BIT(THANKS) |            \
        BIT(LINK) | BIT(LESSON) | BIT(GOAL) | BIT(SHARE))
#define EDITABLE SHAREABLE
#define NOT_RETRACTABLE (BIT(CIRCLE) | BIT(STATE) | BIT(RETRACT))

static int refuse(struct al_node *n, int err, const char *why)
{
    (void)strlcpy(n->why, why, sizeof(n->why));
    return err;
}

/* Find the entry |ref|: own, held and not taken back; else say which of these it is not. */
static int find_target(struct al_node *n, struct node_entry *t, const struct al_ref *ref)
{
    int err = node_find_entry(n, t, ref);
    if (t->log != NULL && t->log->person != n->logs->self)
        return refuse(n, AL_E_PERMISSION,
            "somebody else wrote that: only who wrote an entry can change it, take it back or "
            "share it on");
    if (err == AL_E_NOT_FOUND)
        return refuse(n, err, "that entry is not here: it may come from another device of yours");
    if (err == 0 && al_apply_is_retracted(n->logs, &ref->id, n->logs->self))
        return refuse(n, AL_E_NOT_FOUND, "that entry was retracted already");
    return err;
}

/* What the entry would be with the fields of |p| must be a valid one of its own kind. */
static int check_fields(struct al_node *n, const struct al_payload *p, const struct node_entry *t)
{
    struct al_payload as = *p;
    struct al_buf b = al_heapbuf();
    as.kind = t->p.kind;
    as.audience = t->p.kind == AL_KIND_SHARE ? AL_AUDIENCE_NETWORK : t->p.audience;
    as.of = t->p.of;
    as.re = t->p.re;
    as.rt = t->p.rt;
    as.who = t->p.who;
    int err = al_payload_encode(&b, &as);
    al_heapbuf_free(&b);
    if (err == AL_E_KIND || err == AL_E_MISSING)
        (void)snprintf(n->why, sizeof(n->why),
            err == AL_E_KIND ? "a %s does not have all of these fields"
                             : "a %s needs more than these fields",
            al_kind_name(t->p.kind));
    return err;
}

/* Its words must be at hand, and its kind be one of |kinds|. */
static int check_kind(
    struct al_node *n, const struct node_entry *t, unsigned kinds, const char *verb)
{
    if (!t->readable)
        return refuse(n, AL_E_NOT_FOUND, "the words of that entry are not here, or not readable");
    if ((kinds & 1u << t->p.kind) != 0)
        return 0;
    (void)snprintf(n->why, sizeof(n->why), "an entry of the kind '%.*s' can't be %s",
        (int)t->p.kind_name.n, (const char *)t->p.kind_name.p, verb);
    return AL_E_KIND;
}

static int settle_edit(
    struct al_node *n, struct al_payload *p, const struct node_entry *t, struct audience *a)
{
    int err = check_kind(n, t, EDITABLE, "edited");
    bool others = a->to.n > 0 && !al_slice_is(a->to, al_audience_name(t->p.audience));
    if (err == 0 && (others || (a->circle != NULL && a->circle != t->circle)))
        err = refuse(n, AL_E_AUDIENCE,
            "an edit has the readers of its entry: to widen them, share it; to narrow them, "
            "retract it");
    p->audience = t->p.audience;
    a->circle = t->circle;
    if (err == 0 && t->circle != NULL)
        err = node_seal_for(n, p, t->circle);
    return err == 0 ? check_fields(n, p, t) : err;
}

static int settle_retract(
    struct al_node *n, struct al_payload *p, const struct node_entry *t, struct audience *a)
{
    p->audience = AL_AUDIENCE_NETWORK;
    a->circle = NULL;
    if (a->to.n > 0 && !al_slice_is(a->to, "network"))
        return refuse(n, AL_E_AUDIENCE,
            "a retraction is for everybody: whoever holds the entry must be able to read it");
    if (t->readable && (NOT_RETRACTABLE & 1u << t->p.kind) != 0)
        return check_kind(n, t, 0, "retracted");
    return 0;
}

static int settle_share(
    struct al_node *n, struct al_payload *p, const struct node_entry *t, struct audience *a)
{
    int err = check_kind(n, t, SHAREABLE, "shared on");
    if (err == 0 && a->to.n == 0)
        err = refuse(n, AL_E_AUDIENCE, "say who gains it: a share needs a wider audience");
    if (err == 0)
        err = node_settle_to(n, p, a);
    if (err == 0 && p->audience <= t->p.audience) {
        (void)snprintf(n->why, sizeof(n->why),
            "it went to '%s' already, and is shared outward only: me, a circle, network, web",
            al_audience_name(t->p.audience));
        err = AL_E_AUDIENCE;
    }
    return err == 0 ? check_fields(n, p, t) : err;
}

int node_change_settle(struct al_node *n, struct al_payload *p, struct audience *a)
{
    struct node_entry t;
    if (p->of.seq == 0)
        return refuse(n, AL_E_MISSING, "which entry is it about? 'of' is missing");
    int err = find_target(n, &t, &p->of);
    if (err == 0 && p->kind == AL_KIND_EDIT)
        err = settle_edit(n, p, &t, a);
    else if (err == 0 && p->kind == AL_KIND_RETRACT)
        err = settle_retract(n, p, &t, a);
    else if (err == 0)
        err = settle_share(n, p, &t, a);
    node_entry_free(&t);
    return err;
}

bool node_is_change(const struct al_payload *p)
{
    return p->kind == AL_KIND_EDIT || p->kind == AL_KIND_RETRACT || p->kind == AL_KIND_SHARE;
}

static int retract_edit(void *arg, const struct al_ref *edit)
{
    struct al_node *n = arg;
    if (al_apply_is_retracted(n->logs, &edit->id, n->logs->self))
        return 0;
    struct al_payload p = {
        .kind = AL_KIND_RETRACT,
        .kind_name = al_slice_str(al_kind_name(AL_KIND_RETRACT)),
        .audience = AL_AUDIENCE_NETWORK,
        .of = *edit,
    };
    return node_append(n, NULL, &p, 1);
}

int node_retract_edits(struct al_node *n, const struct al_ref *of)
{
    return al_apply_edits(n->logs, &of->id, n->logs->self, retract_edit, n);
}
