/* The store in memory, for the simulator and for tests: the same rules, no file. */
#include <stdlib.h>

#include "check.h"
#include "entry.h"
#include "mem_int.h"

struct entry {
    uint64_t pos, time_ms, arrived_ms;
    struct al_hash id;
    uint32_t plen;
    struct al_hash phash; /* when the payload is not held */
};

/* Keys of numbers, in big-endian so that their bytes sort as they do. */
struct key {
    uint8_t b[16];
    size_t n;
};

static struct key key_of(uint64_t a)
{
    struct key k = {.n = 8};
    al_u64be(k.b, a);
    return k;
}

static struct key key_of_two(uint64_t a, uint64_t b)
{
    struct key k = {.n = 16};
    al_u64be(k.b, a);
    al_u64be(k.b + 8, b);
    return k;
}

static struct al_slice bytes_of(const struct key *k)
{
    return al_slice_of(k->b, k->n);
}

static int put(struct al_store *s, enum table table, struct key key, const void *value, size_t n)
{
    return al_memtree_put(al_mem_tree(s), (uint8_t)table, bytes_of(&key), al_slice_of(value, n),
        (struct al_slice){0});
}

static int get(struct al_memnode *n, void *ret, size_t size)
{
    if (n == NULL)
        return AL_E_NOT_FOUND;
    memcpy(ret, n->value.p, size);
    return 0;
}

/* --- transactions -------------------------------------------------------------------------- */

static int mem_begin(struct al_store *s)
{
    return ((struct mem *)s)->disk->full ? AL_E_FULL : 0;
}

static int mem_commit(struct al_store *s)
{
    struct al_store_disk *d = ((struct mem *)s)->disk;
    int err = d->fail;
    d->fail = 0;
    if (err == 0 || d->fail_there)
        al_memtree_keep(&d->tree);
    return err;
}

static void mem_rollback(struct al_store *s)
{
    al_memtree_undo(al_mem_tree(s));
}

static int mem_tidy(struct al_store *s)
{
    (void)s;
    return 0;
}

static void mem_close(struct al_store *s)
{
    struct mem *m = (struct mem *)s;
    m->disk->open = false;
    if (m->owns_disk)
        al_store_disk_free(m->disk);
    free(m);
}

/* --- logs, runs, signatures ---------------------------------------------------------------- */

static void name_key(uint8_t out[40], const struct al_device *device, const struct al_logname *log)
{
    memcpy(out, device->b, 32);
    memcpy(out + 32, log->b, 8);
}

static int mem_log_from(struct al_store *s, struct al_store_log *ret, uint32_t no)
{
    struct key k = key_of(no);
    return get(al_memtree_ceil(al_mem_tree(s), TABLE_LOG, bytes_of(&k)), ret, sizeof(*ret));
}

static int mem_log_find(struct al_store *s, struct al_store_log *ret,
    const struct al_device *device, const struct al_logname *log)
{
    uint8_t name[40];
    uint32_t no = 0;
    name_key(name, device, log);
    int err = get(al_memtree_get(al_mem_tree(s), TABLE_NAME, al_slice_of(name, sizeof(name))), &no,
        sizeof(no));
    return err != 0 ? err : mem_log_from(s, ret, no);
}

static int mem_log_set(struct al_store *s, const struct al_store_log *log)
{
    return put(s, TABLE_LOG, key_of(log->no), log, sizeof(*log));
}

static int mem_log_add(struct al_store *s, struct al_store_log *log)
{
    struct key last = key_of(UINT32_MAX);
    struct al_store_log newest = {0};
    uint8_t name[40];
    (void)get(
        al_memtree_floor(al_mem_tree(s), TABLE_LOG, bytes_of(&last)), &newest, sizeof(newest));
    log->no = newest.no + 1;
    name_key(name, &log->device, &log->log);
    int err = al_memtree_put(al_mem_tree(s), TABLE_NAME, al_slice_of(name, sizeof(name)),
        al_slice_of(&log->no, sizeof(log->no)), (struct al_slice){0});
    return err != 0 ? err : mem_log_set(s, log);
}

