/* What must hold. */
#include <stdlib.h>

#include "apply.h"
#include "check.h"
#include "world_int.h"

static void acked_key(uint8_t out[48], const struct al_ref *ref)
{
    memcpy(out, ref->device.b, 32);
    memcpy(out + 32, ref->log.b, 8);
    al_u64be(out + 40, ref->seq);
}

void judge_acked(struct world *w, struct sim_node *s, const struct al_ref *ref)
{
    uint8_t key[48];
    acked_key(key, ref);
    const struct acked *before = al_map_get(s->acked, key);
    if (before != NULL && !al_hash_eq(&before->id, &ref->id)) {
        break_invariant(w, "node %u acknowledged two entries for seq %llu", s->no,
            (unsigned long long)ref->seq);
        return;
    }
    if (before != NULL)
        return;
    struct acked *a = calloc(1, sizeof(*a));
    AL_ASSERT(a != NULL);
    a->id = ref->id;
    AL_ASSERT(al_map_put(s->acked, key, a) == 0);
    s->acked_count++;
}

static bool is_there(struct al_store *store, const uint8_t *key, const struct al_hash *id)
{
    struct al_device device;
    struct al_logname name;
    struct al_store_log log;
    struct al_store_row row = {.pos = 0};
    memcpy(device.b, key, 32);
    memcpy(name.b, key + 32, 8);
    int err = al_store_log_find(store, &log, &device, &name);
    if (err == 0)
        err = al_store_get(store, &row, log.no, al_u64be_read(key + 40));
    return err == 0 && al_hash_eq(&row.id, id);
}

void judge_rolled_back(struct sim_node *s)
{
    struct al_map_walk walk = {.at = 0};
    struct al_store *store;
    const void *key;
    void *value;
    AL_ASSERT(al_store_open_disk(&store, s->disk) == 0);
    while (al_map_next(s->acked, &walk, &key, &value)) {
        struct acked *a = value;
        a->lost = a->lost || !is_there(store, key, &a->id);
    }
    al_store_close(store);
}

static void check_acked(struct world *w, struct sim_node *s, struct al_store *store)
{
    struct al_map_walk walk = {.at = 0};
    const void *key;
    void *value;
    while (al_map_next(s->acked, &walk, &key, &value)) {
        const uint8_t *k = key;
        const struct acked *a = value;
        if (!a->lost && !is_there(store, key, &a->id)) {
            break_invariant(w, "node %u lost its acknowledged entry %llu", s->no,
                (unsigned long long)al_u64be_read(k + 40));
            return;
        }
    }
}

void judge_owner(struct world *w, struct sim_node *s)
{
    if (s->store != NULL)
        check_acked(w, s, s->store);
}

void judge_close(struct world *w, const struct sim_node *s, const struct sim_node *other, int err)
{
    if (is_liar(w, s) || is_liar(w, other))
        return;
    switch (err) {
    case AL_E_DUPLICATE:
    case AL_E_CLOSED:
    case AL_E_TIMEOUT:
    case AL_E_STRANGER: /* its choice to admit us was lost with a failed commit */
    case AL_E_INVITE:
        return;
    case AL_E_REVOKED:
        if (is_thief(w, other))
            return;
        break_invariant(w, "node %u takes node %u for revoked", s->no, other->no);
        return;
    default:
        break_invariant(w, "node %u blames an honest peer: %s", s->no, al_err_name(err));
    }
}

/* --- convergence --------------------------------------------------------------------------- */

struct compare {
    struct al_store *store;         /* of the follower */
    const struct al_device *stolen; /* whose logs judge_revoked() looks at; NULL: none is */
    const struct al_identity *author;
};

