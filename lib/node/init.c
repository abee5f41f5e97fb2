#include "init.h"

#include "apply.h"
#include "check.h"
#include "node_int.h"
#include "read.h"
#include "rng.h"
#include "statement.h"
#include "write.h"

#define CONTACT_BYTES (AL_ADDRESSES_MAX * (AL_ADDRESS_MAX + 3) + 128)

static int put_statement(
    struct al_store *store, const struct al_identity *identity, struct al_slice bytes)
{
    struct al_statement s;
    uint8_t key[64];
    int err = al_statement_open(&s, bytes);
    AL_ASSERT(err == 0 && al_identity_eq(&s.identity, identity)); /* made or opened here before */
    memcpy(key, identity->b, 32);
    memcpy(key + 32, s.hash.b, 32);
    return al_store_kv_put(store, AL_SPACE_STATEMENT, al_slice_of(key, sizeof(key)), bytes);
}

static int put_meta(struct al_store *store, const char *name, struct al_slice value)
{
    return al_store_kv_put(store, AL_SPACE_META, al_slice_str(name), value);
}

static int del_meta(struct al_store *store, const char *name)
{
    return al_store_kv_del(store, AL_SPACE_META, al_slice_str(name));
}

static int put_cert(struct al_store *store, const struct al_root *root,
    const struct al_keyring *keyring, struct al_slice device_name, uint64_t created_ms)
{
    uint8_t bytes[512];
    struct al_buf b = al_buf_fixed(bytes, sizeof(bytes));
    al_statement_encode_cert(&b, &root->identity, root->secret, &keyring->device,
        keyring->device_secret, created_ms, device_name);
    return put_statement(store, &root->identity, al_buf_slice(&b));
}

/* The reading key of the keyring's generation, for its device alone. */
static int put_reading_key(struct al_store *store, const struct al_root *root,
    const struct al_keyring *keyring, struct al_rng *rng)
{
    uint8_t bytes[512];
    struct al_buf b = al_buf_fixed(bytes, sizeof(bytes));
    struct al_read_box box = {.device = keyring->device};
    uint8_t read_pk[32];
    int err = al_read_box_seal(box.box, &keyring->device, keyring->read_sk, rng);
    if (err != 0)
        return err;
    al_read_key_public(read_pk, keyring->read_sk);
    al_statement_encode_read(
        &b, &root->identity, root->secret, keyring->generation, read_pk, &box, 1);
    return put_statement(store, &root->identity, al_buf_slice(&b));
}

/* Log that there are new statements, and commit, unless |err| tells to undo it all. */
static int end(struct al_store *store, int err)
{
    uint64_t pos;
    if (err == 0)
        err = al_store_change(store, &pos, AL_CHANGE_PEOPLE, 0, 0);
    if (err == 0)
        return al_store_commit(store);
    al_store_rollback(store);
    return err;
}

/* --- a person ------------------------------------------------------------------------------ */

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
    err = put_cert(store, root, keyring, device_name, now_ms);
    if (err == 0)
        err = put_reading_key(store, root, keyring, &rng);
    if (err == 0)
        err = put_meta(store, AL_META_IDENTITY, al_slice_of(root->identity.b, 32));
    if (err == 0)
        err = put_meta(store, AL_META_NAME, person_name);
    if (err == 0)
        err = put_meta(store, AL_META_OWN_NAME, person_name);
    return end(store, err);
}

int al_init_confirm(struct al_store *store)
{
    int err = al_store_begin(store);
    if (err != 0)
        return err;
    err = put_meta(store, AL_META_PHRASE, al_slice_str("1"));
    if (err == 0)
        return al_store_commit(store);
    al_store_rollback(store);
    return err;
}

/* --- a further device of a person ------------------------------------------------------------ */

/* A fact of AL_SPACE_META, or nothing. */
static int get_meta(struct al_store *store, struct al_slice *ret, const char *name)
{
    int err = al_store_kv_get(store, ret, AL_SPACE_META, al_slice_str(name));
    if (err == AL_E_NOT_FOUND)
        *ret = al_slice_of(NULL, 0);
    return err == AL_E_NOT_FOUND ? 0 : err;
}

/* What belonged to the device that wrote the store, or to its last start. */
static int leave_device(struct al_store *store)
{
    static const char *const names[] = {AL_META_COPY, AL_META_OWN_LOG, AL_META_INSTANCE,
        AL_META_STARTS, AL_META_PLACE, AL_META_NEW_LOG, AL_META_NAME};
    int err = put_meta(store, AL_META_RESTORED, al_slice_str("1"));
    for (size_t i = 0; err == 0 && i < sizeof(names) / sizeof(names[0]); i++)
        err = del_meta(store, names[i]);
    return err;
}

static int put_contact(struct al_store *store, const struct al_restore_peer *peer)
{
    uint8_t bytes[CONTACT_BYTES];
    struct al_buf b = al_buf_fixed(bytes, sizeof(bytes));
    al_write_array(&b, 4);
    al_write_bin(&b, peer->identity.b, sizeof(peer->identity.b));
    al_write_bin(&b, peer->device.b, sizeof(peer->device.b));
    al_write_array(&b, peer->address_count);
    for (uint32_t i = 0; i < peer->address_count; i++)
        al_write_str(&b, peer->addresses[i]);
    al_write_bin(&b, peer->token.p, peer->token.n);
    AL_ASSERT(!b.full);
    return put_meta(store, AL_META_CONTACT, al_buf_slice(&b));
}

