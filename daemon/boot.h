/* From nothing to a node: the lock, the keys, log.db, and whether the own log is still whole. */
#ifndef AL_BOOT_H
#define AL_BOOT_H

#include "complain.h"
#include "conf.h"
#include "keyring.h"
#include "node.h"
#include "paths.h"

struct al_boot {
    const struct al_paths *paths;
    const struct al_conf *conf;
    const char *agent;
    int lock; /* of the data directory; -1: not held */
    struct al_keyring keyring;
    struct al_network network;
    struct al_store *store; /* opened already, for the node to take over first */
    struct al_node *node;
    bool is_copy; /* of another directory, of this machine or another */
    bool new_log;
};

/*
 * Do it all. |b| has paths, conf and agent, and is to be finished with al_boot_fini() in any case.
 * Returns 0, or an error that is filled into |ret_complaint|.
 */
AL_MUST_CHECK int al_boot(struct al_boot *b, struct al_complaint *ret_complaint);

/* Close the node, wipe the keys, release the lock. */
void al_boot_fini(struct al_boot *b);

#endif
