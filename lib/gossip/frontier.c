/*
 * What each side holds of what both want: heads are compared in the order identity, device, log.
 * docs/protocol.md, "Reconciliation". Here every range is told as its items; fingerprints are
 * answered with items too.
 */
#include <stdlib.h>

#include "gossip_int.h"
#include "statement.h"
#include "write.h"

#define ITEM_BYTES 128    /* of an encoded item, at most */
#define ITEMS_PER_UNIT 32 /* of the budget, for collecting and sorting ours */

/* --- what is held here --------------------------------------------------------------------- */

struct items {
    struct al_item *list;
    size_t count, cap;
};

static int items_add(struct items *items, const struct al_item *item)
{
    if (items->count == items->cap) {
        size_t cap = items->cap == 0 ? 64 : items->cap * 2;
        struct al_item *list = realloc(items->list, cap * sizeof(*list));
        if (list == NULL)
            return AL_E_NOMEM;
        items->list = list;
        items->cap = cap;
    }
    items->list[items->count++] = *item;
    return 0;
}

static int compare_items(const void *a, const void *b)
{
    uint8_t x[AL_ITEM_KEY_BYTES];
    uint8_t y[AL_ITEM_KEY_BYTES];
    al_item_key(x, a);
    al_item_key(y, b);
    return memcmp(x, y, sizeof(x));
}

static void record_item(struct al_item *out, const struct al_person *person)
{
    struct al_hash digest;
    *out = (struct al_item){.identity = person->identity};
    out->seq = al_record_count(person->record);
    al_record_digest(person->record, &digest);
    memcpy(out->tag, digest.b, sizeof(out->tag));
}

/* seq 0: nothing of |log| is told. */
static int log_item(struct al_gossip *g, struct al_item *out, const struct al_log *log)
{
    struct al_hash id;
    *out = (struct al_item){
        .identity = log->person->identity, .device = log->device, .log = log->name};
    if (al_log_disputed(log)) {
        out->seq = AL_SEQ_FROZEN;
        return 0;
    }
    int err = al_log_offer(g->logs, &out->seq, &id, log);
    /* with holes below its head it keeps the tag 0, which differs from every whole log's */
    if (err == 0 && al_log_whole(log, out->seq))
        memcpy(out->tag, id.b, sizeof(out->tag));
    return err;
}

static int person_items(struct al_gossip *g, struct items *items, const struct al_person *person)
{
    struct al_item item;
    if (al_record_count(person->record) == 0)
        return 0;
    record_item(&item, person);
    int err = items_add(items, &item);
    for (uint32_t i = 0; err == 0 && i < person->log_count; i++) {
        err = log_item(g, &item, person->logs[i]);
        if (err == 0 && item.seq > 0)
            err = items_add(items, &item);
    }
    return err;
}

/* Everything shared with |p|, or |only| of it, in order; the caller frees the list. */
static int shared_items(struct al_gossip *g, const struct peer *p, struct items *items,
    const struct al_identity *only, size_t only_count)
{
    struct al_map_walk walk = {.at = 0};
    void *value;
    int err = 0;
    if (only != NULL) {
        for (size_t i = 0; err == 0 && i < only_count; i++) {
            const struct al_person *person = al_logs_person(g->logs, &only[i]);
            if (person != NULL && peer_wants(p, &only[i]))
                err = person_items(g, items, person);
        }
    } else {
        while (err == 0 && al_map_next(g->logs->people, &walk, NULL, &value)) {
            const struct al_person *person = value;
            if (wanted(g, person) && peer_wants(p, &person->identity))
                err = person_items(g, items, person);
        }
    }
    if (items->count > 1)
        qsort(items->list, items->count, sizeof(*items->list), compare_items);
    return err;
}

/* --- telling it: ranges in as many messages as they take ----------------------------------- */

struct teller {
    struct al_gossip *g;
    struct peer *p;
    uint32_t session, round;
    struct al_buf ranges; /* encoded ranges, without the array's head */
    struct al_buf items;  /* one range's items */
    uint32_t count;
};

