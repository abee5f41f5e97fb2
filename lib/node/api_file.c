/* Calls about files: sending one in, and fetching the pieces of one. */
#include <stdio.h>
#include <stdlib.h>

#include "attach.h"
#include "attachment.h"
#include "files_int.h"

#define FETCH_MS 10000
#define FETCH_MAX_MS 600000
#define LINGER_MS 15000  /* pieces go on coming for as long, for whoever asks again */
#define UPLOADS_MAX 1024 /* that are not forgotten yet */
#define PUT_MAX 15       /* pieces a call: they fit a request */
#define READ_MAX 8       /* pieces an answer */

/* --- in ------------------------------------------------------------------------------------- */

static int count_one(void *arg, struct al_slice key, struct al_slice value)
{
    (void)key;
    (void)value;
    return ++*(uint32_t *)arg >= UPLOADS_MAX;
}

/* Size, type and name must make an attachment that others accept. */
static int check_upload(struct al_node *n, const struct upload *u)
{
    struct al_buf b = al_heapbuf();
    struct al_attachment a;
    uint8_t key[32] = {0};
    al_write_array(&b, 1);
    upload_encode(&b, u, key);
    int err = b.full ? AL_E_NOMEM : al_attachment_get(&a, al_buf_slice(&b), 0);
    al_heapbuf_free(&b);
    if (err != 0 && err != AL_E_NOMEM) {
        (void)snprintf(n->why, sizeof(n->why), "'%.*s' can't be the name of a file for others",
            (int)u->name_n, u->name);
        err = AL_E_PARAMS;
    }
    return err;
}

static int read_new(struct al_node *n, struct upload *u, struct al_slice params)
{
    struct al_slice name, mime;
    if (param_uint(&u->size, params, "size", 0) != 0 ||
        param_str(&name, AL_FILE_NAME_MAX, params, "name") != 0 ||
        param_str(&mime, AL_MIME_MAX, params, "mime") != 0)
        return AL_E_PARAMS;
    if (u->size == 0 || u->size > AL_ATTACHMENT_MAX) {
        (void)snprintf(n->why, sizeof(n->why), "a file to attach has 1 byte to %d MiB",
            AL_ATTACHMENT_MAX / (1024 * 1024));
        return u->size == 0 ? AL_E_PARAMS : AL_E_LIMIT;
    }
    memcpy(u->name, name.p, name.n);
    memcpy(u->mime, mime.p, mime.n);
    u->name_n = name.n;
    u->mime_n = mime.n;
    return check_upload(n, u);
}

int api_file_new(struct al_node *n, uint64_t call, struct al_slice params, struct al_buf *out)
{
    struct upload *u = calloc(1, sizeof(*u));
    uint32_t count = 0;
    (void)call;
    int err = u == NULL ? AL_E_NOMEM : read_new(n, u, params);
    if (err == 0)
        err = node_forget_uploads(n);
    if (err == 0)
        err = al_store_kv_scan(n->store, AL_SPACE_UPLOAD, al_slice_of(NULL, 0), count_one, &count);
    if (err == 1)
        err = AL_E_LIMIT;
    if (err == 0) {
        al_rng_bytes(&n->rng, u->handle, sizeof(u->handle));
        u->created_ms = n->now.wall_ms;
        u->generation = n->opts.keyring->generation;
        err = upload_put(n, u);
    }
    if (err == 0) {
        al_write_map(out, 2);
        al_write_cstr(out, "file");
        al_write_bin(out, u->handle, sizeof(u->handle));
        al_write_cstr(out, "pieces");
        al_write_uint(out, upload_pieces(u));
    }
    free(u);
    return err;
}

/*
 * Seal and keep piece |i|, the next one, or one that was here: it may be gone with the entry that
 * it went into. A key seals one file once, so it must be the same.
 */
