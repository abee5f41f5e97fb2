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
#define STALLED_MS 30000  /* without any useful answer */
#define HOSTAGE_MS 120000 /* without the answer to one request, whatever else is answered */
#define ANNOUNCE_MS 200
#define PAUSE_MS 500
#define SIMULTANEOUS_MS 5000
#define ACKS_SAVE_MS 10000
#define WINDOW_MIN ((size_t)256 * 1024)
#define WINDOW_MAX ((size_t)2 * 1024 * 1024)
#define OUT_PUSH_MAX ((size_t)1024 * 1024)      /* beyond it entries are announced, not pushed */
#define OUT_SERVE_MAX ((size_t)4 * 1024 * 1024) /* beyond it wants are answered with busy */
#define OUT_MAX ((size_t)32 * 1024 * 1024)      /* beyond it the peer is let go */

/*
 * Work that nobody here asked for is paid from a budget, in units of about 10 us; it fills at a
 * fifth of one core. What each kind of message costs stands in peer.c.
 */
#define BUDGET_PER_MS 20
#define BUDGET_MAX 200000
#define COST_SIGNATURE 8
#define COST_PONG 20
#define COST_FETCH 16
#define COST_PIECE 10

/* What one peer may make this node remember. */
#define PEER_WANTS_MAX 65536
#define CIRCLE_WANTS_MAX 16384 /* of our own interests: people wanted for a circle alone */
#define PEER_HEADS_MIN 4096    /* and AL_LOGS_PER_DEVICE_MAX more for each device known here */
#define PEER_UNCERTIFIED_MAX 4096
#define GAPS_MAX 65536

#define CACHE_ENTRIES_MAX 10000 /* of people who are not wanted here */
#define CACHE_BYTES_MAX ((uint64_t)16 * 1024 * 1024)

#define VAIN_MAX 64 /* requests in a row without a gain, then a log is not asked for any more */
#define ITEMS_BYTES ((size_t)64 * 1024) /* of the items of one range, at most */
#define PAYLOADS_ASKED 3                /* payloads a request: they fit 192 KiB */

struct peer;
struct request;

enum head_queue { HEAD_IDLE, HEAD_ASKING, HEAD_UNCERTIFIED };

/* What a peer said of one log, and how far it has been asked for it. */
struct peer_head {
    TAILQ_ENTRY(peer_head) link; /* in the queue of the peer that |queue| names */
    enum head_queue queue;
    struct al_device device;
    struct al_logname name;
    uint64_t seq;       /* the newest entry that it claims to hold */
    uint64_t doubt;     /* it holds another entry of this number than we do, by its word; or 0 */
    uint64_t blocks;    /* blocks from this one on are held, or were asked of this peer */
    uint32_t vain;      /* requests in a row that brought nothing */
    bool sought;        /* it asked here in vain: it is told when there is more */
    bool fork_told;     /* it was sent the proof that this log forks */
    struct al_log *log; /* NULL until an entry of it has been verified */
};

TAILQ_HEAD(peer_heads, peer_head);

/* A payload whose header is held: somebody has it. */
struct gap {
    TAILQ_ENTRY(gap) link; /* in g->gaps, unless it is asked for */
    struct al_log *log;
    uint64_t seq;
};

TAILQ_HEAD(gaps, gap);

enum request_kind {
    REQUEST_BLOCK,
    REQUEST_PAYLOADS,
    REQUEST_STATEMENTS,
    REQUEST_EXCERPT,
    REQUEST_REFS,
    REQUEST_PIECE,
};

struct search;
struct piece;
TAILQ_HEAD(pieces, piece);
enum piece_queue { PIECES_URGENT, PIECES_OWN, PIECE_QUEUES };

