/* Shared by the files of lib/node only. */
#ifndef AL_NODE_INT_H
#define AL_NODE_INT_H

#include <sys/queue.h>

#include "append.h"
#include "apply.h"
#include "gossip.h"
#include "heapbuf.h"
#include "node.h"
#include "read.h"
#include "rpc.h"
#include "write.h"

#define HINT_TEXT_BYTES 96

/* A call under way in this turn, or one that waits for something. */
struct call {
    STAILQ_ENTRY(call) link;
    uint64_t id;
    bool answered;                 /* while the disk is full: it only reads, and has its reply */
    uint64_t deadline_ms;          /* mono: of a wait, fetch or search for replies */
    uint64_t search;               /* of a fetch or search for replies */
    bool counts;                   /* it is answered with a number */
    struct file_wait *file;        /* of a file_get: whose pieces are to come */
    uint8_t key[AL_RPC_KEY_BYTES]; /* of an invite that waits for the port, and what it is: */
    uint8_t token[AL_TOKEN_BYTES];
    uint64_t expires_s;
};

STAILQ_HEAD(calls, call);

/* What AL_SPACE_OUTBOX holds. */
struct outbox {
    uint32_t count;
    uint32_t failed; /* of these: could not be posted when they were due */
    uint64_t due_ms; /* wall: of the next; UINT64_MAX: none */
};

/* An own circle that needed a new epoch. */
struct upkeep {
    struct al_circle_id cid;
    uint64_t due_ms;        /* mono: when to open one; UINT64_MAX: none is needed now */
    uint64_t not_before_ms; /* mono */
};

struct al_node {
    struct al_node_opts opts;
    struct al_rng rng;
    struct al_store *store;
    struct al_logs *logs;
    struct al_effects *effects;
    struct al_gossip *gossip;
    struct al_now now;
    uint64_t started_ms; /* wall */
    bool started_up;     /* node_start_up() is done, and committed */
    int turn_err;        /* a store error: this turn can't be committed */
    bool lost;           /* the last turn was lost */
    bool full;           /* it could not even begin: until there is space, calls only read */
    size_t turn_bytes;
    uint64_t turn_pos; /* position before this turn */
    struct outbox outbox;
    struct upkeep *upkeep;
    uint32_t upkeep_count;
    uint64_t circles_seen; /* version of the circles, and number of statements, that were looked */
    uint64_t said_seen;    /* at for what is needed */
    uint64_t tidy_ms;      /* mono: when to tidy the store; UINT64_MAX: it is tidy */
    bool due;              /* another turn is wanted at once */
    struct calls in_turn;  /* answered in this turn; the answers come out with the commit */
    struct calls waits;
    struct calls invites;   /* wait for the port */
    struct calls fetches;   /* wait for peers */
    struct calls file_gets; /* wait for pieces */
    uint64_t pieces_bytes;  /* of other people's files that are kept */
    struct kept *kept;      /* files.c: what payloads of this turn borrow */
    bool listening;
    char addresses[AL_ADDRESSES_MAX][AL_ADDRESS_MAX + 1];
    uint32_t address_count;
    char listen_error[160];
    char why[256]; /* of the error of the call under way; empty: the table's words */
    const char *hint;
    char hint_text[HINT_TEXT_BYTES]; /* for a hint that is made */
};

/* --- for api_*.c: one function a method ------------------------------------------------------ */

/*
 * Answer a method: append the result to |out| and return 0, or return the error, with n->why and
 * n->hint set if there is more to say; or return CALL_WAITS when the answer comes later.
 */
typedef int call_fn(struct al_node *n, uint64_t call, struct al_slice params, struct al_buf *out);
#define CALL_WAITS 1

call_fn api_status, api_peers, api_wait, api_confirm_phrase;
call_fn api_post, api_post_many;
call_fn api_held, api_unhold;
call_fn api_relate, api_invite, api_join;
call_fn api_fetch, api_replies;
call_fn api_file_new, api_file_put, api_file_get, api_file_read;
call_fn api_devices, api_device_rename, api_device_revoke, api_device_rekey;
call_fn api_circles, api_circle_new, api_circle_change, api_circle_leave;

/* Reply to |call| with an encoded result. */
void node_reply(struct al_node *n, uint64_t call, const struct al_buf *result);
void node_reply_error(struct al_node *n, uint64_t call, int err);

