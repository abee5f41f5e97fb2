#include "upload.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "attachment.h"
#include "dirs.h"
#include "hash.h"
#include "heapbuf.h"
#include "limit.h"
#include "progress.h"
#include "scan.h"
#include "write.h"

#define PIECES_A_CALL 15 /* of 64 KiB: they fit a request */
#define HANDLE_BYTES 16

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash == NULL ? path : slash + 1;
}

/* By the end of the name: a hint for whoever saves it, and no promise. */
static const char *mime_of(const char *name)
{
    static const struct {
        const char *end, *mime;
    } known[] = {
        {".c", "text/plain"},
        {".csv", "text/csv"},
        {".gif", "image/gif"},
        {".h", "text/plain"},
        {".html", "text/html"},
        {".jpeg", "image/jpeg"},
        {".jpg", "image/jpeg"},
        {".json", "application/json"},
        {".log", "text/plain"},
        {".md", "text/markdown"},
        {".mp4", "video/mp4"},
        {".pdf", "application/pdf"},
        {".png", "image/png"},
        {".svg", "image/svg+xml"},
        {".txt", "text/plain"},
        {".webm", "video/webm"},
        {".zip", "application/zip"},
    };
    const char *dot = strrchr(name, '.');
    for (size_t i = 0; dot != NULL && i < sizeof(known) / sizeof(known[0]); i++) {
        if (strcasecmp(dot, known[i].end) == 0)
            return known[i].mime;
    }
    return "application/octet-stream";
}

static int check_file(struct al_cli *c, const char *path)
{
    struct stat st;
    if (stat(path, &st) != 0)
        return al_fail(c, AL_EXIT_NO_SUCH,
            al_cli_str(c, "'%s' can't be attached: %s", path, strerrordesc_np(errno)), NULL, NULL);
    const char *why = NULL;
    if (!S_ISREG(st.st_mode))
        why = "It is not a file.";
    else if (st.st_size == 0)
        why = "It is empty.";
    else if (st.st_size > AL_ATTACHMENT_MAX)
        why = al_cli_str(c, "It has more than %d MiB.", AL_ATTACHMENT_MAX / (1024 * 1024));
    else if (strlen(base_name(path)) > AL_FILE_NAME_MAX)
        why = al_cli_str(c, "Its name has more than %d bytes.", AL_FILE_NAME_MAX);
    else if (!al_utf8_valid(al_slice_str(base_name(path))))
        why = "Its name is not UTF-8, so that others could not read it: rename it.";
    else if (!al_attachment_is_name(al_slice_str(base_name(path))))
        why = "Its name has control characters, which a terminal obeys: rename it.";
    else if (access(path, R_OK) != 0)
        why = "It can't be read.";
    return why == NULL
               ? 0
               : al_fail(c, AL_EXIT_DATA, al_cli_str(c, "'%s' can't be attached", path), why, NULL);
}

int al_upload_check(struct al_cli *c, const char *const *paths, size_t count)
{
    int status = 0;
    if (count > AL_UPLOAD_FILES_MAX)
        return al_fail(c, AL_EXIT_USAGE,
            al_cli_str(c, "an entry has at most %d files", AL_UPLOAD_FILES_MAX), NULL, NULL);
    for (size_t i = 0; i < count && status == 0; i++)
        status = check_file(c, paths[i]);
    return status;
}

uint64_t al_upload_pieces(const char *const *paths, size_t count)
{
    uint64_t pieces = 0;
    struct stat st;
    for (size_t i = 0; i < count; i++) {
        if (stat(paths[i], &st) == 0)
            pieces += ((uint64_t)st.st_size + AL_PIECE_BYTES - 1) / AL_PIECE_BYTES;
    }
    return pieces;
}

/* A file that is being handed over. */
struct file {
    const char *path;
    struct al_buf content;
    uint8_t handle[HANDLE_BYTES];
};

static int read_file(struct al_cli *c, struct file *f, struct al_trouble *t)
{
    int fd = open(f->path, O_RDONLY | O_CLOEXEC);
    bool ok = fd >= 0 && al_dirs_read(&f->content, fd, AL_ATTACHMENT_MAX) == 0 && f->content.n > 0;
    int errnum = errno;
    if (fd >= 0)
        (void)close(fd);
    if (!ok)
        *t = (struct al_trouble){.status = AL_EXIT_DISK,
            .what = al_cli_str(c, "'%s' can't be read: %s", f->path,
                fd >= 0 && f->content.n == 0 ? "it is empty" : strerrordesc_np(errnum))};
    return ok ? 0 : -1;
}

