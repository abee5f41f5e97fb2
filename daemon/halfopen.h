/*
 * Who may stand in the door: connections that came in and have not finished their handshake. When
 * the table is full, a random one of them has to go, so that a flood meets mostly itself; no
 * network has more than its share, loopback excepted. Beside it, the ephemeral keys seen lately,
 * because message 1 of Noise_XK can be replayed.
 */
#ifndef AL_HALFOPEN_H
#define AL_HALFOPEN_H

#include <sys/socket.h>

#include "bytes.h"
#include "limit.h"
#include "rng.h"

#define AL_HALF_OPEN_SHARE (AL_HALF_OPEN_MAX / 4)
#define AL_REPLAY_MAX 4096

struct al_halfopen {
    struct {
        uint64_t conn;
        uint8_t prefix[8];
        bool loopback;
    } at[AL_HALF_OPEN_MAX];
    size_t count;
    struct al_rng *rng;
    uint8_t (*seen)[32]; /* a ring of AL_REPLAY_MAX, made with the first */
    size_t seen_count;
};

void al_halfopen_init(struct al_halfopen *h, struct al_rng *rng);
void al_halfopen_fini(struct al_halfopen *h);

/*
 * Let |conn| in, seen at |sa|. Returns the connection that must be closed for it and is forgotten
 * already, or 0.
 */
uint64_t al_halfopen_add(struct al_halfopen *h, uint64_t conn, const struct sockaddr *sa);

/* |conn| is through, or gone; nothing happens when it is not there. */
void al_halfopen_remove(struct al_halfopen *h, uint64_t conn);

/* True if this ephemeral key is among the last AL_REPLAY_MAX; else it is one of them now. */
bool al_halfopen_replayed(struct al_halfopen *h, const uint8_t ephemeral[32]);

#endif