/* Remember |result| as the answer to the write call with |key|, asked again or not. */
AL_MUST_CHECK int node_keep_answer(
    struct al_node *n, const uint8_t key[AL_RPC_KEY_BYTES], const struct al_buf *result);

/* Do what a start finds to be done, in the first turn that can be committed. */
AL_MUST_CHECK int node_start_up(struct al_node *n);

/* Find out whether the store is that of a copy. Returns 0 or a store error. */
AL_MUST_CHECK int node_load_copy(struct al_node *n);

/* True if the own device is revoked: it may speak no more than a copy. */
bool node_is_revoked(const struct al_node *n);

/* Become a copy if the own device was revoked in this turn. Returns 0 or a store error. */
AL_MUST_CHECK int node_obey_revocation(struct al_node *n);

/*
 * gossip's hook: another machine runs with this device key, and this is the one to yield. From now
 * on nothing leaves it, until `aloud restore` gives it a device of its own. 0 or a store error.
 */
AL_MUST_CHECK int node_become_copy(void *arg);

/* What only a node that talks to others can do: AL_E_CLONE, with n->why and n->hint, in a copy. */
AL_MUST_CHECK int node_refuse_copy(struct al_node *n);

/* If the own log was left in this turn, keep why, to be told for a while. 0 or a store error. */
AL_MUST_CHECK int node_note_own_left(struct al_node *n);

/* Append and gossip entries of the own log. */
AL_MUST_CHECK int node_append(
    struct al_node *n, struct al_ref *refs, const struct al_payload *payloads, uint32_t count);

/* --- posts --- */

/* Who is to read a post. */
struct audience {
    struct al_slice to;             /* as asked for, or empty */
    const struct al_circle *circle; /* asked for, then that it is sealed for; NULL: none */
};

/*
 * Read the entry in |params| of post, and settle who may read it: |ret_circle| is the circle it is
 * for, NULL when for none. The key that |ret| has then, and the circle, live as long as nothing is
 * appended.
 */
AL_MUST_CHECK int node_read_post(struct al_node *n, struct al_payload *ret,
    const struct al_circle **ret_circle, struct al_slice params);

/* Let |p| go to those that |a| asks for. AL_E_AUDIENCE, AL_E_PARAMS. */
AL_MUST_CHECK int node_settle_to(struct al_node *n, struct al_payload *p, const struct audience *a);

/* Post what was read so; |ret| may be NULL. */
AL_MUST_CHECK int node_post(struct al_node *n, struct al_ref *ret, const struct al_payload *p);

/* Whether it is about another entry of its author: an edit, a retraction or a share. */
bool node_is_change(const struct al_payload *p);

/*
 * Check the change |p| against the entry it is about, and settle its audience |a|. AL_E_PERMISSION
 * (of somebody else), AL_E_NOT_FOUND (not here, or retracted), AL_E_KIND, AL_E_AUDIENCE, with
 * n->why said.
 */
AL_MUST_CHECK int node_change_settle(struct al_node *n, struct al_payload *p, struct audience *a);

/* Retract every own edit of the entry |of|, too: others may not be able to see that it is one. */
AL_MUST_CHECK int node_retract_edits(struct al_node *n, const struct al_ref *of);

/* --- circles --- */

/* gives records to lib/circle; |arg| is the node */
al_record_of_fn node_record_of;

enum al_circle_need node_circle_needs(struct al_node *n, const struct al_circle *circle);

/* What who writes for |circle| should know: "" when all is well. */
const char *node_circle_warning(struct al_node *n, const struct al_circle *circle);

/* The circle that "circle" and "owner" name, NULL when they are absent. AL_E_NOT_FOUND. */
AL_MUST_CHECK int node_read_circle(
    struct al_node *n, const struct al_circle **ret, struct al_slice params);

/* Let |p| be sealed for |circle|. AL_E_AUDIENCE: we are not in it. */
AL_MUST_CHECK int node_seal_for(
    struct al_node *n, struct al_payload *p, const struct al_circle *circle);

/* Open a new epoch of an own circle. Errors of al_circle_compose(), n->why said. */
AL_MUST_CHECK int node_change_circle(struct al_node *n, const struct al_circle_change *change);

/* Do what is due: open what waited, open new epochs by itself. Returns 0 or a store error. */
AL_MUST_CHECK int node_circles_due(struct al_node *n);
uint64_t node_circles_deadline(const struct al_node *n);