static int compare_head(void *arg, const struct al_store_log *theirs)
{
    const struct compare *c = arg;
    struct al_store_log mine;
    if (!al_identity_eq(&theirs->identity, c->author) || theirs->head_seq == 0)
        return 0;
    if (c->stolen != NULL && al_device_eq(&theirs->device, c->stolen))
        return 0;
    if (al_store_log_find(c->store, &mine, &theirs->device, &theirs->log) != 0)
        return 1;
    bool same = mine.head_seq == theirs->head_seq && mine.held == theirs->held &&
                al_hash_eq(&mine.head_id, &theirs->head_id);
    return same ? 0 : 1;
}

static bool follows(const struct sim_node *s, const struct sim_node *author)
{
    char key[AL_RELATION_KEY_BYTES];
    struct al_slice value;
    al_apply_relation_key(key, "follow", &author->keyring.identity);
    if (al_store_kv_get(s->store, &value, AL_SPACE_STATE, al_slice_str(key)) != 0)
        return false;
    return value.n > 0 && value.p[value.n - 1] == 0xc3; /* [time, id, true] */
}

bool judge_converged(struct world *w)
{
    for (uint32_t i = 0; i < w->opts.nodes; i++) {
        for (uint32_t k = 0; k < w->opts.nodes; k++) {
            struct sim_node *s = &w->nodes[i];
            struct sim_node *author = &w->nodes[k];
            struct compare c = {.store = s->store, .author = &author->keyring.identity};
            if (w->opts.thief)
                c.stolen = &w->nodes[w->opts.nodes - 1].keyring.device;
            if (i == k || is_liar(w, s) || is_liar(w, author) || !follows(s, author))
                continue;
            if (is_thief(w, s) || is_thief(w, author))
                continue;
            if (al_store_logs(author->store, compare_head, &c) != 0) {
                w->behind[0] = i;
                w->behind[1] = k;
                return false;
            }
        }
    }
    return true;
}

/* --- revocation ---------------------------------------------------------------------------- */

/* Of the log |theirs| of the stolen device, does the same count in |mine|? */
static bool same_counts(struct al_logs *mine, struct al_logs *other, const struct al_log *theirs)
{
    const struct al_log *log = al_logs_find(mine, &theirs->device, &theirs->name);
    struct al_hash id = {{0}}, other_id = {{0}};
    uint64_t seq = 0, other_seq = 0;
    AL_ASSERT(al_log_offer(other, &other_seq, &other_id, theirs) == 0);
    if (theirs->cut.seq == AL_SEQ_MAX)
        return false;
    if (log == NULL)
        return other_seq == 0;
    AL_ASSERT(al_log_offer(mine, &seq, &id, log) == 0);
    return log->cut.seq == theirs->cut.seq && seq == other_seq && seq <= log->cut.seq &&
           al_hash_eq(&id, &other_id);
}

static bool all_count_the_same(
    struct al_logs *mine, struct al_logs *other, const struct al_device *stolen)
{
    struct al_map_walk walk = {.at = 0};
    void *value;
    while (al_map_next(other->logs, &walk, NULL, &value)) {
        const struct al_log *log = value;
        if (al_device_eq(&log->device, stolen) && !same_counts(mine, other, log))
            return false;
    }
    return true;
}

static struct al_logs *load_logs(struct world *w, const struct sim_node *s)
{
    struct al_logs *logs;
    AL_ASSERT(al_logs_new(&logs, s->store, &s->keyring, &w->rng) == 0);
    return logs;
}

bool judge_revoked(struct world *w)
{
    if (!w->opts.thief)
        return true;
    if (!w->revoked)
        return false;
    const struct sim_node *owner = &w->nodes[w->opts.nodes - 2];
    const struct al_device *stolen = &w->nodes[w->opts.nodes - 1].keyring.device;
    struct al_logs *owners = load_logs(w, owner);
    bool same = true;
    for (uint32_t i = 0; same && i < w->opts.nodes; i++) {
        const struct sim_node *s = &w->nodes[i];
        if (s == owner || is_liar(w, s) || is_thief(w, s) || !follows(s, owner))
            continue;
        struct al_logs *logs = load_logs(w, s);
        same = all_count_the_same(owners, logs, stolen) && all_count_the_same(logs, owners, stolen);
        al_logs_free(logs);
        w->behind[0] = i;
        w->behind[1] = owner->no;
    }
    al_logs_free(owners);
    return same;
}

