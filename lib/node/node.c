#include "node.h"

#include <stdlib.h>

#include "check.h"
#include "hash.h"
#include "node_int.h"
#include "rewrite.h"

#define RELOAD_PAUSE_MS 1000
#define TIDY_MS 10000 /* after words were taken out: they are gone within a minute */
#define TIDY_AGAIN_MS 1000

/* --- state, made from the store ------------------------------------------------------------ */

static void unload(struct al_node *n)
{
    al_gossip_free(n->gossip);
    n->gossip = NULL;
    al_logs_free(n->logs);
    n->logs = NULL;
    al_store_close(n->store);
    n->store = NULL;
    n->upkeep_count = 0;
    n->circles_seen = n->said_seen = 0;
}

/* Peers are dialled from |pause_ms| on: what was lost once may be lost again. */
static int load(struct al_node *n, uint64_t pause_ms)
{
    struct al_now start = {.mono_ms = n->now.mono_ms + pause_ms, .wall_ms = n->now.wall_ms};
    int err = n->opts.open_store(n->opts.open_arg, &n->store);
    if (err == 0)
        err = al_logs_new(&n->logs, n->store, n->opts.keyring, &n->rng);
    if (err == 0 && n->opts.new_log)
        n->logs->own = NULL;
    if (err == 0)
        err = node_load_copy(n);
    if (err == 0) {
        struct al_gossip_opts opts = {
            .logs = n->logs,
            .effects = n->effects,
            .rng = &n->rng,
            .agent = n->opts.agent,
            .redeem = node_redeem,
            .redeem_arg = n,
            .boots = n->opts.boots,
            .boots_lost = n->opts.boots_lost,
            .cloned = node_become_copy,
            .cloned_arg = n,
            .pieces_bytes = n->pieces_bytes,
        };
        memcpy(opts.boot, n->opts.boot, sizeof(opts.boot));
        err = al_gossip_new(&n->gossip, &opts, start);
    }
    if (err == 0)
        err = node_outbox_load(n);
    if (err != 0)
        unload(n);
    return err;
}

int node_meta(struct al_node *n, char *out, size_t cap, const char *name)
{
    struct al_slice value;
    int err = al_store_kv_get(n->store, &value, AL_SPACE_META, al_slice_str(name));
    if (err == AL_E_NOT_FOUND) {
        value = al_slice_of(NULL, 0);
        err = 0;
    }
    if (err == 0 && value.n >= cap)
        err = AL_E_CORRUPT;
    if (err != 0)
        return err;
    if (value.n > 0)
        memcpy(out, value.p, value.n);
    out[value.n] = '\0';
    return 0;
}

int al_node_new(struct al_node **ret, const struct al_node_opts *opts, struct al_now now)
{
    struct al_node *n = calloc(1, sizeof(*n));
    if (n == NULL)
        return AL_E_NOMEM;
    n->opts = *opts;
    n->now = now;
    n->started_ms = now.wall_ms;
    n->tidy_ms = UINT64_MAX;
    STAILQ_INIT(&n->in_turn);
    STAILQ_INIT(&n->waits);
    STAILQ_INIT(&n->invites);
    STAILQ_INIT(&n->fetches);
    STAILQ_INIT(&n->file_gets);
    n->pieces_bytes = opts->pieces_bytes != 0 ? opts->pieces_bytes : AL_NODE_PIECES_BYTES;
    al_rng_init(&n->rng, opts->seed);
    n->effects = al_effects_new();
    int err = n->effects == NULL ? AL_E_NOMEM : load(n, 0);
    if (err == 0) {
        al_node_begin(n, now);
        err = n->turn_err;
        al_node_commit(n);
    }
    if (err != 0) {
        al_node_free(n);
        return err;
    }
    *ret = n;
    return 0;
}

static void free_calls(struct calls *calls)
{
    struct call *c;
    while ((c = STAILQ_FIRST(calls)) != NULL) {
        STAILQ_REMOVE_HEAD(calls, link);
        free(c->file);
        free(c);
    }
}

