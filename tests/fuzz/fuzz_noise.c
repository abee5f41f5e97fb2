/*
 * The channel under hostile streams. The first byte chooses: a responder or a dialler that is fed
 * the rest as it is, or an open channel whose peer seals what the rest says, so that the fuzzer
 * gets behind the cipher.
 */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "channel.h"
#include "check.h"
#include "handshake.h"
#include "limit.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct side {
    uint8_t secret[32], public[32];
};

static struct side side_of(uint8_t seed)
{
    struct side s;
    memset(s.secret, seed, sizeof(s.secret));
    (void)crypto_scalarmult_base(s.public, s.secret);
    return s;
}

static struct al_channel *new_channel(bool dialler)
{
    struct side me = side_of(dialler ? 1 : 2), other = side_of(dialler ? 2 : 1);
    struct al_rng rng;
    al_rng_init(&rng, me.secret);
    struct al_channel *c = al_channel_new(&(struct al_channel_opts){
        .dialler = dialler,
        .static_secret = me.secret,
        .static_public = me.public,
        .remote_public = dialler ? other.public : NULL,
        .network = {{'n', 'e', 't'}},
        .rng = &rng,
    });
    AL_ASSERT(c != NULL);
    return c;
}

static void drop_output(struct al_channel *c)
{
    size_t n = 0;
    free(al_channel_output_take(c, &n));
}

static void take_messages(struct al_channel *c)
{
    struct al_slice m;
    while (al_channel_message(c, &m)) {
        AL_ASSERT(al_channel_open(c));
        AL_ASSERT(m.n >= 1 && m.n <= AL_MESSAGE_MAX);
    }
}

/* Feed the stream in pieces whose sizes are part of the input: the result may not depend on them.
 */
static void feed_raw(bool dialler, const uint8_t *data, size_t size)
{
    struct al_channel *pieces = new_channel(dialler), *whole = new_channel(dialler);
    struct side peer = side_of(dialler ? 2 : 1);
    int err = 0;
    for (size_t at = 0; at < size && err == 0;) {
        size_t n = (size_t)data[at] % 67 + 1;
        if (n > size - at)
            n = size - at;
        err = al_channel_input(pieces, data + at, n);
        take_messages(pieces);
        at += n;
    }
    AL_ASSERT(al_channel_input(whole, data, size) == err);
    AL_ASSERT(al_channel_open(whole) == al_channel_open(pieces));
    AL_ASSERT(al_channel_output_size(whole) == al_channel_output_size(pieces));
    /* Only the one who has the other key opens a channel. */
    if (al_channel_open(whole))
        AL_ASSERT(memcmp(al_channel_remote(whole), peer.public, 32) == 0);
    if (err != 0)
        AL_ASSERT(al_channel_input(whole, data, 1) == err);
    take_messages(whole);
    drop_output(whole);
    al_channel_free(pieces);
    al_channel_free(whole);
}

/* A responder that is open, and the cipher of the dialler that it believes to hear. */
static struct al_channel *open_channel(struct al_cipher *sending)
{
    struct side me = side_of(1), other = side_of(2);
    struct al_channel *c = new_channel(false);
    struct al_handshake hs;
    uint8_t prologue[39] = "aloud/1net", bytes[66], payload[16];
    al_handshake_init(&hs, &(struct al_handshake_opts){
                               .initiator = true,
                               .prologue = al_slice_of(prologue, sizeof(prologue)),
                               .static_secret = me.secret,
                               .static_public = me.public,
                               .remote_public = other.public,
                               .ephemeral_secret = me.secret,
                           });
    for (size_t i = 0; i < 2; i++) {
        struct al_buf out = al_buf_fixed(bytes, sizeof(bytes));
        struct al_buf in = al_buf_fixed(payload, sizeof(payload));
        al_buf_put(&out, (const uint8_t[]){0, (uint8_t)al_handshake_sizes[i * 2]}, 2);
        int err = al_handshake_write(&hs, &out, al_slice_of(NULL, 0));
        if (err == 0)
            err = al_channel_input(c, bytes, out.n);
        AL_ASSERT(err == 0);
        if (i == 0) {
            size_t n = 0;
            uint8_t *answer = al_channel_output_take(c, &n);
            err = al_handshake_read(&hs, &in, al_slice_of(answer + 2, n - 2));
            AL_ASSERT(err == 0);
            free(answer);
        }
    }
    struct al_cipher receiving;
    al_handshake_split(&hs, sending, &receiving);
    AL_ASSERT(al_channel_open(c));
    return c;
}

/* What the protocol says about a frame with |flag| and |n| bytes after |begun| bytes. */
static int expected(uint8_t flag, size_t n, size_t begun)
{
    if (begun + n > AL_MESSAGE_MAX)
        return AL_E_MESSAGE_SIZE;
    if (flag > 1 || (flag == 0 && begun + n == 0))
        return AL_E_FRAME;
    return 0;
}

/* Three bytes a frame: its flag and the number of its bytes. */
static void feed_sealed(const uint8_t *data, size_t size)
{
    static uint8_t plain[65536], frame[65600];
    struct al_cipher sending;
    struct al_channel *c = open_channel(&sending);
    size_t begun = 0;
    int err = 0;
    for (; size >= 3 && err == 0; data += 3, size -= 3) {
        size_t n = ((size_t)data[1] << 8 | data[2]) % 65519;
        plain[0] = data[0] % 16;
        frame[0] = (uint8_t)((n + 17) >> 8);
        frame[1] = (uint8_t)(n + 17);
        err =
            al_cipher_encrypt(&sending, frame + 2, al_slice_of(NULL, 0), al_slice_of(plain, n + 1));
        AL_ASSERT(err == 0);
        err = al_channel_input(c, frame, 2 + n + 17);
        AL_ASSERT(err == expected(plain[0], n, begun));
        struct al_slice m;
        bool whole = al_channel_message(c, &m);
        AL_ASSERT(whole == (err == 0 && plain[0] == 0));
        AL_ASSERT(!whole || m.n == begun + n);
        begun = whole ? 0 : begun + n;
    }
    al_channel_free(c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    switch (data[0] % 3) {
    case 0:
        feed_raw(false, data + 1, size - 1);
        break;
    case 1:
        feed_raw(true, data + 1, size - 1);
        break;
    case 2:
        feed_sealed(data + 1, size - 1);
        break;
    }
    return 0;
}
