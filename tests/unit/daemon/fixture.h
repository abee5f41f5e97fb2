/* A running loop over the fake node in a directory of its own, and a program that talks to it. */
#ifndef AL_FIXTURE_H
#define AL_FIXTURE_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "conf.h"
#include "keyring.h"
#include "paths.h"
#include "rpc.h"

struct fixture {
    char dir[64];
    struct al_paths paths;
    struct al_conf conf;
    struct al_keyring keyring;
    struct al_node *node;
    uv_thread_t thread;
    int ready[2];
    int result; /* of al_loop_run() */
    bool is_running;
};

/* Start it, or end the test. */
struct fixture *fixture_start(void);

/* Stop it by the API and check that it was clean. */
void fixture_stop(struct fixture *f);

/* A connection to the local socket. Reads give up after some seconds. */
int fixture_connect(const struct fixture *f);

/* Connect to the TCP port. */
int fixture_dial(const struct fixture *f);

void fixture_write(int fd, const void *p, size_t n);

/* Send a request; |params| may be empty. */
void fixture_request(int fd, uint32_t id, const char *method, struct al_slice params);

/*
 * The next envelope, in |bytes|, which lives until the next call with the same fd and is freed by
 * fixture_close(). False at the end of the stream.
 */
bool fixture_read(int fd, struct al_rpc *ret);
void fixture_close(int fd);

/* A number in a map. */
uint64_t fixture_uint(struct al_slice map, const char *key);

/* Wait until |counter| is at least |n|. */
#define fixture_wait(counter, n)                                                                   \
    do {                                                                                           \
        for (int left = 5000; (counter) < (n) && left > 0; left--)                                 \
            uv_sleep(1);                                                                           \
        assert_true((counter) >= (n));                                                             \
    } while (0)

#endif