struct request {
    TAILQ_ENTRY(request) link;
    uint32_t req;
    enum request_kind kind;
    struct peer *peer;
    uint64_t asked_ms;                /* mono */
    struct peer_head *head;           /* BLOCK */
    uint64_t first, last;             /* BLOCK */
    uint64_t next;                    /* BLOCK: where the next segment of the answer begins */
    struct gap *gaps[PAYLOADS_ASKED]; /* PAYLOADS; NULL where one has come */
    struct al_identity identity;      /* STATEMENTS */
    struct al_ref ref;                /* EXCERPT, REFS */
    struct search *search;            /* EXCERPT, REFS; NULL: nobody waits for it any more */
    uint32_t lead;                    /* EXCERPT: of the search */
    struct piece *piece;              /* PIECE; NULL when it has come */
    bool busy;                        /* the peer could not answer now */
    uint64_t got;                     /* new entries or payloads it brought */
    size_t estimate;                  /* bytes of the window it takes */
};

TAILQ_HEAD(requests, request);

enum peer_state {
    PEER_HELLO,
    PEER_TRIAL, /* it said hello while another session of its device was open: clone.c */
    PEER_READY,
    PEER_CLOSING,
};

/* A list of ranges of the peer that wants answers, and our items, as far as it has come. */
struct hearing {
    bool open;
    uint32_t session, round;
    struct al_item *items;
    size_t count, at;
};

struct peer {
    TAILQ_ENTRY(peer) link;
    uint64_t conn;
    bool outgoing;
    enum peer_state state;
    int why; /* CLOSING: the reason; else the one the peer gave in its goodbye, or 0 */
    uint8_t remote[32];
    char address[AL_ADDRESS_MAX + 1];
    struct al_device device;
    struct al_person *person;
    uint8_t boot[AL_BOOT_BYTES]; /* as it said in its hello */
    struct al_sig boot_sig;
    uint64_t rival;           /* TRIAL: the connection of the session that was there first */
    uint64_t trial_ms;        /* TRIAL: mono: then it takes its place */
    uint64_t trial_n;         /* of the ping that a second session waits for; 0: none does */
    STAILQ_HEAD(, kept) kept; /* TRIAL: messages not heard yet */
    uint32_t kept_count;
    size_t kept_bytes;
    uint64_t opened_ms; /* mono */
    uint64_t heard_ms;  /* mono */
    uint64_t since_ms;  /* wall */
    uint64_t seen_ms;   /* wall */
    bool pinged;
    int64_t budget;
    uint64_t budget_ms; /* mono: when it was last filled */
    size_t out_bytes;   /* sent, not yet gone */

    struct al_map *wants;        /* set of identities it wants or serves */
    struct al_hash wants_digest; /* of the whole set, as it says */
    bool wants_known;            /* a whole set has arrived */
    bool wants_open;             /* more messages of a list are to come */
    bool told;                   /* our interests were sent: */
    struct al_identity *told_ids;
    size_t told_count;
    struct al_hash told_digest;
    bool heads_known; /* a whole comparison has come to its end */
    bool compared;    /* a session over everything shared was opened */
    uint32_t next_session;
    struct hearing hearing;

    struct al_map *heads;     /* device || log -> struct peer_head * */
    struct peer_heads asking; /* with blocks to ask for, every log in turn */
    struct peer_heads uncertified;
    uint32_t uncertified_count;

    struct requests requests;
    struct al_map *records; /* identity -> the request for its statements */
    uint32_t next_req;
    size_t window;
    size_t in_flight;         /* estimated bytes asked for */
    size_t block_bytes;       /* running average of what a block takes */
    uint64_t progress_ms;     /* mono: last useful answer */
    uint64_t pause_ms;        /* mono: it was busy, ask again then */
    struct al_map *lacks;     /* set of (log no, seq) of payloads it could not give */
    bool ack_due;             /* it brought entries of its own device */
    bool own_told;            /* it told what it holds of our own logs, */
    struct al_ref own_head;   /* of the one on hold this: seq 0: nothing */
    struct al_map *no_pieces; /* set of hashes of pieces it does not have */
};

TAILQ_HEAD(peers, peer);

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

