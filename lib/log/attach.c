#include "attach.h"

#include <stdlib.h>

#include "apply.h"
#include "attachment.h"
#include "limit.h"

/* Keys of AL_SPACE_PIECE: the piece, and who needs it. An upload's handle is followed by zeros. */
#define NEED_KEY_BYTES 64
#define NEEDED_BY_OTHERS "1"
#define NEEDED_BY_US "2"

static void need_key(
    uint8_t out[NEED_KEY_BYTES], const struct al_hash *piece, const struct al_hash *who)
{
    memcpy(out, piece->b, 32);
    memcpy(out + 32, who->b, 32);
}

static struct al_hash who_of_upload(const uint8_t handle[AL_UPLOAD_HANDLE_BYTES])
{
    struct al_hash who = {{0}};
    memcpy(who.b, handle, AL_UPLOAD_HANDLE_BYTES);
    return who;
}

static bool is_upload(const uint8_t who[32])
{
    static const uint8_t zeros[32 - AL_UPLOAD_HANDLE_BYTES];
    return memcmp(who + AL_UPLOAD_HANDLE_BYTES, zeros, sizeof(zeros)) == 0;
}

/* --- who needs what ------------------------------------------------------------------------ */

struct needs {
    struct al_attach_need need;
    uint8_t upload[NEED_KEY_BYTES]; /* the key of one upload */
    bool has_upload;
};

static int on_need(void *arg, struct al_slice key, struct al_slice value)
{
    struct needs *n = arg;
    if (key.n != NEED_KEY_BYTES)
        return AL_E_CORRUPT;
    n->need.any = true;
    n->need.own = n->need.own || al_slice_is(value, NEEDED_BY_US);
    if (is_upload(key.p + 32)) {
        memcpy(n->upload, key.p, sizeof(n->upload));
        n->has_upload = true;
    }
    return 0;
}

static int find_needs(struct al_logs *l, struct needs *ret, const struct al_hash *piece)
{
    *ret = (struct needs){.has_upload = false};
    return al_store_kv_scan(
        l->store, AL_SPACE_PIECE, al_slice_of(piece->b, sizeof(piece->b)), on_need, ret);
}

int al_attach_needed(struct al_logs *l, struct al_attach_need *ret, const struct al_hash *piece)
{
    struct needs n;
    int err = find_needs(l, &n, piece);
    if (err == 0)
        *ret = n.need;
    return err;
}

static int need_put(
    struct al_logs *l, const struct al_hash *piece, const struct al_hash *who, const char *whose)
{
    uint8_t key[NEED_KEY_BYTES];
    need_key(key, piece, who);
    return al_store_kv_put(
        l->store, AL_SPACE_PIECE, al_slice_of(key, sizeof(key)), al_slice_str(whose));
}

/*
 * End one need, and drop the piece when it was the last. One of our own goes when nothing of ours
 * needs it any more: anybody can name it, and would keep here what we took back.
 */
static int need_end(struct al_logs *l, const struct al_hash *piece, const struct al_hash *who)
{
    uint8_t bytes[NEED_KEY_BYTES];
    struct al_slice key = al_slice_of(bytes, sizeof(bytes));
    struct al_attach_need left = {.any = true};
    struct al_slice value;
    need_key(bytes, piece, who);
    int err = al_store_kv_get(l->store, &value, AL_SPACE_PIECE, key);
    bool ours = err == 0 && al_slice_is(value, NEEDED_BY_US);
    if (err == 0 || err == AL_E_NOT_FOUND)
        err = al_store_kv_del(l->store, AL_SPACE_PIECE, key);
    if (err == 0)
        err = al_attach_needed(l, &left, piece);
    if (err != 0 || left.own || (left.any && !ours))
        return err;
    err = al_store_piece_drop(l->store, piece);
    return err == 0 ? al_attach_came(l, piece) : err;
}

/* --- uploads ------------------------------------------------------------------------------- */

int al_attach_upload(
    struct al_logs *l, const struct al_hash *piece, const uint8_t handle[AL_UPLOAD_HANDLE_BYTES])
{
    struct al_hash who = who_of_upload(handle);
    return need_put(l, piece, &who, NEEDED_BY_US);
}

int al_attach_upload_end(
    struct al_logs *l, const struct al_hash *piece, const uint8_t handle[AL_UPLOAD_HANDLE_BYTES])
{
    struct al_hash who = who_of_upload(handle);
    return need_end(l, piece, &who);
}

/* The entry needs from here on what uploads needed until now. */
static int take_over(struct al_logs *l, const struct al_hash *piece)
{
    struct needs n;
    int err = find_needs(l, &n, piece);
    while (err == 0 && n.has_upload) {
        err = al_store_kv_del(l->store, AL_SPACE_PIECE, al_slice_of(n.upload, sizeof(n.upload)));
        if (err == 0)
            err = find_needs(l, &n, piece);
    }
    return err;
}

/* --- entries ------------------------------------------------------------------------------- */

