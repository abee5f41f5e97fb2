/* What the files of the doctor share. */
#ifndef AL_DOCTOR_INT_H
#define AL_DOCTOR_INT_H

#include "entry.h"
#include "reader_int.h"

#define AL_DOCTOR_TEXT_BYTES 256

/* One log being checked, entry by entry. */
struct al_doctor {
    struct al_call *c;
    struct al_page findings;
    const struct al_identity *only; /* NULL: everybody */
    const struct al_store_log *log;
    char name[AL_DOCTOR_TEXT_BYTES]; /* of the log, for people */
    struct al_hash prev;
    uint64_t next;     /* the entry that comes next in the run */
    uint64_t last_run; /* where the run above begins, 0 before the first */
    uint64_t entries;
    uint64_t logs;
    uint64_t stubs; /* entries whose payload is not held */
};

/* Add a finding; |hint| is a command, or empty. */
__attribute__((format(printf, 5, 6))) void al_doctor_find(struct al_doctor *d, const char *code,
    const char *severity, const char *hint, const char *format, ...);

/* What to do about damage: nothing here can mend it. */
#define AL_DOCTOR_MEND "aloud restore"

/* Statements of everybody, devices that were revoked, and the own reading key. */
AL_MUST_CHECK
int al_doctor_people(struct al_doctor *d);

#endif
