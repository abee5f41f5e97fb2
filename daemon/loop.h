/* The event loop: everything that runs, from the first byte to the last, and how it stops. */
#ifndef AL_LOOP_H
#define AL_LOOP_H

#include "conf.h"
#include "keyring.h"
#include "logger.h"
#include "node.h"
#include "paths.h"

/* Everything is borrowed. */
struct al_loop_opts {
    const struct al_conf *conf;
    const struct al_paths *paths;
    const struct al_keyring *keyring;
    struct al_network network;
    struct al_node *node;
    struct al_logger *logger;
    void (*on_ready)(void *arg); /* the local socket accepts; NULL: nobody cares */
    void *arg;
    const char *agent;
    int inherited_socket; /* of the local API, or -1 */
};

/*
 * Run until a signal, a client or the node says stop. Returns 0 after a clean stop, the error of
 * the node that made it stop, or why it could not start: AL_E_SOCKET_PATH, AL_E_IO, AL_E_NOMEM.
 */
AL_MUST_CHECK int al_loop_run(const struct al_loop_opts *opts);

#endif
