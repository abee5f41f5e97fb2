#include "draft.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "client.h"
#include "dirs.h"
#include "draft_int.h"
#include "hash.h"
#include "heapbuf.h"
#include "id.h"
#include "text.h"

#define NAME_CHARS 20
#define TITLE_COLUMNS 50
#define REMEMBERED_S (28 * 24 * 3600) /* the node remembers keys for 30 days */

/* True if the same call may well succeed later. */
static bool may_pass(struct al_cli *c, int err)
{
    if (al_client_error(c->client) == NULL)
        return true;
    switch (err) {
    case AL_E_IO:
    case AL_E_FULL:
    case AL_E_READ_ONLY:
    case AL_E_CORRUPT:
    case AL_E_DOUBT:
    case AL_E_BUSY:
    case AL_E_STATE:
    case AL_E_NOMEM:
    case AL_E_TIMEOUT:
    case AL_E_CLONE:
        return true;
    default:
        return false;
    }
}

/* Put |text| into a new file of its own; its path, or NULL with errno. */
static const char *leave_text(struct al_cli *c, struct al_slice text)
{
    const char *path;
    int fd = al_draft_new_text(c, &path);
    if (fd < 0)
        return NULL;
    bool ok = al_dirs_write(fd, text) == 0 && fsync(fd) == 0;
    int errnum = errno;
    (void)close(fd);
    if (ok)
        return path;
    (void)unlink(path);
    errno = errnum;
    return NULL;
}

/* Where the text is, as the end of an explanation. */
static const char *where(
    struct al_cli *c, const char *why, const char *path, struct al_slice text, const char *then)
{
    why = why == NULL ? "" : al_cli_str(c, "%s\n  ", why);
    if (path != NULL)
        return al_cli_str(c, "%sThe text is kept in %s%s.", why, path, then);
    return al_cli_str(c, "%sThe text could not be kept (%s); here it is:\n\n%s\n", why,
        strerrordesc_np(errno), al_cli_dup(c, text));
}

void al_draft_leave(struct al_cli *c, struct al_slice text)
{
    if (text.n == 0)
        return;
    const char *path = leave_text(c, text);
    al_cli_note(c, "  %s", where(c, NULL, path, text, ""));
    if (path != NULL)
        al_cli_note(c, "  try: aloud drafts");
}

int al_draft_refuse(struct al_cli *c, const struct al_draft *d, struct al_trouble t)
{
    if (d->name_only)
        return al_fail_trouble(c, &t);
    const char *path = d->file != NULL ? d->file : leave_text(c, d->text);
    t.what = al_cli_str(c, "not posted: %s", t.what);
    t.why = where(c, t.why, path, d->text, "");
    if (t.hint == NULL && path != NULL)
        t.hint = al_cli_str(c, "%s < %s", d->again, path);
    return al_fail_trouble(c, &t);
}

/* Say that the draft waits in |f|, or nowhere when there is no file. */
static int fail_waiting(
    struct al_cli *c, const struct al_draft *d, const struct al_draft_file *f, int err)
{
    struct al_trouble t = al_cli_trouble(c, err);
    const char *path = d->file;
    if (f->fd < 0 && d->name_only)
        return al_fail_trouble(c, &t);
    if (f->fd >= 0) {
        al_draft_file_sync(f);
        path = f->path;
        if (d->file != NULL)
            (void)unlink(d->file);
    } else if (path == NULL) {
        path = leave_text(c, d->text);
    }
    bool waits = f->fd >= 0;
    if (t.status != AL_EXIT_CONFIG) {
        t.what = al_cli_str(c, "not posted yet: %s", t.what);
        t.status = path != NULL ? AL_EXIT_LATER : t.status;
        if (waits)
            t.hint = "aloud post --resend";
        else if (path != NULL)
            t.hint = al_cli_str(c, "%s < %s", d->again, path);
    }
    t.why = where(c, t.why, path, d->text, waits ? " and goes out with the next `aloud post`" : "");
    return al_fail_trouble(c, &t);
}

/* ---- what waits from before ---- */

