#include "dirs.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_BYTES 1024

int al_dirs_make(const char *path)
{
    char part[PATH_BYTES];
    size_t n = strlen(path);
    if (n >= sizeof(part)) {
        errno = ENAMETOOLONG;
        return -1;
    }
    memcpy(part, path, n + 1);
    if (mkdir(part, 0700) == 0 || errno == EEXIST)
        return 0;
    for (char *slash = strchr(part + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdir(part, 0700) != 0 && errno != EEXIST)
            return -1;
        *slash = '/';
    }
    return mkdir(part, 0700) == 0 || errno == EEXIST ? 0 : -1;
}

int al_dirs_read(struct al_buf *b, int fd, size_t max)
{
    for (;;) {
        char chunk[16 * 1024];
        ssize_t n = read(fd, chunk, sizeof(chunk));
        if (n == 0)
            return 0;
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        if ((size_t)n > max - b->n) {
            errno = EFBIG;
            return -1;
        }
        al_buf_put(b, chunk, (size_t)n);
    }
}

int al_dirs_write(int fd, struct al_slice s)
{
    while (s.n > 0) {
        ssize_t n = write(fd, s.p, s.n);
        if (n < 0 && errno != EINTR)
            return -1;
        if (n > 0)
            s = al_slice_of(s.p + n, s.n - (size_t)n);
    }
    return 0;
}
