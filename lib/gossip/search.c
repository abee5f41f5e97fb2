/*
 * Entries, and answers to entries, that one caller wants and that may lie with any connected peer:
 * each is asked once. What they bring is taken in by excerpt.c.
 */
#include <stdlib.h>

#include "gossip_int.h"
#include "write.h"

#define SEARCHES_MAX 32
#define LEADS_MAX 512
#define OPEN_MAX 16 /* excerpts of one search under way */
#define WIDE_MAX 8  /* of them, for the same entry */

/* A peer may have this entry: it was asked for it, or named it. */
struct lead {
    struct al_ref ref;
    uint64_t conn;
    bool used; /* asked, or not needed any more */
    bool open; /* asked, and not answered yet */
};

struct search {
    TAILQ_ENTRY(search) link;
    uint64_t id;
    bool wide;      /* ask several peers for one entry at a time */
    uint32_t asked; /* peers */
    uint32_t found; /* entries that are here since */
    uint32_t open;  /* requests under way */
    struct lead leads[LEADS_MAX];
    uint32_t lead_count;
};

static struct search *search_new(struct al_gossip *g)
{
    const struct search *s;
    uint32_t count = 0;
    TAILQ_FOREACH (s, &g->searches, link)
        count++;
    if (count >= SEARCHES_MAX)
        return NULL;
    struct search *made = calloc(1, sizeof(*made));
    if (made == NULL)
        return NULL;
    made->id = ++g->next_search;
    TAILQ_INSERT_TAIL(&g->searches, made, link);
    return made;
}

static void add_lead(struct search *s, const struct al_ref *ref, uint64_t conn)
{
    if (s->lead_count == LEADS_MAX)
        return;
    s->leads[s->lead_count++] = (struct lead){.ref = *ref, .conn = conn};
}

static bool same_entry(const struct al_ref *a, const struct al_ref *b)
{
    return a->seq == b->seq && al_hash_eq(&a->id, &b->id) && al_device_eq(&a->device, &b->device) &&
           al_logname_eq(&a->log, &b->log);
}

static uint32_t open_for(const struct search *s, const struct al_ref *ref)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < s->lead_count; i++)
        n += s->leads[i].open && same_entry(&s->leads[i].ref, ref);
    return n;
}

static int ask(struct al_gossip *g, struct peer *p, struct search *s, enum request_kind kind,
    const struct al_ref *ref, uint32_t lead)
{
    bool one = kind == REQUEST_EXCERPT;
    struct al_message m = {.type = one ? AL_MSG_FETCH : AL_MSG_REPLIES};
    struct request *r = request_new(g, p, kind);
    if (r == NULL)
        return AL_E_NOMEM;
    r->search = s;
    r->ref = *ref;
    r->lead = lead;
    s->open++;
    m.req = r->req;
    if (one)
        m.u.fetch.ref = *ref;
    else
        m.u.replies.ref = *ref;
    peer_send_message(g, p, &m);
    return 0;
}

static int follow_lead(struct al_gossip *g, struct search *s, uint32_t at)
{
    struct lead *lead = &s->leads[at];
    struct peer *p = al_map_get(g->by_conn, &lead->conn);
    struct al_store_row row;
    struct al_log *log;
    lead->used = true;
    int err = excerpt_row(g, &row, &log, &lead->ref);
    if (err != AL_E_NOT_FOUND)
        return err; /* it is here by now */
    if (p == NULL || p->state != PEER_READY)
        return 0;
    lead->open = true;
    s->asked += s->wide;
    return ask(g, p, s, REQUEST_EXCERPT, &lead->ref, at);
}

int search_pump(struct al_gossip *g)
{
    struct search *s;
    int err = 0;
    TAILQ_FOREACH (s, &g->searches, link) {
        for (uint32_t i = 0; err == 0 && i < s->lead_count && s->open < OPEN_MAX; i++) {
            if (!s->leads[i].used && open_for(s, &s->leads[i].ref) < (s->wide ? WIDE_MAX : 1))
                err = follow_lead(g, s, i);
        }
    }
    return err;
}

void search_found(struct request *r)
{
    if (r->search != NULL)
        r->search->found++;
}

void search_ended(struct request *r)
{
    struct search *s = r->search;
    if (s == NULL)
        return;
    s->open--;
    if (r->kind == REQUEST_EXCERPT)
        s->leads[r->lead].open = false;
    r->search = NULL;
}

int search_refs(struct al_gossip *g, struct peer *p, const struct al_message *m, struct al_now now)
{
    struct request *r = request_find(p, m->req);
    struct al_slice list = al_message_list(m->u.refs.list);
    if (r == NULL)
        return 0; /* it was given up meanwhile */
    if (r->kind != REQUEST_REFS) {
        peer_close(g, p, AL_E_UNEXPECTED);
        return 0;
    }
    p->progress_ms = now.mono_ms;
    for (uint32_t i = 0; r->search != NULL && i < m->u.refs.count; i++) {
        struct al_ref ref;
        al_message_next_ref(&ref, &list);
        add_lead(r->search, &ref, p->conn);
    }
    request_drop(g, r);
    return 0; /* the end of the turn follows the leads */
}

/* --- for the caller ------------------------------------------------------------------------ */

int al_gossip_fetch(struct al_gossip *g, uint64_t *ret, const struct al_ref *ref)
{
    const struct peer *p;
    struct search *s = search_new(g);
    if (s == NULL)
        return AL_E_LIMIT;
    s->wide = true;
    TAILQ_FOREACH (p, &g->peers, link) {
        if (p->state == PEER_READY)
            add_lead(s, ref, p->conn);
    }
    *ret = s->id;
    return 0;
}

int al_gossip_replies(struct al_gossip *g, uint64_t *ret, const struct al_ref *ref)
{
    struct peer *p;
    struct search *s = search_new(g);
    int err = s == NULL ? AL_E_LIMIT : 0;
    TAILQ_FOREACH (p, &g->peers, link) {
        if (err != 0 || p->state != PEER_READY)
            continue;
        s->asked++;
        err = ask(g, p, s, REQUEST_REFS, ref, 0);
    }
    if (err == 0)
        *ret = s->id;
    return err;
}

static struct search *search_find(const struct al_gossip *g, uint64_t id)
{
    struct search *s;
    TAILQ_FOREACH (s, &g->searches, link) {
        if (s->id == id)
            return s;
    }
    return NULL;
}

bool al_gossip_search(const struct al_gossip *g, struct al_search *ret, uint64_t id)
{
    const struct search *s = search_find(g, id);
    if (s == NULL)
        return false;
    *ret = (struct al_search){.asked = s->asked, .found = s->found, .open = s->open > 0};
    return true;
}

void al_gossip_search_end(struct al_gossip *g, uint64_t id)
{
    struct search *s = search_find(g, id);
    struct peer *p;
    struct request *r;
    if (s == NULL)
        return;
    TAILQ_FOREACH (p, &g->peers, link) {
        TAILQ_FOREACH (r, &p->requests, link) {
            if (r->search == s)
                search_ended(r);
        }
    }
    TAILQ_REMOVE(&g->searches, s, link);
    free(s);
}

void searches_free(struct al_gossip *g)
{
    struct search *s;
    while ((s = TAILQ_FIRST(&g->searches)) != NULL)
        al_gossip_search_end(g, s->id);
}
