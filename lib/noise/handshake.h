/*
 * Noise_XK_25519_ChaChaPoly_BLAKE2b (the Noise specification, revision 34), both sides. The dialler
 * is Noise's initiator: it knows the static key of the responder and shows its own, encrypted, in
 * the third message.
 *
 *     <- s
 *     ...
 *     -> e, es
 *     <- e, ee
 *     -> s, se
 */
#ifndef AL_HANDSHAKE_H
#define AL_HANDSHAKE_H

#include "bytes.h"
#include "cipher.h"
#include "err.h"

#define AL_HANDSHAKE_MESSAGES 3
#define AL_HANDSHAKE_HASH 64

/* The sizes of the three messages without their payloads. */
extern const size_t al_handshake_sizes[AL_HANDSHAKE_MESSAGES];

struct al_handshake {
    bool initiator;
    unsigned done; /* messages written and read so far, 0..3 */
    struct al_cipher cipher;
    uint8_t ck[AL_HANDSHAKE_HASH]; /* the chaining key */
    uint8_t h[AL_HANDSHAKE_HASH];
    uint8_t s[32], s_public[32]; /* our static key */
    uint8_t e[32], e_public[32]; /* our ephemeral key */
    uint8_t rs[32];              /* theirs; the responder has it after message 3 */
    uint8_t re[32];              /* theirs; the responder has it after message 1 */
};

struct al_handshake_opts {
    bool initiator;
    struct al_slice prologue;
    const uint8_t *static_secret; /* 32 bytes each */
    const uint8_t *static_public;
    const uint8_t *remote_public;    /* of the initiator only, else NULL */
    const uint8_t *ephemeral_secret; /* fresh random bytes; a test brings its own */
};

/* Start a handshake. |hs| holds secrets until al_handshake_wipe(). */
void al_handshake_init(struct al_handshake *hs, const struct al_handshake_opts *opts);
void al_handshake_wipe(struct al_handshake *hs);

/* True if the next message is ours to write. */
bool al_handshake_my_turn(const struct al_handshake *hs);

/*
 * Append the next message, which must be ours, with |payload| encrypted inside.
 * Returns 0, AL_E_POINT (the shared secret is all zero), or AL_E_NOMEM (|out| is full); after an
 * error the handshake is of no use any more.
 */
AL_MUST_CHECK
int al_handshake_write(struct al_handshake *hs, struct al_buf *out, struct al_slice payload);

/*
 * Read the next message, which must be theirs, and append its payload. Returns 0, AL_E_HANDSHAKE
 * (too short, or not from whom it should be), AL_E_POINT, or AL_E_NOMEM; after an error the
 * handshake is of no use any more.
 */
AL_MUST_CHECK
int al_handshake_read(struct al_handshake *hs, struct al_buf *payload, struct al_slice message);

/* After the third message: the ciphers of both directions. |hs->h| is the handshake hash. */
void al_handshake_split(
    const struct al_handshake *hs, struct al_cipher *sending, struct al_cipher *receiving);

/*
 * X25519 that refuses a secret of all zeros, which a public key of small order leads to. |out| is
 * written only on success. Returns 0 or AL_E_POINT.
 */
AL_MUST_CHECK
int al_handshake_dh(uint8_t out[32], const uint8_t secret[32], const uint8_t public[32]);

#endif