#define REVOKED_BY_MAX 16

struct al_gossip {
    struct al_gossip_opts opts;
    struct al_logs *logs;
    struct peers peers;
    struct al_map *by_conn; /* u64 -> struct peer * */
    struct contacts contacts;
    uint64_t next_dial;
    uint64_t turn_ms;         /* mono: of this turn */
    uint64_t turn_pos;        /* of the newest change before this turn */
    uint64_t circles;         /* version of the circles by which the interests were told */
    struct al_map *asked;     /* device || log || block -> struct request * */
    struct gaps gaps;         /* not asked for at present */
    struct al_map *gap_index; /* (log no, seq) -> struct gap * */
    TAILQ_HEAD(, announce) announces;
    struct al_map *announced; /* log no -> struct announce * */
    uint64_t announce_ms;     /* mono; 0: nothing to announce */
    uint64_t acks_ms;         /* mono: save what peers hold of our logs then; 0: it is saved */
    TAILQ_HEAD(, search) searches;
    uint64_t next_search;
    struct al_map *cached; /* log no -> struct al_log * that may hold entries of the cache */
    uint64_t cache_count;
    uint64_t cache_bytes;
    struct al_log *held_log;     /* the own log, while its newest entries wait; NULL: none do */
    uint64_t hold_ms;            /* mono: then they wait no longer; 0: nobody was ready yet */
    struct al_identity own_from; /* who brought what it did not hold */
    bool clone_seen;             /* another machine with this device key was proven */
    struct al_device revoked_by[REVOKED_BY_MAX]; /* who last said that this device was revoked */
    uint32_t revoked_by_count;
    struct pieces pieces[PIECE_QUEUES]; /* not asked for at present */
    struct al_map *piece_index;         /* hash -> struct piece * */
    uint64_t pieces_retry_ms;           /* mono: ask again then, */
    uint64_t pieces_retry_own_ms;       /* and for those that nobody waits for */
    struct al_export *export;
    uint8_t *scratch; /* of a message being encoded: AL_MESSAGE_MAX */
    uint8_t *body;    /* of what goes into it: AL_MESSAGE_MAX */
    uint8_t *items;   /* of one range in it: ITEMS_BYTES */
};

/* --- peer.c ---------------------------------------------------------------------------------- */

/* NULL: no memory. */
struct peer *peer_new(struct al_gossip *g, const struct al_node_link *link, struct al_now now);
void peer_free(struct al_gossip *g, struct peer *p);

/* Pay for |m| from the budget of |p|, unless it is an answer: false when it can't be paid. */
bool peer_afford(struct peer *p, const struct al_message *m, struct al_now now);

/* Do what is due, and when the next is: mono_ms. */
void peer_tick(struct al_gossip *g, struct peer *p, struct al_now now);
uint64_t peer_deadline(const struct peer *p);

/* Encode and send |m|. */
void peer_send_message(struct al_gossip *g, struct peer *p, const struct al_message *m);

/* Say goodbye with the name of |err| and close; the peer is gone with al_gossip_closed(). */
void peer_close(struct al_gossip *g, struct peer *p, int err);

/* A peer said hello and is welcome: tell it what a session begins with. */
AL_MUST_CHECK int peer_ready(struct al_gossip *g, struct peer *p, struct al_now now);

/* Send g->export as the answer to |req|, or as a push (0). */
void peer_send_segment(struct al_gossip *g, struct peer *p, uint32_t req);

/* --- hello.c --------------------------------------------------------------------------------- */

void hello_send(struct al_gossip *g, struct peer *p, struct al_now now);
AL_MUST_CHECK int hello_receive(
    struct al_gossip *g, struct peer *p, const struct al_message *m, struct al_now now);

/* |p| said that this device was revoked: a hint, remembered until a session with it is ready. */
void hello_revoked(struct al_gossip *g, const struct peer *p);

/* Whoever said hello is admitted, and is the one session of its device. */
AL_MUST_CHECK int hello_welcome(struct al_gossip *g, struct peer *p, struct al_now now);

