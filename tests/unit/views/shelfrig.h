/* A store, its views and a reader in a scratch directory, with people who post into it. */
#ifndef SHELFRIG_H
#define SHELFRIG_H

#include "keyring.h"
#include "payload.h"
#include "sample.h"
#include "sealed.h"
#include "store.h"
#include "views.h"

#define RIG_PEOPLE 4 /* number 0 is the owner */
#define RIG_NOW (SAMPLE_TIME + UINT64_C(86400000) * 30)

struct rig {
    char dir[64];
    char log_path[96];
    char views_path[96];
    struct al_store *store;
    struct al_store *follower; /* what the views read */
    struct al_keyring keyring;
    struct sample_person people[RIG_PEOPLE];
    struct al_views *views;
    struct al_views_reader *reader;
    uint64_t arrived; /* given to the next entry, and counted up; 0: the entry's own time */
    uint64_t salt;
    struct al_buf out; /* the last answer */
    char why[128];
};

void rig_init(struct rig *r);
void rig_fini(struct rig *r);

/* Let the views take in everything, |limit| changes at a time. */
void rig_sync(struct rig *r, uint32_t limit);

/* Tidy until there is nothing left to do. */
void rig_tidy(struct rig *r);

/* Throw the views away and build them again; or only close and open them. */
void rig_rebuild(struct rig *r);
void rig_reopen(struct rig *r);

/* Views of the same store in a file of their own, made from scratch; they follow it to its end. */
void rig_twin(struct rig *twin, const struct rig *r);
void rig_twin_fini(struct rig *twin);

/* Log one change, in a transaction of its own. */
void rig_change(struct rig *r, enum al_change what, uint32_t log_no, uint64_t seq);

/* Where the next entry of person |who| will stand, and the number of their log. */
struct al_place rig_place(struct rig *r, int who);
uint32_t rig_log(struct rig *r, int who);

/*
 * Append an entry by person |who|, sealed when its audience is ME, or CIRCLE with p.epoch_key;
 * p.raw stands for all of it.
 */
struct al_ref rig_post(struct rig *r, int who, struct al_payload p, uint64_t time_ms);

struct al_ref rig_note(struct rig *r, int who, const char *text, uint64_t time_ms);
struct al_ref rig_reply(
    struct rig *r, int who, const char *text, struct al_ref re, struct al_ref rt, uint64_t time_ms);
struct al_ref rig_retract(struct rig *r, int who, struct al_ref of, uint64_t time_ms);
struct al_ref rig_edit(
    struct rig *r, int who, struct al_ref of, const char *text, uint64_t time_ms);

/* The owner sets a relation: "follow", true; or a petname. */
void rig_relate(struct rig *r, const char *relation, int who, bool value, uint64_t time_ms);
void rig_petname(struct rig *r, int who, const char *name, uint64_t time_ms);

/* A note with the one tag. */
struct al_payload rig_tagged(const char *text, const char *tag);

/* --- asking --------------------------------------------------------------------------------- */

/*
 * Ask |method|. |format| names parameters: "name:s name:u name:b name:i name:c" takes a C string,
 * a uint64_t, an int (bool), a pointer to 32 bytes, a slice (a cursor). Returns the error.
 */
int rig_ask(struct rig *r, const char *method, const char *format, ...);

/* The value of |key| in the last answer, raw. */
struct al_slice rig_value(struct rig *r, const char *key);
uint64_t rig_uint(struct rig *r, const char *key);

/* The number of elements of the array |key| in the last answer, and element |i|. */
size_t rig_count(struct rig *r, const char *key);
struct al_slice rig_at(struct rig *r, const char *key, size_t i);

/* A text or number of an encoded map. The text lives until the next call. */
const char *map_str(struct al_slice map, const char *key);
uint64_t map_uint(struct al_slice map, const char *key);
bool map_bool(struct al_slice map, const char *key);
struct al_slice map_bin(struct al_slice map, const char *key);

/* The texts of the rows of the last answer, joined by "|", in a buffer of its own. */
const char *rig_texts(struct rig *r);

/* Whether the bytes of |text| are anywhere in the files of the views. */
bool rig_files_hold(struct rig *r, const char *text);

#endif