static struct teller teller_new(
    struct al_gossip *g, struct peer *p, uint32_t session, uint32_t round)
{
    return (struct teller){
        .g = g,
        .p = p,
        .session = session,
        .round = round,
        .ranges = al_buf_fixed(g->body, AL_MESSAGE_MAX),
        .items = al_buf_fixed(g->items, ITEMS_BYTES),
    };
}

static void teller_flush(struct teller *t, bool more)
{
    struct al_message m = {.type = AL_MSG_RECONCILE};
    uint8_t head[5];
    struct al_buf list = al_buf_fixed(head, sizeof(head));
    al_write_array(&list, t->count);
    /* the head goes before the ranges: both are moved into one piece */
    memmove(t->ranges.p + list.n, t->ranges.p, t->ranges.n);
    memcpy(t->ranges.p, head, list.n);
    m.u.reconcile.session = t->session;
    m.u.reconcile.round = t->round;
    m.u.reconcile.more = more;
    m.u.reconcile.ranges = al_slice_of(t->ranges.p, t->ranges.n + list.n);
    m.u.reconcile.count = t->count;
    peer_send_message(t->g, t->p, &m);
    t->ranges.n = 0;
    t->count = 0;
}

static void tell_range(struct teller *t, const struct al_range *range)
{
    size_t need = range->items.n + AL_ITEM_KEY_BYTES + 64;
    if (t->count == AL_RANGES_MAX || t->ranges.n + need > AL_SEGMENT_INLINE_MAX)
        teller_flush(t, true);
    al_message_put_range(&t->ranges, range);
    t->count++;
}

/*
 * Tell |count| items as ranges up to |upper|, cut where a message would be too long. With no
 * items one empty range says so.
 */
static void tell_items(struct teller *t, const struct al_item *items, size_t count,
    enum al_range_mode mode, struct al_slice upper)
{
    const size_t most = ITEMS_BYTES / ITEM_BYTES - 1;
    size_t at = 0;
    do {
        size_t n = count - at < most ? count - at : most;
        uint8_t key[AL_ITEM_KEY_BYTES];
        t->items.n = 0;
        al_write_array(&t->items, n);
        for (size_t i = 0; i < n; i++)
            al_message_put_item(&t->items, &items[at + i]);
        at += n;
        struct al_range range = {.mode = mode, .upper = upper};
        if (at < count) {
            al_item_key(key, &items[at]);
            range.upper = al_slice_of(key, sizeof(key));
        }
        range.items = al_buf_slice(&t->items);
        range.item_count = (uint32_t)n;
        tell_range(t, &range);
    } while (at < count);
}

static void tell_skip(struct teller *t, struct al_slice upper)
{
    struct al_range range = {.mode = AL_RANGE_SKIP, .upper = upper};
    tell_range(t, &range);
}

/* The smallest string above all that begin with |identity|; n = 0 when there is none. */
static struct al_slice identity_end(uint8_t out[32], const struct al_identity *identity)
{
    size_t n = 32;
    memcpy(out, identity->b, 32);
    while (n > 0 && out[n - 1] == 0xff)
        n--;
    if (n > 0)
        out[n - 1]++;
    return al_slice_of(out, n);
}

/* One range for each of |only|, what lies between skipped. */
static int tell_only(
    struct al_gossip *g, struct teller *t, const struct al_identity *only, size_t only_count)
{
    struct al_slice end = al_slice_of(NULL, 0);
    uint8_t bytes[32];
    for (size_t i = 0; i < only_count; i++) {
        struct items items = {.list = NULL};
        struct al_slice start = al_slice_of(only[i].b, sizeof(only[i].b));
        int err = shared_items(g, t->p, &items, &only[i], 1);
        if (err == 0 && al_slice_cmp(end, start) < 0)
            tell_skip(t, start);
        end = identity_end(bytes, &only[i]);
        if (err == 0)
            tell_items(t, items.list, items.count, AL_RANGE_ITEMS, end);
        free(items.list);
        if (err != 0)
            return err;
    }
    if (end.n > 0)
        tell_skip(t, al_slice_of(NULL, 0));
    return 0;
}