/* True if |person| may be connected to this node. */
bool may_connect(const struct al_gossip *g, const struct al_person *person);

/* --- clone.c ---------------------------------------------------------------------------------- */

/* |p| said hello with another boot than |first|, of the same device, which is open: find out. */
void clone_try(struct al_gossip *g, struct peer *p, struct peer *first, struct al_now now);

/* Keep what |p| says until that is found out. AL_E_NOMEM. */
AL_MUST_CHECK int clone_keep(struct al_gossip *g, struct peer *p, struct al_slice message);
void clone_free(struct peer *p);

/* The first session stays silent, or is gone: |p| takes its place. */
AL_MUST_CHECK int clone_tick(struct al_gossip *g, struct peer *p, struct al_now now);
void clone_pong(
    struct al_gossip *g, struct peer *first, const struct al_message *m, struct al_now now);

/* A peer says that another machine has this device key. */
AL_MUST_CHECK int clone_receive(struct al_gossip *g, struct peer *p, const struct al_message *m);

/* --- gossip.c --------------------------------------------------------------------------------- */

/* Hear a message that was kept; it was paid for when it came. */
AL_MUST_CHECK int gossip_hear(
    struct al_gossip *g, struct peer *p, struct al_slice message, struct al_now now);

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
AL_MUST_CHECK int frontier_receive(struct al_gossip *g, struct peer *p, const struct al_message *m);

/* --- heads.c: what each peer holds ------------------------------------------------------------ */

struct peer_head *head_find(
    const struct peer *p, const struct al_device *device, const struct al_logname *name);

/* What |p| said of |log|; NULL when nothing. */
struct peer_head *head_of_log(const struct peer *p, const struct al_log *log);

/*
 * Note that |p| holds |seq| of a log (0: it asked for it). |ret| is NULL when it has named too
 * many. AL_E_NOMEM.
 */
AL_MUST_CHECK int head_note(struct al_gossip *g, struct peer *p, struct peer_head **ret,
    const struct al_device *device, const struct al_logname *name, uint64_t seq);

/* |p| says that it holds |seq| of a log of |identity|: ask it for what is missing. AL_E_NOMEM. */
AL_MUST_CHECK int head_heard(struct al_gossip *g, struct peer *p,
    const struct al_identity *identity, const struct al_device *device,
    const struct al_logname *name, uint64_t seq);

void head_enqueue(struct peer *p, struct peer_head *h, enum head_queue queue);

/* New statements of |person| arrived: logs that waited for them can be fetched. */
void head_certified(struct al_gossip *g, const struct al_person *person);

/* Entries that |p| holds and we lack, over the logs it spoke of. */
uint64_t head_behind(const struct al_gossip *g, const struct peer *p);

void heads_free(struct peer *p);

AL_MUST_CHECK int own_heads_send(struct al_gossip *g, struct peer *p);
AL_MUST_CHECK int own_heads_receive(
    struct al_gossip *g, struct peer *p, const struct al_message *m);

/* Keep what others hold of our logs, with what is written anyway or after a while. */
AL_MUST_CHECK int own_acks_save(struct al_gossip *g);

/* --- hold.c: the own log after a start ----------------------------------------------------------
 */

void hold_begin(struct al_gossip *g);

/* A peer is ready: from the first on it takes a while at most. */
void hold_ready(struct al_gossip *g, struct al_now now);

/* |p| tells that it holds |refs| of our logs. */
void hold_told(struct al_gossip *g, struct peer *p, const struct al_ref *refs, uint32_t count);

/* Let go what need not wait any longer. */
AL_MUST_CHECK int hold_tick(struct al_gossip *g);
uint64_t hold_deadline(const struct al_gossip *g);

/* --- catchup.c: blocks ---------------------------------------------------------------------------
 */

/* The newest entry of the log of |h| that may be fetched: 0 when none may. */
uint64_t catchup_reach(const struct al_gossip *g, const struct peer_head *h);

