/* Files on their way into entries: uploads, and what an entry says of them. */
#include <stdio.h>
#include <stdlib.h>

#include "attach.h"
#include "attachment.h"
#include "files_int.h"
#include "hash.h"

#define UPLOAD_KEEP_MS ((uint64_t)24 * 3600 * 1000)

/* Bytes that a call has made and its payloads borrow, until the turn ends. */
struct kept {
    struct kept *next;
    uint8_t bytes[];
};

static int keep(struct al_node *n, struct al_slice *ret, struct al_slice bytes)
{
    struct kept *k = malloc(sizeof(*k) + bytes.n);
    if (k == NULL)
        return AL_E_NOMEM;
    memcpy(k->bytes, bytes.p, bytes.n);
    k->next = n->kept;
    n->kept = k;
    *ret = al_slice_of(k->bytes, bytes.n);
    return 0;
}

void node_files_let_go(struct al_node *n)
{
    while (n->kept != NULL) {
        struct kept *k = n->kept;
        n->kept = k->next;
        free(k);
    }
}

/* --- uploads: [created_ms, generation, size, mime, name, hashes] ------------------------------ */

uint32_t upload_pieces(const struct upload *u)
{
    return (uint32_t)((u->size + AL_PIECE_BYTES - 1) / AL_PIECE_BYTES);
}

int upload_get(struct al_node *n, struct upload *ret, const uint8_t handle[AL_UPLOAD_HANDLE_BYTES])
{
    struct al_slice value;
    int err = al_store_kv_get(
        n->store, &value, AL_SPACE_UPLOAD, al_slice_of(handle, AL_UPLOAD_HANDLE_BYTES));
    if (err != 0)
        return err;
    struct al_read r = al_read_init(value);
    (void)al_read_array(&r, 6, 6);
    ret->created_ms = al_read_uint(&r, UINT64_MAX);
    ret->generation = (uint32_t)al_read_uint(&r, AL_READ_GENERATIONS_MAX);
    ret->size = al_read_uint(&r, AL_ATTACHMENT_MAX);
    struct al_slice mime = al_read_str(&r, AL_MIME_MAX);
    struct al_slice name = al_read_str(&r, AL_FILE_NAME_MAX);
    struct al_slice hashes = al_read_bin(&r, 0, sizeof(ret->hashes));
    if (al_read_end(&r) != 0 || hashes.n % 32 != 0)
        return AL_E_CORRUPT;
    memcpy(ret->handle, handle, sizeof(ret->handle));
    ret->mime_n = mime.n;
    ret->name_n = name.n;
    ret->have = (uint32_t)(hashes.n / 32);
    memcpy(ret->mime, mime.p, mime.n);
    memcpy(ret->name, name.p, name.n);
    memcpy(ret->hashes, hashes.p, hashes.n);
    return 0;
}

int upload_put(struct al_node *n, const struct upload *u)
{
    struct al_buf b = al_heapbuf();
    al_write_array(&b, 6);
    al_write_uint(&b, u->created_ms);
    al_write_uint(&b, u->generation);
    al_write_uint(&b, u->size);
    al_write_str(&b, al_slice_of(u->mime, u->mime_n));
    al_write_str(&b, al_slice_of(u->name, u->name_n));
    al_write_bin(&b, u->hashes, (size_t)u->have * 32);
    int err = b.full ? AL_E_NOMEM
                     : al_store_kv_put(n->store, AL_SPACE_UPLOAD,
                           al_slice_of(u->handle, sizeof(u->handle)), al_buf_slice(&b));
    al_heapbuf_free(&b);
    return err;
}

/*
 * The key of the file: drawn from our reading key, so that log.db and its backups hold nothing
 * that opens the pieces of what is for few readers only.
 */
int upload_key(struct al_node *n, uint8_t out[32], const struct upload *u)
{
    uint8_t me[32];
    int err = al_keyring_me_key(me, n->opts.keyring, u->generation);
    if (err == 0)
        al_keyed_hash(out, me, AL_P_FILE, u->handle, sizeof(u->handle));
    explicit_bzero(me, sizeof(me));
    return err;
}

