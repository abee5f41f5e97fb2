#include "halfopen.h"

#include <stdlib.h>

#include "check.h"
#include "netaddr.h"

void al_halfopen_init(struct al_halfopen *h, struct al_rng *rng)
{
    memset(h, 0, sizeof(*h));
    h->rng = rng;
}

void al_halfopen_fini(struct al_halfopen *h)
{
    free(h->seen);
    h->seen = NULL;
}

static uint64_t take_out(struct al_halfopen *h, size_t i)
{
    uint64_t conn = h->at[i].conn;
    h->at[i] = h->at[--h->count];
    return conn;
}

/* A random one of |prefix| when it has its share, else 0. */
static uint64_t enforce_share(struct al_halfopen *h, const uint8_t prefix[8])
{
    size_t same[AL_HALF_OPEN_MAX];
    size_t count = 0;
    for (size_t i = 0; i < h->count; i++) {
        if (!h->at[i].loopback && memcmp(h->at[i].prefix, prefix, sizeof(h->at[i].prefix)) == 0)
            same[count++] = i;
    }
    return count < AL_HALF_OPEN_SHARE ? 0 : take_out(h, same[al_rng_below(h->rng, count)]);
}

uint64_t al_halfopen_add(struct al_halfopen *h, uint64_t conn, const struct sockaddr *sa)
{
    uint8_t prefix[8];
    al_netaddr_prefix(prefix, sa);
    bool loopback = al_netaddr_is_loopback(sa);
    uint64_t victim = loopback ? 0 : enforce_share(h, prefix);
    if (victim == 0 && h->count == AL_HALF_OPEN_MAX)
        victim = take_out(h, al_rng_below(h->rng, h->count));
    size_t i = h->count++;
    h->at[i].conn = conn;
    h->at[i].loopback = loopback;
    memcpy(h->at[i].prefix, prefix, sizeof(prefix));
    return victim;
}

void al_halfopen_remove(struct al_halfopen *h, uint64_t conn)
{
    for (size_t i = 0; i < h->count; i++) {
        if (h->at[i].conn == conn) {
            (void)take_out(h, i);
            return;
        }
    }
}

bool al_halfopen_replayed(struct al_halfopen *h, const uint8_t ephemeral[32])
{
    if (h->seen == NULL) {
        h->seen = calloc(AL_REPLAY_MAX, sizeof(h->seen[0]));
        AL_ASSERT(h->seen != NULL);
    }
    size_t held = h->seen_count < AL_REPLAY_MAX ? h->seen_count : AL_REPLAY_MAX;
    for (size_t i = 0; i < held; i++) {
        if (memcmp(h->seen[i], ephemeral, sizeof(h->seen[0])) == 0)
            return true;
    }
    memcpy(h->seen[h->seen_count++ % AL_REPLAY_MAX], ephemeral, sizeof(h->seen[0]));
    return false;
}
