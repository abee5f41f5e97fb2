/*
 * The CipherState of the Noise specification (revision 34, section 5.1) with ChaChaPoly: a key and
 * the number of the next message under it.
 */
#ifndef AL_CIPHER_H
#define AL_CIPHER_H

#include "bytes.h"
#include "err.h"

#define AL_CIPHER_TAG 16

struct al_cipher {
    uint8_t key[32];
    uint64_t nonce; /* of the next message; 2^64 - 1 is reserved for rekeying */
};

/* Start with |key| at nonce 0. */
void al_cipher_init(struct al_cipher *c, const uint8_t key[32]);
void al_cipher_wipe(struct al_cipher *c);

/*
 * Encrypt |plain| into plain.n + 16 bytes at |out|, which may be where |plain| is; |ad| is
 * authenticated with it. Returns 0, or AL_E_STATE when the nonces are used up.
 */
AL_MUST_CHECK
int al_cipher_encrypt(struct al_cipher *c, uint8_t *out, struct al_slice ad, struct al_slice plain);

/*
 * Decrypt |sealed| into sealed.n - 16 bytes at |out|. Returns 0, or AL_E_DECRYPT, after which the
 * nonce is as before.
 */
AL_MUST_CHECK
int al_cipher_decrypt(
    struct al_cipher *c, uint8_t *out, struct al_slice ad, struct al_slice sealed);

/* Replace the key by one that follows from it; the nonce goes on. Section 11.3. */
void al_cipher_rekey(struct al_cipher *c);

#endif
