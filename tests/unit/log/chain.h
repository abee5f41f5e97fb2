/* A log of somebody else's, entry by entry, and its branches: any piece of it as a segment. */
#ifndef CHAIN_H
#define CHAIN_H

#include "desk.h"

#define CHAIN_MAX 200
#define CHAIN_PAYLOAD 256

struct chain {
    struct rig_person who;
    uint32_t count;
    struct al_segment_item items[CHAIN_MAX];
    uint8_t payloads[CHAIN_MAX][CHAIN_PAYLOAD];
};

void chain_init(struct chain *c, const struct rig_person *who);

/* Add |p|; its place. */
struct al_ref chain_add(struct chain *c, const struct al_payload *p);
struct al_ref chain_add_raw(struct chain *c, struct al_slice payload);

/* Add |count| notes whose text begins with |text|. */
void chain_notes(struct chain *c, uint32_t count, const char *text);

/* Another chain that agrees with |of| up to |seq|, and ends there. */
void chain_branch(struct chain *c, const struct chain *of, uint64_t seq);

struct al_ref chain_ref(const struct chain *c, uint64_t seq);

/* Entries |first|..|last|, which lie in one block, signed; they live as long as |c|. */
void chain_piece(struct al_segment *out, const struct chain *c, uint64_t first, uint64_t last);

/* The same without a signature. */
void chain_bare(struct al_segment *out, const struct chain *c, uint64_t first, uint64_t last);

/* The words of the root of |c|: |d| hears that it counts up to |seq|. */
int chain_revoke(struct desk *d, const struct chain *c, uint64_t seq);
int chain_certify(struct desk *d, const struct chain *c);

#endif
