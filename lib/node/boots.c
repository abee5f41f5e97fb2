/*
 * The starts of this device, as far as they are remembered: a notice that another machine runs with
 * its key proves nothing when it shows one of them.
 */
#include <stdlib.h>

#include "node_int.h"

#define BOOTS_MAX ((size_t)4096)

int node_load_boots(struct al_node *n)
{
    struct al_slice kept;
    struct al_slice lost;
    if (n->boots.n > 0)
        return 0; /* the store was opened again: it is the same start */
    int err = al_store_kv_get(n->store, &kept, AL_SPACE_META, al_slice_str(AL_META_BOOTS));
    if (err == AL_E_NOT_FOUND)
        kept = al_slice_of(NULL, 0);
    if (err != 0 && err != AL_E_NOT_FOUND)
        return err;
    if (kept.n % AL_BOOT_BYTES != 0)
        return AL_E_CORRUPT;
    size_t most = (BOOTS_MAX - 1) * AL_BOOT_BYTES;
    if (kept.n > most)
        kept = al_slice_of(kept.p + kept.n - most, most);
    al_buf_put(&n->boots, kept.p, kept.n);
    al_buf_put(&n->boots, n->opts.boot, AL_BOOT_BYTES);
    if (n->boots.full)
        return AL_E_NOMEM;
    err = al_store_kv_get(n->store, &lost, AL_SPACE_META, al_slice_str(AL_META_BOOTS_LOST));
    n->boots_lost = err == 0 || n->opts.new_log;
    return err == AL_E_NOT_FOUND ? 0 : err;
}

int node_save_boots(struct al_node *n)
{
    int err = al_store_kv_put(
        n->store, AL_SPACE_META, al_slice_str(AL_META_BOOTS), al_buf_slice(&n->boots));
    if (err == 0 && n->boots_lost)
        err = al_store_kv_put(
            n->store, AL_SPACE_META, al_slice_str(AL_META_BOOTS_LOST), al_slice_str("1"));
    return err;
}
