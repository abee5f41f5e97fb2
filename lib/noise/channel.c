#include "channel.h"

#include <sodium.h>
#include <stdlib.h>

#include "check.h"
#include "handshake.h"
#include "heapbuf.h"
#include "limit.h"

#define FRAME_HEAD 2                  /* u16be: the size of what follows */
#define FRAME_MIN (1 + AL_CIPHER_TAG) /* the flag alone */
#define FRAME_DATA (AL_FRAME_MAX - FRAME_MIN)
#define MESSAGE_HEAD 4 /* room for the size of a received message */
#define REKEY_FRAMES 65535
#define KEEP_BYTES 8192 /* larger buffers are given back when empty */

enum flag {
    FLAG_LAST = 0,
    FLAG_MORE = 1,
};

struct al_channel {
    int err; /* what ended the channel */
    bool open;
    bool met; /* message 1 of the other side was received */
    uint8_t ephemeral[32];
    uint8_t remote[32];
    uint8_t hash[AL_HANDSHAKE_HASH];
    struct al_handshake handshake; /* zero once open */
    struct al_cipher sending;
    struct al_cipher receiving;
    struct al_buf out;
    struct al_buf part; /* a unit of the stream that has not come whole yet */
    /*
     * Received messages, each after its size: those up to |taken| were handed out, those up to
     * |whole| are complete, and what follows is the beginning of the next.
     */
    struct al_buf in;
    size_t taken;
    size_t whole;
};

static bool reserve(struct al_buf *b, size_t need)
{
    return need <= b->cap || b->grow(b, need);
}

/* Give a large buffer back when nothing is in it, so that an idle channel is small. */
static void trim(struct al_buf *b)
{
    if (b->n == 0 && b->cap > KEEP_BYTES)
        al_heapbuf_free(b);
}

static size_t be16(const uint8_t *p)
{
    return (size_t)p[0] << 8 | p[1];
}

