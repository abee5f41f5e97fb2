/*
 * The secrets a running node holds: its device key, and the current generation of the reading
 * key. The root is in no keyring: it exists only while `init`, `restore` and the like run.
 */
#ifndef AL_KEYRING_H
#define AL_KEYRING_H

#include "bytes.h"
#include "err.h"
#include "limit.h"
#include "rng.h"

#define AL_ENTROPY_BYTES 32

struct al_record;

struct al_keyring {
    struct al_identity identity;
    struct al_device device;
    uint8_t device_secret[64]; /* libsodium's Ed25519 form: seed || public */
    uint8_t noise_secret[32];  /* X25519, converted from the device key */
    uint8_t noise_public[32];
    uint32_t generation; /* of the reading key, 1..64 */
    uint8_t read_sk[32];
    uint8_t me_key[32]; /* of that generation */
};

/* The root of an identity, in memory for the shortest time possible. */
struct al_root {
    struct al_identity identity;
    uint8_t secret[64];
    uint8_t entropy[AL_ENTROPY_BYTES];
};

/* Derive the root from |entropy|. */
void al_root_derive(struct al_root *out, const uint8_t entropy[AL_ENTROPY_BYTES]);
void al_root_wipe(struct al_root *root);

/* The reading key of generation |g| (1..64), from the root's entropy. */
void al_root_read_key(uint8_t read_sk[32], const struct al_root *root, uint32_t g);

/* The reading key one generation down: read_sk(g) from read_sk(g + 1). */
void al_read_key_down(uint8_t out[32], const uint8_t read_sk[32]);

/*
 * Fill |out| from a device seed and a reading key. Returns 0 or AL_E_POINT.
 */
AL_MUST_CHECK
int al_keyring_init(struct al_keyring *out, const struct al_identity *identity,
    const uint8_t device_seed[32], uint32_t generation, const uint8_t read_sk[32]);
void al_keyring_wipe(struct al_keyring *k);

/* The me_key of generation |g| <= k->generation. Returns 0 or AL_E_NOT_FOUND. */
AL_MUST_CHECK
int al_keyring_me_key(uint8_t out[32], const struct al_keyring *k, uint32_t g);

/*
 * Take the newest generation that |record|, of the own identity, holds a box of for this device, if
 * it is newer than the one at hand. |ret_new| says whether the keyring changed. A box that does not
 * open, or whose key is not the one its statement shows, or from which the key at hand does not
 * follow, is passed over.
 */
void al_keyring_learn(struct al_keyring *k, bool *ret_new, const struct al_record *record);

/* The reading key of generation |g| <= k->generation. Returns 0 or AL_E_NOT_FOUND. */
AL_MUST_CHECK
int al_keyring_read_sk(uint8_t out[32], const struct al_keyring *k, uint32_t g);

/* The X25519 key that a device shows in the Noise handshake. Returns 0 or AL_E_POINT. */
AL_MUST_CHECK
int al_device_noise_key(uint8_t out[32], const struct al_device *device);

/* The public half of a reading key, as a READ statement shows it. */
void al_read_key_public(uint8_t read_pk[32], const uint8_t read_sk[32]);

/*
 * Seal |read_sk| to |device| for a READ statement: libsodium's sealed box, its ephemeral key drawn
 * from |rng|. Returns 0 or AL_E_POINT.
 */
AL_MUST_CHECK
int al_read_box_seal(
    uint8_t box[80], const struct al_device *device, const uint8_t read_sk[32], struct al_rng *rng);

/* Open such a box with the device key of |k|. Returns 0 or AL_E_SEALED. */
AL_MUST_CHECK
int al_read_box_open(uint8_t read_sk[32], const uint8_t box[80], const struct al_keyring *k);

#endif
