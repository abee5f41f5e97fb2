/* Shared by the files of lib/gossip only: peers, contacts, fetches, and what each file offers. */
#ifndef AL_GOSSIP_INT_H
#define AL_GOSSIP_INT_H

#include <sys/queue.h>

#include "export.h"
#include "gossip.h"
#include "ingest.h"
#include "message.h"

#define HELLO_MS AL_HANDSHAKE_MS
#define PING_AFTER_MS 60000
#define SILENT_MS 90000
#define STALLED_MS 30000
#define ANNOUNCE_MS 200
#define PAUSE_MS 500
#define SIMULTANEOUS_MS 5000
#define WINDOW_MIN ((size_t)256 * 1024)
#define WINDOW_MAX ((size_t)2 * 1024 * 1024)
#define OUT_PUSH_MAX ((size_t)1024 * 1024)      /* beyond it entries are announced, not pushed */
#define OUT_SERVE_MAX ((size_t)4 * 1024 * 1024) /* beyond it wants are answered with busy */
#define BUDGET_PER_MS 20 /* units of unsolicited work: 1 a message + 1 a KiB */
#define BUDGET_MAX 200000
#define PEER_HEADS_MAX 200000
#define MISSING_MAX 65536

struct peer;

/* What a peer said of one log. */
struct peer_head {
    struct al_device device;
    struct al_logname name;
    struct al_identity identity;
    uint64_t seq;
    struct al_log *log; /* NULL until its device is certified here */
};

enum request_kind { REQUEST_BLOCK, REQUEST_PAYLOADS, REQUEST_STATEMENTS };

struct request {
    TAILQ_ENTRY(request) link;
    uint32_t req;
    enum request_kind kind;
    struct peer *peer;
    struct al_log *log;   /* BLOCK, PAYLOADS */
    uint64_t first, last; /* BLOCK */
    uint64_t got;         /* new entries, payloads or statements it brought */
    size_t estimate;      /* bytes of the window it takes */
};

TAILQ_HEAD(requests, request);

enum peer_state { PEER_HELLO, PEER_READY, PEER_CLOSING };

struct peer {
    TAILQ_ENTRY(peer) link;
    uint64_t conn;
    uint64_t dial;
    bool outgoing;
    enum peer_state state;
    uint8_t remote[32];
    char address[AL_ADDRESS_MAX + 1];
    struct al_device device;
    struct al_person *person;
    uint8_t boot[8];
    uint64_t opened_ms; /* mono */
    uint64_t heard_ms;  /* mono */
    uint64_t since_ms;  /* wall */
    uint64_t seen_ms;   /* wall */
    bool pinged;
    int64_t budget;
    uint64_t budget_ms; /* mono: when it was last filled */
    size_t out_bytes;   /* sent, not yet gone */

    struct al_map *wants; /* set of identities it wants or serves */
    bool wants_known;     /* a whole set has arrived */
    bool wants_open;      /* more messages of a list are to come */
    bool told;            /* our interests were sent: */
    struct al_identity *told_ids;
    size_t told_count;
    struct al_hash told_digest;
    bool heads_known; /* a whole comparison has come to its end */
    bool compared;    /* a session over everything shared was opened */
    uint32_t next_session;
    struct al_map *heads; /* device || log -> struct peer_head * */

    uint8_t lower[AL_ITEM_KEY_BYTES]; /* where the next range of its session begins */
    size_t lower_n;

    struct requests requests;
    uint32_t next_req;
    size_t window;
    size_t in_flight;     /* estimated bytes asked for */
    size_t block_bytes;   /* running average of what a block takes */
    uint64_t progress_ms; /* mono: last useful answer */
    uint64_t pause_ms;    /* mono: it was busy, ask again then */
    struct al_map *lacks; /* set of (log no, block) it could not give */
    bool ack_due;         /* it brought entries of its own device */
};

TAILQ_HEAD(peers, peer);

/* What is being fetched of a log. */
struct al_fetch {
    TAILQ_ENTRY(al_fetch) link;
    struct al_log *log;
    uint64_t target;     /* newest entry known to exist */
    uint64_t next_block; /* no block above it is neither held nor asked for */
    bool queued;
};

TAILQ_HEAD(fetches, al_fetch);

/* A payload whose header is held: somebody has it. */
struct missing {
    struct al_log *log;
    uint64_t seq;
    bool asked;
};