int al_restore_contact(struct al_restore_peer *ret, struct al_slice bytes)
{
    struct al_read r = al_read_message(bytes);
    (void)al_read_array(&r, 4, 4);
    al_read_bytes(&r, ret->identity.b, sizeof(ret->identity.b));
    al_read_bytes(&r, ret->device.b, sizeof(ret->device.b));
    ret->address_count = al_read_array(&r, 0, AL_ADDRESSES_MAX);
    for (uint32_t i = 0; i < ret->address_count; i++)
        ret->addresses[i] = al_read_str(&r, AL_ADDRESS_MAX);
    ret->token = al_read_bin(&r, 0, AL_TOKEN_BYTES);
    return al_read_end(&r) == 0 ? 0 : AL_E_CORRUPT;
}

struct readings {
    bool any;
};

static int find_reading(void *arg, struct al_slice key, struct al_slice value)
{
    struct readings *found = arg;
    struct al_statement s;
    (void)key;
    found->any = al_statement_read(&s, value) == 0 && s.kind == AL_STATEMENT_READ;
    return found->any;
}

/* A reading key that somebody knows is not published again: a generation has four places. */
static int publish_first_reading(
    struct al_store *store, const struct al_restore_opts *o, struct al_rng *rng)
{
    struct readings found = {.any = false};
    int err = al_store_kv_scan(store, AL_SPACE_STATEMENT,
        al_slice_of(o->root->identity.b, sizeof(o->root->identity.b)), find_reading, &found);
    if (err < 0 || found.any)
        return err < 0 ? err : 0;
    return put_reading_key(store, o->root, o->keyring, rng);
}

int al_restore_store(struct al_store *store, const struct al_restore_opts *o)
{
    struct al_rng rng;
    al_rng_init(&rng, o->seed);
    if (o->device_name.n > AL_NAME_MAX)
        return AL_E_LENGTH;
    int err = al_store_begin(store);
    if (err != 0)
        return err;
    for (size_t i = 0; err == 0 && i < o->statement_count; i++)
        err = put_statement(store, &o->root->identity, o->statements[i]);
    if (err == 0)
        err = put_cert(store, o->root, o->keyring, o->device_name, o->created_ms);
    if (err == 0)
        err = publish_first_reading(store, o, &rng);
    if (err == 0)
        err = leave_device(store);
    if (err == 0)
        err = put_meta(store, AL_META_IDENTITY, al_slice_of(o->root->identity.b, 32));
    if (err == 0)
        err = put_meta(store, AL_META_PHRASE, al_slice_str("1")); /* they have just been typed */
    if (err == 0 && o->peer != NULL)
        err = put_contact(store, o->peer);
    if (err == 0 && o->peer != NULL) /* as with a join */
        err = put_meta(store, AL_META_LISTEN, al_slice_str("1"));
    al_rng_wipe(&rng);
    return end(store, err);
}

/* --- whose log it is ----------------------------------------------------------------------- */

struct owner {
    struct al_logname own_log;
    bool has_own_log;
    struct al_identity identity;
    uint32_t found; /* different ones */
};

static int note_owner(struct owner *o, const struct al_identity *identity)
{
    if (o->found == 0 || !al_identity_eq(&o->identity, identity))
        o->found++;
    o->identity = *identity;
    return 0;
}

static int look_at_log(void *arg, const struct al_store_log *log)
{
    struct owner *o = arg;
    return al_logname_eq(&log->log, &o->own_log) ? note_owner(o, &log->identity) : 0;
}

static int look_at_statement(void *arg, struct al_slice key, struct al_slice value)
{
    struct al_identity identity;
    (void)value;
    if (key.n < sizeof(identity.b))
        return AL_E_CORRUPT;
    memcpy(identity.b, key.p, sizeof(identity.b));
    return note_owner(arg, &identity);
}

int al_restore_owner(struct al_store *store, struct al_identity *ret, char *ret_name)
{
    struct owner o = {.found = 0};
    struct al_slice value;
    int err = get_meta(store, &value, AL_META_IDENTITY);
    if (err == 0 && value.n == sizeof(o.identity.b)) {
        memcpy(o.identity.b, value.p, value.n);
        o.found = 1;
    }
    if (err == 0 && o.found == 0)
        err = get_meta(store, &value, AL_META_OWN_LOG);
    if (err == 0 && o.found == 0 && value.n == sizeof(o.own_log.b)) {
        memcpy(o.own_log.b, value.p, value.n);
        err = al_store_logs(store, look_at_log, &o);
    }
    if (err == 0 && o.found == 0)
        err = al_store_kv_scan(
            store, AL_SPACE_STATEMENT, al_slice_of(NULL, 0), look_at_statement, &o);
    if (err == 0 && o.found != 1)
        err = AL_E_NOT_FOUND;
    if (err == 0)
        err = get_meta(store, &value, AL_META_OWN_NAME);
    if (err != 0)
        return err;
    size_t n = value.n <= AL_NAME_MAX ? value.n : 0;
    if (n > 0)
        memcpy(ret_name, value.p, n);
    ret_name[n] = '\0';
    *ret = o.identity;
    return 0;
}

int al_restore_mark_copy(struct al_store *store)
{
    int err = al_store_begin(store);
    if (err != 0)
        return err;
    err = put_meta(store, AL_META_COPY, al_slice_str("1"));
    if (err == 0)
        return al_store_commit(store);
    al_store_rollback(store);
    return err;
}

int al_restore_is_copy(struct al_store *store, bool *ret)
{
    struct al_slice marked;
    int err = get_meta(store, &marked, AL_META_COPY);
    if (err == 0)
        *ret = marked.n > 0;
    return err;
}