/* Ask |p| for what is missing of the log of |h|, from |block| down. */
void catchup_look(const struct al_gossip *g, struct peer *p, struct peer_head *h, uint64_t block);

/* |p| says that it holds another entry |seq| than we do of the log of |h|: have it show that. */
void catchup_doubt(struct peer *p, struct peer_head *h, uint64_t seq);

/* Ask |p| for as much as its window allows. */
AL_MUST_CHECK int catchup_pump(struct al_gossip *g, struct peer *p);

AL_MUST_CHECK int catchup_segment(struct al_gossip *g, struct peer *p, const struct al_message *m,
    struct al_segment *seg, struct al_now now);
AL_MUST_CHECK int catchup_done(
    struct al_gossip *g, struct peer *p, const struct al_message *m, struct al_now now);

struct request *request_new(struct al_gossip *g, struct peer *p, enum request_kind kind);
struct request *request_find(const struct peer *p, uint32_t req);

/* Forget a request; a block or payload that is still missing is up for others. */
void request_drop(struct al_gossip *g, struct request *r);

/* --- gaps.c: payloads that did not come inline --------------------------------------------------
 */

/* Remember that payloads of |seg| wait to be asked for. */
AL_MUST_CHECK int gaps_note(struct al_gossip *g, struct al_log *log, const struct al_segment *seg);

/* Remember that the payload of |seq|, whose header is held, is missing. */
AL_MUST_CHECK int gaps_miss(struct al_gossip *g, struct al_log *log, uint64_t seq);
AL_MUST_CHECK int gaps_load(struct al_gossip *g);
void gaps_free(struct al_gossip *g);

/* Ask |p| for some of them. */
AL_MUST_CHECK int gaps_ask(struct al_gossip *g, struct peer *p);
AL_MUST_CHECK int gaps_payload(
    struct al_gossip *g, struct peer *p, const struct al_message *m, struct al_now now);

/* What is left of |r| waits again; |p| |lacks| it. AL_E_NOMEM. */
void gaps_put_back(struct al_gossip *g, struct request *r);
AL_MUST_CHECK int gaps_lacking(struct peer *p, const struct request *r);

/* --- fork.c ---------------------------------------------------------------------------------- */

AL_MUST_CHECK int fork_receive(struct al_gossip *g, struct peer *p, const struct al_message *m);

/* |p| believes in |log|, which forks: send it the proof, once. */
AL_MUST_CHECK int fork_owed(struct al_gossip *g, struct peer *p, const struct al_log *log);

/* Send the proof that |log| forks to everyone who wants the log but |source|. */
AL_MUST_CHECK int fork_tell(
    struct al_gossip *g, const struct al_log *log, const struct peer *source);

/* --- push.c ---------------------------------------------------------------------------------- */

/* Entries of |log| from |first| on are new here, or may leave only now: push or announce them to
 * who wants them. */
AL_MUST_CHECK int push_entries(struct al_gossip *g, struct al_log *log, uint64_t first,
    const struct peer *source, struct al_now now);

/* Tell who wants |log| about its head, soon and together with others. AL_E_NOMEM. */
AL_MUST_CHECK int push_announce(struct al_gossip *g, struct al_log *log, struct al_now now);
AL_MUST_CHECK int push_flush(struct al_gossip *g);

AL_MUST_CHECK int push_receive(
    struct al_gossip *g, struct peer *p, struct al_segment *seg, struct al_now now);
AL_MUST_CHECK int push_heads_receive(
    struct al_gossip *g, struct peer *p, const struct al_message *m);

/* --- excerpt.c: entries one by one -------------------------------------------------------------
 */

/*
 * The entry |ref| with its payload, if it is held: the row lives until the next call to the store.
 * Returns 0, AL_E_NOT_FOUND, or a store error.
 */