/* A device we may dial. */
struct contact {
    TAILQ_ENTRY(contact) link;
    struct al_device device;
    struct al_identity identity;
    char addresses[AL_ADDRESSES_MAX][AL_ADDRESS_MAX + 1];
    uint32_t address_count;
    uint8_t token[AL_TOKEN_BYTES];
    bool has_token;
    uint32_t attempts; /* since it last worked */
    uint64_t next_ms;  /* mono: of the next attempt */
    uint64_t dial;     /* under way; 0: none */
    struct peer *peer; /* connected */
    int err;           /* that ended the last attempt */
    uint64_t seen_ms;  /* wall */
};

TAILQ_HEAD(contacts, contact);

struct announce {
    TAILQ_ENTRY(announce) link;
    struct al_log *log;
};

struct al_gossip {
    struct al_gossip_opts opts;
    struct al_logs *logs;
    struct peers peers;
    struct al_map *by_conn; /* u64 -> struct peer * */
    struct contacts contacts;
    uint64_t next_dial;
    uint64_t turn_ms;      /* mono: of this turn */
    struct fetches active; /* logs with blocks to ask for */
    struct al_map *asked;  /* (log no, block) -> struct request * */
    struct missing *missing;
    uint32_t missing_count, missing_cap;
    TAILQ_HEAD(, announce) announces;
    struct al_map *announced; /* log no -> struct announce * */
    uint64_t announce_ms;     /* mono; 0: nothing to announce */
    struct al_export *export;
    uint8_t *scratch; /* of a message being encoded: AL_MESSAGE_MAX */
};

/* --- gossip.c: peers ------------------------------------------------------------------------ */

/* Send a message made in |b|, which lies over g->scratch. */
void peer_send(struct al_gossip *g, struct peer *p, const struct al_buf *b);

/* Encode and send |m|. */
void peer_send_message(struct al_gossip *g, struct peer *p, const struct al_message *m);

/* A buffer over g->scratch. */
struct al_buf scratch_buf(struct al_gossip *g);

/* Say goodbye with the name of |err| and close; the peer is gone with al_gossip_closed(). */
void peer_close(struct al_gossip *g, struct peer *p, int err);

/* A peer said hello and is welcome: tell it what a session begins with. */
AL_MUST_CHECK int peer_ready(struct al_gossip *g, struct peer *p, struct al_now now);

/* True for errors of al_ingest_segment() and others that are a store's, not a peer's. */
bool is_store_error(int err);

/* --- hello.c --------------------------------------------------------------------------------- */

void hello_send(struct al_gossip *g, struct peer *p, struct al_now now);
AL_MUST_CHECK int hello_receive(
    struct al_gossip *g, struct peer *p, const struct al_message *m, struct al_now now);

/* True if |person| may be connected to this node. */
bool may_connect(const struct al_gossip *g, const struct al_person *person);

/* --- interest.c ------------------------------------------------------------------------------ */

/* True if this node wants the logs of |person|. */
bool wanted(const struct al_gossip *g, const struct al_person *person);

/* True if the peer wants them. */
bool peer_wants(const struct peer *p, const struct al_identity *identity);

/* Tell |p| what is wanted here: the whole list the first time, then what changed. */
AL_MUST_CHECK int interests_send(struct al_gossip *g, struct peer *p);

/* |p| does not know what a change was a change of: tell it the whole list. */
AL_MUST_CHECK int interests_reset(struct al_gossip *g, struct peer *p);
AL_MUST_CHECK int interests_receive(
    struct al_gossip *g, struct peer *p, const struct al_message *m);

/* --- frontier.c ------------------------------------------------------------------------------ */

/* Exchange heads over everything shared with |p|, or over |only| (ascending) of it. */
AL_MUST_CHECK int frontier_open(
    struct al_gossip *g, struct peer *p, const struct al_identity *only, size_t only_count);
AL_MUST_CHECK int frontier_receive(
    struct al_gossip *g, struct peer *p, const struct al_message *m, struct al_now now);

/* |p| holds |seq| of a log. AL_E_NOMEM. */
AL_MUST_CHECK int frontier_heard(struct al_gossip *g, struct peer *p,
    const struct al_identity *identity, const struct al_device *device,
    const struct al_logname *name, uint64_t seq);