void al_node_free(struct al_node *n)
{
    if (n == NULL)
        return;
    unload(n);
    al_effects_free(n->effects);
    free(n->upkeep);
    free_calls(&n->in_turn);
    free_calls(&n->waits);
    free_calls(&n->invites);
    free_calls(&n->fetches);
    free_calls(&n->file_gets);
    node_files_let_go(n);
    al_rng_wipe(&n->rng);
    free(n);
}

/* --- the turn ------------------------------------------------------------------------------ */

void al_node_begin(struct al_node *n, struct al_now now)
{
    n->now = now;
    n->turn_bytes = 0;
    n->due = false;
    n->turn_err = n->store == NULL ? load(n, RELOAD_PAUSE_MS) : 0;
    if (n->turn_err == 0)
        n->turn_err = al_store_begin(n->store);
    /* after a lost turn nothing is connected, nobody waits, and what is loaded is what is stored */
    n->full = n->store != NULL && n->turn_err == AL_E_FULL && n->lost;
    if (n->turn_err == 0) {
        n->turn_pos = n->logs->pos;
        n->turn_err = al_gossip_tick(n->gossip, now);
    }
    if (n->turn_err == 0)
        n->turn_err = al_rewrite_tick(n->logs, now);
    if (n->turn_err == 0)
        n->turn_err = n->started_up ? node_post_due(n, false) : node_start_up(n);
    if (n->turn_err == 0)
        n->turn_err = node_circles_due(n);
}

/* Waits end when nothing is missing, or when their time is over. */
static void end_waits(struct al_node *n)
{
    struct calls waiting = STAILQ_HEAD_INITIALIZER(waiting);
    struct call *c;
    bool synced = al_gossip_synced(n->gossip);
    STAILQ_CONCAT(&waiting, &n->waits);
    while ((c = STAILQ_FIRST(&waiting)) != NULL) {
        STAILQ_REMOVE_HEAD(&waiting, link);
        if (!synced && c->deadline_ms > n->now.mono_ms) {
            STAILQ_INSERT_TAIL(&n->waits, c, link);
            continue;
        }
        struct al_buf out = al_heapbuf();
        al_write_map(&out, 1);
        al_write_cstr(&out, "synced");
        al_write_bool(&out, synced);
        node_reply(n, c->id, &out);
        al_heapbuf_free(&out);
        free(c);
    }
}

/* Nothing was changed, here or in the store, and calls that only read have their answers. */
static void end_full_turn(struct al_node *n)
{
    struct call *c;
    n->why[0] = '\0';
    n->hint = NULL;
    STAILQ_FOREACH (c, &n->in_turn, link) {
        if (!c->answered)
            node_reply_error(n, c->id, n->turn_err);
    }
    free_calls(&n->in_turn);
    al_effects_release(n->effects);
}

/* The turn is lost: callers are told, and everything is made anew from what the store holds. */
static void lose_turn(struct al_node *n, int err)
{
    struct calls *lists[] = {&n->in_turn, &n->waits, &n->invites, &n->fetches, &n->file_gets};
    al_effects_discard(n->effects);
    al_effects_log(n->effects, 3, "nothing was saved: %s", al_err_words(err));
    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
        struct call *c;
        STAILQ_FOREACH (c, lists[i], link)
            node_reply_error(n, c->id, err);
        free_calls(lists[i]);
    }
    if (n->gossip != NULL)
        al_gossip_close_all(n->gossip, AL_E_CLOSED);
    n->lost = true;
    n->full = false;
    unload(n);
    err = load(n, RELOAD_PAUSE_MS);
    if (err != 0)
        al_effects_log(n->effects, 3, "the log can't be opened again: %s", al_err_words(err));
}

/* Between transactions: nothing that was taken out stays in the store's files for long. */
static void tidy(struct al_node *n)
{
    if (n->tidy_ms == UINT64_MAX && al_store_is_untidy(n->store))
        n->tidy_ms = n->now.mono_ms + TIDY_MS;
    if (n->now.mono_ms < n->tidy_ms)
        return;
    int err = al_store_tidy(n->store);
    n->tidy_ms = err == 0 ? UINT64_MAX : n->now.mono_ms + TIDY_AGAIN_MS;
    if (err != 0 && err != AL_E_BUSY) {
        al_effects_log(n->effects, 3, "the log can't be tidied: %s", al_err_words(err));
        n->tidy_ms = n->now.mono_ms + TIDY_MS;
    }
}

