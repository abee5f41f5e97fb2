#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "dirs.h"
#include "draft_int.h"
#include "heapbuf.h"
#include "scan.h"

#define FILE_BYTES_MAX (4 * 1024 * 1024)

static const char mark[] = "\n-- aloud: not answered yet. The line below is the call, to be sent "
                           "again as it is; what stands above is only shown --\n";

const char *al_draft_dir(struct al_cli *c)
{
    const char *dir = al_cli_str(c, "%s/drafts", c->paths.state);
    return al_dirs_make(dir) == 0 ? dir : NULL;
}

static void put_hex(struct al_buf *b, struct al_slice s)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < s.n; i++) {
        const char two[2] = {digits[s.p[i] >> 4], digits[s.p[i] & 15]};
        al_buf_put(b, two, 2);
    }
}

static int hex_digit(uint8_t c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The bytes that |hex| stands for, up to the end of its line; empty when it is no hex. */
static struct al_slice read_hex(struct al_cli *c, struct al_slice hex)
{
    const uint8_t *end = memchr(hex.p, '\n', hex.n);
    size_t n = end == NULL ? 0 : (size_t)(end - hex.p);
    uint8_t *out = (uint8_t *)al_cli_dup(c, al_slice_of(hex.p, n));
    for (size_t i = 0; i + 1 < n; i += 2) {
        int high = hex_digit(hex.p[i]);
        int low = hex_digit(hex.p[i + 1]);
        if (high < 0 || low < 0)
            return al_slice_of(NULL, 0);
        out[i / 2] = (uint8_t)(high << 4 | low);
    }
    return al_slice_of(out, n % 2 == 0 ? n / 2 : 0);
}

/* Split what the file holds; a file that was cut off while it was written has no call. */
static void parse(struct al_cli *c, struct al_draft_file *f, struct al_slice all)
{
    const size_t n = sizeof(mark) - 1;
    for (size_t at = all.n < n ? 0 : all.n - n + 1; at-- > 0;) {
        if (memcmp(all.p + at, mark, n) == 0) {
            f->text = al_cli_keep(c, al_slice_of(all.p, at));
            f->call = read_hex(c, al_slice_of(all.p + at + n, all.n - at - n));
            break;
        }
    }
    if (al_scan(f->call, &al_scan_rpc) != 0 || al_get_bin(f->call, "key").n == 0)
        f->call = al_slice_of(NULL, 0);
    if (f->call.n == 0 && f->text.n == 0)
        f->text = al_cli_keep(c, all);
}

int al_draft_file_open(struct al_cli *c, struct al_draft_file *ret, const char *path, bool create)
{
    struct al_draft_file f = {.fd = -1, .path = path};
    struct stat st = {0};
    while (st.st_nlink == 0) { /* until it is not one that was just removed */
        if (f.fd >= 0)
            (void)close(f.fd);
        f.fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | (create ? O_CREAT : 0), 0600);
        if (f.fd < 0)
            return -1;
        if (flock(f.fd, create ? LOCK_EX : LOCK_EX | LOCK_NB) != 0 || fstat(f.fd, &st) != 0) {
            int errnum = errno;
            (void)close(f.fd);
            errno = errnum;
            return -1;
        }
    }
    struct al_buf all = al_heapbuf();
    if (st.st_size > 0 && al_dirs_read(&all, f.fd, FILE_BYTES_MAX) == 0)
        parse(c, &f, al_buf_slice(&all));
    al_heapbuf_free(&all);
    *ret = f;
    return 0;
}

int al_draft_file_write(struct al_draft_file *f, struct al_slice text, struct al_slice call)
{
    struct al_buf all = al_heapbuf();
    al_buf_put(&all, text.p, text.n);
    al_buf_put(&all, mark, sizeof(mark) - 1);
    put_hex(&all, call);
    al_buf_put(&all, "\n", 1);
    errno = ENOMEM;
    int failed = all.full || ftruncate(f->fd, 0) != 0 || lseek(f->fd, 0, SEEK_SET) != 0 ||
                 al_dirs_write(f->fd, al_buf_slice(&all)) != 0;
    int errnum = errno;
    if (failed)
        (void)!ftruncate(f->fd, 0);
    al_heapbuf_free(&all);
    errno = errnum;
    return failed ? -1 : 0;
}

void al_draft_file_sync(const struct al_draft_file *f)
{
    (void)fsync(f->fd);
    char dir[AL_PATH_BYTES];
    (void)snprintf(dir, sizeof(dir), "%s", f->path);
    char *slash = strrchr(dir, '/');
    if (slash != NULL)
        *slash = '\0';
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0) {
        (void)fsync(fd);
        (void)close(fd);
    }
}

void al_draft_file_close(struct al_draft_file *f, bool done)
{
    if (f->fd < 0)
        return;
    if (done)
        (void)unlink(f->path);
    (void)close(f->fd);
    f->fd = -1;
}

int al_draft_new_text(struct al_cli *c, const char **ret_path)
{
    const char *dir = al_draft_dir(c);
    if (dir == NULL)
        return -1;
    char day[32];
    time_t now = time(NULL);
    struct tm tm;
    (void)strftime(day, sizeof(day), "%Y-%m-%d-%H%M%S", localtime_r(&now, &tm));
    const char *path = al_cli_str(c, "%s/%s-%04x.md", dir, day, arc4random() & 0xffff);
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd >= 0)
        *ret_path = path;
    return fd;
}

struct al_draft_count al_draft_count(struct al_cli *c)
{
    struct al_draft_count count = {0};
    DIR *dir = opendir(al_cli_str(c, "%s/drafts", c->paths.state));
    const struct dirent *e;
    while (dir != NULL && (e = readdir(dir)) != NULL) {
        const char *dot = strrchr(e->d_name, '.');
        if (dot != NULL && strcmp(dot, ".draft") == 0)
            count.waiting++;
        else if (dot != NULL && strcmp(dot, ".md") == 0)
            count.left++;
    }
    if (dir != NULL)
        (void)closedir(dir);
    return count;
}
