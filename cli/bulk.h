/* Many entries on their way to the node: in batches, a few of them under way at once. */
#ifndef AL_BULK_H
#define AL_BULK_H

#include "cli.h"

#define AL_BULK_UNDER_WAY 4

struct al_bulk_entry {
    struct al_slice text;
    struct al_slice src;
    uint64_t at_ms;
    const struct al_slice *tags;
    size_t tag_count;
};

struct al_bulk {
    struct al_cli *cli;
    const char *to;
    struct al_buf entries; /* encoded, of the batch that is being filled */
    size_t count;
    uint32_t ids[AL_BULK_UNDER_WAY]; /* of the calls under way, oldest first */
    size_t under_way;
    uint64_t added, known; /* as answered */
};

/* Connect to the node, starting one if none runs. Returns 0 or the exit status, having said why. */
AL_MUST_CHECK int al_bulk_init(struct al_bulk *b, struct al_cli *c, const char *to);
void al_bulk_fini(struct al_bulk *b);

/* Add a note; sends the batch when it is full. Returns 0 or the exit status, having said why. */
AL_MUST_CHECK int al_bulk_add(struct al_bulk *b, const struct al_bulk_entry *e);

/* Send what is left, and wait for all answers. Returns as above. */
AL_MUST_CHECK int al_bulk_finish(struct al_bulk *b);

/* Drop what was not sent, and wait for the answers to what was. Returns as above. */
AL_MUST_CHECK int al_bulk_stop(struct al_bulk *b);

#endif