static int put_piece(
    struct al_node *n, struct upload *u, const uint8_t key[32], uint32_t i, struct al_slice clear)
{
    uint8_t sealed[AL_PIECE_SEALED_BYTES];
    uint8_t *known = u->hashes + (size_t)i * 32;
    struct al_hash hash;
    bool here = false;
    al_piece_seal(sealed, &hash, key, i, clear);
    if (i < u->have && memcmp(known, hash.b, 32) != 0) {
        (void)strlcpy(n->why, "that file has changed since it was begun", sizeof(n->why));
        return AL_E_PARAMS;
    }
    n->turn_bytes += clear.n;
    int err = i < u->have ? al_store_piece_has(n->store, &here, &hash) : 0;
    if (err != 0 || here)
        return err;
    err = al_store_piece_put(
        n->store, &hash, al_slice_of(sealed, clear.n + 16), true, n->now.wall_ms);
    if (err == 0)
        err = al_attach_upload(n->logs, &hash, u->handle);
    memcpy(known, hash.b, 32);
    if (i == u->have)
        u->have++;
    return err;
}

/* Read piece |i| of |u|, which has just the size of its place. */
static int next_piece(struct al_slice *ret, struct al_read *r, const struct upload *u, uint64_t i)
{
    uint64_t left = u->size - i * AL_PIECE_BYTES;
    size_t size = left < AL_PIECE_BYTES ? (size_t)left : AL_PIECE_BYTES;
    *ret = al_read_bin(r, size, size);
    return r->err != 0 ? AL_E_PARAMS : 0;
}

/*
 * Take the pieces of |r| from |index| on; those that are here stay. All or none: what was sealed
 * and not noted would be kept for ever, and its place be sealed again with the same key.
 */
static int put_pieces(
    struct al_node *n, struct upload *u, const uint8_t key[32], uint64_t index, struct al_read *r)
{
    uint32_t count = al_read_array(r, 1, PUT_MAX);
    if (r->err != 0 || index > u->have || index + count > upload_pieces(u))
        return AL_E_PARAMS;
    struct al_read again = *r;
    struct al_slice clear;
    int err = 0;
    for (uint32_t i = 0; err == 0 && i < count; i++)
        err = next_piece(&clear, r, u, index + i);
    for (uint32_t i = 0; err == 0 && i < count; i++) {
        err = next_piece(&clear, &again, u, index + i);
        if (err == 0)
            err = put_piece(n, u, key, (uint32_t)(index + i), clear);
    }
    return err;
}

int api_file_put(struct al_node *n, uint64_t call, struct al_slice params, struct al_buf *out)
{
    uint8_t handle[AL_UPLOAD_HANDLE_BYTES], key[32];
    uint64_t index;
    struct al_read r = al_read_init(al_rpc_param(params, "data"));
    (void)call;
    if (param_bytes(handle, sizeof(handle), params, "file") != 0 ||
        param_uint(&index, params, "index", UINT64_MAX) != 0 || index >= AL_PIECES_MAX)
        return AL_E_PARAMS;
    struct upload *u = calloc(1, sizeof(*u));
    int err = u == NULL ? AL_E_NOMEM : upload_get(n, u, handle);
    if (err == AL_E_NOT_FOUND)
        (void)strlcpy(
            n->why, "that file is forgotten: send it again from its start", sizeof(n->why));
    if (err == 0)
        err = upload_key(n, key, u);
    if (err == 0)
        err = put_pieces(n, u, key, index, &r);
    if (err == 0)
        err = upload_put(n, u);
    if (err == 0) {
        al_write_map(out, 1);
        al_write_cstr(out, "have");
        al_write_uint(out, u->have);
    }
    explicit_bzero(key, sizeof(key));
    free(u);
    return err;
}

/* --- out ------------------------------------------------------------------------------------ */

/* A file that somebody waits for. */
struct file_wait {
    uint32_t pieces;
    struct al_hash hashes[AL_PIECES_MAX];
};

