/* One person's logs over a disk in memory, in a transaction that is open all the time. */
#ifndef DESK_H
#define DESK_H

#include "append.h"
#include "apply.h"
#include "export.h"
#include "ingest.h"
#include "rig.h"

struct desk {
    struct rig_person me;
    struct al_store_disk *disk;
    struct al_store *store;
    struct al_rng rng;
    uint8_t loads; /* the randomness is another after each */
    struct al_logs *l;
    struct al_now now;
};

void desk_open(struct desk *d, uint64_t person);
void desk_close(struct desk *d);

/* Commit, close, open and load again. */
void desk_reopen(struct desk *d);

/* Make |who| known here by the certificate. */
void desk_meet(struct desk *d, const struct rig_person *who);

/* Append a note; its place. */
struct al_ref desk_note(struct desk *d, const char *text, enum al_audience audience);

/* Append |p| and return what al_append() did. */
int desk_append(struct desk *d, struct al_ref *ref, const struct al_payload *p);

/* Take in one segment. */
int desk_ingest(struct desk *d, const struct al_segment *s);

/* A segment of one entry of |who| whose payload is |p|, which is encoded into |space|. */
void desk_entry(struct al_segment *out, const struct rig_person *who, uint64_t seq,
    const struct al_hash *prev, const struct al_payload *p, uint8_t *space);

/* The stored row of |ref|: false when it is not held. */
bool desk_row(struct desk *d, struct al_store_row *ret, const struct al_ref *ref);

/* A payload of |kind| with |text|, open to the network. */
struct al_payload desk_payload(enum al_kind kind, const char *text);

#endif