/* --- chains -------------------------------------------------------------------------------- */

struct walk {
    const struct sim_node *node;
    const struct sim_node *liar; /* NULL: there is none */
    bool may_have_holes;
    struct al_store *store;
    struct al_logs *logs; /* in a world with a thief */
    const struct al_store_log *log;
    struct al_hash prev;
    uint64_t next;
    const char *fault;
};

static int walk_row(void *arg, const struct al_store_row *row)
{
    struct walk *walk = arg;
    struct al_header h = {
        .device = walk->log->device,
        .log = walk->log->log,
        .seq = row->seq,
        .time_ms = row->time_ms,
        .prev = walk->prev,
        .plen = row->plen,
        .phash = row->phash,
    };
    struct al_hash id;
    al_header_id(&id, &h);
    if (row->seq != walk->next && walk->may_have_holes)
        walk->next = row->seq; /* what it follows is not here */
    else if (row->seq != walk->next)
        walk->fault = "a hole";
    else if (!al_hash_eq(&id, &row->id))
        walk->fault = "an id that does not follow";
    walk->prev = row->id;
    walk->next++;
    return walk->fault != NULL;
}

/* The root's word on a revoked device stands in place of the signature at the last that counts. */
static bool is_named_by_root(const struct walk *walk, const struct al_store_row *row)
{
    const struct al_log *log =
        walk->logs == NULL ? NULL : al_logs_find(walk->logs, &walk->log->device, &walk->log->log);
    return log != NULL && log->cut.seq == row->seq && al_hash_eq(&log->cut.id, &row->id);
}

static int walk_log(void *arg, const struct al_store_log *log)
{
    struct walk *walk = arg;
    struct al_sig sig;
    uint64_t at;
    bool by_liar =
        walk->liar != NULL && al_identity_eq(&log->identity, &walk->liar->keyring.identity);
    walk->may_have_holes = by_liar || walk->node == walk->liar;
    if (log->head_seq == 0)
        return 0;
    walk->log = log;
    walk->next = 1;
    al_entry_genesis(&walk->prev, &log->identity, &log->device, &log->log);
    struct al_store_log copy = *log;
    walk->log = &copy;
    if (al_store_entries(walk->store, copy.no, 1, copy.head_seq, walk_row, walk) != 0)
        return 1;
    if (walk->next != copy.head_seq + 1)
        walk->fault = "a missing end";
    for (uint64_t seq = 1; walk->fault == NULL && seq <= copy.head_seq; seq = at + 1) {
        struct al_store_row row;
        if (al_store_sig(walk->store, &at, &sig, copy.no, seq) != 0 || at > copy.head_seq ||
            al_store_get(walk->store, &row, copy.no, at) != 0 ||
            (al_entry_verify(&sig, &copy.device, &row.id) != 0 && !is_named_by_root(walk, &row))) {
            walk->fault = "a signature that does not hold";
            break;
        }
    }
    return walk->fault != NULL;
}

void judge_chains(struct world *w)
{
    for (uint32_t i = 0; i < w->opts.nodes; i++) {
        struct walk walk = {.store = w->nodes[i].store,
            .node = &w->nodes[i],
            .liar = w->opts.liar ? &w->nodes[0] : NULL};
        if (w->opts.thief)
            walk.logs = load_logs(w, &w->nodes[i]);
        int err = al_store_logs(walk.store, walk_log, &walk);
        al_logs_free(walk.logs);
        if (err != 0)
            break_invariant(w, "node %u holds a log with %s", i,
                walk.fault == NULL ? al_err_name(err) : walk.fault);
    }
}