/* How many pieces are here; |ret_wanted|: whether others are under way; and who may have them. */
static int count_here(struct al_node *n, const struct file_wait *w, uint32_t *ret_have,
    bool *ret_wanted, uint32_t *ret_holders)
{
    uint32_t holders = 0, have = 0;
    bool wanted = false;
    for (uint32_t i = 0; i < w->pieces; i++) {
        bool here = false;
        if (al_gossip_piece_wanted(n->gossip, &w->hashes[i])) {
            uint32_t may = al_gossip_piece_holders(n->gossip, &w->hashes[i]);
            holders = may > holders ? may : holders;
            wanted = true;
            continue;
        }
        int err = al_store_piece_has(n->store, &here, &w->hashes[i]);
        if (err != 0)
            return err;
        have += here;
    }
    *ret_have = have;
    *ret_wanted = wanted;
    *ret_holders = holders;
    return 0;
}

static void write_progress(
    struct al_buf *out, const struct file_wait *w, uint32_t have, uint32_t holders)
{
    al_write_map(out, 3);
    al_write_cstr(out, "have");
    al_write_uint(out, have);
    al_write_cstr(out, "pieces");
    al_write_uint(out, w->pieces);
    al_write_cstr(out, "holders");
    al_write_uint(out, holders);
}

int node_end_file_gets(struct al_node *n)
{
    struct calls waiting = STAILQ_HEAD_INITIALIZER(waiting);
    struct call *c;
    int err = 0;
    STAILQ_CONCAT(&waiting, &n->file_gets);
    while ((c = STAILQ_FIRST(&waiting)) != NULL) {
        uint32_t have, holders;
        bool wanted = false;
        STAILQ_REMOVE_HEAD(&waiting, link);
        if (err == 0)
            err = count_here(n, c->file, &have, &wanted, &holders);
        if (err != 0 || (wanted && c->deadline_ms > n->now.mono_ms)) {
            STAILQ_INSERT_TAIL(&n->file_gets, c, link);
            continue;
        }
        struct al_buf out = al_heapbuf();
        write_progress(&out, c->file, have, holders);
        node_reply(n, c->id, &out);
        al_heapbuf_free(&out);
        free(c->file);
        c->file = NULL;
        STAILQ_INSERT_TAIL(&n->in_turn, c, link); /* it is told, should the turn be lost */
    }
    return err;
}

void node_drop_file_get(struct al_node *n, uint64_t call)
{
    struct call *c;
    STAILQ_FOREACH (c, &n->file_gets, link) {
        if (c->id != call)
            continue;
        STAILQ_REMOVE(&n->file_gets, c, call, link);
        free(c->file);
        free(c);
        return;
    }
}

/* One file of a stored entry. */
struct file {
    const struct al_log *log;
    struct al_payload p;
    struct al_attachment a;
    struct al_hash id; /* of the entry that names it */
    uint8_t *clear;    /* that these borrow */
};

/* Read the entry |ref| of |f|->log. */
static int file_read_entry(struct al_node *n, struct file *f, const struct al_ref *ref)
{
    struct al_store_row row;
    int err = f->log == NULL ? AL_E_NOT_FOUND : al_store_get(n->store, &row, f->log->no, ref->seq);
    if (err == 0 && !al_hash_eq(&row.id, &ref->id))
        err = AL_E_NOT_FOUND;
    if (err == 0)
        err = al_attach_read(n->logs, &f->p, &f->clear, f->log, &row);
    f->id = ref->id;
    return err;
}

static uint32_t file_count(const struct file *f)
{
    return f->p.files.n == 0 ? 0 : al_attachment_count(f->p.files);
}

/* Edits only add files: of two with as many it does not matter which is read. */
struct edits {
    struct al_node *n;
    struct file *best;
    uint64_t number; /* that it is to have */
};

