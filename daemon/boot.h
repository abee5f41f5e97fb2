/* From nothing to a node: the lock, the keys, log.db, and whether the own log is still whole. */
#ifndef AL_BOOT_H
#define AL_BOOT_H

#include "complain.h"
#include "conf.h"
#include "files.h"
#include "keyring.h"
#include "node.h"
#include "paths.h"

struct al_boot {
    const struct al_paths *paths;
    const struct al_conf *conf;
    const char *agent;
    int lock; /* of the data directory; -1: not held */
    struct al_keyring keyring;
    uint8_t now[AL_BOOT_BYTES]; /* this start, to others */
    struct al_files_boot start;
    struct al_network network;
    struct al_store *store; /* opened already, for the node to take over first */
    struct al_node *node;
    bool is_copy;        /* of the data of another machine */
    const char *new_log; /* why the own log may not be whole; NULL: it is */
};

/*
 * The network that |conf| names: a private one has its secret in a file of exactly 32 bytes.
 * Returns 0 or AL_E_CONFIG, which is filled into |ret_complaint|.
 */
AL_MUST_CHECK int al_boot_network(
    struct al_network *ret, const struct al_conf *conf, struct al_complaint *ret_complaint);

/*
 * Do it all. |b| has paths, conf and agent, and is to be finished with al_boot_fini() in any case.
 * Returns 0, or an error that is filled into |ret_complaint|.
 */
AL_MUST_CHECK int al_boot(struct al_boot *b, struct al_complaint *ret_complaint);

/* Close the node, wipe the keys, release the lock. */
void al_boot_fini(struct al_boot *b);

#endif
