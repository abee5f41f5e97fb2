#include "private.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"

#define NAME_MAX_CHARS 32

int al_private_err(int errno_value)
{
    switch (errno_value) {
    case ENOENT:
        return AL_E_NOT_FOUND;
    case EEXIST:
        return AL_E_EXISTS;
    case ELOOP:
    case ENOTDIR:
        return AL_E_PERMISSION;
    case ENOSPC:
    case EDQUOT:
        return AL_E_FULL;
    case EROFS:
    case EACCES:
    case EPERM:
        return AL_E_READ_ONLY;
    case ENAMETOOLONG:
        return AL_E_PATH;
    case ENOMEM:
        return AL_E_NOMEM;
    default:
        return AL_E_IO;
    }
}

/* Opening what is there: what we may not read is not ours. */
static int open_err(int errno_value)
{
    return errno_value == EACCES ? AL_E_PERMISSION : al_private_err(errno_value);
}

static bool is_ours_alone(const struct stat *st)
{
    return st->st_uid == geteuid() && (st->st_mode & (S_IRWXG | S_IRWXO)) == 0;
}

int al_private_open_dir(int *ret_fd, const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return open_err(errno);
    struct stat st;
    int err = 0;
    if (fstat(fd, &st) != 0)
        err = AL_E_IO;
    else if (!is_ours_alone(&st))
        err = AL_E_PERMISSION;
    if (err == 0)
        *ret_fd = fd;
    else
        (void)close(fd);
    return err;
}

/* Make the name of the new directory |path| durable. */
static int sync_parent(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return al_private_err(errno);
    int err = 0;
    int parent = openat(fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (parent >= 0) {
        if (fsync(parent) != 0)
            err = AL_E_IO;
        (void)close(parent);
    } else if (errno != EACCES) { /* a parent we may not read is not ours to sync */
        err = al_private_err(errno);
    }
    (void)close(fd);
    return err;
}

static int make_one(const char *path)
{
    if (mkdir(path, S_IRWXU) != 0)
        return errno == EEXIST ? 0 : al_private_err(errno);
    if (chmod(path, S_IRWXU) != 0) /* whatever the umask left */
        return al_private_err(errno);
    return sync_parent(path);
}

int al_private_make_dir(const char *path)
{
    char part[PATH_MAX];
    size_t n = strlen(path);
    if (n == 0 || n >= sizeof(part))
        return AL_E_PATH;
    for (size_t i = 1; i <= n; i++) {
        if (path[i] != '/' && path[i] != '\0')
            continue;
        memcpy(part, path, i);
        part[i] = '\0';
        int err = make_one(part);
        if (err != 0)
            return err;
    }
    int fd;
    int err = al_private_open_dir(&fd, path);
    if (err == 0)
        (void)close(fd);
    return err;
}

static int read_all(size_t *ret_n, uint8_t *out, size_t cap, int fd)
{
    size_t n = 0;
    for (;;) {
        uint8_t one;
        bool whole = n == cap; /* then only the end may follow */
        ssize_t got = read(fd, whole ? &one : out + n, whole ? 1 : cap - n);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return AL_E_IO;
        if (got == 0)
            break;
        if (whole)
            return AL_E_LENGTH;
        n += (size_t)got;
    }
    *ret_n = n;
    return 0;
}

int al_private_read(size_t *ret_n, uint8_t *out, size_t cap, int dir_fd, const char *name)
{
    /* O_NONBLOCK: a FIFO in its place must not keep us waiting. */
    int fd = openat(dir_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return open_err(errno);
    struct stat st;
    int err;
    if (fstat(fd, &st) != 0)
        err = AL_E_IO;
    else if (!S_ISREG(st.st_mode) || st.st_nlink != 1 || !is_ours_alone(&st))
        err = AL_E_PERMISSION;
    else
        err = read_all(ret_n, out, cap, fd);
    (void)close(fd);
    return err;
}

static int write_all(int fd, struct al_slice content)
{
    while (content.n > 0) {
        ssize_t put = write(fd, content.p, content.n);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return al_private_err(errno);
        content = al_slice_of(content.p + put, content.n - (size_t)put);
    }
    return 0;
}

static int write_new(int dir_fd, const char *name, struct al_slice content)
{
    int fd = openat(
        dir_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, S_IRUSR | S_IWUSR);
    if (fd < 0)
        return al_private_err(errno);
    int err = 0;
    if (fchmod(fd, S_IRUSR | S_IWUSR) != 0) /* whatever the umask left */
        err = al_private_err(errno);
    if (err == 0)
        err = write_all(fd, content);
    if (err == 0 && fsync(fd) != 0)
        err = al_private_err(errno);
    if (close(fd) != 0 && err == 0)
        err = al_private_err(errno);
    return err;
}

int al_private_write(int dir_fd, const char *name, struct al_slice content)
{
    char draft[NAME_MAX_CHARS + sizeof(".new")];
    AL_ASSERT(strlen(name) <= NAME_MAX_CHARS);
    (void)snprintf(draft, sizeof(draft), "%s.new", name);
    (void)unlinkat(dir_fd, draft, 0); /* left by a crash; in the way of O_EXCL */
    int err = write_new(dir_fd, draft, content);
    if (err == 0 && renameat(dir_fd, draft, dir_fd, name) != 0)
        err = al_private_err(errno);
    if (err != 0) {
        (void)unlinkat(dir_fd, draft, 0);
        return err;
    }
    return fsync(dir_fd) == 0 ? 0 : al_private_err(errno);
}
