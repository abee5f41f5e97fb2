/*
 * Real nodes over disks in memory, and peers played by hand: for tests of the engine. Nodes that
 * dial each other are joined by a perfect link; time passes when the test says so. The same calls
 * give the same run. What goes wrong here stops the test.
 */
#ifndef RIG_H
#define RIG_H

#include <sys/queue.h>

#include "heapbuf.h"
#include "logs.h"
#include "message.h"
#include "node.h"
#include "sample.h"
#include "segment.h"

#define RIG_NODES 8
#define RIG_BOOTS 64 /* starts of one node */
#define RIG_CONNS 64
#define RIG_WALL_MS UINT64_C(1790000000000)

struct rig;

/* A person with one device, made from a number; |as_sample| is for sample_segment(). */
struct rig_person {
    struct al_root root;
    struct al_keyring keyring;
    struct sample_person as_sample;
};

struct rig_node {
    struct rig *rig;
    struct rig_person me;
    struct al_store_disk *disk;
    struct al_store *store; /* that the node has open */
    struct al_node *node;   /* NULL while it is down */
    bool new_log;           /* for the next start */
    uint64_t hold_s;        /* likewise */
    uint64_t pieces_bytes;  /* for the next start: of other people's files; 0: as ever */
    int open_err;           /* what opening the store answers */
    uint64_t boots;         /* starts of its device so far, each known by its number */
    uint8_t boot_list[RIG_BOOTS][AL_BOOT_BYTES];
    bool boots_lost;  /* for the next start */
    uint64_t changed; /* position of the last AL_EFFECT_CHANGED */
    uint32_t dials;   /* effects seen */
    uint32_t listens;
};

/* A message on its way, or waiting for a peer played by hand. */
struct rig_message {
    TAILQ_ENTRY(rig_message) link;
    uint64_t conn;
    int to; /* index of the node; -1: the hand */
    uint8_t *bytes;
    size_t n;
};

struct rig_conn {
    uint64_t id;
    int ends[2]; /* indexes of nodes; -1: played by hand */
    bool open;
    int closed; /* the error a node closed it with */
};

struct rig_answer {
    uint64_t call;
    int err;
    uint64_t pos;
    struct al_buf bytes;
    char message[256];
};

struct rig {
    struct al_now now;
    struct rig_node nodes[RIG_NODES];
    int count;
    struct rig_conn conns[RIG_CONNS];
    int conn_count;
    TAILQ_HEAD(, rig_message) queue;
    bool slow; /* nobody reads: nothing sent is reported as gone */
    uint64_t next_call;
    struct rig_answer answers[256];
    int answer_count;
};

void rig_init(struct rig *r);
void rig_fini(struct rig *r);

void rig_person(struct rig_person *out, uint64_t n);

/* A node of person |n|, started. */
struct rig_node *rig_add(struct rig *r, uint64_t n);

/* Stop as by a power cut, and start again. */
void rig_stop(struct rig_node *n);
int rig_start(struct rig_node *n);

/* Turns by hand: inputs go between. rig_end() commits and collects the effects. */
void rig_begin(struct rig_node *n);
void rig_end(struct rig_node *n);

/* Deliver what is under way between nodes, and let timers fire that are due, until all is quiet. */
void rig_run(struct rig *r);

/* Let |ms| pass in steps, with everything that happens in them. */
void rig_wait(struct rig *r, uint64_t ms);

/* --- calls --------------------------------------------------------------------------------- */

#define RIG_PENDING 1

/* Call |method| in a turn of its own: the error, 0, or RIG_PENDING. The answer is kept. */
int rig_call(struct rig_node *n, const char *method, struct al_slice params);
/* The same inside a turn begun by hand; the number of the call. */
uint64_t rig_call_in_turn(struct rig_node *n, const char *method, struct al_slice params);

/* The answer to call |id|, NULL while there is none. Of the last call: rig_last(). */
struct rig_answer *rig_answer(struct rig *r, uint64_t id);
struct rig_answer *rig_last(struct rig *r);