void upload_encode(struct al_buf *b, const struct upload *u, const uint8_t key[32])
{
    struct al_buf hashes = al_heapbuf();
    for (uint32_t i = 0; i < upload_pieces(u); i++)
        al_write_bin(&hashes, u->hashes + (size_t)i * 32, 32);
    struct al_attachment a = {
        .size = u->size,
        .mime = al_slice_of(u->mime, u->mime_n),
        .name = al_slice_of(u->name, u->name_n),
        .hashes = al_buf_slice(&hashes),
        .pieces = upload_pieces(u),
    };
    memcpy(a.key, key, sizeof(a.key));
    al_attachment_encode(b, &a);
    b->full = b->full || hashes.full;
    al_heapbuf_free(&hashes);
}

/* --- forgetting ------------------------------------------------------------------------------- */

struct old_uploads {
    struct al_node *n;
    struct al_buf handles;
    struct al_slice handle; /* of the one that is looked for in the outbox */
};

static int collect_old(void *arg, struct al_slice key, struct al_slice value)
{
    struct old_uploads *old = arg;
    struct al_read r = al_read_init(value);
    (void)al_read_array(&r, 6, 6);
    uint64_t created = al_read_uint(&r, UINT64_MAX);
    if (r.err == 0 && created + UPLOAD_KEEP_MS <= old->n->now.wall_ms)
        al_buf_put(&old->handles, key.p, key.n);
    return 0;
}

static int find_handle(void *arg, struct al_slice key, struct al_slice value)
{
    const struct old_uploads *old = arg;
    (void)key;
    return memmem(value.p, value.n, old->handle.p, old->handle.n) != NULL;
}

static int forget_upload(struct al_node *n, const uint8_t handle[AL_UPLOAD_HANDLE_BYTES])
{
    struct upload *u = malloc(sizeof(*u));
    int err = u == NULL ? AL_E_NOMEM : upload_get(n, u, handle);
    for (uint32_t i = 0; err == 0 && i < u->have; i++) {
        struct al_hash piece;
        memcpy(piece.b, u->hashes + (size_t)i * 32, sizeof(piece.b));
        err = al_attach_upload_end(n->logs, &piece, handle);
    }
    free(u);
    if (err == 0 || err == AL_E_CORRUPT)
        err =
            al_store_kv_del(n->store, AL_SPACE_UPLOAD, al_slice_of(handle, AL_UPLOAD_HANDLE_BYTES));
    return err;
}

int node_forget_uploads(struct al_node *n)
{
    struct old_uploads old = {.n = n, .handles = al_heapbuf()};
    int err = al_store_kv_scan(n->store, AL_SPACE_UPLOAD, al_slice_of(NULL, 0), collect_old, &old);
    for (size_t at = 0; err == 0 && at < old.handles.n; at += AL_UPLOAD_HANDLE_BYTES) {
        old.handle = al_slice_of(old.handles.p + at, AL_UPLOAD_HANDLE_BYTES);
        int held =
            al_store_kv_scan(n->store, AL_SPACE_OUTBOX, al_slice_of(NULL, 0), find_handle, &old);
        if (held <= 0)
            err = held != 0 ? held : forget_upload(n, old.handle.p);
    }
    if (err == 0 && old.handles.full)
        err = AL_E_NOMEM;
    al_heapbuf_free(&old.handles);
    return err;
}

/* --- into an entry ------------------------------------------------------------------------------
 */

/* Files of one entry, encoded one after the other. */
struct files {
    struct al_node *n;
    struct al_buf bytes;
    uint32_t count;
};

/* Add a file unless it is among them. */
static int add(struct files *f, struct al_slice encoded)
{
    struct al_slice all = al_buf_slice(&f->bytes);
    if (memmem(all.p == NULL ? encoded.p : all.p, all.n, encoded.p, encoded.n) != NULL)
        return 0;
    if (f->count == AL_ATTACHMENTS_MAX) {
        (void)snprintf(
            f->n->why, sizeof(f->n->why), "an entry has at most %d files", AL_ATTACHMENTS_MAX);
        return AL_E_LIMIT;
    }
    f->count++;
    al_write_raw(&f->bytes, encoded);
    return f->bytes.full ? AL_E_NOMEM : 0;
}

