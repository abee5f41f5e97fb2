#include "newfile.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FD_PATH_BYTES 32

/* |out|, of PATH_MAX bytes, becomes |name| beside |path|. Returns 0, or -1 with errno. */
static int beside(char *out, const char *path, const char *name)
{
    char copy[PATH_MAX];
    (void)strlcpy(copy, path, sizeof(copy));
    int n = snprintf(out, PATH_MAX, "%s/%s", dirname(copy), name);
    if (n < 0 || n >= PATH_MAX) {
        errno = ENAMETOOLONG;
        return -1;
    }
    return 0;
}

static void fd_path(char out[FD_PATH_BYTES], int fd)
{
    (void)snprintf(out, FD_PATH_BYTES, "/proc/self/fd/%d", fd);
}

/* Without a name, if it can be given one afterwards. */
static int open_unnamed(const char *dir)
{
    char path[FD_PATH_BYTES];
    int fd = open(dir, O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);
    if (fd < 0)
        return -1;
    fd_path(path, fd);
    if (access(path, F_OK) == 0)
        return fd;
    (void)close(fd);
    return -1;
}

int al_newfile_begin(struct al_newfile *f, const char *path)
{
    char dir[PATH_MAX];
    *f = (struct al_newfile){.fd = -1};
    if (strlcpy(f->path, path, sizeof(f->path)) >= sizeof(f->path)) {
        errno = ENAMETOOLONG;
        return -1;
    }
    if (beside(dir, path, ".") != 0)
        return -1;
    f->fd = open_unnamed(dir);
    if (f->fd >= 0)
        return 0;
    if (beside(f->temporary, path, ".aloud.XXXXXX") != 0)
        return -1;
    f->fd = mkostemp(f->temporary, O_CLOEXEC);
    if (f->fd < 0) {
        f->temporary[0] = '\0';
        return -1;
    }
    return 0;
}

/* Give the file |f| its first name. Returns 0, or -1 with errno. */
static int name_it(const struct al_newfile *f, const char *path)
{
    char from[FD_PATH_BYTES];
    fd_path(from, f->fd);
    return linkat(AT_FDCWD, from, AT_FDCWD, path, AT_SYMLINK_FOLLOW);
}

/* A name that no other process uses: what has it was left by one of the same number. */
static int name_for_now(struct al_newfile *f)
{
    char name[32];
    char path[PATH_MAX];
    (void)snprintf(name, sizeof(name), ".aloud.%ld", (long)getpid());
    if (beside(path, f->path, name) != 0)
        return -1;
    int err = name_it(f, path);
    if (err != 0 && errno == EEXIST && unlink(path) == 0)
        err = name_it(f, path);
    if (err == 0)
        (void)strlcpy(f->temporary, path, sizeof(f->temporary));
    return err;
}

/* To its path, from a name of its own. */
static int move(struct al_newfile *f, bool force)
{
    if (force)
        return rename(f->temporary, f->path);
    if (renameat2(AT_FDCWD, f->temporary, AT_FDCWD, f->path, RENAME_NOREPLACE) == 0)
        return 0;
    if (errno != EINVAL && errno != ENOSYS)
        return -1;
    if (link(f->temporary, f->path) != 0) /* a file system that can't do it in one step */
        return -1;
    (void)unlink(f->temporary);
    return 0;
}

/* The directory entry survives a power cut, too, where that can be had. */
static void sync_dir(const char *path)
{
    char dir[PATH_MAX];
    int fd = beside(dir, path, ".") == 0 ? open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    if (fd < 0)
        return;
    (void)fsync(fd);
    (void)close(fd);
}

int al_newfile_finish(struct al_newfile *f, bool force)
{
    if (fsync(f->fd) != 0)
        return -1;
    bool named = f->temporary[0] != '\0';
    if (!named && !force) {
        if (name_it(f, f->path) != 0)
            return -1;
    } else {
        if (!named && name_for_now(f) != 0) /* nothing is linked over what is there */
            return -1;
        if (move(f, force) != 0)
            return -1;
        f->temporary[0] = '\0';
    }
    sync_dir(f->path);
    return 0;
}

void al_newfile_end(struct al_newfile *f)
{
    if (f->fd >= 0)
        (void)close(f->fd);
    f->fd = -1;
    if (f->temporary[0] != '\0')
        (void)unlink(f->temporary);
    f->temporary[0] = '\0';
}
