/*
 * The files beside the databases: the secrets of this device, which are in no database and no
 * backup, and what tells one copy of the data from another. docs/security.md says what they defend
 * against.
 *
 *     device    canonical MessagePack: [1, identity, device seed, generation, reading key]
 *     instance  canonical MessagePack: [1, instance b16, host b32 or b0, starts, boots];
 *               boots are b8 each, joined, the newest last; an old file has none
 *     restore   canonical MessagePack: [1, identity, device seed, created_ms, boot];
 *               only while one is under way
 *
 * They lie in the keys directory. All but al_files_lock() expect the lock to be held.
 */
#ifndef AL_FILES_H
#define AL_FILES_H

#include <sys/types.h>

#include "bytes.h"
#include "err.h"
#include "keyring.h"
#include "limit.h"

#define AL_INSTANCE_BYTES 16
#define AL_FILES_BOOTS_MAX 4096 /* that are remembered */

/*
 * Write the key files of a new device into |dir|, which is made if it is missing. |instance| is
 * random. Returns 0, AL_E_EXISTS (a device is there already: nothing was written),
 * AL_E_PERMISSION, AL_E_PATH, AL_E_FULL, AL_E_READ_ONLY, AL_E_IO.
 */
AL_MUST_CHECK
int al_files_create(
    const char *dir, const struct al_keyring *k, const uint8_t instance[AL_INSTANCE_BYTES]);

/*
 * Read the device's secrets. Returns 0, AL_E_NOT_INITIALISED (no device here yet), AL_E_PERMISSION
 * (others could read or replace them), AL_E_CORRUPT, AL_E_VERSION, AL_E_IO.
 */
AL_MUST_CHECK
int al_files_load(struct al_keyring *ret, const char *dir);

/*
 * What a start finds out. The database keeps |instance| and |starts| of the last start too: where
 * it has another instance, or fewer starts than |starts| - 1, it is not the one that belongs to
 * these files, or an older state of it.
 */
struct al_files_boot {
    uint8_t instance[AL_INSTANCE_BYTES];
    uint64_t starts;   /* with this one; from 1 */
    bool host_differs; /* the files were made on another machine: this is a copy */
    uint8_t boots[AL_FILES_BOOTS_MAX][AL_BOOT_BYTES]; /* of this device, this one last */
    size_t boot_count;
    bool boots_lost; /* some are missing: an old file counted starts and did not keep them */
};

/*
 * Count a start that others know by |boot|, durably, before anything else of it happens. Returns 0,
 * AL_E_NOT_INITIALISED, AL_E_PERMISSION, AL_E_CORRUPT, AL_E_VERSION, AL_E_FULL, AL_E_READ_ONLY,
 * AL_E_IO.
 */
AL_MUST_CHECK
int al_files_boot(struct al_files_boot *ret, const char *dir, const uint8_t boot[AL_BOOT_BYTES]);

/* True in |ret| if the files were made on another machine; no start is counted. Errors as above. */
AL_MUST_CHECK
int al_files_host_differs(bool *ret, const char *dir);

/* --- a new device in place of none, or of another -------------------------------------------- */

/* The device that a restore makes: chosen once, so that a restore that was cut off goes on with it.
 */
struct al_files_restore {
    struct al_identity identity;
    uint8_t device_seed[32];
    uint64_t created_ms;         /* of its certificate */
    uint8_t boot[AL_BOOT_BYTES]; /* that a peer is shown, whichever try asks it */
};

/*
 * Begin a restore, or go on with it: what an earlier try for the same identity has decided is put
 * into |restore|, else what stands there is kept, durably, before anybody hears of the device.
 * |dir| is made if it is missing. Returns 0, AL_E_PERMISSION, AL_E_PATH, AL_E_FULL, AL_E_READ_ONLY,
 * AL_E_CORRUPT, AL_E_VERSION, AL_E_IO.
 */
AL_MUST_CHECK
int al_files_restore_begin(struct al_files_restore *restore, const char *dir);

/* True if a restore was begun in |dir| and has not come to its end. */
bool al_files_restore_open(const char *dir);

/*
 * Put the device |k| in the place of the one that is there, if any: on this machine, with a new
 * |instance|, no starts, and of boots the one in |restore|. A crash leaves the old device or the
 * new one. Returns 0 or as al_files_create(), but AL_E_EXISTS.
 */
AL_MUST_CHECK
int al_files_replace(const char *dir, const struct al_keyring *k,
    const uint8_t instance[AL_INSTANCE_BYTES], const struct al_files_restore *restore);

/* The restore has come to its end: forget it. Returns 0, AL_E_READ_ONLY, AL_E_IO. */
AL_MUST_CHECK
int al_files_restore_end(const char *dir);

/*
 * Lock the data directory, which is made if it is missing, for one process: until
 * al_files_unlock(), or until the process ends, however it does. AL_E_BUSY says in |holder| who has
 * it, 0 when that is not known. Returns 0, AL_E_BUSY, AL_E_PERMISSION, AL_E_PATH, AL_E_FULL,
 * AL_E_READ_ONLY, AL_E_IO.
 */
AL_MUST_CHECK
int al_files_lock(int *ret_fd, pid_t *holder, const char *data_dir);
void al_files_unlock(int fd);

#endif
