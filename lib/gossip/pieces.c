/*
 * Pieces of attachments: asked for by the hash of the sealed piece, of whoever may have them,
 * several peers at once. Those of our own entries are fetched by themselves and stay; others while
 * somebody waits for them. docs/protocol.md, "Attachments".
 */
#include <stdlib.h>

#include "attach.h"
#include "attachment.h"
#include "gossip_int.h"

#define PIECES_WANTED_MAX 65536
#define LOOK_URGENT 4096 /* of a queue, each time a peer is asked */
#define LOOK_OWN 64
#define LACKS_MAX 65536
#define RETRY_MS 5000 /* whoever did not have what somebody waits for is asked again */
#define RETRY_OWN_MS 600000

/* A piece that is not here. */
struct piece {
    TAILQ_ENTRY(piece) link; /* in the queue that |own| names, unless it is asked for */
    struct al_hash hash;
    bool own; /* of an own entry: wanted until it comes */
    bool asked;
    uint64_t until_ms; /* mono: somebody waits for it until then */
};

static bool is_urgent(const struct piece *piece)
{
    return piece->until_ms > 0;
}

static struct pieces *queue_of(struct al_gossip *g, const struct piece *piece)
{
    return &g->pieces[is_urgent(piece) ? PIECES_URGENT : PIECES_OWN];
}

static void enqueue(struct al_gossip *g, struct piece *piece)
{
    piece->asked = false;
    TAILQ_INSERT_TAIL(queue_of(g, piece), piece, link);
}

static void forget(struct al_gossip *g, struct piece *piece)
{
    if (!piece->asked)
        TAILQ_REMOVE(queue_of(g, piece), piece, link);
    (void)al_map_remove(g->piece_index, piece->hash.b);
    free(piece);
}

static int want(struct al_gossip *g, const struct al_hash *hash, bool own, uint64_t until_ms)
{
    struct piece *piece = al_map_get(g->piece_index, hash->b);
    if (piece != NULL) {
        if (!piece->asked)
            TAILQ_REMOVE(queue_of(g, piece), piece, link);
        piece->own = piece->own || own;
        if (until_ms > piece->until_ms)
            piece->until_ms = until_ms;
        if (!piece->asked)
            enqueue(g, piece);
        return 0;
    }
    if (al_map_count(g->piece_index) >= PIECES_WANTED_MAX)
        return 0; /* the store remembers own ones until the next start */
    piece = calloc(1, sizeof(*piece));
    if (piece == NULL || al_map_put(g->piece_index, hash->b, piece) != 0) {
        free(piece);
        return AL_E_NOMEM;
    }
    piece->hash = *hash;
    piece->own = own;
    piece->until_ms = until_ms;
    enqueue(g, piece);
    return 0;
}

int al_gossip_piece_want(struct al_gossip *g, const struct al_hash *hash, uint64_t until_ms)
{
    return want(g, hash, false, until_ms);
}

bool al_gossip_piece_wanted(const struct al_gossip *g, const struct al_hash *hash)
{
    return al_map_get(g->piece_index, hash->b) != NULL;
}

uint32_t al_gossip_piece_holders(const struct al_gossip *g, const struct al_hash *hash)
{
    const struct peer *p;
    uint32_t n = 0;
    TAILQ_FOREACH (p, &g->peers, link)
        n += p->state == PEER_READY && al_map_get(p->no_pieces, hash->b) == NULL;
    return n;
}

static int load_own(void *arg, struct al_slice key, struct al_slice value)
{
    struct al_hash hash;
    (void)value;
    if (key.n != sizeof(hash.b))
        return AL_E_CORRUPT;
    memcpy(hash.b, key.p, sizeof(hash.b));
    return want(arg, &hash, true, 0);
}

int pieces_load(struct al_gossip *g)
{
    return al_store_kv_scan(g->logs->store, AL_SPACE_PIECE_WANT, al_slice_of(NULL, 0), load_own, g);
}