/* Parameters of a post: {entry: {k: note, text}, key: |key| times 16, to}. |re| may be NULL. */
struct al_buf rig_post_params(
    uint64_t key, const char *text, const char *to, const struct al_ref *re);

/* Post a note under a fresh key: the error; |ret| may be NULL. */
int rig_post(struct rig_node *n, const char *text, const char *to, struct al_ref *ret);
/* Import |count| notes of |bytes| bytes. */
void rig_post_many(struct rig_node *n, uint32_t count, size_t bytes);

/* A number of `status`. */
uint64_t rig_status(struct rig_node *n, const char *key);

/* Choose a relation: "follow", "admit", "block". */
void rig_relate(struct rig_node *n, const struct al_identity *who, const char *relation, bool on);

/* Make an invite of |uses|; the text lives until the next call. */
const char *rig_invite(struct rig_node *n, uint64_t uses);
int rig_join(struct rig_node *n, const char *ticket);

/* Entries that |n| holds of |author|. */
uint64_t rig_holds(struct rig_node *n, const struct rig_person *author);

/* The first log that |n| has of |device|, in |ret|: false when there is none. */
bool rig_log(struct rig_node *n, struct al_store_log *ret, const struct al_device *device);

/* --- a peer played by hand ------------------------------------------------------------------- */

struct rig_peer {
    struct rig *rig;
    struct rig_node *node; /* that it talks to */
    struct rig_person who;
    uint64_t boot; /* that it says in its hello */
    uint64_t conn;
    struct rig_message *last; /* of rig_peer_next() */
};

/* Connect person |n| to |node|, who is dialled; nothing is said yet. */
void rig_peer_connect(struct rig_peer *p, struct rig_node *node, uint64_t n);
void rig_peer_hello(struct rig_peer *p, const uint8_t *token);

/* The connection breaks. */
void rig_peer_leave(struct rig_peer *p);

/* Connect and say hello as somebody whom |node| follows and admits; drops what the node says. */
void rig_peer_friend(struct rig_peer *p, struct rig_node *node, uint64_t n);

/* Send one message in a turn of its own. */
void rig_peer_send(struct rig_peer *p, const struct al_message *m);
void rig_peer_raw(struct rig_peer *p, const void *bytes, size_t n);

/* Messages by kind. Lists are copied. */
void rig_peer_interests(struct rig_peer *p, const struct al_identity *ids, uint32_t count);
void rig_peer_item(struct rig_peer *p, const struct al_identity *identity,
    const struct al_device *device, const struct al_logname *log, uint64_t seq);
void rig_peer_heads(struct rig_peer *p, const struct al_head *heads, uint32_t count);
void rig_peer_segment(struct rig_peer *p, uint32_t req, const struct al_segment *s);
void rig_peer_done(struct rig_peer *p, uint32_t req, enum al_done_status status);

/* The next message of |type| that the node sent, those before it dropped: false when none. */
bool rig_peer_next(struct rig_peer *p, enum al_message_type type, struct al_message *ret);
void rig_peer_drop(struct rig_peer *p);

/* How many messages wait unread. */
uint32_t rig_peer_waiting(const struct rig_peer *p);

/* The error with which the node ended the connection, 0 while it is open. */
int rig_peer_closed(const struct rig_peer *p);

/* A log of |who| in blocks, payloads of RIG_PAYLOAD bytes that live in |space|. */
#define RIG_PAYLOAD 32
void rig_chain(
    struct al_segment *blocks, const struct rig_person *who, uint32_t count, uint8_t *space);

/* Answer the request |req| for what |blocks| hold. */
void rig_peer_answer(
    struct rig_peer *p, const struct al_message *want, const struct al_segment *blocks);

/* Append the certificate of |who|. */
void rig_cert(struct al_buf *b, const struct rig_person *who);

/* Bytes on the heap now; 0 where that can't be told. */
size_t rig_heap(void);

#endif
