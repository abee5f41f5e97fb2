#include "boot.h"

#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "init.h"
#include "node_thread.h"
#include "ticket.h"

static int fail(struct al_complaint *c, int err, const char *what, const char *hint)
{
    c->err = err;
    c->what = what;
    c->hint = hint;
    return err;
}

int al_boot_network(struct al_network *ret, const struct al_conf *conf, struct al_complaint *c)
{
    const char *path = conf->network_file;
    al_network_public(ret);
    if (path[0] == '\0')
        return 0;
    uint8_t bytes[sizeof(ret->b) + 1];
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    ssize_t n = fd < 0 ? -1 : read(fd, bytes, sizeof(bytes));
    if (fd >= 0)
        (void)close(fd);
    if (n == (ssize_t)sizeof(ret->b)) {
        memcpy(ret->b, bytes, sizeof(ret->b));
        sodium_memzero(bytes, sizeof(bytes));
        return 0;
    }
    (void)snprintf(c->text, sizeof(c->text), "%s %s", path,
        n < 0 ? "cannot be read" : "has not exactly 32 bytes");
    c->why = c->text;
    return fail(c, AL_E_CONFIG, "the secret of the network is not usable", NULL);
}

static int take_lock(struct al_boot *b, struct al_complaint *c)
{
    pid_t holder = 0;
    int err = al_files_lock(&b->lock, &holder, b->paths->data);
    if (err == 0)
        return 0;
    if (err != AL_E_BUSY) {
        al_complain_of_dir(c, err, b->paths->data);
        return err;
    }
    (void)snprintf(c->text, sizeof(c->text), "process %ld holds %s", (long)holder, b->paths->data);
    c->why = c->text;
    return fail(c, err, "a node is running already", "aloud status");
}

static int half_restored(struct al_complaint *c)
{
    c->why = "it can be begun again, with the same words";
    return fail(c, AL_E_NOT_INITIALISED, "a restore was begun here and did not come to its end",
        "aloud restore");
}

static int load_keys(struct al_boot *b, struct al_complaint *c)
{
    int err = al_files_load(&b->keyring, b->paths->keys);
    if (err == 0)
        (void)sodium_mlock(&b->keyring, sizeof(b->keyring)); /* a limit may forbid it */
    randombytes_buf(b->now, sizeof(b->now));
    if (err == 0)
        err = al_files_boot(&b->start, b->paths->keys, b->now);
    if (err == AL_E_NOT_INITIALISED && al_files_restore_open(b->paths->keys))
        return half_restored(c);
    c->why = err == AL_E_NOT_INITIALISED ? "" : NULL; /* the first line says it all */
    if (err == AL_E_NOT_INITIALISED)
        return fail(c, err, "no identity on this machine yet", "aloud init   (or: aloud restore)");
    return err == 0 ? 0 : fail(c, err, "the key files cannot be used", "aloud paths");
}

/* --- is the own log whole? ----------------------------------------------------------------- */

static bool meta_is(struct al_store *s, const char *key, const uint8_t *expected, size_t n)
{
    struct al_slice value;
    int err = al_store_kv_get(s, &value, AL_SPACE_META, al_slice_str(key));
    return err == 0 && al_slice_eq(value, al_slice_of(expected, n));
}

static bool has_meta(struct al_store *s, const char *key)
{
    struct al_slice value;
    return al_store_kv_get(s, &value, AL_SPACE_META, al_slice_str(key)) == 0;
}

/* A file keeps its number when it is renamed, and its copy has another. */
static uint64_t place_of(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 ? st.st_ino : 0;
}

/*
 * The key files count starts, and so does the database. When it is behind, it is an older state
 * of itself, or another's: its log may lack entries that others have, and must not be continued.
 * Nor must that of a file that was put there, which counts on like the one it was made from. On
 * another host the whole directory is a copy, whose first owner may go on with this very device.
 */