/* The same content under the same name has the same key; |again|: one that nobody used before. */
static int begin(struct al_cli *c, struct file *f, bool again)
{
    const char *name = base_name(f->path);
    struct al_params p = {0};
    struct al_slice result;
    struct al_hash key;
    const struct al_slice parts[] = {
        al_slice_str("file"), al_slice_of(name, strlen(name) + 1), al_buf_slice(&f->content)};
    al_hash(&key, AL_P_DRAFT, parts, sizeof(parts) / sizeof(parts[0]));
    if (again)
        al_params_key(&p);
    else
        al_params_bin(&p, "key", key.b, 16);
    al_params_uint(&p, "size", f->content.n);
    al_params_cstr(&p, "name", name);
    al_params_cstr(&p, "mime", mime_of(name));
    int err = al_cli_try(c, &result, "file_new", &p);
    al_params_free(&p);
    struct al_slice handle = err == 0 ? al_get_bin(result, "file") : al_slice_of(NULL, 0);
    if (err == 0 && handle.n != HANDLE_BYTES)
        return AL_E_RPC;
    if (err == 0)
        memcpy(f->handle, handle.p, handle.n);
    return err;
}

/* Hand over pieces from |index| on. */
static int put(struct al_cli *c, const struct file *f, uint32_t index)
{
    struct al_params p = {0};
    struct al_slice result;
    struct al_buf data = al_heapbuf();
    size_t at = (size_t)index * AL_PIECE_BYTES;
    size_t pieces = (f->content.n - at + AL_PIECE_BYTES - 1) / AL_PIECE_BYTES;
    if (pieces > PIECES_A_CALL)
        pieces = PIECES_A_CALL;
    al_write_array(&data, (uint32_t)pieces);
    for (; pieces > 0; pieces--) {
        size_t n = f->content.n - at < AL_PIECE_BYTES ? f->content.n - at : AL_PIECE_BYTES;
        al_write_bin(&data, f->content.p + at, n);
        at += n;
    }
    al_params_bin(&p, "file", f->handle, sizeof(f->handle));
    al_params_uint(&p, "index", index);
    al_params_raw(&p, "data", al_buf_slice(&data));
    al_heapbuf_free(&data);
    int err = al_cli_try(c, &result, "file_put", &p);
    al_params_free(&p);
    return err;
}

static int hand_over(struct al_cli *c, struct file *f, struct al_progress *bar, uint64_t before)
{
    int err = begin(c, f, false);
    for (uint32_t i = 0; err == 0 && (size_t)i * AL_PIECE_BYTES < f->content.n;
         i += PIECES_A_CALL) {
        err = put(c, f, i);
        if (err == AL_E_NOT_FOUND && i == 0) { /* the node has forgotten what it had begun */
            err = begin(c, f, true);
            if (err == 0)
                err = put(c, f, i);
        }
        size_t done = (size_t)(i + PIECES_A_CALL) * AL_PIECE_BYTES;
        al_progress_at(bar, before + (done < f->content.n ? done : f->content.n));
    }
    return err;
}

int al_upload(struct al_cli *c, struct al_slice *ret, struct al_trouble *ret_trouble,
    const char *const *paths, size_t count)
{
    struct al_buf handles = al_heapbuf();
    struct al_progress bar;
    uint64_t total = 0, before = 0;
    int result = 0;
    for (size_t i = 0; i < count; i++) {
        struct stat st;
        total += stat(paths[i], &st) == 0 ? (uint64_t)st.st_size : 0;
    }
    al_progress_init(&bar, c, total);
    al_progress_bytes(&bar);
    al_write_array(&handles, (uint32_t)count);
    for (size_t i = 0; i < count && result == 0; i++) {
        struct file f = {.path = paths[i], .content = al_heapbuf()};
        result = read_file(c, &f, ret_trouble);
        int err = result == 0 ? hand_over(c, &f, &bar, before) : 0;
        if (err != 0) {
            *ret_trouble = al_cli_trouble(c, err);
            result = -1;
        }
        before += f.content.n;
        al_write_bin(&handles, f.handle, sizeof(f.handle));
        al_heapbuf_free(&f.content);
    }
    al_progress_end(&bar);
    *ret = al_cli_keep(c, al_buf_slice(&handles));
    al_heapbuf_free(&handles);
    return result;
}