static void put_be16(uint8_t *p, size_t v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

/* --- handshake ----------------------------------------------------------------------------- */

static void finish_handshake(struct al_channel *c)
{
    al_handshake_split(&c->handshake, &c->sending, &c->receiving);
    memcpy(c->remote, c->handshake.rs, sizeof(c->remote));
    memcpy(c->hash, c->handshake.h, sizeof(c->hash));
    al_handshake_wipe(&c->handshake);
    c->open = true;
}

/* Write our message if it is our turn, and open the channel if nothing is left to say. */
static int go_on(struct al_channel *c)
{
    if (al_handshake_my_turn(&c->handshake)) {
        uint8_t head[FRAME_HEAD];
        put_be16(head, al_handshake_sizes[c->handshake.done]);
        al_buf_put(&c->out, head, sizeof(head));
        int err = al_handshake_write(&c->handshake, &c->out, al_slice_of(NULL, 0));
        if (err != 0) {
            al_heapbuf_free(&c->out); /* half a message helps nobody */
            return err;
        }
    }
    if (c->handshake.done == AL_HANDSHAKE_MESSAGES)
        finish_handshake(c);
    return 0;
}

static int on_handshake(struct al_channel *c, struct al_slice message)
{
    uint8_t payload[AL_CIPHER_TAG];
    struct al_buf b = al_buf_fixed(payload, sizeof(payload));
    int err = al_handshake_read(&c->handshake, &b, message);
    if (err != 0)
        return err;
    if (!c->met) {
        memcpy(c->ephemeral, c->handshake.re, sizeof(c->ephemeral));
        c->met = true;
    }
    return go_on(c);
}

struct al_channel *al_channel_new(const struct al_channel_opts *opts)
{
    struct al_channel *c = calloc(1, sizeof(*c));
    if (c == NULL)
        return NULL;
    c->out = al_heapbuf();
    c->part = al_heapbuf();
    c->in = al_heapbuf();

    static const char version[] = "aloud/1";
    uint8_t prologue[sizeof(version) - 1 + sizeof(opts->network.b)];
    memcpy(prologue, version, sizeof(version) - 1);
    memcpy(prologue + sizeof(version) - 1, opts->network.b, sizeof(opts->network.b));
    uint8_t ephemeral[32];
    al_rng_bytes(opts->rng, ephemeral, sizeof(ephemeral));
    al_handshake_init(&c->handshake, &(struct al_handshake_opts){
                                         .initiator = opts->dialler,
                                         .prologue = al_slice_of(prologue, sizeof(prologue)),
                                         .static_secret = opts->static_secret,
                                         .static_public = opts->static_public,
                                         .remote_public = opts->remote_public,
                                         .ephemeral_secret = ephemeral,
                                     });
    sodium_memzero(ephemeral, sizeof(ephemeral));
    c->err = go_on(c);
    if (c->err == AL_E_NOMEM) {
        al_channel_free(c);
        return NULL;
    }
    return c;
}

void al_channel_free(struct al_channel *c)
{
    if (c == NULL)
        return;
    al_heapbuf_free(&c->out);
    al_heapbuf_free(&c->part);
    al_heapbuf_free(&c->in);
    sodium_memzero(c, sizeof(*c));
    free(c);
}

/* --- frames -------------------------------------------------------------------------------- */

/* Bytes of the message that is not complete yet. */
static size_t begun(const struct al_channel *c)
{
    return c->in.n > c->whole ? c->in.n - c->whole - MESSAGE_HEAD : 0;
}

/* What the size of the next unit of the stream says; checked before anything of it is kept. */
static int check_size(const struct al_channel *c, size_t n)
{
    if (!c->open)
        return n == al_handshake_sizes[c->handshake.done] ? 0 : AL_E_HANDSHAKE;
    if (n < FRAME_MIN)
        return AL_E_FRAME;
    return begun(c) + n - FRAME_MIN <= AL_MESSAGE_MAX ? 0 : AL_E_MESSAGE_SIZE;
}

static int on_frame(struct al_channel *c, struct al_slice sealed)
{
    size_t data = sealed.n - FRAME_MIN;
    size_t at = c->in.n > c->whole ? c->in.n : c->whole + MESSAGE_HEAD;
    if (!reserve(&c->in, at + data))
        return AL_E_NOMEM;
    /* The flag comes to lie on the byte before the data, which is saved: nothing is copied. */
    uint8_t *plain = c->in.p + at - 1;
    uint8_t saved = *plain;
    int err = al_cipher_decrypt(&c->receiving, plain, al_slice_of(NULL, 0), sealed);
    if (err != 0)
        return err;
    uint8_t flag = *plain;
    *plain = saved;
    c->in.n = at + data;
    if (c->receiving.nonce % REKEY_FRAMES == 0)
        al_cipher_rekey(&c->receiving);
    if (flag == FLAG_MORE)
        return 0;
    if (flag != FLAG_LAST || begun(c) == 0)
        return AL_E_FRAME;
    uint32_t size = (uint32_t)begun(c);
    memcpy(c->in.p + c->whole, &size, MESSAGE_HEAD);
    c->whole = c->in.n;
    return 0;
}

static int on_unit(struct al_channel *c, struct al_slice unit)
{
    return c->open ? on_frame(c, unit) : on_handshake(c, unit);
}

/* Move up to |want| - part.n bytes from |stream| to the part. */
static int gather(struct al_channel *c, struct al_slice *stream, size_t want)
{
    size_t n = want - c->part.n < stream->n ? want - c->part.n : stream->n;
    al_buf_put(&c->part, stream->p, n);
    *stream = al_slice_of(stream->p + n, stream->n - n);
    return c->part.full ? AL_E_NOMEM : 0;
}

/* Take in the next unit of the stream, or keep its part. */
static int next_unit(struct al_channel *c, struct al_slice *stream)
{
    int err = 0;
    if (c->part.n == 0 && stream->n >= FRAME_HEAD) {
        size_t size = be16(stream->p);
        err = check_size(c, size);
        if (err != 0)
            return err;
        if (stream->n >= FRAME_HEAD + size) {
            struct al_slice unit = al_slice_of(stream->p + FRAME_HEAD, size);
            *stream = al_slice_of(unit.p + size, stream->n - FRAME_HEAD - size);
            return on_unit(c, unit);
        }
    }
    if (c->part.n < FRAME_HEAD) {
        err = gather(c, stream, FRAME_HEAD);
        if (err == 0 && c->part.n == FRAME_HEAD)
            err = check_size(c, be16(c->part.p));
        if (err != 0 || c->part.n < FRAME_HEAD)
            return err;
    }
    size_t size = be16(c->part.p);
    err = gather(c, stream, FRAME_HEAD + size);
    if (err != 0 || c->part.n < FRAME_HEAD + size)
        return err;
    c->part.n = 0;
    return on_unit(c, al_slice_of(c->part.p + FRAME_HEAD, size));
}

int al_channel_input(struct al_channel *c, const uint8_t *p, size_t n)
{
    if (c->taken > 0 && c->taken == c->whole) { /* the begun message moves to the front, once */
        c->in.n -= c->taken;
        memmove(c->in.p, c->in.p + c->taken, c->in.n);
        c->taken = c->whole = 0;
    }
    struct al_slice stream = al_slice_of(p, n);
    while (c->err == 0 && stream.n > 0)
        c->err = next_unit(c, &stream);
    trim(&c->part);
    return c->err;
}

bool al_channel_message(struct al_channel *c, struct al_slice *ret)
{
    if (c->taken == c->whole) {
        if (c->taken == c->in.n) {
            c->in.n = c->taken = c->whole = 0;
            trim(&c->in);
        }
        return false;
    }
    uint32_t size;
    memcpy(&size, c->in.p + c->taken, MESSAGE_HEAD);
    *ret = al_slice_of(c->in.p + c->taken + MESSAGE_HEAD, size);
    c->taken += MESSAGE_HEAD + size;
    return true;
}

int al_channel_send(struct al_channel *c, struct al_slice message)
{
    if (c->err != 0 || !c->open)
        return AL_E_STATE;
    if (message.n == 0 || message.n > AL_MESSAGE_MAX)
        return AL_E_MESSAGE_SIZE;
    size_t frames = (message.n + FRAME_DATA - 1) / FRAME_DATA;
    if (!reserve(&c->out, c->out.n + message.n + frames * (FRAME_HEAD + FRAME_MIN)))
        return AL_E_NOMEM;
    while (message.n > 0) {
        size_t data = message.n < FRAME_DATA ? message.n : FRAME_DATA;
        uint8_t *p = c->out.p + c->out.n;
        put_be16(p, FRAME_MIN + data);
        p += FRAME_HEAD;
        p[0] = data < message.n ? FLAG_MORE : FLAG_LAST;
        memcpy(p + 1, message.p, data);
        int err = al_cipher_encrypt(&c->sending, p, al_slice_of(NULL, 0), al_slice_of(p, 1 + data));
        AL_ASSERT(err == 0); /* 2^64 frames take longer than any connection lives */
        if (c->sending.nonce % REKEY_FRAMES == 0)
            al_cipher_rekey(&c->sending);
        c->out.n += FRAME_HEAD + FRAME_MIN + data;
        message = al_slice_of(message.p + data, message.n - data);
    }
    return 0;
}

/* --- what is known ------------------------------------------------------------------------- */

bool al_channel_open(const struct al_channel *c)
{
    return c->open;
}

const uint8_t *al_channel_remote_ephemeral(const struct al_channel *c)
{
    return c->met ? c->ephemeral : NULL;
}

const uint8_t *al_channel_remote(const struct al_channel *c)
{
    AL_ASSERT(c->open);
    return c->remote;
}

const uint8_t *al_channel_hash(const struct al_channel *c)
{
    AL_ASSERT(c->open);
    return c->hash;
}

size_t al_channel_output_size(const struct al_channel *c)
{
    return c->out.n;
}

uint8_t *al_channel_output_take(struct al_channel *c, size_t *ret_n)
{
    if (c->out.n == 0)
        return NULL;
    uint8_t *p = c->out.p;
    *ret_n = c->out.n;
    c->out = al_heapbuf();
    return p;
}