static int on_edit(void *arg, const struct al_ref *ref)
{
    struct edits *e = arg;
    struct file f = {.log = al_logs_find(e->n->logs, &ref->device, &ref->log)};
    int err = file_read_entry(e->n, &f, ref);
    if (err == 0 && e->number < file_count(&f)) {
        free(e->best->clear);
        *e->best = f;
        return 1;
    }
    free(f.clear);
    return err != AL_E_NOMEM && !al_store_is_error(err) ? 0 : err;
}

/* File |number| of the entry |ref|, or of its edits. */
static int file_find(struct al_node *n, struct file *f, const struct al_ref *ref, uint64_t number)
{
    *f = (struct file){.log = al_logs_find(n->logs, &ref->device, &ref->log)};
    int err = file_read_entry(n, f, ref);
    if (err == AL_E_NOT_FOUND)
        (void)strlcpy(n->why, "that entry is not here, or its words are gone", sizeof(n->why));
    uint32_t count = err == 0 ? file_count(f) : 0;
    if (err == 0 && number >= count) {
        struct edits e = {.n = n, .best = f, .number = number};
        err = al_apply_edits(n->logs, &ref->id, f->log->person, on_edit, &e);
        err = err == 1 ? 0 : err == 0 ? AL_E_NOT_FOUND : err;
        if (err == AL_E_NOT_FOUND)
            (void)snprintf(n->why, sizeof(n->why),
                count == 1 ? "the entry has %u file" : "the entry has %u files", count);
    }
    return err != 0 ? err : al_attachment_get(&f->a, f->p.files, (uint32_t)number);
}

/* The parameters that name a file. */
static int read_which(struct al_ref *ret_ref, uint64_t *ret_number, struct al_slice params)
{
    struct al_read r = al_read_init(al_rpc_param(params, "ref"));
    al_read_ref(&r, ret_ref);
    return al_read_end(&r) != 0 || param_uint(ret_number, params, "file", UINT64_MAX) != 0
               ? AL_E_PARAMS
               : 0;
}

/* What is to come of the file; the entry is noted as one that needs its pieces. */
static int find_pieces(struct al_node *n, struct file_wait *w, uint64_t *ret_size,
    const struct al_ref *ref, uint64_t number)
{
    struct file f;
    int err = file_find(n, &f, ref, number);
    if (err == 0)
        err = al_attach_note(n->logs, f.log, &f.id, &f.p);
    if (err == 0) {
        w->pieces = f.a.pieces;
        *ret_size = f.log->person == n->logs->self ? 0 : f.a.size;
        for (uint32_t i = 0; i < f.a.pieces; i++)
            al_attachment_hash(&w->hashes[i], &f.a, i);
    }
    free(f.clear);
    return err;
}

/* Ask for what is missing, for as long as the caller waits and a little longer. */
static int want_missing(struct al_node *n, const struct file_wait *w, uint64_t until_ms)
{
    for (uint32_t i = 0; i < w->pieces; i++) {
        bool here;
        int err = al_store_piece_has(n->store, &here, &w->hashes[i]);
        if (err == 0 && here) /* it is not to give way to the others */
            err = al_store_piece_touch(n->store, &w->hashes[i], n->now.wall_ms);
        else if (err == 0)
            err = al_gossip_piece_want(n->gossip, &w->hashes[i], until_ms);
        if (err != 0)
            return err;
    }
    return 0;
}