int frontier_open(
    struct al_gossip *g, struct peer *p, const struct al_identity *only, size_t only_count)
{
    uint32_t session = p->next_session++ * 2 + (p->outgoing ? 0 : 1);
    struct teller t = teller_new(g, p, session, 0);
    struct items items = {.list = NULL};
    int err = 0;
    if (only != NULL) {
        err = tell_only(g, &t, only, only_count);
    } else {
        p->compared = true;
        err = shared_items(g, p, &items, NULL, 0);
        if (err == 0)
            tell_items(&t, items.list, items.count, AL_RANGE_ITEMS, al_slice_of(NULL, 0));
    }
    if (err == 0)
        teller_flush(&t, false);
    free(items.list);
    return err;
}

/* --- hearing it ---------------------------------------------------------------------------- */

/* One item told by the peer: a record that differs is asked for, a head noted. */
static int hear_item(struct al_gossip *g, struct peer *p, const struct al_item *item)
{
    static const struct al_device none;
    struct al_person *person = al_logs_person(g->logs, &item->identity);
    if (person == NULL || !wanted(g, person))
        return 0;
    if (!al_device_eq(&item->device, &none)) {
        if (item->seq > AL_SEQ_MAX)
            return 0; /* it forks, as the peer knows: nothing to fetch */
        const struct al_log *log = al_logs_find(g->logs, &item->device, &item->log);
        int err = log != NULL && al_log_disputed(log) ? fork_owed(g, p, log) : 0;
        if (err != 0)
            return err;
        return head_heard(g, p, &item->identity, &item->device, &item->log, item->seq);
    }
    struct al_item mine;
    record_item(&mine, person);
    if (mine.seq == item->seq && memcmp(mine.tag, item->tag, sizeof(mine.tag)) == 0)
        return 0;
    return statements_ask(g, p, &item->identity);
}

/* How many of our items, from where |h| stands, have keys below |upper|. */
static size_t items_below(const struct hearing *h, struct al_slice upper)
{
    size_t n = 0;
    while (h->at + n < h->count) {
        uint8_t key[AL_ITEM_KEY_BYTES];
        al_item_key(key, &h->items[h->at + n]);
        if (upper.n > 0 && al_slice_cmp(al_slice_of(key, sizeof(key)), upper) >= 0)
            break;
        n++;
    }
    return n;
}

/* True if the peer has just told this very item, and so needs no answer to ask us for more. */
static bool told(
    struct al_slice *list, uint32_t *left, struct al_item *theirs, const struct al_item *mine)
{
    while (*left > 0 && compare_items(theirs, mine) < 0) {
        if (--*left > 0)
            al_message_next_item(theirs, list);
    }
    static const uint8_t holes[sizeof(mine->tag)];
    /* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): there are items when one is looked at */
    bool is_whole = mine->seq > AL_SEQ_MAX || memcmp(mine->tag, holes, sizeof(holes)) != 0;
    return *left > 0 && compare_items(theirs, mine) == 0 && theirs->seq == mine->seq && is_whole &&
           memcmp(theirs->tag, mine->tag, sizeof(mine->tag)) == 0;
}

/* Answer a range of items with those of ours that differ from it. */
static int answer_items(
    struct teller *t, const struct al_range *range, const struct al_item *mine, size_t count)
{
    struct al_item *differing = malloc(count * sizeof(*differing) + 1);
    struct al_slice list = al_message_list(range->items);
    uint32_t left = range->item_count;
    struct al_item theirs = {.seq = 0};
    size_t n = 0;
    if (differing == NULL)
        return AL_E_NOMEM;
    if (left > 0)
        al_message_next_item(&theirs, &list);
    for (size_t i = 0; i < count; i++) {
        if (!told(&list, &left, &theirs, &mine[i]))
            differing[n++] = mine[i];
    }
    if (n > 0)
        tell_items(t, differing, n, AL_RANGE_FINAL, range->upper);
    else
        tell_skip(t, range->upper);
    free(differing);
    return 0;
}

