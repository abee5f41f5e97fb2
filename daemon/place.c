#include "place.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "init.h"
#include "limit.h"
#include "private.h"
#include "store.h"
#include "terminal.h"
#include "verify.h"

#define PATH_BYTES (AL_PATH_BYTES + 32)
#define COPY_BYTES (256 * 1024)
#define KEPT_MAX 1000

static const char *const suffixes[] = {"", "-wal", "-shm"};
#define SUFFIXES (sizeof(suffixes) / sizeof(suffixes[0]))

static_assert(AL_PLACE_NAME > AL_NAME_MAX, "a name fits");

static int fail(struct al_complaint *c, int err, const char *what, const char *why)
{
    c->err = err;
    c->what = what;
    c->why = why;
    return err;
}

/* --- looking ------------------------------------------------------------------------------- */

static int count_entries(void *arg, const struct al_store_log *log)
{
    struct al_place_found *found = arg;
    found->has_entries = true;
    found->entries += log->held;
    return 0;
}

int al_place_look(struct al_place_found *ret, const char *path)
{
    struct al_store *store;
    *ret = (struct al_place_found){.there = false};
    int err = al_store_open(&store, path, AL_STORE_WRITE);
    if (err != 0)
        return err == AL_E_NOT_FOUND ? 0 : err;
    ret->there = true;
    err = al_store_logs(store, count_entries, ret);
    if (err == 0)
        err = al_restore_is_copy(store, &ret->copy);
    if (err == 0)
        err = al_restore_owner(store, &ret->owner, ret->name);
    al_store_close(store);
    return err == AL_E_NOT_FOUND ? 0 : err;
}

static int remove_all(const char *path)
{
    for (size_t i = 0; i < SUFFIXES; i++) {
        char name[PATH_BYTES];
        (void)snprintf(name, sizeof(name), "%s%s", path, suffixes[i]);
        if (unlink(name) != 0 && errno != ENOENT)
            return al_private_err(errno);
    }
    return 0;
}

int al_place_clear(const char *path, struct al_complaint *c)
{
    struct al_place_found found;
    int err = al_place_look(&found, path);
    c->hint = "aloud paths";
    if (err != 0)
        return fail(c, err, "there is a log here that cannot be read", NULL);
    if (found.has_entries)
        return AL_E_EXISTS;
    err = remove_all(path);
    return err == 0 ? 0 : fail(c, err, "a half-made log cannot be removed", NULL);
}

/* --- a backup ------------------------------------------------------------------------------ */

static int copy_bytes(int to, int from)
{
    uint8_t *bytes = malloc(COPY_BYTES);
    int err = bytes == NULL ? AL_E_NOMEM : 0;
    ssize_t n = 1;
    while (err == 0 && n > 0) {
        n = read(from, bytes, COPY_BYTES);
        if (n < 0 && errno == EINTR)
            n = 1; /* once more */
        else if (n < 0)
            err = AL_E_IO;
        for (ssize_t at = 0; err == 0 && n > 0 && at < n;) {
            ssize_t put = write(to, bytes + at, (size_t)(n - at));
            if (put < 0 && errno != EINTR)
                err = al_private_err(errno);
            at += put > 0 ? put : 0;
        }
    }
    if (err == 0 && fsync(to) != 0)
        err = al_private_err(errno);
    free(bytes);
    return err;
}