/* Own entries that were written again are as new as any. */
static int tell_written_again(struct al_node *n)
{
    uint64_t first = n->logs->written_again;
    n->logs->written_again = 0;
    if (n->logs->copy)
        return 0;
    return first == 0 ? 0 : al_gossip_appended(n->gossip, n->logs->own, first, n->now);
}

void al_node_commit(struct al_node *n)
{
    if (n->full && n->turn_err == AL_E_FULL) {
        end_full_turn(n);
        return;
    }
    if (n->turn_err == 0)
        n->turn_err = al_apply_step(n->logs);
    if (n->turn_err == 0)
        n->turn_err = tell_written_again(n);
    if (n->turn_err == 0)
        n->turn_err = node_note_own_left(n);
    if (n->turn_err == 0)
        n->turn_err = node_obey_revocation(n);
    if (n->turn_err == 0 && n->logs->again > 0)
        n->due = true; /* the rest in the next turns, so that others get their share */
    if (n->turn_err == 0 && n->logs->relations_changed)
        n->turn_err = al_gossip_relations_changed(n->gossip);
    if (n->turn_err == 0) {
        n->logs->relations_changed = false;
        n->turn_err = al_gossip_finish(n->gossip);
    }
    node_files_let_go(n);
    if (n->turn_err == 0)
        n->turn_err = node_end_file_gets(n);
    if (n->turn_err == 0) {
        end_waits(n);
        node_end_fetches(n);
        if (n->logs->pos != n->turn_pos) {
            struct al_effect e = {.type = AL_EFFECT_CHANGED, .pos = n->logs->pos};
            al_effects_add(n->effects, &e);
        }
        n->turn_err = al_store_commit(n->store);
        /* What a failed commit left may be there today and gone after a power cut: nothing must
         * follow it. A full disk leaves no doubt, as nothing was written. */
        if (n->turn_err != 0 && n->turn_err != AL_E_FULL)
            n->opts.new_log = true;
    }
    if (n->turn_err != 0) {
        lose_turn(n, n->turn_err);
    } else {
        free_calls(&n->in_turn);
        n->lost = false;
        n->started_up = true;
        if (n->logs->own != NULL)
            n->opts.new_log = false; /* it has been started */
        tidy(n);
    }
    al_effects_release(n->effects);
}

bool al_node_poll(struct al_node *n, struct al_effect *ret)
{
    return al_effects_poll(n->effects, ret);
}

uint64_t al_node_deadline(const struct al_node *n)
{
    if (n->due)
        return n->now.mono_ms;
    if (n->gossip == NULL || n->full || !n->started_up)
        return n->now.mono_ms + RELOAD_PAUSE_MS; /* try again */
    uint64_t at = al_gossip_deadline(n->gossip);
    if (n->logs->aside_until_ms != 0 && n->logs->aside_until_ms < at)
        at = n->logs->aside_until_ms;
    if (n->tidy_ms < at)
        at = n->tidy_ms;
    if (node_outbox_deadline(n) < at)
        at = node_outbox_deadline(n);
    if (node_circles_deadline(n) < at)
        at = node_circles_deadline(n);
    const struct calls *lists[] = {&n->waits, &n->fetches, &n->file_gets};
    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
        const struct call *c;
        STAILQ_FOREACH (c, lists[i], link) {
            if (c->deadline_ms < at)
                at = c->deadline_ms;
        }
    }
    return at;
}

size_t al_node_turn_bytes(const struct al_node *n)
{
    return n->turn_bytes;
}

/* --- inputs from the network ----------------------------------------------------------------- */

void al_node_connected(struct al_node *n, const struct al_node_link *link)
{
    if (n->turn_err == 0 && !n->logs->copy) {
        n->turn_err = al_gossip_connected(n->gossip, link, n->now);
        return;
    }
    /* this turn is lost, and nobody would remember the connection; or a copy talks to nobody */
    struct al_effect e = {.type = AL_EFFECT_CLOSE, .conn = link->conn, .err = AL_E_CLOSED};
    al_effects_add(n->effects, &e);
}

