#include "keyring.h"

#include <assert.h>
#include <sodium.h>

#include "box.h"
#include "check.h"
#include "hash.h"
#include "identity.h"
#include "sealed.h"
#include "statement.h"

void al_root_derive(struct al_root *out, const uint8_t entropy[AL_ENTROPY_BYTES])
{
    uint8_t seed[32];
    memcpy(out->entropy, entropy, sizeof(out->entropy));
    al_keyed_hash(seed, entropy, AL_P_ROOT, NULL, 0);
    (void)crypto_sign_seed_keypair(out->identity.b, out->secret, seed);
    sodium_memzero(seed, sizeof(seed));
}

void al_root_wipe(struct al_root *root)
{
    sodium_memzero(root, sizeof(*root));
}

void al_root_read_key(uint8_t read_sk[32], const struct al_root *root, uint32_t g)
{
    AL_ASSERT(g >= 1 && g <= AL_READ_GENERATIONS_MAX);
    al_keyed_hash(read_sk, root->entropy, AL_P_READ, NULL, 0);
    for (uint32_t at = AL_READ_GENERATIONS_MAX; at > g; at--)
        al_read_key_down(read_sk, read_sk);
}

void al_read_key_down(uint8_t out[32], const uint8_t read_sk[32])
{
    uint8_t down[32];
    al_keyed_hash(down, read_sk, AL_P_READ, NULL, 0);
    memcpy(out, down, sizeof(down));
    sodium_memzero(down, sizeof(down));
}

void al_read_key_public(uint8_t read_pk[32], const uint8_t read_sk[32])
{
    (void)crypto_scalarmult_base(read_pk, read_sk);
}

int al_keyring_init(struct al_keyring *out, const struct al_identity *identity,
    const uint8_t device_seed[32], uint32_t generation, const uint8_t read_sk[32])
{
    AL_ASSERT(generation >= 1 && generation <= AL_READ_GENERATIONS_MAX);
    if (al_check_point(identity->b) != 0)
        return AL_E_POINT;
    out->identity = *identity;
    out->generation = generation;
    memcpy(out->read_sk, read_sk, sizeof(out->read_sk));
    al_sealed_me_key(out->me_key, read_sk);
    (void)crypto_sign_seed_keypair(out->device.b, out->device_secret, device_seed);
    (void)crypto_sign_ed25519_sk_to_curve25519(out->noise_secret, out->device_secret);
    (void)crypto_scalarmult_base(out->noise_public, out->noise_secret);
    return 0;
}

void al_keyring_wipe(struct al_keyring *k)
{
    sodium_memzero(k, sizeof(*k));
}

int al_keyring_read_sk(uint8_t out[32], const struct al_keyring *k, uint32_t g)
{
    if (g == 0 || g > k->generation)
        return AL_E_NOT_FOUND;
    memcpy(out, k->read_sk, sizeof(k->read_sk));
    for (uint32_t at = k->generation; at > g; at--)
        al_read_key_down(out, out);
    return 0;
}

int al_keyring_me_key(uint8_t out[32], const struct al_keyring *k, uint32_t g)
{
    uint8_t read_sk[32];
    int err = al_keyring_read_sk(read_sk, k, g);
    if (err != 0)
        return err;
    al_sealed_me_key(out, read_sk);
    sodium_memzero(read_sk, sizeof(read_sk));
    return 0;
}

int al_device_noise_key(uint8_t out[32], const struct al_device *device)
{
    if (al_check_point(device->b) != 0 || crypto_sign_ed25519_pk_to_curve25519(out, device->b) != 0)
        return AL_E_POINT;
    return 0;
}

static_assert(AL_READ_BOX_BYTES == 32 + AL_BOX_EXTRA_BYTES, "a sealed reading key");

int al_read_box_seal(uint8_t box[AL_READ_BOX_BYTES], const struct al_device *device,
    const uint8_t read_sk[32], struct al_rng *rng)
{
    uint8_t to[32], secret[32];
    int err = al_device_noise_key(to, device);
    if (err != 0)
        return err;
    al_rng_bytes(rng, secret, sizeof(secret));
    err = al_box_seal(box, al_slice_of(read_sk, 32), to, secret);
    sodium_memzero(secret, sizeof(secret));
    return err;
}

int al_read_box_open(
    uint8_t read_sk[32], const uint8_t box[AL_READ_BOX_BYTES], const struct al_keyring *k)
{
    uint8_t plain[32];
    int err =
        al_box_open(plain, al_slice_of(box, AL_READ_BOX_BYTES), k->noise_public, k->noise_secret);
    if (err == 0)
        memcpy(read_sk, plain, sizeof(plain));
    sodium_memzero(plain, sizeof(plain));
    return err;
}

/*
 * True if |read_sk|, of generation |g|, is what its statement shows and the key at hand follows
 * from it: with any other, what was sealed before would be lost.
 */
static bool continues(
    const struct al_keyring *k, const uint8_t read_sk[32], uint32_t g, const uint8_t shown_pk[32])
{
    uint8_t at[32];
    al_read_key_public(at, read_sk);
    bool same = memcmp(at, shown_pk, sizeof(at)) == 0;
    memcpy(at, read_sk, sizeof(at));
    for (; g > k->generation; g--)
        al_read_key_down(at, at);
    same = same && sodium_memcmp(at, k->read_sk, sizeof(at)) == 0;
    sodium_memzero(at, sizeof(at));
    return same;
}

void al_keyring_learn(struct al_keyring *k, bool *ret_new, const struct al_record *record)
{
    *ret_new = false;
    for (uint32_t g = al_record_read_generation(record); g > k->generation && !*ret_new; g--) {
        uint8_t box[AL_READ_BOX_BYTES], shown_pk[32], read_sk[32];
        if (al_record_read_box(record, box, shown_pk, g, &k->device) != 0 ||
            al_read_box_open(read_sk, box, k) != 0)
            continue;
        if (continues(k, read_sk, g, shown_pk)) {
            memcpy(k->read_sk, read_sk, sizeof(k->read_sk));
            al_sealed_me_key(k->me_key, read_sk);
            k->generation = g;
            *ret_new = true;
        }
        sodium_memzero(read_sk, sizeof(read_sk));
    }
}
