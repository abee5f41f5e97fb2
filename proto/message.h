/*
 * Gossip messages as one tagged union: [type, ...]. docs/protocol.md, "Messages". Lists are kept
 * as raw encoded arrays and read element by element with the helpers below, after a decode that
 * has checked every one of them.
 */
#ifndef AL_MESSAGE_H
#define AL_MESSAGE_H

#include "bytes.h"
#include "err.h"
#include "limit.h"

enum al_message_type {
    AL_MSG_HELLO = 0,
    AL_MSG_INTERESTS = 1,
    AL_MSG_RESET = 2,
    AL_MSG_OWN_HEADS = 3,
    AL_MSG_RECONCILE = 4,
    AL_MSG_WANT = 5,
    AL_MSG_SEGMENT = 6,
    AL_MSG_PAYLOAD = 7,
    AL_MSG_DONE = 8,
    AL_MSG_WANT_PAYLOAD = 9,
    AL_MSG_HEADS = 10,
    AL_MSG_LINK = 11,
    AL_MSG_DECLINE = 12,
    AL_MSG_STATEMENTS = 13,
    AL_MSG_WANT_STATEMENTS = 14,
    AL_MSG_ADDRESSES = 15,
    AL_MSG_FORK = 16,
    AL_MSG_FETCH = 17,
    AL_MSG_EXCERPT = 18,
    AL_MSG_REPLIES = 19,
    AL_MSG_REFS = 20,
    AL_MSG_PIECE_WANT = 21,
    AL_MSG_PIECE = 22,
    AL_MSG_PING = 30,
    AL_MSG_PONG = 31,
    AL_MSG_GOODBYE = 32,
    AL_MSG_CLONE = 33,
    AL_MSG_UNKNOWN = 255, /* any other type up to 2^16: ignored, within the budget */
};

enum al_done_status { AL_DONE_OK, AL_DONE_NOT_HELD, AL_DONE_BUSY, AL_DONE_DECLINED };

enum al_decline_reason {
    AL_DECLINE_QUOTA = 1,
    AL_DECLINE_FROZEN,
    AL_DECLINE_REVOKED,
    AL_DECLINE_BLOCKED,
    AL_DECLINE_RETENTION,
};

enum al_range_mode { AL_RANGE_SKIP, AL_RANGE_FINGERPRINT, AL_RANGE_ITEMS, AL_RANGE_FINAL };

#define AL_ITEM_KEY_BYTES 72 /* identity || device || log: the order of reconciliation */

/* One item of reconciliation: the head of a log, or (device all zero) an identity record. */
struct al_item {
    struct al_identity identity;
    struct al_device device;
    struct al_logname log;
    uint64_t seq;    /* of the head, or the number of statements */
    uint8_t tag[16]; /* first bytes of the head's id, or of the record's digest */
};

struct al_range {
    struct al_slice upper; /* exclusive; empty: the end */
    enum al_range_mode mode;
    uint8_t sum[16];       /* FINGERPRINT */
    uint64_t count;        /* FINGERPRINT */
    struct al_slice items; /* ITEMS, FINAL: encoded array */
    uint32_t item_count;
};

struct al_own_head { /* an element of own-heads; the id is whole */
    struct al_ref ref;
};

struct al_head { /* an element of heads */
    struct al_device device;
    struct al_logname log;
    uint64_t seq;
    uint8_t tag[16];
};

