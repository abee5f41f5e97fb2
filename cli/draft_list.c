#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dirs.h"
#include "draft_int.h"
#include "heapbuf.h"

#define TEXT_BYTES_MAX (4 * 1024 * 1024)

static struct al_slice read_text(struct al_cli *c, const char *path)
{
    struct al_slice text = al_slice_of(NULL, 0);
    struct al_buf all = al_heapbuf();
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd >= 0 && al_dirs_read(&all, fd, TEXT_BYTES_MAX) == 0)
        text = al_cli_keep(c, al_buf_slice(&all));
    if (fd >= 0)
        (void)close(fd);
    al_heapbuf_free(&all);
    return text;
}

static bool read_one(struct al_cli *c, struct al_draft_info *d)
{
    struct stat st;
    if (lstat(d->path, &st) != 0 || !S_ISREG(st.st_mode))
        return false;
    d->time_ms = (uint64_t)st.st_mtim.tv_sec * 1000;
    if (!d->waits) {
        d->text = read_text(c, d->path);
        return true;
    }
    struct al_draft_file f;
    if (al_draft_file_open(c, &f, d->path, false) != 0) {
        d->busy = errno == EWOULDBLOCK;
        return d->busy;
    }
    d->text = f.text;
    al_draft_file_close(&f, false);
    return true;
}

static int older(const void *a, const void *b)
{
    const struct al_draft_info *x = a;
    const struct al_draft_info *y = b;
    if (x->time_ms != y->time_ms)
        return x->time_ms < y->time_ms ? -1 : 1;
    return strcmp(x->name, y->name);
}

size_t al_draft_list(struct al_cli *c, struct al_draft_info *ret, size_t cap)
{
    const char *path = al_cli_str(c, "%s/drafts", c->paths.state);
    DIR *dir = opendir(path);
    const struct dirent *e;
    size_t n = 0;
    while (dir != NULL && n < cap && (e = readdir(dir)) != NULL) {
        const char *dot = strrchr(e->d_name, '.');
        bool waits = dot != NULL && strcmp(dot, ".draft") == 0;
        if (!waits && (dot == NULL || strcmp(dot, ".md") != 0))
            continue;
        ret[n] = (struct al_draft_info){
            .name = al_cli_str(c, "%.*s", (int)(dot - e->d_name), e->d_name),
            .path = al_cli_str(c, "%s/%s", path, e->d_name),
            .waits = waits,
        };
        n += read_one(c, &ret[n]);
    }
    if (dir != NULL)
        (void)closedir(dir);
    if (n > 0)
        qsort(ret, n, sizeof(*ret), older);
    return n;
}