/* A piece of one of our own entries: it is here, or it is to come. */
static int note_own(struct al_logs *l, const struct al_hash *piece)
{
    bool here = false;
    int err = take_over(l, piece);
    if (err == 0)
        err = al_store_piece_has(l->store, &here, piece);
    if (err != 0 || here)
        return err;
    al_buf_put(&l->pieces, piece->b, sizeof(piece->b));
    if (l->pieces.full)
        return AL_E_NOMEM;
    return al_store_kv_put(
        l->store, AL_SPACE_PIECE_WANT, al_slice_of(piece->b, sizeof(piece->b)), al_slice_str("1"));
}

int al_attach_came(struct al_logs *l, const struct al_hash *piece)
{
    return al_store_kv_del(l->store, AL_SPACE_PIECE_WANT, al_slice_of(piece->b, sizeof(piece->b)));
}

int al_attach_note(struct al_logs *l, const struct al_log *log, const struct al_hash *id,
    const struct al_payload *p)
{
    bool mine = log->person == l->self;
    for (uint32_t i = 0; i < al_attachment_count(p->files); i++) {
        struct al_attachment a;
        int err = al_attachment_get(&a, p->files, i);
        if (err != 0)
            return 0; /* it is data */
        for (uint32_t k = 0; k < a.pieces; k++) {
            struct al_hash piece;
            al_attachment_hash(&piece, &a, k);
            err = need_put(l, &piece, id, mine ? NEEDED_BY_US : NEEDED_BY_OTHERS);
            if (err == 0 && mine)
                err = note_own(l, &piece);
            if (err != 0)
                return err;
        }
    }
    return 0;
}

/* Call |fn| with each piece that the entry |id| names. */
static int each_piece(struct al_logs *l, const struct al_hash *id, const struct al_payload *p,
    int (*fn)(struct al_logs *l, const struct al_hash *piece, const struct al_hash *id))
{
    for (uint32_t i = 0; i < al_attachment_count(p->files); i++) {
        struct al_attachment a;
        if (al_attachment_get(&a, p->files, i) != 0)
            return 0;
        for (uint32_t k = 0; k < a.pieces; k++) {
            struct al_hash piece;
            al_attachment_hash(&piece, &a, k);
            int err = fn(l, &piece, id);
            if (err != 0)
                return err;
        }
    }
    return 0;
}

/* An own entry that is taken out comes again, under another id: as if its file were sent in. */
static int set_aside(struct al_logs *l, const struct al_hash *piece, const struct al_hash *id)
{
    int err = al_attach_upload(l, piece, id->b);
    return err != 0 ? err : need_end(l, piece, id);
}

int al_attach_forget(struct al_logs *l, const struct al_hash *id, const struct al_payload *p)
{
    return each_piece(l, id, p, need_end);
}

/* --- stored payloads ------------------------------------------------------------------------- */

int al_attach_read(struct al_logs *l, struct al_payload *ret, uint8_t **ret_clear,
    const struct al_log *log, const struct al_store_row *row)
{
    struct al_place place = {.device = log->device, .log = log->name, .seq = row->seq};
    uint8_t *clear = NULL;
    *ret_clear = NULL;
    if (row->payload.n == 0)
        return AL_E_NOT_FOUND;
    uint8_t *copy = malloc(row->payload.n); /* the store's may not outlive the next call */
    if (copy == NULL)
        return AL_E_NOMEM;
    memcpy(copy, row->payload.p, row->payload.n);
    struct al_slice payload = al_slice_of(copy, row->payload.n);
    int err = al_log_prev(l, &place.prev, log, row->seq);
    if (err == 0)
        err = al_apply_read(l, ret, &clear, log, &place, payload);
    if (err == 0 && clear == NULL) {
        *ret_clear = copy; /* an open one points into what was given */
        return 0;
    }
    free(copy);
    *ret_clear = clear;
    return err;
}

static int forget_row(struct al_logs *l, const struct al_log *log, const struct al_store_row *row,
    int (*fn)(struct al_logs *l, const struct al_hash *piece, const struct al_hash *id))
{
    struct al_payload p;
    struct al_hash id = row->id;
    uint8_t *clear;
    if (row->payload.n == 0)
        return 0;
    int err = al_attach_read(l, &p, &clear, log, row);
    if (err == 0)
        err = each_piece(l, &id, &p, fn);
    else if (err != AL_E_NOMEM && !al_store_is_error(err))
        err = 0; /* what can't be read here has named nothing */
    free(clear);
    return err;
}

int al_attach_forget_row(
    struct al_logs *l, const struct al_log *log, const struct al_store_row *row)
{
    return forget_row(l, log, row, need_end);
}

int al_attach_forget_block(struct al_logs *l, const struct al_log *log, uint64_t first)
{
    uint64_t last = (first - 1) / AL_BLOCK_ENTRIES * AL_BLOCK_ENTRIES + AL_BLOCK_ENTRIES;
    int err = 0;
    for (uint64_t seq = first; err == 0 && seq <= last; seq++) {
        struct al_store_row row;
        if (!al_log_holds(log, seq))
            continue;
        err = al_store_get(l->store, &row, log->no, seq);
        if (err == 0)
            err = forget_row(l, log, &row, log->person == l->self ? set_aside : need_end);
    }
    return err;
}