/* What |p| said of |log|; NULL when nothing. */
struct peer_head *frontier_head(const struct peer *p, const struct al_log *log);

/* New statements of |person| arrived: logs that waited for them can be fetched. */
AL_MUST_CHECK int frontier_certified(struct al_gossip *g, const struct al_person *person);

void own_heads_send(struct al_gossip *g, struct peer *p);
AL_MUST_CHECK int own_heads_receive(
    struct al_gossip *g, struct peer *p, const struct al_message *m);

/* --- catchup.c ------------------------------------------------------------------------------- */

/* Entry |seq| of |log| exists somewhere. AL_E_NOMEM. */
AL_MUST_CHECK int catchup_target(struct al_gossip *g, struct al_log *log, uint64_t seq);

/* |p| has come to hold |seq|: what it lacked of that block it may have now. */
void catchup_peer_advanced(struct peer *p, const struct al_log *log, uint64_t seq);

/* Ask |p| for as much as its window allows. */
AL_MUST_CHECK int catchup_pump(struct al_gossip *g, struct peer *p);

AL_MUST_CHECK int catchup_segment(struct al_gossip *g, struct peer *p, const struct al_message *m,
    struct al_segment *seg, struct al_now now);
AL_MUST_CHECK int catchup_payload(
    struct al_gossip *g, struct peer *p, const struct al_message *m, struct al_now now);
AL_MUST_CHECK int catchup_done(
    struct al_gossip *g, struct peer *p, const struct al_message *m, struct al_now now);

struct request *request_new(struct al_gossip *g, struct peer *p, enum request_kind kind);
struct request *request_find(const struct peer *p, uint32_t req);

/* Forget a request; a block that is still missing is up for others. */
void request_drop(struct al_gossip *g, struct request *r);

/* Remember that payloads of |seg| wait to be asked for, and load what was remembered. */
AL_MUST_CHECK int missing_note(
    struct al_gossip *g, struct al_log *log, const struct al_segment *seg);
AL_MUST_CHECK int missing_load(struct al_gossip *g);

/* --- push.c ---------------------------------------------------------------------------------- */

/* Entries first..head of |log| are new here: push or announce them to who wants them. */
AL_MUST_CHECK int push_entries(struct al_gossip *g, struct al_log *log, uint64_t first,
    const struct peer *source, struct al_now now);

/* Tell who wants |log| about its head, soon and together with others. AL_E_NOMEM. */
AL_MUST_CHECK int push_announce(struct al_gossip *g, struct al_log *log, struct al_now now);
void push_flush(struct al_gossip *g);

AL_MUST_CHECK int push_receive(
    struct al_gossip *g, struct peer *p, struct al_segment *seg, struct al_now now);
AL_MUST_CHECK int push_heads_receive(
    struct al_gossip *g, struct peer *p, const struct al_message *m);

/* --- serve.c --------------------------------------------------------------------------------- */

AL_MUST_CHECK int serve_want(struct al_gossip *g, struct peer *p, const struct al_message *m);
AL_MUST_CHECK int serve_want_payload(
    struct al_gossip *g, struct peer *p, const struct al_message *m);
void serve_want_statements(struct al_gossip *g, struct peer *p, const struct al_message *m);
void serve_done(struct al_gossip *g, struct peer *p, uint32_t req, enum al_done_status status);

/* Ask for the record of |identity|. */
AL_MUST_CHECK int statements_ask(
    struct al_gossip *g, struct peer *p, const struct al_identity *identity);
AL_MUST_CHECK int statements_receive(
    struct al_gossip *g, struct peer *p, const struct al_message *m);

/* --- dial.c ---------------------------------------------------------------------------------- */

AL_MUST_CHECK int dial_load(struct al_gossip *g, struct al_now now);
void dial_due(struct al_gossip *g, struct al_now now);
uint64_t dial_deadline(const struct al_gossip *g);
struct contact *dial_contact(const struct al_gossip *g, const struct al_device *device);
struct contact *dial_under_way(const struct al_gossip *g, uint64_t dial);

/* True if a contact is still in its first round of attempts. */
bool dial_fresh(const struct al_gossip *g);

/* An attempt or a connection of |c| ended with |err| (0: it worked); plan the next. */
void dial_ended(struct al_gossip *g, struct contact *c, int err, struct al_now now);

#endif
