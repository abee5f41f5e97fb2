#include "world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "hash.h"
#include "limit.h"

void world_open(struct world *w, enum kind kind)
{
    *w = (struct world){.kind = kind};
    if (kind == MEM) {
        w->disk = al_store_disk_new();
        assert_non_null(w->disk);
    } else {
        snprintf(w->dir, sizeof(w->dir), "/tmp/aloud-store.XXXXXX");
        assert_non_null(mkdtemp(w->dir));
        snprintf(w->path, sizeof(w->path), "%s/log.db", w->dir);
    }
    world_reopen(w);
}

void world_reopen(struct world *w)
{
    al_store_close(w->s);
    w->s = NULL;
    int err = w->kind == MEM ? al_store_open_disk(&w->s, w->disk)
                             : al_store_open(&w->s, w->path, AL_STORE_CREATE);
    assert_int_equal(err, 0);
}

static const char *const files[] = {
    "log.db", "log.db-wal", "log.db-shm", "pieces.db", "pieces.db-wal", "pieces.db-shm"};
#define FILES (sizeof(files) / sizeof(files[0]))

void world_close(struct world *w)
{
    al_store_close(w->s);
    al_store_disk_free(w->disk);
    if (w->kind == SQLITE) {
        for (size_t i = 0; i < FILES; i++) {
            char path[128];
            snprintf(path, sizeof(path), "%s/%s", w->dir, files[i]);
            unlink(path);
        }
        assert_int_equal(rmdir(w->dir), 0);
    }
}

static bool file_holds_bytes(const char *path, const void *needle, size_t n)
{
    FILE *in = fopen(path, "rb");
    if (in == NULL)
        return false;
    assert_int_equal(fseek(in, 0, SEEK_END), 0);
    size_t size = (size_t)ftell(in);
    rewind(in);
    uint8_t *bytes = malloc(size + 1);
    assert_non_null(bytes);
    assert_int_equal(fread(bytes, 1, size, in), size);
    fclose(in);
    bool found = memmem(bytes, size, needle, n) != NULL;
    free(bytes);
    return found;
}

bool world_holds_bytes(const struct world *w, const void *needle, size_t n)
{
    bool found = false;
    for (size_t i = 0; i < FILES; i++) {
        char path[128];
        snprintf(path, sizeof(path), "%s/%s", w->dir, files[i]);
        found = found || file_holds_bytes(path, needle, n);
    }
    return found;
}

void begin(struct world *w)
{
    assert_int_equal(al_store_begin(w->s), 0);
}

void commit(struct world *w)
{
    assert_int_equal(al_store_commit(w->s), 0);
}

struct al_identity identity_of(uint8_t n)
{
    struct al_identity id;
    memset(id.b, 0x10 + n, sizeof(id.b));
    return id;
}

struct al_device device_of(uint8_t n)
{
    struct al_device d;
    memset(d.b, 0x40 + n, sizeof(d.b));
    return d;
}

struct al_logname name_of(uint8_t n)
{
    struct al_logname name;
    memset(name.b, 0x80 + n, sizeof(name.b));
    return name;
}

uint32_t add_log(struct world *w, uint8_t n)
{
    struct al_identity identity = identity_of(n);
    struct al_device device = device_of(n);
    struct al_logname name = name_of(n);
    uint32_t no = 0;
    assert_int_equal(al_store_log_add(w->s, &no, &identity, &device, &name), 0);
    return no;
}

struct al_hash id_of(uint64_t seq)
{
    uint8_t be[8];
    struct al_hash id;
    al_u64be(be, seq);
    al_hash1(&id, AL_P_ENTRY, be, sizeof(be));
    return id;
}

struct al_sig sig_of(uint64_t seq)
{
    struct al_sig sig = {{0}};
    al_u64be(sig.b, seq);
    return sig;
}

struct al_store_item item_of(uint64_t seq)
{
    /* Each tenth payload is not held. */
    static uint8_t bytes[AL_PAYLOAD_MAX];
    struct al_store_item item = {.time_ms = 1700000000000 + seq, .id = id_of(seq)};
    item.plen = (uint32_t)(1 + seq * 37 % 400);
    if (seq % 10 == 0)
        item.phash = id_of(seq + 1000000);
    else
        item.payload = al_slice_of(bytes + seq % 256, item.plen);
    if (bytes[1] == 0) {
        for (size_t i = 0; i < sizeof(bytes); i++)
            bytes[i] = (uint8_t)i;
    }
    return item;
}

int try_put(struct world *w, uint32_t log_no, uint64_t first, uint64_t last)
{
    struct al_store_item items[2 * AL_BLOCK_ENTRIES];
    struct al_hash prev = id_of(first - 1);
    struct al_sig sig = sig_of(last);
    uint64_t pos;
    assert_true(last - first < 2 * AL_BLOCK_ENTRIES);
    for (uint64_t seq = first; seq <= last; seq++)
        items[seq - first] = item_of(seq);
    return al_store_put(w->s, &pos, log_no, first, &prev, items, (uint32_t)(last - first + 1), &sig,
        1800000000000 + first);
}

uint64_t put_all(struct world *w, uint32_t log_no, uint64_t first, uint64_t last)
{
    uint64_t pos = 0;
    while (first <= last) {
        uint64_t end = (first + AL_BLOCK_ENTRIES - 1) / AL_BLOCK_ENTRIES * AL_BLOCK_ENTRIES;
        assert_int_equal(try_put(w, log_no, first, end < last ? end : last), 0);
        first = end + 1;
    }
    assert_int_equal(al_store_position(w->s, &pos), 0);
    return pos;
}