static int mem_run_at(struct al_store *s, struct al_store_run *ret, uint32_t log_no, uint64_t seq)
{
    struct key k = key_of_two(log_no, seq);
    struct al_memnode *n = al_memtree_floor(al_mem_tree(s), TABLE_RUN, bytes_of(&k));
    if (n != NULL && al_u64be_read(n->key.p) != log_no)
        n = NULL;
    return get(n, ret, sizeof(*ret));
}

static int mem_run_put(struct al_store *s, uint32_t log_no, const struct al_store_run *run)
{
    return put(s, TABLE_RUN, key_of_two(log_no, run->first), run, sizeof(*run));
}

static int mem_run_del(struct al_store *s, uint32_t log_no, uint64_t first)
{
    struct key k = key_of_two(log_no, first);
    return al_memtree_del(al_mem_tree(s), TABLE_RUN, bytes_of(&k));
}

static int mem_sig_at(
    struct al_store *s, uint64_t *ret_seq, struct al_sig *ret_sig, uint32_t log_no, uint64_t seq)
{
    struct key k = key_of_two(log_no, seq);
    struct al_memnode *n = al_memtree_ceil(al_mem_tree(s), TABLE_SIG, bytes_of(&k));
    if (n == NULL || al_u64be_read(n->key.p) != log_no)
        return AL_E_NOT_FOUND;
    *ret_seq = al_u64be_read(n->key.p + 8);
    return get(n, ret_sig, sizeof(*ret_sig));
}

static int mem_sig_put(struct al_store *s, uint32_t log_no, uint64_t seq, const struct al_sig *sig)
{
    return put(s, TABLE_SIG, key_of_two(log_no, seq), sig, sizeof(*sig));
}

static int mem_sig_del(struct al_store *s, uint32_t log_no, uint64_t seq)
{
    struct key k = key_of_two(log_no, seq);
    return al_memtree_del(al_mem_tree(s), TABLE_SIG, bytes_of(&k));
}

/* --- entries ------------------------------------------------------------------------------- */

static int entry_put(
    struct al_store *s, struct key key, const struct entry *e, struct al_slice payload)
{
    return al_memtree_put(
        al_mem_tree(s), TABLE_ENTRY, bytes_of(&key), al_slice_of(e, sizeof(*e)), payload);
}

static void row_of(struct al_store_row *ret, const struct al_memnode *n)
{
    struct entry e;
    memcpy(&e, n->value.p, sizeof(e));
    *ret = (struct al_store_row){
        .pos = e.pos,
        .log_no = (uint32_t)al_u64be_read(n->key.p),
        .seq = al_u64be_read(n->key.p + 8),
        .time_ms = e.time_ms,
        .arrived_ms = e.arrived_ms,
        .id = e.id,
        .plen = e.plen,
        .phash = e.phash,
        .payload = al_slice_of(n->value.p + sizeof(e), n->value.n - sizeof(e)),
    };
    if (ret->payload.n > 0)
        al_entry_payload_hash(&ret->phash, ret->payload);
}

static int mem_change_add(struct al_store *s, const struct al_store_change *change)
{
    return put(s, TABLE_POSITION, key_of(change->pos), change, sizeof(*change));
}

static int mem_rows_add(struct al_store *s, uint64_t pos, uint32_t log_no, uint64_t seq,
    const struct al_store_item *items, uint32_t count, uint64_t arrived_ms)
{
    int err = 0;
    for (uint32_t i = 0; i < count && err == 0; i++) {
        const struct al_store_item *item = &items[i];
        struct entry e = {pos + i, item->time_ms, arrived_ms, item->id, item->plen, item->phash};
        struct al_store_change c = {pos + i, AL_CHANGE_ENTRY, log_no, seq + i};
        err = entry_put(s, key_of_two(log_no, seq + i), &e, item->payload);
        if (err == 0)
            err = mem_change_add(s, &c);
    }
    return err;
}

