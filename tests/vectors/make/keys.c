/* Everything that follows from the recovery phrase and from a device's seed. */
#include "keyring.h"
#include "phrase.h"
#include "sample.h"
#include "statement.h"
#include "vec.h"

void make_keys(json_t *list)
{
    for (uint64_t i = 0; i < 3; i++) {
        struct al_root root;
        struct al_keyring ring;
        struct al_rng rng;
        uint8_t entropy[32];
        uint8_t seed[32];
        uint8_t read_sk[32];
        uint8_t read_pk[32];
        uint8_t box[AL_READ_BOX_BYTES];
        uint32_t generation = (uint32_t)(1 + i * 31);
        char phrase[AL_PHRASE_BYTES];
        sample_bytes(entropy, sizeof(entropy), 6000 + i);
        sample_bytes(seed, sizeof(seed), 6100 + i);
        al_rng_init(&rng, seed);
        al_root_derive(&root, entropy);
        al_root_read_key(read_sk, &root, generation);
        al_read_key_public(read_pk, read_sk);
        al_phrase_text(phrase, entropy);
        if (al_keyring_init(&ring, &root.identity, seed, generation, read_sk) != 0 ||
            al_read_box_seal(box, &ring.device, read_sk, &rng) != 0)
            return;
        json_t *v = vec_bare(list, "keys", 0);
        vec_hex(v, "entropy", entropy, 32);
        vec_text(v, "phrase", al_slice_str(phrase));
        vec_hex(v, "identity", root.identity.b, 32);
        vec_uint(v, "generation", generation);
        vec_hex(v, "read_sk", read_sk, 32);
        vec_hex(v, "read_pk", read_pk, 32);
        vec_hex(v, "me_key", ring.me_key, 32);
        vec_hex(v, "device_seed", seed, 32);
        vec_hex(v, "device", ring.device.b, 32);
        vec_hex(v, "noise_public", ring.noise_public, 32);
        vec_hex(v, "box", box, sizeof(box));
    }
}