/* --- entries --- */

/* An entry that is held here. */
struct node_entry {
    const struct al_log *log;
    bool readable; /* then these tell what it says: */
    struct al_payload p;
    const struct al_circle *circle; /* that it is sealed for, NULL: for none */
    uint8_t *bytes, *clear;         /* that |p| borrows */
};

/* Find the entry |ref|. AL_E_NOT_FOUND: it is not held. node_entry_free() in any case. */
AL_MUST_CHECK int node_find_entry(
    struct al_node *n, struct node_entry *ret, const struct al_ref *ref);
void node_entry_free(struct node_entry *e);

/* --- held posts --- */

/* Keep |params| of the post |p| for |hold_s| seconds. AL_E_LIMIT. */
AL_MUST_CHECK int node_hold(struct al_node *n, uint64_t *ret_number, uint64_t *ret_due_ms,
    const struct al_payload *p, const struct al_circle *circle, struct al_slice params,
    uint64_t hold_s);

/* Post what is due; |again|: also what could not be posted before. */
AL_MUST_CHECK int node_post_due(struct al_node *n, bool again);

/* Count what is held. */
AL_MUST_CHECK int node_outbox_load(struct al_node *n);

/* mono: when the next post is due; UINT64_MAX: none. */
uint64_t node_outbox_deadline(const struct al_node *n);

/* Append a choice (kind `state`): |relation| towards |identity| is |value|, encoded. */
AL_MUST_CHECK int node_choose(struct al_node *n, const char *relation,
    const struct al_identity *identity, struct al_slice value);
AL_MUST_CHECK int node_choose_key(struct al_node *n, struct al_slice key, struct al_slice value);
AL_MUST_CHECK int node_choose_bool(
    struct al_node *n, const char *relation, const struct al_identity *identity, bool on);

/* People known here besides oneself, or those of them that are followed. */
uint64_t node_count_people(const struct al_node *n, bool only_followed);

/* Own devices that are not revoked. */
uint64_t node_count_devices(const struct al_node *n);

/* A meta fact; "" when absent. |out| has |cap| bytes and gets a NUL. */
AL_MUST_CHECK int node_meta(struct al_node *n, char *out, size_t cap, const char *name);

/* Answer the invites that waited for the port to open. Returns 0 or a store error. */
AL_MUST_CHECK int node_answer_invites(struct al_node *n);

/* Answer the fetches that are over, or whose time is. */
void node_end_fetches(struct al_node *n);

/* Nobody waits for the fetch |call| any more, if it is one. */
void node_drop_fetch(struct al_node *n, uint64_t call);

/* --- files --- */

/*
 * The files of |p| as the local API names them, uploads by their handles, become attachments; an
 * edit keeps those of the entry it changes, and a share those of what it shares. They are borrowed
 * until the turn ends. AL_E_NOT_FOUND (also of a file that is not here whole), AL_E_LIMIT,
 * AL_E_PARAMS, with n->why said.
 */
AL_MUST_CHECK int node_files_resolve(struct al_node *n, struct al_payload *p);
void node_files_let_go(struct al_node *n);

/* Forget uploads that no post names within a day. */
AL_MUST_CHECK int node_forget_uploads(struct al_node *n);

/* Answer the file_gets that are over, or whose time is. Returns 0 or a store error. */
AL_MUST_CHECK int node_end_file_gets(struct al_node *n);

/* Nobody waits for the file_get |call| any more, if it is one. */
void node_drop_file_get(struct al_node *n, uint64_t call);

/* AL_E_PARAMS unless present and right; |ret| untouched then. */
AL_MUST_CHECK int param_bytes(uint8_t *ret, size_t bytes, struct al_slice params, const char *key);
AL_MUST_CHECK int param_str(
    struct al_slice *ret, size_t max, struct al_slice params, const char *key);
AL_MUST_CHECK int param_uint(
    uint64_t *ret, struct al_slice params, const char *key, uint64_t absent);
AL_MUST_CHECK int param_bool(bool *ret, struct al_slice params, const char *key, bool absent);

/* Forget answers of calls older than 30 days. */
AL_MUST_CHECK int node_forget_answers(struct al_node *n);

/* gossip's hook: a stranger shows the token of an invite. */
int node_redeem(
    void *arg, const uint8_t token[16], const struct al_identity *identity, struct al_now now);

#endif
