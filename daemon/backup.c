#include "backup.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/queue.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"
#include "heapbuf.h"
#include "store.h"
#include "write.h"

#define NAME_PREFIX "backup-"

struct copy {
    LIST_ENTRY(copy) link;
    struct al_backups *backups;
    uv_work_t work;
    bool is_working; /* the pool has it: it can't be freed */
    bool is_reading; /* what the pool does: a part, or the making */
    bool is_dropped; /* nobody waits for it any more */
    uint64_t owner;
    uint64_t handle;
    uint64_t id; /* of the call to be answered */
    int fd;
    int err;
    uint64_t size;
    uint64_t offset;
    size_t n;
    uint8_t *part;
};

struct al_backups {
    uv_loop_t *loop;
    const char *log_db;
    const char *data_dir;
    al_backup_done *done;
    void *arg;
    uint64_t serial;
    unsigned count;
    LIST_HEAD(, copy) copies;
};

static void remove_leftovers(const char *data_dir)
{
    DIR *dir = opendir(data_dir);
    if (dir == NULL)
        return;
    struct dirent *entry;
    while ((entry = readdir(dir)) != NULL) {
        if (strncmp(entry->d_name, NAME_PREFIX, strlen(NAME_PREFIX)) == 0)
            (void)unlinkat(dirfd(dir), entry->d_name, 0);
    }
    (void)closedir(dir);
}

struct al_backups *al_backups_new(
    uv_loop_t *loop, const char *log_db, const char *data_dir, al_backup_done *done, void *arg)
{
    struct al_backups *b = calloc(1, sizeof(*b));
    if (b == NULL)
        return NULL;
    *b = (struct al_backups){
        .loop = loop, .log_db = log_db, .data_dir = data_dir, .done = done, .arg = arg};
    LIST_INIT(&b->copies);
    remove_leftovers(data_dir);
    return b;
}

void al_backups_free(struct al_backups *b)
{
    if (b == NULL)
        return;
    AL_ASSERT(LIST_EMPTY(&b->copies));
    free(b);
}

static void free_copy(struct copy *c)
{
    LIST_REMOVE(c, link);
    c->backups->count--;
    if (c->fd >= 0)
        (void)close(c->fd);
    free(c->part);
    free(c);
}

/* --- on the pool --------------------------------------------------------------------------- */

static void make(struct copy *c)
{
    char path[PATH_MAX];
    int n = snprintf(path, sizeof(path), "%s/" NAME_PREFIX "%08x%08x", c->backups->data_dir,
        randombytes_random(), randombytes_random());
    if (n < 0 || (size_t)n >= sizeof(path)) {
        c->err = AL_E_PATH;
        return;
    }
    c->err = al_store_backup(c->backups->log_db, path);
    if (c->err != 0)
        return;
    struct stat st;
    c->fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (c->fd < 0 || fstat(c->fd, &st) != 0)
        c->err = AL_E_IO;
    else
        c->size = (uint64_t)st.st_size;
    (void)unlink(path);
}

static void read_part(struct copy *c)
{
    if (c->part == NULL)
        c->part = malloc(AL_BACKUP_PART_BYTES);
    AL_ASSERT(c->part != NULL);
    c->n = 0;
    while (c->n < AL_BACKUP_PART_BYTES) {
        ssize_t n =
            pread(c->fd, c->part + c->n, AL_BACKUP_PART_BYTES - c->n, (off_t)(c->offset + c->n));
        if (n < 0) {
            c->err = AL_E_IO;
            return;
        }
        if (n == 0)
            return;
        c->n += (size_t)n;
    }
}

static void on_work(uv_work_t *work)
{
    struct copy *c = work->data;
    if (c->is_reading)
        read_part(c);
    else
        make(c);
}

/* --- on the loop --------------------------------------------------------------------------- */

static void answer(const struct copy *c)
{
    struct al_buf b = al_heapbuf();
    al_write_map(&b, 2);
    if (c->is_reading) {
        al_write_cstr(&b, "data");
        al_write_bin(&b, c->part, c->n);
        al_write_cstr(&b, "last");
        al_write_bool(&b, c->offset + c->n >= c->size);
    } else {
        al_write_cstr(&b, "size");
        al_write_uint(&b, c->size);
        al_write_cstr(&b, "handle");
        al_write_uint(&b, c->handle);
    }
    AL_ASSERT(!b.full);
    c->backups->done(c->backups->arg, c->id, 0, al_buf_slice(&b), "");
    al_heapbuf_free(&b);
}

static void on_worked(uv_work_t *work, int status)
{
    struct copy *c = work->data;
    if (status != 0)
        c->err = AL_E_CLOSED;
    if (!c->is_dropped && c->err == 0)
        answer(c);
    else if (!c->is_dropped)
        c->backups->done(c->backups->arg, c->id, c->err, al_slice_of(NULL, 0), "");
    c->is_working = false; /* not before: the answer may end its client */
    bool is_last = c->is_reading && c->offset + c->n >= c->size;
    if (c->is_dropped || c->err != 0 || is_last)
        free_copy(c);
}

static void start(struct copy *c, uint64_t id)
{
    c->id = id;
    c->is_working = true;
    c->work.data = c;
    AL_ASSERT(uv_queue_work(c->backups->loop, &c->work, on_work, on_worked) == 0);
}

void al_backups_make(struct al_backups *b, uint64_t owner, uint64_t id)
{
    if (b->count == AL_BACKUPS_MAX) {
        b->done(b->arg, id, AL_E_BUSY, al_slice_of(NULL, 0), "other backups are being made");
        return;
    }
    struct copy *c = calloc(1, sizeof(*c));
    AL_ASSERT(c != NULL);
    c->backups = b;
    c->owner = owner;
    c->handle = ++b->serial;
    c->fd = -1;
    LIST_INSERT_HEAD(&b->copies, c, link);
    b->count++;
    start(c, id);
}

void al_backups_read(
    struct al_backups *b, uint64_t owner, uint64_t id, uint64_t handle, uint64_t offset)
{
    struct copy *c;
    LIST_FOREACH (c, &b->copies, link) {
        if (c->handle == handle && c->owner == owner && !c->is_dropped)
            break;
    }
    int err = 0;
    if (c == NULL)
        err = AL_E_NOT_FOUND;
    else if (c->is_working)
        err = AL_E_BUSY;
    else if (offset > c->size)
        err = AL_E_RANGE;
    if (err != 0) {
        b->done(b->arg, id, err, al_slice_of(NULL, 0), "");
        return;
    }
    c->is_reading = true;
    c->offset = offset;
    start(c, id);
}

void al_backups_drop(struct al_backups *b, uint64_t owner)
{
    struct copy *c, *next;
    LIST_FOREACH_SAFE (c, &b->copies, link, next) {
        if (c->owner != owner)
            continue;
        c->is_dropped = true;
        if (!c->is_working)
            free_copy(c);
    }
}