void al_node_dial_failed(struct al_node *n, uint64_t dial, int err)
{
    if (n->gossip != NULL)
        al_gossip_dial_failed(n->gossip, dial, err, n->now);
}

void al_node_message(struct al_node *n, uint64_t conn, struct al_slice message)
{
    n->turn_bytes += message.n;
    if (n->turn_err == 0)
        n->turn_err = al_gossip_message(n->gossip, conn, message, n->now);
}

void al_node_sent(struct al_node *n, uint64_t conn, size_t bytes)
{
    if (n->gossip != NULL)
        al_gossip_sent(n->gossip, conn, bytes);
}

void al_node_closed(struct al_node *n, uint64_t conn, int err)
{
    if (n->gossip != NULL)
        al_gossip_closed(n->gossip, conn, err, n->now);
}

void al_node_network_changed(struct al_node *n)
{
    if (n->gossip != NULL)
        al_gossip_network_changed(n->gossip, n->now);
}

void al_node_listening(
    struct al_node *n, const struct al_slice *addresses, size_t count, const char *error)
{
    n->address_count = 0;
    for (size_t i = 0; i < count && n->address_count < AL_ADDRESSES_MAX; i++) {
        if (addresses[i].n == 0 || addresses[i].n > AL_ADDRESS_MAX)
            continue;
        char *out = n->addresses[n->address_count++];
        memcpy(out, addresses[i].p, addresses[i].n);
        out[addresses[i].n] = '\0';
    }
    n->listening = error == NULL;
    n->listen_error[0] = '\0';
    if (error != NULL)
        (void)strlcpy(n->listen_error, error, sizeof(n->listen_error));
    if (n->turn_err == 0)
        n->turn_err = node_answer_invites(n);
}

/* --- shared by the calls --------------------------------------------------------------------- */

int node_append(
    struct al_node *n, struct al_ref *refs, const struct al_payload *payloads, uint32_t count)
{
    const struct al_log *before = n->logs->own;
    uint64_t head = before == NULL ? 0 : al_log_head(before);
    int err = al_append(n->logs, refs, payloads, count, n->now);
    if (err != 0)
        return err;
    if (n->logs->own != before)
        head = 0;
    for (uint32_t i = 0; i < count; i++)
        n->turn_bytes += payloads[i].text.n + 256;
    if (n->logs->copy)
        return 0; /* what it writes leaves only when it is a device of its own */
    return al_gossip_appended(n->gossip, n->logs->own, head + 1, n->now);
}

int node_choose(struct al_node *n, const char *relation, const struct al_identity *identity,
    struct al_slice value)
{
    char key[AL_RELATION_KEY_BYTES];
    al_apply_relation_key(key, relation, identity);
    return node_choose_key(n, al_slice_str(key), value);
}

int node_choose_key(struct al_node *n, struct al_slice key, struct al_slice value)
{
    struct al_payload state = {
        .kind = AL_KIND_STATE,
        .kind_name = al_slice_str(al_kind_name(AL_KIND_STATE)),
        .audience = AL_AUDIENCE_ME,
        .key = key,
        .val = value,
    };
    uint64_t before_ms;
    int err = al_apply_chosen_ms(n->logs, &before_ms, state.key);
    if (err != 0)
        return err;
    /* the last word counts, also when the clock stands still or was set back */
    struct al_now now = n->now;
    if (n->now.wall_ms <= before_ms)
        n->now.wall_ms = before_ms + 1;
    err = node_append(n, NULL, &state, 1);
    n->now = now;
    if (err == 0)
        err = al_gossip_relations_changed(n->gossip);
    return err;
}

int node_choose_bool(
    struct al_node *n, const char *relation, const struct al_identity *identity, bool on)
{
    uint8_t value = on ? 0xc3 : 0xc2; /* MessagePack's true and false */
    return node_choose(n, relation, identity, al_slice_of(&value, 1));
}
