#include "out.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include "check.h"
#include "child.h"
#include "heapbuf.h"
#include "out_int.h"
#include "text.h"

#define WRITE_AT_BYTES (64 * 1024)
#define WIDTH_MIN 40
#define WIDTH_MAX 200

struct al_out *al_out_new(const struct al_out_opts *opts)
{
    struct al_out *o = calloc(1, sizeof(*o));
    if (o == NULL)
        return NULL;
    o->opts = *opts;
    o->fd = opts->fd;
    o->buf = al_heapbuf();
    o->texts = al_heapbuf();
    return o;
}

bool al_out_is_pretty(const struct al_out *o)
{
    return o->opts.form == AL_OUT_PRETTY;
}

size_t al_out_width(const struct al_out *o)
{
    size_t w = o->opts.columns;
    return w < WIDTH_MIN ? WIDTH_MIN : w > WIDTH_MAX ? WIDTH_MAX : w;
}

bool al_out_gone(const struct al_out *o)
{
    return o->gone || o->err != 0;
}

bool al_out_left(struct al_out *o)
{
    struct pollfd pfd = {.fd = o->fd};
    if (poll(&pfd, 1, 0) == 1 && (pfd.revents & (POLLERR | POLLHUP)) != 0)
        o->gone = true;
    return al_out_gone(o);
}

const char *al_out_unknown_field(const struct al_out *o)
{
    return o->unknown_field;
}

static void write_all(struct al_out *o)
{
    size_t done = 0;
    if (o->buf.full)
        o->err = AL_E_NOMEM;
    while (done < o->buf.n && !al_out_gone(o)) {
        ssize_t n = write(o->fd, o->buf.p + done, o->buf.n - done);
        if (n >= 0)
            done += (size_t)n;
        else if (errno == EPIPE)
            o->gone = true;
        else if (errno != EINTR)
            o->err = errno == ENOSPC || errno == EDQUOT ? AL_E_FULL : AL_E_IO;
    }
    o->buf.n = 0;
    o->newlines = 0;
}

/* Send the rest through a pager. Without one it just scrolls by. */
static void start_pager(struct al_out *o)
{
    o->opts.pager = false;
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0)
        return;
    const char *own = getenv("PAGER");
    const char *const less[] = {"less", "-FRX", NULL};
    const char *const shell[] = {"/bin/sh", "-c", own, NULL};
    struct al_child_opts opts = {.in = ends[0], .out = -1, .err = -1};
    int pid = al_child_start(own != NULL && own[0] != '\0' ? shell : less, &opts);
    (void)close(ends[0]);
    if (pid < 0) {
        (void)close(ends[1]);
        return;
    }
    o->fd = ends[1];
    o->pager_pid = pid;
}

void al_out_put(struct al_out *o, const void *p, size_t n)
{
    if (al_out_gone(o))
        return;
    al_buf_put(&o->buf, p, n);
    if (o->opts.pager) {
        for (const char *c = p; (c = memchr(c, '\n', n - (size_t)(c - (const char *)p))) != NULL;
             c++)
            o->newlines++;
        if (o->newlines < o->opts.lines)
            return;
        start_pager(o);
    }
    if (o->buf.n >= WRITE_AT_BYTES || o->buf.full)
        write_all(o);
}

void al_out_puts(struct al_out *o, const char *s)
{
    al_out_put(o, s, strlen(s));
}

void al_out_flush(struct al_out *o)
{
    o->opts.pager = false;
    write_all(o);
}

int al_out_close(struct al_out *o)
{
    if (o == NULL)
        return 0;
    al_out_table_end(o);
    write_all(o);
    if (o->pager_pid != 0) {
        (void)close(o->fd);
        (void)al_child_wait(o->pager_pid);
    }
    int err = o->err;
    al_heapbuf_free(&o->buf);
    al_heapbuf_free(&o->texts);
    free(o);
    return err;
}

/* ---- rows ---- */

void al_out_row(struct al_out *o)
{
    o->field_count = 0;
    o->texts.n = 0;
}

static struct al_out_field *add(struct al_out *o, const char *name, enum al_out_type type)
{
    AL_ASSERT(o->field_count < AL_OUT_FIELDS_MAX);
    struct al_out_field *f = &o->fields[o->field_count++];
    *f = (struct al_out_field){.name = name, .type = type, .from = o->texts.n};
    return f;
}

/* Keep |v|, safe for the form it goes to. */
static void keep(struct al_out *o, struct al_slice v, enum al_text_use use)
{
    switch (o->opts.form) {
    case AL_OUT_PRETTY:
        al_text_safe(&o->texts, v, use == AL_TEXT_BLOCK ? AL_TEXT_LINE : use);
        break;
    case AL_OUT_JSON:
        al_text_safe(&o->texts, v, use);
        break;
    case AL_OUT_PLAIN: {
        struct al_buf tmp = al_heapbuf();
        if (use != AL_TEXT_BLOCK) {
            al_text_safe(&tmp, v, use);
            v = al_buf_slice(&tmp);
        }
        al_text_safe(&o->texts, v, AL_TEXT_FIELD);
        al_heapbuf_free(&tmp);
        break;
    }
    }
}

static void add_text(struct al_out *o, const char *name, struct al_slice v, enum al_text_use use)
{
    struct al_out_field *f = add(o, name, AL_OUT_TEXT);
    keep(o, v, use);
    f->n = o->texts.n - f->from;
}

void al_out_text(struct al_out *o, const char *name, struct al_slice v)
{
    add_text(o, name, v, AL_TEXT_BLOCK);
}

void al_out_name(struct al_out *o, const char *name, struct al_slice v)
{
    add_text(o, name, v, AL_TEXT_NAME);
}

void al_out_cstr(struct al_out *o, const char *name, const char *v)
{
    add_text(o, name, al_slice_str(v != NULL ? v : ""), AL_TEXT_BLOCK);
}

void al_out_uint(struct al_out *o, const char *name, uint64_t v)
{
    add(o, name, AL_OUT_UINT)->num = v;
}

void al_out_bool(struct al_out *o, const char *name, bool v)
{
    add(o, name, AL_OUT_BOOL)->num = v;
}

void al_out_time(struct al_out *o, const char *name, uint64_t ms)
{
    add(o, name, AL_OUT_TIME)->num = ms;
}

void al_out_id(struct al_out *o, const char *name, const uint8_t *b32, size_t chars)
{
    struct al_out_field *f = add(o, name, AL_OUT_ID);
    f->num = chars;
    if (b32 != NULL) {
        al_buf_put(&o->texts, b32, 32);
        f->n = 32;
    }
}

void al_out_texts(struct al_out *o, const char *name, const struct al_slice *v, size_t n)
{
    struct al_out_field *f = add(o, name, AL_OUT_TEXTS);
    f->num = n;
    for (size_t i = 0; i < n; i++) {
        keep(o, v[i], AL_TEXT_NAME);
        al_buf_put(&o->texts, "", 1);
    }
    f->n = o->texts.n - f->from;
}

struct al_slice al_out_field_text(const struct al_out *o, const struct al_out_field *f)
{
    return al_slice_of(o->texts.p + f->from, f->n);
}

void al_out_row_end(struct al_out *o)
{
    if (o->texts.full)
        o->err = AL_E_NOMEM;
    if (al_out_gone(o))
        return;
    switch (o->opts.form) {
    case AL_OUT_PRETTY:
        al_out_table_row(o);
        break;
    case AL_OUT_PLAIN:
        al_out_plain_row(o);
        break;
    case AL_OUT_JSON:
        al_out_json_row(o);
        break;
    }
}