/* All pieces of an upload must be here: it is whole, and what it went into was not retracted. */
static int check_whole(struct al_node *n, const struct upload *u)
{
    bool here = u->have == upload_pieces(u);
    for (uint32_t i = 0; here && i < u->have; i++) {
        struct al_hash piece;
        memcpy(piece.b, u->hashes + (size_t)i * 32, sizeof(piece.b));
        int err = al_store_piece_has(n->store, &here, &piece);
        if (err != 0)
            return err;
    }
    if (here)
        return 0;
    (void)snprintf(n->why, sizeof(n->why), "the file '%.*s' is not here whole: send it again",
        (int)u->name_n, u->name);
    return AL_E_NOT_FOUND;
}

static int add_upload(struct files *f, const uint8_t handle[AL_UPLOAD_HANDLE_BYTES])
{
    struct upload *u = malloc(sizeof(*u));
    struct al_buf one = al_heapbuf();
    uint8_t key[32];
    int err = u == NULL ? AL_E_NOMEM : upload_get(f->n, u, handle);
    if (err == AL_E_NOT_FOUND)
        (void)snprintf(f->n->why, sizeof(f->n->why),
            "no file was sent here under the handle %02x%02x%02x%02x... within a day: send it "
            "again",
            handle[0], handle[1], handle[2], handle[3]);
    if (err == 0)
        err = check_whole(f->n, u);
    if (err == 0)
        err = upload_key(f->n, key, u);
    if (err == 0) {
        upload_encode(&one, u, key);
        err = one.full ? AL_E_NOMEM : add(f, al_buf_slice(&one));
    }
    explicit_bzero(key, sizeof(key));
    al_heapbuf_free(&one);
    free(u);
    return err;
}

/* Add the files of one of our entries. What can't be read has none. */
static int add_files_of(struct files *f, const struct al_ref *ref)
{
    const struct al_log *log = al_logs_find(f->n->logs, &ref->device, &ref->log);
    struct al_store_row row;
    struct al_payload p;
    uint8_t *clear = NULL;
    if (log == NULL || log->person != f->n->logs->self)
        return 0;
    int err = al_store_get(f->n->store, &row, log->no, ref->seq);
    if (err == 0)
        err = al_attach_read(f->n->logs, &p, &clear, log, &row);
    if (err != 0) {
        free(clear);
        return al_store_is_error(err) ? err : 0;
    }
    struct al_read r = al_read_init(p.files);
    for (uint32_t left = p.files.n == 0 ? 0 : al_read_array(&r, 0, AL_ATTACHMENTS_MAX);
         err == 0 && left > 0; left--)
        err = add(f, al_read_raw(&r));
    free(clear);
    return err;
}

static int on_edit(void *arg, const struct al_ref *edit)
{
    return add_files_of(arg, edit);
}

int node_files_resolve(struct al_node *n, struct al_payload *p)
{
    struct files f = {.n = n, .bytes = al_heapbuf()};
    struct al_read r = al_read_init(p->files);
    uint32_t given = p->files.n == 0 ? 0 : al_read_array(&r, 0, AL_ATTACHMENTS_MAX);
    int err = r.err != 0 ? AL_E_PARAMS : 0;
    bool keeps = (p->kind == AL_KIND_EDIT || p->kind == AL_KIND_SHARE) && p->of.seq != 0;
    if (err == 0 && keeps)
        err = add_files_of(&f, &p->of);
    if (err == 0 && keeps)
        err = al_apply_edits(n->logs, &p->of.id, n->logs->self, on_edit, &f);
    for (uint32_t i = 0; err == 0 && i < given; i++) {
        struct al_slice handle = al_read_bin(&r, AL_UPLOAD_HANDLE_BYTES, AL_UPLOAD_HANDLE_BYTES);
        err = r.err != 0 ? AL_E_PARAMS : add_upload(&f, handle.p);
    }
    struct al_buf all = al_heapbuf();
    if (err == 0 && f.count > 0) {
        al_write_array(&all, f.count);
        al_write_raw(&all, al_buf_slice(&f.bytes));
        err = all.full ? AL_E_NOMEM : keep(n, &p->files, al_buf_slice(&all));
    } else if (err == 0) {
        p->files = al_slice_of(NULL, 0);
    }
    al_heapbuf_free(&all);
    al_heapbuf_free(&f.bytes);
    return err;
}
