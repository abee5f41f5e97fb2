/* What is noted in AL_SPACE_CIRCLE. No key is: boxes are opened anew at each load. */
#include "check.h"
#include "circle_int.h"
#include "read.h"
#include "write.h"

#define FACT_FIELDS 10
#define FACT_BYTES_MAX 512

/* --- keys ------------------------------------------------------------------------------------ */

void fact_circle_key(uint8_t out[FACT_CIRCLE_KEY_BYTES], char what, const struct al_identity *owner,
    const struct al_circle_id *cid)
{
    out[0] = (uint8_t)what;
    memcpy(out + 1, owner->b, sizeof(owner->b));
    memcpy(out + 33, cid->b, sizeof(cid->b));
}

static void epoch_key(uint8_t out[FACT_EPOCH_KEY_BYTES], const struct al_identity *owner,
    const struct al_circle_id *cid, const struct al_hash *id)
{
    fact_circle_key(out, FACT_EPOCH, owner, cid);
    memcpy(out + FACT_CIRCLE_KEY_BYTES, id->b, sizeof(id->b));
}

/* Of an owner's entries that wait, the newest epochs come first. */
static void waiting_key(uint8_t out[FACT_WAITING_KEY_BYTES], const struct al_identity *owner,
    const struct al_circle_id *cid, const struct fact *f)
{
    out[0] = FACT_WAITING;
    memcpy(out + 1, owner->b, sizeof(owner->b));
    al_u64be(out + 33, UINT64_MAX - f->n);
    memcpy(out + 41, cid->b, sizeof(cid->b));
    memcpy(out + 41 + sizeof(cid->b), f->ref.id.b, sizeof(f->ref.id.b));
}

void fact_key_read(
    struct al_identity *owner, struct al_circle_id *cid, struct al_hash *id, struct al_slice key)
{
    AL_ASSERT(key.n >= FACT_EPOCH_KEY_BYTES);
    const uint8_t *end = key.p + key.n;
    memcpy(owner->b, key.p + 1, sizeof(owner->b));
    memcpy(id->b, end - sizeof(id->b), sizeof(id->b));
    memcpy(cid->b, end - sizeof(id->b) - sizeof(cid->b), sizeof(cid->b));
}

/* --- values ---------------------------------------------------------------------------------- */

int fact_read(struct fact *ret, const struct al_hash *id, struct al_slice value)
{
    struct fact f = {.ref.id = *id};
    struct al_read r = al_read_message(value);
    (void)al_read_array(&r, FACT_FIELDS, FACT_FIELDS);
    al_read_bytes(&r, f.ref.device.b, sizeof(f.ref.device.b));
    al_read_bytes(&r, f.ref.log.b, sizeof(f.ref.log.b));
    f.ref.seq = al_read_uint(&r, AL_SEQ_MAX);
    al_read_bytes(&r, f.prev.b, sizeof(f.prev.b));
    f.n = al_read_uint(&r, UINT64_MAX);
    f.parent_count = al_read_array(&r, 0, AL_CIRCLE_PARENTS_MAX);
    for (uint32_t i = 0; i < f.parent_count; i++)
        al_read_bytes(&r, f.parents[i].b, sizeof(f.parents[i].b));
    f.tried = (uint32_t)al_read_uint(&r, AL_READ_GENERATIONS_MAX);
    f.box = (uint32_t)al_read_uint(&r, AL_CIRCLE_BOXES_MAX);
    f.generation = (uint32_t)al_read_uint(&r, AL_READ_GENERATIONS_MAX);
    f.hidden = al_read_bool(&r);
    if (al_read_end(&r) != 0)
        return AL_E_CORRUPT;
    *ret = f;
    return 0;
}

int fact_get(struct al_store *store, struct fact *ret, const struct al_identity *owner,
    const struct al_circle_id *cid, const struct al_hash *id)
{
    uint8_t key[FACT_EPOCH_KEY_BYTES];
    struct al_slice value;
    epoch_key(key, owner, cid, id);
    int err = al_store_kv_get(store, &value, AL_SPACE_CIRCLE, al_slice_of(key, sizeof(key)));
    return err != 0 ? err : fact_read(ret, id, value);
}

int fact_put(struct al_store *store, const struct al_identity *owner,
    const struct al_circle_id *cid, const struct fact *f)
{
    uint8_t key[FACT_EPOCH_KEY_BYTES];
    uint8_t value[FACT_BYTES_MAX];
    struct al_buf b = al_buf_fixed(value, sizeof(value));
    epoch_key(key, owner, cid, &f->ref.id);
    al_write_array(&b, FACT_FIELDS);
    al_write_bin(&b, f->ref.device.b, sizeof(f->ref.device.b));
    al_write_bin(&b, f->ref.log.b, sizeof(f->ref.log.b));
    al_write_uint(&b, f->ref.seq);
    al_write_bin(&b, f->prev.b, sizeof(f->prev.b));
    al_write_uint(&b, f->n);
    al_write_array(&b, f->parent_count);
    for (uint32_t i = 0; i < f->parent_count; i++)
        al_write_bin(&b, f->parents[i].b, sizeof(f->parents[i].b));
    al_write_uint(&b, f->tried);
    al_write_uint(&b, f->box);
    al_write_uint(&b, f->generation);
    al_write_bool(&b, f->hidden);
    AL_ASSERT(!b.full);
    return al_store_kv_put(store, AL_SPACE_CIRCLE, al_slice_of(key, sizeof(key)), al_buf_slice(&b));
}

int fact_wait(struct al_store *store, const struct al_identity *owner,
    const struct al_circle_id *cid, const struct fact *f, bool waits)
{
    uint8_t bytes[FACT_WAITING_KEY_BYTES];
    struct al_slice key = al_slice_of(bytes, sizeof(bytes));
    waiting_key(bytes, owner, cid, f);
    return waits ? al_store_kv_put(store, AL_SPACE_CIRCLE, key, al_slice_str("1"))
                 : al_store_kv_del(store, AL_SPACE_CIRCLE, key);
}
