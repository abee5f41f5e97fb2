/*
 * An encrypted, authenticated channel over any byte stream: the Noise_XK handshake, then frames,
 * then whole messages. Sans-IO: bytes of the stream go in, bytes for the stream and messages come
 * out; no clock, no socket. docs/protocol.md, "Transport"; the Noise specification, revision 34.
 */
#ifndef AL_CHANNEL_H
#define AL_CHANNEL_H

#include "bytes.h"
#include "err.h"
#include "rng.h"

struct al_channel;

struct al_channel_opts {
    bool dialler;
    const uint8_t *static_secret; /* 32 bytes, X25519 */
    const uint8_t *static_public; /* 32 bytes */
    const uint8_t *remote_public; /* 32 bytes: the dialler knows it; NULL for the responder */
    struct al_network network;    /* bound into the prologue */
    struct al_rng *rng;           /* for the ephemeral key; used only in al_channel_new() */
};

/*
 * A new channel; the dialler's first bytes are in its output at once. A remote key of small order
 * shows as AL_E_POINT at the first input. NULL: no memory.
 */
struct al_channel *al_channel_new(const struct al_channel_opts *opts);
void al_channel_free(struct al_channel *c);

/*
 * Take in |n| bytes of the stream, as many as came. Handshake messages are answered into the
 * output; complete messages wait for al_channel_message(), which should take them all before the
 * next input: then memory follows the bytes received and is bounded by one message of
 * AL_MESSAGE_MAX and the |n| bytes of this call.
 *
 * Returns 0, or the error that ends the channel and that every later call returns again; messages
 * that were complete before it can still be taken. AL_E_HANDSHAKE, AL_E_DECRYPT, AL_E_FRAME,
 * AL_E_MESSAGE_SIZE, AL_E_NOMEM, AL_E_POINT (an all-zero DH).
 */
AL_MUST_CHECK
int al_channel_input(struct al_channel *c, const uint8_t *p, size_t n);

/* True once the handshake is complete on this side. */
bool al_channel_open(const struct al_channel *c);

/* The first 32 bytes the responder received: the ephemeral of message 1, to refuse replays. NULL
 * before. */
const uint8_t *al_channel_remote_ephemeral(const struct al_channel *c);

/* The other side's static key, 32 bytes; only when open. */
const uint8_t *al_channel_remote(const struct al_channel *c);

/* The handshake hash, 64 bytes; only when open. */
const uint8_t *al_channel_hash(const struct al_channel *c);

/*
 * The next received message: true and a slice that lives until the next call on |c|; false when
 * none is complete.
 */
bool al_channel_message(struct al_channel *c, struct al_slice *ret);

/* Encrypt a message of 1..AL_MESSAGE_MAX bytes into the output. Returns 0 or AL_E_NOMEM,
 * AL_E_MESSAGE_SIZE, AL_E_STATE (not open). */
AL_MUST_CHECK
int al_channel_send(struct al_channel *c, struct al_slice message);

/*
 * Bytes that wait to be written to the stream. al_channel_output_take() hands the whole buffer
 * over: the caller frees it with free(). NULL when there is nothing.
 */
size_t al_channel_output_size(const struct al_channel *c);
uint8_t *al_channel_output_take(struct al_channel *c, size_t *ret_n);

#endif
