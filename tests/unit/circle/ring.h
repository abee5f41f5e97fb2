/*
 * People and what each of their devices has read, for tests of circles: every entry stands in a
 * log of its own, so that any order of arrival is possible.
 */
#ifndef RING_H
#define RING_H

#include "circles.h"
#include "rig.h"

#define RING_PEOPLE 8
#define RING_NOW_MS 1000

struct ring_person {
    struct rig_person who;
    struct al_record *record;
};

/* An entry, as it is stored and sent. */
struct ring_item {
    struct al_identity author;
    struct al_ref ref;
    struct al_place place;
    uint8_t *payload;
    size_t n;
};

/* One device of a person: a store and an index over it. */
struct ring_reader {
    struct al_store_disk *disk;
    struct al_store *store;
    struct al_keyring keyring;
    struct al_circles *circles;
    struct al_now now;
};

struct ring {
    struct ring_person people[RING_PEOPLE];
    struct al_rng rng;
    uint64_t logs;
};

void ring_init(struct ring *r);
void ring_fini(struct ring *r);

/* Publish generation |g| of the reading key of |i|, with a box for a device of number |device|. */
void ring_read_key(struct ring *r, int i, uint32_t g, uint64_t device);

const struct al_identity *ring_id(const struct ring *r, int i);
al_record_of_fn ring_record;

/* The device |device| (0, 1, ...) of person |i|, who holds generation |g|. */
void ring_open(struct ring *r, struct ring_reader *out, int i, uint64_t device, uint32_t g);
void ring_close(struct ring_reader *rd);

/* Commit, and load again. */
void ring_reopen(struct ring_reader *rd);

/* An entry with this payload, open or sealed; a place for one that is to be sealed. */
struct al_place ring_place(struct ring *r, const struct ring_reader *rd);
struct ring_item ring_item(
    const struct ring_reader *rd, const struct al_place *place, struct al_slice payload);
void ring_drop(struct ring_item *item);

/* Make the entry of a change with what |rd| knows; the error. */
int ring_compose(struct ring *r, const struct ring_reader *rd, struct ring_item *out,
    const struct al_circle_change *change);

/* The same, which must work, taken in by |rd| itself. */
struct ring_item ring_change(
    struct ring *r, struct ring_reader *rd, const struct al_circle_change *change);

/* A new circle of |rd| with the people of |members| (-1 ends them). */
struct ring_item ring_new(
    struct ring *r, struct ring_reader *rd, const char *name, const int *members);

/* The circle of that entry; NULL when it is unknown. */
const struct al_circle *ring_circle(const struct ring_reader *rd, const struct ring_item *item);

/* Store |item| at |rd| and take it in. */
void ring_take(struct ring_reader *rd, const struct ring_item *item);

/* Take it in as one that was stored before. */
void ring_take_again(struct ring_reader *rd, const struct ring_item *item);

/* A note sealed for |circle| by |rd|. */
struct ring_item ring_note(
    struct ring *r, const struct ring_reader *rd, const struct al_circle *circle, const char *text);

/* True if |rd| can open |item|; |ret| may be NULL. */
bool ring_reads(
    const struct ring_reader *rd, const struct ring_item *item, struct al_unsealed *ret);

/* A change that adds or removes one person (-1: nobody). */
struct al_circle_change ring_who(
    const struct ring *r, const struct al_circle *circle, int add, int remove);

#endif