/* Send one draft of an earlier command. Returns 0 when it is dealt with. */
static int resend(struct al_cli *c, const char *path, size_t *sent)
{
    struct al_draft_file f;
    if (al_draft_file_open(c, &f, path, false) != 0)
        return 0; /* a living command has it, or has just removed it */
    struct stat st;
    bool too_old = fstat(f.fd, &st) == 0 && st.st_mtime + REMEMBERED_S < time(NULL);
    struct al_slice result;
    int err =
        f.call.n == 0 || too_old ? AL_E_PARAMS : al_cli_try_encoded(c, &result, "post", f.call);
    struct al_buf title = al_heapbuf();
    al_text_title(&title, f.text, TITLE_COLUMNS);
    const char *words = al_cli_dup(c, al_buf_slice(&title));
    al_heapbuf_free(&title);
    bool done = err == 0;
    if (err == 0) {
        ++*sent;
        al_cli_note(c, "aloud: posted what had waited: %s", words);
    } else if (f.call.n == 0 || too_old || !may_pass(c, err)) {
        const char *left = leave_text(c, f.text);
        al_cli_note(c, "aloud: what had waited can't be posted as it is: %s\n  it is in %s", words,
            left != NULL ? left : path);
        done = left != NULL;
        err = 0;
    }
    al_draft_file_close(&f, done);
    return err;
}

/* Send what waits, but not |except|, a path. Returns 0, or the error that stopped it. */
static int resend_all(struct al_cli *c, const char *except, size_t *sent)
{
    const char *dir_path = al_cli_str(c, "%s/drafts", c->paths.state);
    DIR *dir = opendir(dir_path);
    const struct dirent *e;
    int err = 0;
    while (err == 0 && dir != NULL && (e = readdir(dir)) != NULL) {
        const char *dot = strrchr(e->d_name, '.');
        if (dot == NULL || strcmp(dot, ".draft") != 0)
            continue;
        const char *path = al_cli_str(c, "%s/%s", dir_path, e->d_name);
        if (except == NULL || strcmp(path, except) != 0)
            err = resend(c, path, sent);
    }
    if (dir != NULL)
        (void)closedir(dir);
    return err;
}

int al_draft_send_one(struct al_cli *c, const struct al_draft_info *d)
{
    size_t sent = 0;
    int err = resend(c, d->path, &sent);
    return err == 0 ? 0 : al_cli_fail_call(c, err);
}

int al_draft_send_waiting(struct al_cli *c, size_t *ret_sent)
{
    size_t sent = 0;
    int err = resend_all(c, NULL, &sent);
    if (err != 0)
        return al_cli_fail_call(c, err);
    *ret_sent = sent;
    return 0;
}

/* ---- this one ---- */

/*
 * Keep the call in a file. The same call that an earlier command has left unanswered has the same
 * name: its key is used again, so that it is not posted twice. Without a file (the disk is full)
 * the call goes out all the same. Returns the call with its key.
 */
static struct al_slice keep(struct al_cli *c, struct al_draft_file *f, struct al_draft *d)
{
    struct al_slice call = al_params_done(&d->call);
    struct al_hash hash;
    char name[NAME_CHARS + 1];
    al_hash1(&hash, AL_P_DRAFT, call.p, call.n);
    al_id_text_prefix(name, hash.b, NAME_CHARS);
    const char *dir = al_draft_dir(c);
    *f = (struct al_draft_file){.fd = -1};
    if (dir != NULL &&
        al_draft_file_open(c, f, al_cli_str(c, "%s/%s.draft", dir, name), true) == 0 &&
        f->call.n > 0)
        return f->call;
    al_params_key(&d->call);
    call = al_params_done(&d->call);
    if (f->fd >= 0 && al_draft_file_write(f, d->text, call) != 0)
        al_draft_file_close(f, true);
    return call;
}

int al_draft_send(struct al_cli *c, struct al_slice *ret, struct al_draft *d)
{
    struct al_draft_file f;
    struct al_slice result;
    struct al_slice call = keep(c, &f, d);
    size_t sent = 0;
    int status = 0;
    int err = resend_all(c, f.path, &sent);
    if (err == 0)
        err = al_cli_try_encoded(c, &result, "post", call);
    if (err == 0) {
        *ret = al_cli_keep(c, result);
        if (d->file != NULL)
            (void)unlink(d->file);
    } else if (may_pass(c, err)) {
        status = fail_waiting(c, d, &f, err);
        al_draft_file_close(&f, false);
        return status;
    } else {
        status = al_draft_refuse(c, d, al_cli_trouble(c, err));
    }
    al_draft_file_close(&f, true);
    return status;
}
