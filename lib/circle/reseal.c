/* A circle entry that moves to another place, with the key it has. */
#include <sodium.h>
#include <stdlib.h>

#include "circle_int.h"
#include "write.h"

struct mover {
    const uint8_t *key;
    const struct al_place *from, *to;
    struct al_rng *rng;
    uint8_t *clear, *sealed; /* AL_PAYLOAD_MAX each */
};

/* Seal the form |bytes| for its new place, into m->sealed. */
static int move(struct mover *m, struct al_buf *ret, struct al_slice bytes)
{
    struct al_sealed sealed;
    uint8_t nonce[AL_NONCE_BYTES];
    size_t n;
    int err = al_sealed_open(&sealed, bytes);
    if (err == 0)
        err = al_sealed_decrypt(m->clear, &n, &sealed, m->key, m->from);
    if (err != 0)
        return AL_E_SEALED;
    al_rng_bytes(m->rng, nonce, sizeof(nonce));
    *ret = al_buf_fixed(m->sealed, AL_PAYLOAD_MAX);
    return al_sealed_encode(ret, m->key, nonce, m->to, al_slice_of(m->clear, n));
}

static int move_all(
    struct mover *m, struct al_buf *b, struct al_payload *p, const struct al_circle_entry *entry)
{
    struct al_buf one;
    size_t start = b->n;
    al_write_array(b, entry->old_count);
    for (uint32_t i = 0; i < entry->old_count; i++) {
        int err = move(m, &one, al_circle_old(entry, i));
        if (err != 0)
            return err;
        al_write_bin(b, one.p, one.n);
    }
    size_t old_n = b->n - start;
    int err = move(m, &one, entry->meta);
    if (err != 0)
        return err;
    al_buf_put(b, one.p, one.n);
    if (b->full)
        return AL_E_NOMEM;
    p->old = al_slice_of(b->p + start, old_n);
    p->meta = al_slice_of(b->p + start + old_n, one.n);
    return 0;
}

int al_circle_reseal(struct al_circles *c, struct al_buf *b, struct al_payload *p,
    const struct al_place *from, const struct al_place *to, struct al_rng *rng)
{
    struct al_circle_entry entry;
    struct fact f = {.tried = 0};
    uint8_t key[AL_EPOCH_KEY_BYTES];
    const struct al_identity *owner = &c->keyring->identity;
    if (al_circle_open(&entry, p) != 0)
        return AL_E_SEALED;
    keys_derive(c);
    keys_find_box(c, &f, owner, &entry);
    if (f.box == 0 || al_circle_box_open(key, al_circle_box(&entry, f.box - 1), owner, &entry.cid,
                          entry.n, c->read_sk[f.generation - 1], c->read_pk[f.generation - 1]) != 0)
        return AL_E_SEALED;
    uint8_t *space = malloc((size_t)2 * AL_PAYLOAD_MAX);
    int err = AL_E_NOMEM;
    if (space != NULL) {
        struct mover m = {.key = key,
            .from = from,
            .to = to,
            .rng = rng,
            .clear = space,
            .sealed = space + AL_PAYLOAD_MAX};
        err = move_all(&m, b, p, &entry);
        sodium_memzero(space, (size_t)2 * AL_PAYLOAD_MAX);
    }
    free(space);
    sodium_memzero(key, sizeof(key));
    return err;
}
