#include "init.h"

#include "apply.h"
#include "check.h"
#include "rng.h"
#include "statement.h"

static int put_statement(
    struct al_store *store, const struct al_identity *identity, const struct al_buf *bytes)
{
    struct al_statement s;
    uint8_t key[64];
    int err = al_statement_open(&s, al_buf_slice(bytes));
    AL_ASSERT(err == 0); /* it was made here */
    memcpy(key, identity->b, 32);
    memcpy(key + 32, s.hash.b, 32);
    return al_store_kv_put(
        store, AL_SPACE_STATEMENT, al_slice_of(key, sizeof(key)), al_buf_slice(bytes));
}

static int put_statements(struct al_store *store, const struct al_root *root,
    const struct al_keyring *keyring, struct al_slice device_name, uint64_t now_ms,
    struct al_rng *rng)
{
    uint8_t bytes[1024];
    struct al_buf b = al_buf_fixed(bytes, sizeof(bytes));
    struct al_read_box box = {.device = keyring->device};
    uint8_t read_pk[32];
    al_statement_encode_cert(&b, &root->identity, root->secret, &keyring->device,
        keyring->device_secret, now_ms, device_name);
    int err = put_statement(store, &root->identity, &b);
    if (err == 0)
        err = al_read_box_seal(box.box, &keyring->device, keyring->read_sk, rng);
    if (err != 0)
        return err;
    al_read_key_public(read_pk, keyring->read_sk);
    b = al_buf_fixed(bytes, sizeof(bytes));
    al_statement_encode_read(
        &b, &root->identity, root->secret, keyring->generation, read_pk, &box, 1);
    return put_statement(store, &root->identity, &b);
}

static int has_identity(void *arg, struct al_slice key, struct al_slice value)
{
    (void)arg;
    (void)key;
    (void)value;
    return AL_E_EXISTS;
}

int al_init_store(struct al_store *store, const struct al_root *root,
    const struct al_keyring *keyring, struct al_slice person_name, struct al_slice device_name,
    uint64_t now_ms, const uint8_t seed[32])
{
    struct al_rng rng;
    al_rng_init(&rng, seed);
    if (person_name.n == 0 || person_name.n > AL_NAME_MAX || device_name.n > AL_NAME_MAX)
        return AL_E_LENGTH;
    int err = al_store_kv_scan(store, AL_SPACE_STATEMENT, al_slice_of(NULL, 0), has_identity, NULL);
    if (err == 0)
        err = al_store_begin(store);
    if (err != 0)
        return err;
    err = put_statements(store, root, keyring, device_name, now_ms, &rng);
    if (err == 0)
        err = al_store_kv_put(store, AL_SPACE_META, al_slice_str(AL_META_NAME), person_name);
    if (err == 0)
        err = al_store_kv_put(store, AL_SPACE_META, al_slice_str(AL_META_OWN_NAME), person_name);
    uint64_t pos;
    if (err == 0)
        err = al_store_change(store, &pos, AL_CHANGE_PEOPLE, 0, 0);
    if (err == 0)
        return al_store_commit(store);
    al_store_rollback(store);
    return err;
}

int al_init_confirm(struct al_store *store)
{
    int err = al_store_begin(store);
    if (err != 0)
        return err;
    err = al_store_kv_put(store, AL_SPACE_META, al_slice_str(AL_META_PHRASE), al_slice_str("1"));
    if (err == 0)
        return al_store_commit(store);
    al_store_rollback(store);
    return err;
}
