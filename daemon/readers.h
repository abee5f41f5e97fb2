/*
 * Reading calls, on libuv's thread pool: each running one has a connection to the databases of
 * its own. A call first waits until the views hold what it must see, at most a second; then it
 * runs, and the answer says how far behind the views are.
 */
#ifndef AL_READERS_H
#define AL_READERS_H

#include <uv.h>

#include "bytes.h"
#include "err.h"
#include "keyring.h"

#define AL_READERS_MAX 2 /* at once: each has two databases open */
#define AL_READ_WAIT_MS 1000

struct al_readers;

/* Everything is borrowed. */
struct al_readers_opts {
    uv_loop_t *loop;
    const char *views_db;
    const char *log_db;
    const struct al_keyring *keyring;
};

struct al_read_call {
    struct al_slice method; /* both are copied */
    struct al_slice params;
    uint64_t pos; /* what the views must hold */
    /*
     * Called once, on the loop: 0 and the encoded result, or an error and more words (may be
     * empty). Nothing outlives the call.
     */
    void (*done)(void *arg, uint64_t id, int err, struct al_slice result, const char *why);
    void *arg;
    uint64_t id;
};

/* NULL: no memory. */
struct al_readers *al_readers_new(const struct al_readers_opts *opts);

void al_readers_query(struct al_readers *r, const struct al_read_call *call);

/* The views can be read and hold everything up to |pos|. */
void al_readers_position(struct al_readers *r, uint64_t pos);

/* Answer what waits with AL_E_CLOSED and end; what runs is still answered. */
void al_readers_stop(struct al_readers *r);

/* After al_readers_stop() and when the loop has run empty. NULL is allowed. */
void al_readers_free(struct al_readers *r);

#endif