AL_MUST_CHECK int excerpt_row(struct al_gossip *g, struct al_store_row *ret,
    struct al_log **ret_log, const struct al_ref *ref);

AL_MUST_CHECK int excerpt_serve(struct al_gossip *g, struct peer *p, const struct al_message *m);
AL_MUST_CHECK int excerpt_serve_replies(
    struct al_gossip *g, struct peer *p, const struct al_message *m);
AL_MUST_CHECK int excerpt_receive(
    struct al_gossip *g, struct peer *p, const struct al_message *m, struct al_now now);

/* --- search.c: who has one entry, or answers to it ----------------------------------------------
 */

/* Ask whoever may have what is looked for, as far as the limits allow. */
AL_MUST_CHECK int search_pump(struct al_gossip *g);
AL_MUST_CHECK int search_refs(
    struct al_gossip *g, struct peer *p, const struct al_message *m, struct al_now now);

/* What |r| asked for is here since now; |r| is over. */
void search_found(struct request *r);
void search_ended(struct request *r);
void searches_free(struct al_gossip *g);

/* --- cache.c: entries of people who are not wanted ----------------------------------------------
 */

/* Entry |seq| of |log| came as an excerpt and takes about |bytes|: the oldest give way to it. */
AL_MUST_CHECK int cache_add(struct al_gossip *g, struct al_log *log, uint64_t seq, uint64_t bytes);

/* Relations changed: entries of people who are wanted now are none of the cache any more. */
AL_MUST_CHECK int cache_carry(struct al_gossip *g);
AL_MUST_CHECK int cache_load(struct al_gossip *g);

/* --- pieces.c: pieces of attachments ------------------------------------------------------------
 */

AL_MUST_CHECK int pieces_load(struct al_gossip *g);
void pieces_free(struct al_gossip *g);

/* Ask also for the own pieces that entries of this turn have named. AL_E_NOMEM. */
AL_MUST_CHECK int pieces_take_noted(struct al_gossip *g);

void pieces_tick(struct al_gossip *g, struct al_now now);
uint64_t pieces_deadline(const struct al_gossip *g);

/* Ask |p| for as many as its window allows. */
AL_MUST_CHECK int pieces_ask(struct al_gossip *g, struct peer *p);
AL_MUST_CHECK int pieces_receive(
    struct al_gossip *g, struct peer *p, const struct al_message *m, struct al_now now);
AL_MUST_CHECK int pieces_serve(
    struct al_gossip *g, struct peer *p, const struct al_message *m, struct al_now now);

/* What |r| asked for waits again; |p| does not have it. */
void pieces_put_back(struct al_gossip *g, struct request *r);
AL_MUST_CHECK int pieces_lacking(struct peer *p, const struct request *r);

/* --- serve.c --------------------------------------------------------------------------------- */

void serve_done(struct al_gossip *g, struct peer *p, uint32_t req, enum al_done_status status);

AL_MUST_CHECK int serve_want(struct al_gossip *g, struct peer *p, const struct al_message *m);
AL_MUST_CHECK int serve_want_payload(
    struct al_gossip *g, struct peer *p, const struct al_message *m);

/* --- record.c: statements ----------------------------------------------------------------------
 */

void serve_want_statements(struct al_gossip *g, struct peer *p, const struct al_message *m);

/* Ask for the record of |identity|. */
AL_MUST_CHECK int statements_ask(
    struct al_gossip *g, struct peer *p, const struct al_identity *identity);
AL_MUST_CHECK int statements_receive(
    struct al_gossip *g, struct peer *p, const struct al_message *m);

/* The pause is over: ask again for the records that |p| was too busy to give. */
void statements_again(struct al_gossip *g, struct peer *p);

/*
 * Statements of |person| arrived, from |source| or (NULL) from elsewhere: logs may be fetched that
 * waited for them, revoked devices are let go, and everybody else hears of the change.
 */
AL_MUST_CHECK int record_changed(
    struct al_gossip *g, const struct al_person *person, const struct peer *source);

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