struct al_message {
    enum al_message_type type;
    uint32_t req;        /* of messages that have one */
    struct al_slice raw; /* the whole message */
    union {
        struct {
            uint64_t version; /* 1 */
            struct al_slice agent;
            uint64_t caps;
            struct al_slice cert;        /* an encoded statement, for al_statement_open() */
            struct al_slice token;       /* 16 bytes or none */
            uint8_t boot[AL_BOOT_BYTES]; /* fresh at each start */
            struct al_sig boot_sig;      /* of the device over it; al_boot_sign() */
            uint64_t now_ms;
            struct al_slice seen; /* the address the sender sees the other side at */
        } hello;
        struct {
            struct al_slice before; /* 32 bytes or none */
            struct al_hash after;
            struct al_slice add, drop; /* encoded arrays of identities, ascending */
            uint32_t add_count, drop_count;
            bool last;
        } interests;
        struct {
            struct al_slice list;
            uint32_t count;
        } own_heads, heads, addresses, refs;
        struct {
            uint32_t session;
            uint32_t round;
            bool more;
            struct al_slice ranges;
            uint32_t count;
        } reconcile;
        struct {
            struct al_device device;
            struct al_logname log;
            uint64_t first, last; /* inside one block */
        } want;
        struct {
            struct al_slice segment; /* for al_segment_open() */
        } segment;
        struct {
            struct al_device device;
            struct al_logname log;
            uint64_t seq;
            struct al_slice payload;
        } payload;
        struct {
            enum al_done_status status;
        } done;
        struct {
            struct al_device device;
            struct al_logname log;
            struct al_slice seqs; /* encoded array of uint, ascending */
            uint32_t count;
        } want_payload;
        struct {
            struct al_device device;
            struct al_logname log;
            bool eager;
        } link;
        struct {
            struct al_identity identity;
            struct al_device device;
            struct al_logname log;
            enum al_decline_reason reason;
            uint64_t until_s;
        } decline;
        struct {
            struct al_slice list; /* encoded array of statements */
            uint32_t count;
            bool last;
        } statements;
        struct {
            struct al_slice list; /* encoded array of identities */
            uint32_t count;
        } want_statements;
        struct {
            struct al_slice a, b;
        } fork;
        struct {
            struct al_ref ref;
        } fetch, replies;
        struct {
            struct al_hash hash; /* of the sealed piece */
        } piece_want;
        struct {
            struct al_slice statements;
            uint32_t count;
            struct al_slice segment;
        } excerpt;
        struct {
            struct al_slice bytes;
        } piece;
        struct {
            uint64_t n;
        } ping, pong;
        struct {
            struct al_slice reason;
        } goodbye;
        struct { /* another machine with your device key said hello here, with this boot */
            uint8_t boot[AL_BOOT_BYTES];
            struct al_sig boot_sig;
            bool yield; /* you came second: you are let go */
        } clone;
    } u;
};

/*
 * Decode one message and check every element of its lists. Slices point into |bytes|.
 * Returns 0 (type AL_MSG_UNKNOWN for a type of a later version) or an error of the scanner or
 * reader: each names what is wrong.
 */
AL_MUST_CHECK int al_message_decode(struct al_message *ret, struct al_slice bytes);

/*
 * Append |m|: every list as the encoded array it is in the struct (see al_write_array()).
 */
void al_message_encode(struct al_buf *b, const struct al_message *m);

/* "hello", "interests" and so on, for logs and reasons. */
const char *al_message_name(enum al_message_type type);

/*
 * Walk a list of a decoded message: |list| is advanced past one element at each call. Start with
 * al_message_list(). The element read is valid: the decode saw it.
 */
struct al_slice al_message_list(struct al_slice array); /* past the array's own head */
void al_message_next_identity(struct al_identity *out, struct al_slice *list);
void al_message_next_own_head(struct al_own_head *out, struct al_slice *list);
void al_message_next_head(struct al_head *out, struct al_slice *list);
void al_message_next_item(struct al_item *out, struct al_slice *list);
void al_message_next_range(struct al_range *out, struct al_slice *list);
void al_message_next_ref(struct al_ref *out, struct al_slice *list);
uint64_t al_message_next_uint(struct al_slice *list);
struct al_slice al_message_next_raw(struct al_slice *list); /* a statement, an address record */

/* Append one element to a list being built; the array's head is written first by the caller. */
void al_message_put_own_head(struct al_buf *b, const struct al_own_head *h);
void al_message_put_head(struct al_buf *b, const struct al_head *h);
void al_message_put_item(struct al_buf *b, const struct al_item *item);
void al_message_put_range(struct al_buf *b, const struct al_range *range);

/* The key of |item| in the order of reconciliation. */
void al_item_key(uint8_t out[AL_ITEM_KEY_BYTES], const struct al_item *item);

/*
 * The device's word that it started as |boot|: S(device, "aloud1-sig-boot", H("aloud1-boot", device
 * || boot)). |secret| is libsodium's 64-byte form. Checking returns 0 or AL_E_SIG.
 */
void al_boot_sign(struct al_sig *out, const struct al_device *device, const uint8_t secret[64],
    const uint8_t boot[AL_BOOT_BYTES]);
AL_MUST_CHECK int al_boot_verify(
    const struct al_sig *sig, const struct al_device *device, const uint8_t boot[AL_BOOT_BYTES]);

/* H("aloud1-interest", ids): |ids| ascending and unique. */
void al_interests_digest(struct al_hash *out, const struct al_identity *ids, size_t count);

#endif
