/*
 * Sealed boxes: crypto_box_seal() of libsodium byte for byte, with the ephemeral key from outside,
 * because nothing in here may draw random bytes. docs/protocol.md, "Statements" and "Circles".
 */
#ifndef AL_BOX_H
#define AL_BOX_H

#include "bytes.h"
#include "err.h"

#define AL_BOX_EXTRA_BYTES 48 /* the ephemeral public key, and the tag */

/*
 * Seal |clear| to the X25519 key |to|: |out| has room for |clear|.n + AL_BOX_EXTRA_BYTES.
 * |secret|, 32 random bytes, is the ephemeral key, for this box alone; the caller wipes it.
 * Returns 0 or AL_E_POINT (|to| is of small order).
 */
AL_MUST_CHECK int al_box_seal(
    uint8_t *out, struct al_slice clear, const uint8_t to[32], const uint8_t secret[32]);

/*
 * Open |box|: |out| has room for |box|.n - AL_BOX_EXTRA_BYTES. Returns 0 or AL_E_SEALED (for
 * another key, damaged, or too short).
 */
AL_MUST_CHECK int al_box_open(
    uint8_t *out, struct al_slice box, const uint8_t read_pk[32], const uint8_t read_sk[32]);

#endif