static int copy_file(const char *to, const char *from, struct al_complaint *c)
{
    struct stat st;
    int in = open(from, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (in < 0 || fstat(in, &st) != 0 || !S_ISREG(st.st_mode)) {
        int errnum = in < 0 ? errno : 0;
        if (in >= 0)
            (void)close(in);
        return fail(c, errnum != 0 ? al_private_err(errnum) : AL_E_NOT_FOUND,
            "the backup cannot be read", errnum != 0 ? NULL : "it is not a plain file");
    }
    int out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    int err = out < 0 ? al_private_err(errno) : copy_bytes(out, in);
    (void)close(in);
    if (out >= 0 && close(out) != 0 && err == 0)
        err = al_private_err(errno);
    return err == 0 ? 0 : fail(c, err, "the backup cannot be copied", NULL);
}

static void show_progress(void *arg, uint64_t entries, uint64_t all)
{
    char line[96];
    (void)arg;
    if (!al_terminal_can_redraw())
        return;
    (void)snprintf(line, sizeof(line), "\r  checked %llu of %llu entries",
        (unsigned long long)entries, (unsigned long long)all);
    al_terminal_say(line);
}

int al_place_verify(const char *path, struct al_complaint *c)
{
    struct al_store *store;
    struct al_verify v = {.on_progress = show_progress};
    int err = al_store_open(&store, path, AL_STORE_WRITE);
    if (err != 0)
        return fail(c, err, "the log cannot be opened", NULL);
    err = al_verify_store(&v, store);
    al_store_close(store);
    if (err == 0) {
        char line[96];
        (void)snprintf(line, sizeof(line), "%s%llu entries in %llu logs are whole.\n",
            al_terminal_can_redraw() ? "\r\033[K" : "", (unsigned long long)v.entries,
            (unsigned long long)v.logs);
        al_terminal_say(line);
        return 0;
    }
    if (err == AL_E_CORRUPT && v.why[0] != '\0')
        (void)strlcpy(c->text, v.why, sizeof(c->text));
    return fail(
        c, err, "the log is damaged", err == AL_E_CORRUPT && v.why[0] != '\0' ? c->text : NULL);
}

int al_place_stage(const char *to, const char *from, struct al_complaint *c)
{
    int err = remove_all(to); /* left by a try that was cut off */
    if (err != 0)
        return fail(c, err, "a copy that was begun cannot be removed", NULL);
    err = copy_file(to, from, c);
    if (err == 0) {
        err = al_store_check(to);
        if (err == AL_E_NOT_FOUND || err == AL_E_CORRUPT)
            err = fail(c, AL_E_CORRUPT, "that file is no backup of a log, or it is damaged", NULL);
        else if (err != 0)
            err = fail(c, err, "the backup cannot be used", NULL);
    }
    if (err == 0)
        err = al_place_verify(to, c);
    if (err != 0)
        (void)remove_all(to);
    return err;
}

/* --- moving -------------------------------------------------------------------------------- */

static int sync_dir_of(const char *path)
{
    char copy[PATH_BYTES];
    (void)strlcpy(copy, path, sizeof(copy));
    int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return al_private_err(errno);
    int err = fsync(fd) == 0 ? 0 : al_private_err(errno);
    (void)close(fd);
    return err;
}

/* The files beside it first: while the database has its name it needs them. */
static int rename_all(const char *to, const char *from)
{
    for (size_t i = SUFFIXES; i-- > 0;) {
        char old[PATH_BYTES], new[PATH_BYTES];
        (void)snprintf(old, sizeof(old), "%s%s", from, suffixes[i]);
        (void)snprintf(new, sizeof(new), "%s%s", to, suffixes[i]);
        if (rename(old, new) != 0 && errno != ENOENT)
            return al_private_err(errno);
    }
    return 0;
}

static int keep_old(const char *path, char *ret_kept)
{
    ret_kept[0] = '\0';
    if (access(path, F_OK) != 0)
        return 0;
    for (int i = 1; i < KEPT_MAX; i++) {
        (void)snprintf(ret_kept, AL_PATH_BYTES + 16, "%s.before-%d", path, i);
        if (access(ret_kept, F_OK) != 0)
            return rename_all(ret_kept, path);
    }
    return AL_E_LIMIT;
}

int al_place_put(const char *to, const char *from, char *ret_kept, struct al_complaint *c)
{
    int err = keep_old(to, ret_kept);
    if (err == 0)
        err = rename_all(to, from);
    if (err == 0)
        err = sync_dir_of(to);
    return err == 0 ? 0 : fail(c, err, "the log cannot be put in its place", NULL);
}