void pieces_free(struct al_gossip *g)
{
    struct al_map_walk walk = {.at = 0};
    void *piece;
    while (g->piece_index != NULL && al_map_next(g->piece_index, &walk, NULL, &piece))
        free(piece);
    al_map_free(g->piece_index);
}

int pieces_take_noted(struct al_gossip *g)
{
    struct al_buf *noted = &g->logs->pieces;
    int err = 0;
    for (size_t at = 0; err == 0 && at + 32 <= noted->n; at += 32) {
        struct al_hash hash;
        memcpy(hash.b, noted->p + at, sizeof(hash.b));
        err = want(g, &hash, true, 0);
    }
    noted->n = 0;
    return err;
}

/* --- time ---------------------------------------------------------------------------------- */

uint64_t pieces_deadline(const struct al_gossip *g)
{
    const struct piece *piece;
    uint64_t at = UINT64_MAX;
    TAILQ_FOREACH (piece, &g->pieces[PIECES_URGENT], link) {
        if (piece->until_ms < at)
            at = piece->until_ms;
    }
    bool retries = al_gossip_ready_peers(g) > 0;
    if (retries && !TAILQ_EMPTY(&g->pieces[PIECES_URGENT]) && g->pieces_retry_ms < at)
        at = g->pieces_retry_ms;
    if (retries && !TAILQ_EMPTY(&g->pieces[PIECES_OWN]) && g->pieces_retry_own_ms < at)
        at = g->pieces_retry_own_ms;
    return at;
}

/* Whoever did not have them may have them by now. */
static void ask_again(struct al_gossip *g, enum piece_queue queue)
{
    const struct piece *piece;
    struct peer *p;
    TAILQ_FOREACH (piece, &g->pieces[queue], link) {
        TAILQ_FOREACH (p, &g->peers, link)
            (void)al_map_remove(p->no_pieces, piece->hash.b);
    }
}

/* Nobody waits any more for what is not our own. */
static void expire(struct al_gossip *g, uint64_t now_ms)
{
    struct piece *piece, *next;
    for (piece = TAILQ_FIRST(&g->pieces[PIECES_URGENT]); piece != NULL; piece = next) {
        next = TAILQ_NEXT(piece, link);
        if (piece->until_ms > now_ms)
            continue;
        if (!piece->own) {
            forget(g, piece);
            continue;
        }
        TAILQ_REMOVE(&g->pieces[PIECES_URGENT], piece, link);
        piece->until_ms = 0;
        enqueue(g, piece);
    }
}

void pieces_tick(struct al_gossip *g, struct al_now now)
{
    expire(g, now.mono_ms);
    if (g->pieces_retry_ms <= now.mono_ms) {
        g->pieces_retry_ms = now.mono_ms + RETRY_MS;
        ask_again(g, PIECES_URGENT);
    }
    if (g->pieces_retry_own_ms <= now.mono_ms) {
        g->pieces_retry_own_ms = now.mono_ms + RETRY_OWN_MS;
        ask_again(g, PIECES_OWN);
    }
}

/* --- asking -------------------------------------------------------------------------------- */

/* The next piece that |p| may have, taken off its queue; those passed over go to the end. */
static struct piece *choose(
    struct al_gossip *g, const struct peer *p, enum piece_queue queue, int look)
{
    struct pieces *q = &g->pieces[queue];
    const struct piece *end = TAILQ_LAST(q, pieces);
    for (int i = 0; i < look && !TAILQ_EMPTY(q); i++) {
        struct piece *piece = TAILQ_FIRST(q);
        TAILQ_REMOVE(q, piece, link);
        if (al_map_get(p->no_pieces, piece->hash.b) == NULL)
            return piece;
        TAILQ_INSERT_TAIL(q, piece, link);
        if (piece == end)
            break;
    }
    return NULL;
}

static bool has_room(const struct peer *p)
{
    return TAILQ_EMPTY(&p->requests) || p->in_flight + AL_PIECE_SEALED_BYTES <= p->window;
}

