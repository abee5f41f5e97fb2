/*
 * Every limit of the formats and of the protocol, named once, related by static assertions.
 * docs/protocol.md lists them with their reasons. Sizes are bytes unless a name says otherwise.
 */
#ifndef AL_LIMIT_H
#define AL_LIMIT_H

#include <assert.h>
#include <stdint.h>

#define AL_SEQ_MAX ((UINT64_C(1) << 48) - 2)  /* the last sequence number of a log */
#define AL_SEQ_FROZEN (AL_SEQ_MAX + 1)        /* stands for a forked log in reconciliation */
#define AL_TIME_MAX ((UINT64_C(1) << 48) - 1) /* milliseconds since 1970 */

#define AL_PAYLOAD_MAX 65536
#define AL_TEXT_MAX 32768
#define AL_NAME_MAX 64
#define AL_KIND_MAX 32
#define AL_TAG_MAX 64
#define AL_TAGS_MAX 16
#define AL_URL_MAX 2048
#define AL_SRC_MAX 128
#define AL_TITLE_MAX 512
#define AL_QUOTE_MAX 8192
#define AL_ABOUT_MAX 4096 /* each text of a profile but the name */
#define AL_STATE_KEY_MAX 128
#define AL_SEALED_INNER_MAX 61439 /* of the map inside a sealed payload */
#define AL_PAD_MIN 128            /* smallest padded plaintext of a sealed payload */

#define AL_BLOCK_ENTRIES 64
#define AL_SEGMENT_INLINE_MAX (192 * 1024)
#define AL_MESSAGE_MAX (256 * 1024)
#define AL_FRAME_MAX 65535
#define AL_MSG_DEPTH_MAX 8
#define AL_MSG_ELEMENTS_MAX 65536 /* of one message or stored object, in all */
#define AL_FORK_MAX (7 * 1024)
#define AL_EXCERPT_STATEMENTS_MAX 256

#define AL_CERTS_MAX 96
#define AL_REVOCATIONS_PER_DEVICE_MAX 4
#define AL_READ_GENERATIONS_MAX 64
#define AL_READ_PER_GENERATION_MAX 4
#define AL_READ_BOXES_MAX 96
#define AL_STATEMENT_MAX 16384
#define AL_LOGS_PER_DEVICE_MAX 64
#define AL_LOGS_PER_DEVICE_WARN 60

#define AL_MEMBERS_MAX 150
#define AL_CIRCLE_BOXES_MAX 152
#define AL_CIRCLE_LIST_MAX 512 /* members and former ones, in one epoch */
#define AL_CIRCLE_OLD_MAX 64
#define AL_CIRCLE_PARENTS_MAX 4

#define AL_ATTACHMENT_MAX (32 * 1024 * 1024)
#define AL_PIECE_BYTES (64 * 1024)
#define AL_PIECES_MAX 512
#define AL_ATTACHMENTS_MAX 8
#define AL_FILE_NAME_MAX 128
#define AL_MIME_MAX 64

#define AL_AGENT_MAX 64
#define AL_REASON_MAX 64
#define AL_ADDRESS_MAX 128
#define AL_ADDRESSES_MAX 8
#define AL_ADDRESS_RECORDS_MAX 64
#define AL_ADDRESS_RECORD_MAX 2048 /* its signed body */
#define AL_SEEN_MAX 64
#define AL_TOKEN_BYTES 16
#define AL_BOOT_BYTES 8
#define AL_INTERESTS_MAX 4096 /* identities in one direction of one interests message */
#define AL_OWN_HEADS_MAX 64
#define AL_HEADS_MAX 512
#define AL_RANGES_MAX 1024
#define AL_WANT_PAYLOADS_MAX 64
#define AL_WANT_STATEMENTS_MAX 256
#define AL_STATEMENTS_BYTES_MAX (192 * 1024)
#define AL_REFS_MAX 64
#define AL_TICKET_MAX 2048 /* characters of an invite in its text form */

#define AL_HANDSHAKE_MS 5000
#define AL_HALF_OPEN_MAX 32
#define AL_PEERS_MAX 256
#define AL_PORT 4747

#define AL_HELD_MAX 256     /* posts in the outbox */
#define AL_HOLD_MAX_S 86400 /* for which a post can be held */

#define AL_RPC_CLIENTS_MAX 64
#define AL_RPC_REQUEST_MAX (1024 * 1024)
#define AL_RPC_ANSWER_MAX (64 * 1024 * 1024)
#define AL_RPC_ANSWER_ELEMENTS_MAX (16 * 1024 * 1024)
#define AL_RPC_QUEUE_MAX (1024 * 1024)
#define AL_RPC_DEPTH_MAX 16
#define AL_RPC_ELEMENTS_MAX 262144
#define AL_RPC_KEY_BYTES 16

static_assert(AL_TEXT_MAX < AL_SEALED_INNER_MAX, "the longest text fits a sealed payload");
static_assert(AL_SEALED_INNER_MAX < AL_PAYLOAD_MAX, "a sealed payload is a payload");
static_assert(AL_PAYLOAD_MAX < AL_SEGMENT_INLINE_MAX, "any payload can travel inline");
static_assert(AL_SEGMENT_INLINE_MAX + AL_BLOCK_ENTRIES * 64 + 1024 < AL_MESSAGE_MAX,
    "a full segment fits a message");
static_assert(AL_STATEMENTS_BYTES_MAX + AL_STATEMENT_MAX < AL_MESSAGE_MAX,
    "a page of statements fits a message");
static_assert(
    (AL_CERTS_MAX * 512 +
        AL_CERTS_MAX * AL_REVOCATIONS_PER_DEVICE_MAX * (AL_LOGS_PER_DEVICE_MAX * 64 + 512)) +
            AL_READ_GENERATIONS_MAX * AL_READ_PER_GENERATION_MAX * (AL_READ_BOXES_MAX * 120 + 512) <
        6 * 1024 * 1024,
    "an identity record stays small");
static_assert(AL_PIECE_BYTES * AL_PIECES_MAX == AL_ATTACHMENT_MAX, "pieces cover an attachment");

#endif