static int mem_row_get(struct al_store *s, struct al_store_row *ret, uint32_t log_no, uint64_t seq)
{
    struct key k = key_of_two(log_no, seq);
    struct al_memnode *n = al_memtree_get(al_mem_tree(s), TABLE_ENTRY, bytes_of(&k));
    if (n == NULL)
        return AL_E_NOT_FOUND;
    row_of(ret, n);
    return 0;
}

static int mem_rows(struct al_store *s, uint32_t log_no, uint64_t first, uint64_t last,
    int (*cb)(void *arg, const struct al_store_row *row), void *arg)
{
    struct key k = key_of_two(log_no, first);
    struct al_memnode *n = al_memtree_ceil(al_mem_tree(s), TABLE_ENTRY, bytes_of(&k));
    for (int err = 0; n != NULL; n = al_memtree_next(n)) {
        struct al_store_row row;
        row_of(&row, n);
        if (row.log_no != log_no || row.seq > last)
            break;
        err = cb(arg, &row);
        if (err != 0)
            return err;
    }
    return 0;
}

static int mem_payload_set(
    struct al_store *s, const struct al_store_row *row, struct al_slice payload)
{
    struct entry e = {row->pos, row->time_ms, row->arrived_ms, row->id, row->plen, row->phash};
    return entry_put(s, key_of_two(row->log_no, row->seq), &e, payload);
}

static int mem_rows_del(struct al_store *s, uint32_t log_no, uint64_t first, uint64_t last)
{
    struct key k = key_of_two(log_no, first);
    struct al_memnode *n;
    int err = 0;
    while (err == 0 && (n = al_memtree_ceil(al_mem_tree(s), TABLE_ENTRY, bytes_of(&k))) != NULL) {
        struct al_store_row row;
        row_of(&row, n);
        if (row.log_no != log_no || row.seq > last)
            break;
        struct key at = key_of(row.pos);
        err = al_memtree_del(al_mem_tree(s), TABLE_ENTRY, n->key);
        if (err == 0)
            err = al_memtree_del(al_mem_tree(s), TABLE_POSITION, bytes_of(&at));
    }
    return err;
}

/* --- changes ------------------------------------------------------------------------------- */

static int mem_changes(struct al_store *s, uint64_t from, uint32_t limit,
    int (*cb)(void *arg, const struct al_store_change *change, const struct al_store_row *row),
    void *arg)
{
    struct key k = key_of(from + 1);
    struct al_memnode *n = al_memtree_ceil(al_mem_tree(s), TABLE_POSITION, bytes_of(&k));
    int err = 0;
    for (; n != NULL && limit > 0 && err == 0; n = al_memtree_next(n)) {
        struct al_store_change c;
        struct al_store_row row;
        err = get(n, &c, sizeof(c));
        AL_ASSERT(err == 0);
        bool has_row = c.what == AL_CHANGE_ENTRY || c.what == AL_CHANGE_PAYLOAD_IN;
        /* A payload may have come to what was taken out since, or stored once more behind it. */
        if (has_row && (mem_row_get(s, &row, c.log_no, c.seq) != 0 || row.pos > c.pos))
            continue;
        limit--;
        err = cb(arg, &c, has_row ? &row : NULL);
    }
    return err;
}

static int mem_position(struct al_store *s, uint64_t *ret_pos)
{
    struct key last = key_of(UINT64_MAX);
    struct al_memnode *n = al_memtree_floor(al_mem_tree(s), TABLE_POSITION, bytes_of(&last));
    *ret_pos = n == NULL ? 0 : al_u64be_read(n->key.p);
    return 0;
}

/* --- small facts --------------------------------------------------------------------------- */

static uint8_t table_of(enum al_space space)
{
    return (uint8_t)(TABLE_KV + (uint8_t)space);
}

static int mem_kv_get(
    struct al_store *s, struct al_slice *ret, enum al_space space, struct al_slice key)
{
    struct al_memnode *n = al_memtree_get(al_mem_tree(s), table_of(space), key);
    if (n == NULL)
        return AL_E_NOT_FOUND;
    *ret = n->value;
    return 0;
}

static int mem_kv_put(
    struct al_store *s, enum al_space space, struct al_slice key, struct al_slice value)
{
    return al_memtree_put(al_mem_tree(s), table_of(space), key, value, (struct al_slice){0});
}