int pieces_ask(struct al_gossip *g, struct peer *p)
{
    while (p->state == PEER_READY && has_room(p) && al_map_count(p->no_pieces) < LACKS_MAX) {
        struct piece *piece = choose(g, p, PIECES_URGENT, LOOK_URGENT);
        if (piece == NULL)
            piece = choose(g, p, PIECES_OWN, LOOK_OWN);
        if (piece == NULL)
            return 0;
        piece->asked = true;
        struct request *r = request_new(g, p, REQUEST_PIECE);
        if (r == NULL) {
            enqueue(g, piece);
            return AL_E_NOMEM;
        }
        r->piece = piece;
        r->estimate = AL_PIECE_SEALED_BYTES;
        p->in_flight += r->estimate;
        struct al_message m = {.type = AL_MSG_PIECE_WANT, .req = r->req};
        m.u.piece_want.hash = piece->hash;
        peer_send_message(g, p, &m);
    }
    return 0;
}

void pieces_put_back(struct al_gossip *g, struct request *r)
{
    if (r->piece != NULL)
        enqueue(g, r->piece);
    r->piece = NULL;
}

int pieces_lacking(struct peer *p, const struct request *r)
{
    return r->piece == NULL ? 0 : al_map_put(p->no_pieces, r->piece->hash.b, p);
}

/* --- answers ------------------------------------------------------------------------------- */

/* Keep a piece that somebody here needs: with our own, or in the cache. */
static int keep(
    struct al_gossip *g, const struct al_hash *hash, struct al_slice bytes, struct al_now now)
{
    struct al_store *s = g->logs->store;
    struct al_attach_need need;
    int err = al_attach_needed(g->logs, &need, hash);
    if (err != 0 || !need.any)
        return err;
    if (need.own) {
        err = al_store_piece_put(s, hash, bytes, true, now.wall_ms);
        return err != 0 ? err : al_attach_came(g->logs, hash);
    }
    err = al_store_piece_put(s, hash, bytes, false, now.wall_ms);
    if (err == AL_E_FULL || err == AL_E_IO) {
        al_effects_log(
            g->opts.effects, 4, "a piece of a file can't be kept: %s", al_err_words(err));
        return 0;
    }
    return err != 0 ? err : al_store_piece_trim(s, g->opts.pieces_bytes);
}

int pieces_receive(
    struct al_gossip *g, struct peer *p, const struct al_message *m, struct al_now now)
{
    struct request *r = request_find(p, m->req);
    struct al_hash hash;
    if (r == NULL || r->kind != REQUEST_PIECE) {
        peer_close(g, p, AL_E_UNEXPECTED);
        return 0;
    }
    al_piece_hash(&hash, m->u.piece.bytes);
    if (!al_hash_eq(&hash, &r->piece->hash)) {
        peer_close(g, p, AL_E_PAYLOAD_HASH);
        return 0;
    }
    p->progress_ms = now.mono_ms;
    if (p->in_flight + AL_PIECE_SEALED_BYTES > p->window / 2)
        p->window += m->raw.n; /* it is what limits the peer */
    if (p->window > WINDOW_MAX)
        p->window = WINDOW_MAX;
    forget(g, r->piece);
    r->piece = NULL;
    request_drop(g, r);
    return keep(g, &hash, m->u.piece.bytes, now);
}

/* --- serving ------------------------------------------------------------------------------- */

int pieces_serve(struct al_gossip *g, struct peer *p, const struct al_message *m, struct al_now now)
{
    struct al_message reply = {.type = AL_MSG_PIECE, .req = m->req};
    if (p->out_bytes > OUT_SERVE_MAX || p->budget < BUDGET_MAX / 4) {
        serve_done(g, p, m->req, AL_DONE_BUSY);
        return 0;
    }
    int err = al_store_piece_get(g->logs->store, &reply.u.piece.bytes, &m->u.piece_want.hash);
    if (err == AL_E_NOT_FOUND) {
        serve_done(g, p, m->req, AL_DONE_NOT_HELD);
        return 0;
    }
    if (err != 0)
        return err;
    peer_send_message(g, p, &reply);
    return al_store_piece_touch(g->logs->store, &m->u.piece_want.hash, now.wall_ms);
}