static int compare_start(struct al_boot *b)
{
    const struct al_files_boot *start = &b->start;
    int err = al_restore_is_copy(b->store, &b->is_copy);
    if (err != 0)
        return err;
    b->is_copy = b->is_copy || start->host_differs;
    uint8_t last[8], now[8], place[8];
    al_u64be(last, start->starts - 1);
    al_u64be(now, start->starts);
    bool is_first = start->starts == 1 && !has_meta(b->store, AL_META_INSTANCE);
    bool is_next = meta_is(b->store, AL_META_INSTANCE, start->instance, sizeof(start->instance)) &&
                   meta_is(b->store, AL_META_STARTS, last, sizeof(last));
    al_u64be(place, place_of(b->paths->log_db));
    bool moved = has_meta(b->store, AL_META_PLACE) &&
                 !meta_is(b->store, AL_META_PLACE, place, sizeof(place));
    if (moved)
        b->new_log = "log.db was put in its place, and may be an older copy";
    else if (!is_first && !is_next)
        b->new_log = "log.db is older than its keys";
    err = al_store_begin(b->store);
    if (err != 0)
        return err;
    err = al_store_kv_put(b->store, AL_SPACE_META, al_slice_str(AL_META_INSTANCE),
        al_slice_of(start->instance, sizeof(start->instance)));
    if (err == 0)
        err = al_store_kv_put(
            b->store, AL_SPACE_META, al_slice_str(AL_META_STARTS), al_slice_of(now, sizeof(now)));
    if (err == 0)
        err = al_store_kv_put(b->store, AL_SPACE_META, al_slice_str(AL_META_PLACE),
            al_slice_of(place, sizeof(place)));
    if (err == 0)
        return al_store_commit(b->store);
    al_store_rollback(b->store);
    return err;
}

/* --- the node ------------------------------------------------------------------------------ */

/* The node opens its store here; the first time it is open already. */
static int open_store(void *arg, struct al_store **ret)
{
    struct al_boot *b = arg;
    if (b->store == NULL)
        return al_store_open(ret, b->paths->log_db, AL_STORE_WRITE);
    *ret = b->store;
    b->store = NULL;
    return 0;
}

static int make_node(struct al_boot *b)
{
    struct al_slice addresses[AL_CONF_ADDRESSES];
    for (size_t i = 0; i < b->conf->address_count; i++)
        addresses[i] = al_slice_str(b->conf->addresses[i]);
    struct al_node_opts opts = {
        .open_store = open_store,
        .open_arg = b,
        .keyring = &b->keyring,
        .network = b->network,
        .agent = b->agent,
        .audience = b->conf->audience,
        .hold_s = b->conf->hold_s,
        .pieces_bytes = b->conf->pieces_bytes,
        .boots = al_slice_of(b->start.boots[0], b->start.boot_count * AL_BOOT_BYTES),
        .boots_lost = b->start.boots_lost,
        .new_log = b->new_log != NULL,
        .new_log_why = b->new_log,
        .copy = b->is_copy,
        .listens_at_start = b->conf->listen_given,
        .static_addresses = addresses,
        .static_address_count = b->conf->address_count,
    };
    randombytes_buf(opts.seed, sizeof(opts.seed));
    memcpy(opts.boot, b->now, sizeof(opts.boot));
    int err = al_node_new(&b->node, &opts, al_node_thread_now());
    sodium_memzero(opts.seed, sizeof(opts.seed));
    return err;
}

int al_boot(struct al_boot *b, struct al_complaint *c)
{
    b->lock = -1;
    int err = take_lock(b, c);
    if (err == 0)
        err = al_boot_network(&b->network, b->conf, c);
    if (err == 0)
        err = load_keys(b, c);
    if (err != 0)
        return err;
    err = al_store_open(&b->store, b->paths->log_db, AL_STORE_WRITE);
    if (err == AL_E_NOT_FOUND)
        return fail(c, err, "there are keys, but no log: log.db is gone",
            "aloud restore --backup FILE   (or: aloud restore --from TICKET)");
    if (err == 0)
        err = compare_start(b);
    if (err == 0)
        err = make_node(b);
    bool half = al_files_restore_open(b->paths->keys);
    if (err == 0 && half && !b->is_copy) /* cut off after everything was there */
        err = al_files_restore_end(b->paths->keys);
    if (err == AL_E_NOT_INITIALISED && half)
        return half_restored(c);
    if (err == AL_E_NOT_INITIALISED)
        return fail(c, err, "the log belongs to another identity than the keys", "aloud paths");
    return err == 0 ? 0 : fail(c, err, "the log cannot be opened", "aloud paths");
}

void al_boot_fini(struct al_boot *b)
{
    al_node_free(b->node);
    al_store_close(b->store);
    (void)sodium_munlock(&b->keyring, sizeof(b->keyring)); /* wipes it, too */
    sodium_memzero(&b->keyring, sizeof(b->keyring));
    if (b->lock >= 0)
        al_files_unlock(b->lock);
}
