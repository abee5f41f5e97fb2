/*
 * A deterministic world of real nodes: virtual time, links with delay, cuts, crashes and failed
 * commits, all drawn from one seed. The nodes are the very object that runs under aloudd; their
 * disks are stores in memory that forget what was not committed.
 *
 * After every event the invariants hold, or the world says which was broken and when:
 *   - nothing acknowledged to an owner is ever missing from the owner's node, unless its disk was
 *     replaced by an older one;
 *   - no two ids were ever acknowledged for one place in a log;
 *   - no honest node ends a connection because of what an honest peer sent.
 * A liar is held to nothing, and nothing is promised to it.
 * When the faults are over, every node comes to hold everything of everybody it follows, and
 * every log held is walked: a chain, payloads that match, signatures at block ends and head.
 * Whoever follows a person one of whose devices was revoked lets the same of its logs count.
 */
#ifndef AL_WORLD_H
#define AL_WORLD_H

#include <stdbool.h>
#include <stdint.h>

struct world;

struct world_opts {
    uint64_t seed;
    uint32_t nodes;
    uint32_t follows; /* invites each node accepts */
    uint32_t posts;   /* written in all */
    uint64_t minutes; /* of virtual time with faults */
    bool cuts;        /* connections break */
    bool crashes;     /* nodes stop without warning and come back */
    bool rollbacks;   /* and do so with an older disk, which they notice */
    bool bad_commits; /* commits fail, with what they wrote there or not */
    bool full;        /* disks are full for a while */
    bool clocks;      /* wall clocks jump by days, both ways */
    bool thief;       /* the last node is a stolen device of the one before it, which revokes it */
    bool liar;        /* node 0 says things that are not so, or make no sense */
    bool verbose;
};

struct world_report {
    uint64_t events;
    uint64_t posts;
    uint64_t messages;
    uint64_t bytes;
    uint64_t cuts, crashes, rollbacks, bad_commits, lies;
    uint64_t healed_ms; /* virtual time from the end of the faults to equal frontiers */
    uint8_t digest[32]; /* over all events: the same seed gives the same digest */
};

/* NULL: no memory. */
struct world *world_new(const struct world_opts *opts);
void world_free(struct world *w);

/* Run to the end. Returns NULL, or what went wrong, in words that live as long as the world. */
const char *world_run(struct world *w, struct world_report *ret);

#endif
