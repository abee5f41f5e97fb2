/*
 * Sealed payloads: [1, nonce, hint, box]. XChaCha20-Poly1305 over the padded canonical map, bound
 * to its place in the log. docs/protocol.md, "Sealed payloads". Padding: Padme (PURBs, Nikitin et
 * al. 2019, section 4).
 */
#ifndef AL_SEALED_H
#define AL_SEALED_H

#include "bytes.h"
#include "err.h"

#define AL_NONCE_BYTES 24
#define AL_HINT_BYTES 16

/* Where the payload stands: its associated data. */
struct al_place {
    struct al_device device;
    struct al_logname log;
    uint64_t seq;
    struct al_hash prev;
};

struct al_sealed {
    const uint8_t *nonce; /* AL_NONCE_BYTES */
    const uint8_t *hint;  /* AL_HINT_BYTES */
    struct al_slice box;
};

/* The padded length of |n| bytes: n itself or a little more, at least AL_PAD_MIN. */
size_t al_padme(size_t n);

/* me_key of a reading key: the key of everything sealed with audience `me`. */
void al_sealed_me_key(uint8_t out[32], const uint8_t read_sk[32]);

/*
 * Append the sealed form of |inner| under |key|. |nonce| must be fresh random bytes.
 * Returns 0 or AL_E_LENGTH (over AL_SEALED_INNER_MAX), AL_E_SPACE.
 */
AL_MUST_CHECK int al_sealed_encode(struct al_buf *b, const uint8_t key[32],
    const uint8_t nonce[AL_NONCE_BYTES], const struct al_place *place, struct al_slice inner);

/* Check the form. Returns 0 or an error of the scanner or reader, AL_E_VERSION, AL_E_LENGTH. */
AL_MUST_CHECK int al_sealed_open(struct al_sealed *ret, struct al_slice payload);

/* True if |s| carries the hint of |key|: a cheap, key-committing test before opening. */
bool al_sealed_hint_matches(const struct al_sealed *s, const uint8_t key[32]);

/*
 * Open |s| with |key| into |out|, which has room for s->box.n bytes; |ret_n| is the length of the
 * map without its padding. Returns 0, AL_E_SEALED (wrong key, place or damage), AL_E_PADDING.
 */
AL_MUST_CHECK int al_sealed_decrypt(uint8_t *out, size_t *ret_n, const struct al_sealed *s,
    const uint8_t key[32], const struct al_place *place);

#endif