static int mem_kv_del(struct al_store *s, enum al_space space, struct al_slice key)
{
    return al_memtree_del(al_mem_tree(s), table_of(space), key);
}

static int mem_kv_scan(struct al_store *s, enum al_space space, struct al_slice prefix,
    int (*cb)(void *arg, struct al_slice key, struct al_slice value), void *arg)
{
    struct al_memnode *n = al_memtree_ceil(al_mem_tree(s), table_of(space), prefix);
    int err = 0;
    for (; n != NULL && err == 0; n = al_memtree_next(n)) {
        if (n->key.n < prefix.n || !al_slice_eq(al_slice_of(n->key.p, prefix.n), prefix))
            break;
        err = cb(arg, n->key, n->value);
    }
    return err;
}

/* --- opening ------------------------------------------------------------------------------- */

static const struct al_store_ops ops = {
    .close = mem_close,
    .begin = mem_begin,
    .commit = mem_commit,
    .rollback = mem_rollback,
    .tidy = mem_tidy,
    .log_find = mem_log_find,
    .log_from = mem_log_from,
    .log_add = mem_log_add,
    .log_set = mem_log_set,
    .run_at = mem_run_at,
    .run_put = mem_run_put,
    .run_del = mem_run_del,
    .sig_at = mem_sig_at,
    .sig_put = mem_sig_put,
    .sig_del = mem_sig_del,
    .rows_add = mem_rows_add,
    .row_get = mem_row_get,
    .rows = mem_rows,
    .payload_set = mem_payload_set,
    .rows_del = mem_rows_del,
    .change_add = mem_change_add,
    .changes = mem_changes,
    .position = mem_position,
    .kv_get = mem_kv_get,
    .kv_put = mem_kv_put,
    .kv_del = mem_kv_del,
    .kv_scan = mem_kv_scan,
    .piece_add = al_mem_piece_add,
    .piece_get = al_mem_piece_get,
    .piece_has = al_mem_piece_has,
    .piece_del = al_mem_piece_del,
    .piece_bytes = al_mem_piece_bytes,
    .piece_touch = al_mem_piece_touch,
    .piece_trim = al_mem_piece_trim,
};

struct al_store_disk *al_store_disk_new(void)
{
    struct al_store_disk *d = calloc(1, sizeof(*d));
    if (d != NULL)
        al_memtree_init(&d->tree);
    return d;
}

struct al_store_disk *al_store_disk_copy(struct al_store_disk *d)
{
    AL_ASSERT(!d->open);
    struct al_store_disk *copy = al_store_disk_new();
    if (copy != NULL && al_memtree_copy(&copy->tree, &d->tree) != 0) {
        al_store_disk_free(copy);
        return NULL;
    }
    return copy;
}

void al_store_disk_free(struct al_store_disk *d)
{
    if (d == NULL)
        return;
    AL_ASSERT(!d->open);
    al_memtree_fini(&d->tree);
    free(d);
}

void al_store_disk_fail_commit(struct al_store_disk *d, int err, bool there)
{
    d->fail = err;
    d->fail_there = there;
}

void al_store_disk_fill(struct al_store_disk *d, bool full)
{
    d->full = full;
}

int al_store_open_disk(struct al_store **ret, struct al_store_disk *d)
{
    if (d->open)
        return AL_E_BUSY;
    struct mem *m = calloc(1, sizeof(*m));
    if (m == NULL)
        return AL_E_NOMEM;
    m->store.ops = &ops;
    m->disk = d;
    d->open = true;
    *ret = &m->store;
    return 0;
}

int al_store_open_mem(struct al_store **ret)
{
    struct al_store_disk *d = al_store_disk_new();
    if (d == NULL)
        return AL_E_NOMEM;
    struct al_store *s;
    int err = al_store_open_disk(&s, d);
    if (err != 0) {
        al_store_disk_free(d);
        return err;
    }
    ((struct mem *)s)->owns_disk = true;
    *ret = s;
    return 0;
}