int api_file_get(struct al_node *n, uint64_t call, struct al_slice params, struct al_buf *out)
{
    struct al_ref ref;
    uint64_t number, timeout, size = 0;
    (void)out;
    if (read_which(&ref, &number, params) != 0 ||
        param_uint(&timeout, params, "timeout", FETCH_MS) != 0 || timeout > FETCH_MAX_MS)
        return AL_E_PARAMS;
    struct call *c = calloc(1, sizeof(*c));
    if (c != NULL)
        c->file = calloc(1, sizeof(*c->file));
    int err = c == NULL || c->file == NULL ? AL_E_NOMEM : 0;
    if (err == 0)
        err = find_pieces(n, c->file, &size, &ref, number);
    if (err == 0 && size > n->pieces_bytes) {
        (void)snprintf(n->why, sizeof(n->why),
            "the file is larger than all that is kept of other people's files "
            "(attachments.quota)");
        err = AL_E_LIMIT;
    }
    if (err == 0)
        err = want_missing(n, c->file, n->now.mono_ms + timeout + LINGER_MS);
    if (err != 0) {
        if (c != NULL)
            free(c->file);
        free(c);
        return err;
    }
    c->id = call;
    c->deadline_ms = n->now.mono_ms + timeout;
    STAILQ_INSERT_TAIL(&n->file_gets, c, link); /* the end of this turn looks at it first */
    return CALL_WAITS;
}

/* --- reading -------------------------------------------------------------------------------- */

/* Append the clear bytes of piece |i|; a file whose author made it wrong is AL_E_SEALED. */
static int read_piece(
    struct al_node *n, struct al_buf *data, const struct al_attachment *a, uint32_t i)
{
    uint8_t clear[AL_PIECE_BYTES];
    struct al_slice sealed;
    struct al_hash hash;
    size_t got = 0;
    uint64_t left = a->size - (uint64_t)i * AL_PIECE_BYTES;
    size_t size = left < AL_PIECE_BYTES ? (size_t)left : AL_PIECE_BYTES;
    al_attachment_hash(&hash, a, i);
    int err = al_store_piece_get(n->store, &sealed, &hash);
    if (err != 0)
        return err;
    if (sealed.n != size + AL_PIECE_SEALED_BYTES - AL_PIECE_BYTES)
        return AL_E_SEALED;
    err = al_piece_open(clear, &got, a->key, i, sealed);
    if (err == 0 && !n->full)
        err = al_store_piece_touch(n->store, &hash, n->now.wall_ms);
    if (err == 0)
        al_buf_put(data, clear, got);
    explicit_bzero(clear, sizeof(clear));
    return err;
}

int api_file_read(struct al_node *n, uint64_t call, struct al_slice params, struct al_buf *out)
{
    struct file f = {.clear = NULL};
    struct al_ref ref;
    uint64_t number, offset;
    struct al_buf data = al_heapbuf();
    (void)call;
    int err = read_which(&ref, &number, params);
    if (err == 0 && (param_uint(&offset, params, "offset", 0) != 0 || offset % AL_PIECE_BYTES != 0))
        err = AL_E_PARAMS;
    if (err == 0)
        err = file_find(n, &f, &ref, number);
    if (err == 0 && offset >= f.a.size)
        err = AL_E_PARAMS;
    uint32_t first = err == 0 ? (uint32_t)(offset / AL_PIECE_BYTES) : 0;
    uint32_t i = first;
    while (err == 0 && i < f.a.pieces && i < first + READ_MAX) {
        err = read_piece(n, &data, &f.a, i);
        if (err == 0)
            i++;
    }
    if (err == AL_E_NOT_FOUND && i > first)
        err = 0; /* the next call says so */
    if (err == AL_E_NOT_FOUND && n->why[0] == '\0')
        (void)snprintf(
            n->why, sizeof(n->why), "piece %u of %u of that file is not here", i + 1, f.a.pieces);
    if (err == AL_E_SEALED)
        (void)strlcpy(
            n->why, "that file can't be opened: it was made wrong by its author", sizeof(n->why));
    if (err == 0) {
        al_write_map(out, 2);
        al_write_cstr(out, "data");
        al_write_bin(out, data.p, data.n);
        al_write_cstr(out, "last");
        al_write_bool(out, i == f.a.pieces);
        if (data.full)
            err = AL_E_NOMEM;
    }
    al_heapbuf_free(&data);
    free(f.clear);
    return err;
}