static int hear_items(struct al_gossip *g, struct peer *p, const struct al_range *range)
{
    struct al_slice list = al_message_list(range->items);
    for (uint32_t i = 0; i < range->item_count; i++) {
        struct al_item item;
        al_message_next_item(&item, &list);
        int err = hear_item(g, p, &item);
        if (err != 0)
            return err;
    }
    return 0;
}

static int answer_range(struct teller *t, struct hearing *h, const struct al_range *range)
{
    const struct al_item *mine = h->items == NULL ? NULL : h->items + h->at;
    size_t n = items_below(h, range->upper);
    h->at += n;
    switch (range->mode) {
    case AL_RANGE_ITEMS:
        return answer_items(t, range, mine, n);
    case AL_RANGE_FINGERPRINT:
        tell_items(t, mine, n, AL_RANGE_ITEMS, range->upper);
        return 0;
    case AL_RANGE_FINAL:
    case AL_RANGE_SKIP:
        break;
    }
    tell_skip(t, range->upper);
    return 0;
}

/* Note what the ranges of |m| tell, and answer them unless |t| is NULL. */
static int hear_ranges(
    struct al_gossip *g, struct peer *p, const struct al_message *m, struct teller *t)
{
    struct al_slice list = al_message_list(m->u.reconcile.ranges);
    int err = 0;
    for (uint32_t i = 0; err == 0 && i < m->u.reconcile.count; i++) {
        struct al_range range;
        al_message_next_range(&range, &list);
        if (range.mode == AL_RANGE_ITEMS || range.mode == AL_RANGE_FINAL)
            err = hear_items(g, p, &range);
        if (err == 0 && t != NULL)
            err = answer_range(t, &p->hearing, &range);
    }
    return err;
}

/* True if any range of |m| wants an answer. */
static bool wants_answer(const struct al_message *m)
{
    struct al_slice list = al_message_list(m->u.reconcile.ranges);
    for (uint32_t i = 0; i < m->u.reconcile.count; i++) {
        struct al_range range;
        al_message_next_range(&range, &list);
        if (range.mode == AL_RANGE_ITEMS || range.mode == AL_RANGE_FINGERPRINT)
            return true;
    }
    return false;
}

/* True if |m| goes on with the list that is being heard. */
static bool goes_on(const struct hearing *h, const struct al_message *m)
{
    return h->open && h->session == m->u.reconcile.session && h->round == m->u.reconcile.round;
}

/* A list that wants answers begins: collect once what they are made of. */
static int hearing_begin(struct al_gossip *g, struct peer *p, const struct al_message *m)
{
    struct items mine = {.list = NULL};
    int err = shared_items(g, p, &mine, NULL, 0);
    free(p->hearing.items);
    p->hearing = (struct hearing){
        .open = true,
        .session = m->u.reconcile.session,
        .round = m->u.reconcile.round,
        .items = mine.list,
        .count = mine.count,
    };
    p->budget -= (int64_t)(al_map_count(g->logs->people) + mine.count) / ITEMS_PER_UNIT;
    return err;
}

int frontier_receive(struct al_gossip *g, struct peer *p, const struct al_message *m)
{
    bool answers = goes_on(&p->hearing, m) || wants_answer(m);
    bool more = m->u.reconcile.more;
    int err = 0;
    if (!answers) {
        err = hear_ranges(g, p, m, NULL);
    } else {
        struct teller t = teller_new(g, p, m->u.reconcile.session, m->u.reconcile.round + 1);
        if (!goes_on(&p->hearing, m))
            err = hearing_begin(g, p, m);
        if (err == 0)
            err = hear_ranges(g, p, m, &t);
        if (err == 0)
            teller_flush(&t, more);
    }
    if (answers && !more) {
        free(p->hearing.items);
        p->hearing = (struct hearing){.open = false};
    }
    p->heads_known = p->heads_known || !more;
    return err;
}
