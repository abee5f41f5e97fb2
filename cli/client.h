/* The way to the node: a blocking MessagePack-RPC client on its socket, with a time limit. */
#ifndef AL_CLIENT_H
#define AL_CLIENT_H

#include "bytes.h"
#include "err.h"
#include "rpc.h"

struct al_client;
struct al_cli;

/*
 * Connect to the socket at |path|. Returns 0; AL_E_NO_NODE when nobody listens there (no socket,
 * or a stale one); AL_E_PERMISSION; AL_E_ADDRESS (path too long); AL_E_TIMEOUT; AL_E_NOMEM.
 */
AL_MUST_CHECK
int al_client_connect(struct al_client **ret, const char *path);
void al_client_free(struct al_client *k);

/* How long a call may take before it is given up, in milliseconds; 30 s at first. */
void al_client_limit(struct al_client *k, uint32_t ms);

/*
 * Call |method| with the encoded map |params|. |ret| borrows the result, any value, until the
 * next use of |k|. Returns 0; the code of an error that the node answered, whose words
 * al_client_error() has; or AL_E_TIMEOUT, AL_E_CLOSED, AL_E_RPC, AL_E_NOMEM, after which |k| is
 * of no use any more.
 */
AL_MUST_CHECK
int al_client_call(
    struct al_client *k, struct al_slice *ret, const char *method, struct al_slice params);

/*
 * The two halves of it, for several calls under way at once: send one and store its number, and
 * wait for the answer to that number. Answers come in the order of the calls and must be taken so.
 */
AL_MUST_CHECK int al_client_send(
    struct al_client *k, uint32_t *ret_id, const char *method, struct al_slice params);
AL_MUST_CHECK int al_client_answer(struct al_client *k, struct al_slice *ret, uint32_t id);

/*
 * Wait at most |ms| for a notification; |ret| borrows it until the next use of |k|.
 * Returns 0, AL_E_TIMEOUT (nothing came; go on), AL_E_CLOSED, AL_E_RPC, AL_E_NOMEM.
 */
AL_MUST_CHECK
int al_client_next(struct al_client *k, struct al_rpc *ret, uint32_t ms);

/* What the node said about the error of the last call, or NULL when it said nothing. */
const struct al_rpc_error *al_client_error(const struct al_client *k);

#endif
