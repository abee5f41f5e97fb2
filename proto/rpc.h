/*
 * MessagePack-RPC envelopes (the published specification): [0, id, method, params],
 * [1, id, error, result], [2, method, params]. Params are one map, by itself or as the only
 * element of an array, as clients such as Neovim send it. An error is
 * [code, name, message, try]. docs/rpc.md lists the methods.
 */
#ifndef AL_RPC_H
#define AL_RPC_H

#include "bytes.h"
#include "err.h"

#define AL_RPC_VERSION 1

enum al_rpc_type { AL_RPC_REQUEST = 0, AL_RPC_RESPONSE = 1, AL_RPC_NOTIFICATION = 2 };

struct al_rpc {
    enum al_rpc_type type;
    uint32_t id;            /* REQUEST, RESPONSE */
    struct al_slice method; /* REQUEST, NOTIFICATION */
    struct al_slice params; /* the encoded map; an empty map when there were none */
    struct al_slice error;  /* RESPONSE: the encoded array, or n = 0 for nil */
    struct al_slice result; /* RESPONSE: encoded, any value */
};

struct al_rpc_error {
    int code;
    struct al_slice name;    /* of err.h */
    struct al_slice message; /* for people: what happened, and why */
    struct al_slice hint;    /* what to do next; may be empty */
};

/*
 * Take the first envelope from a stream. |ret_n| is how many bytes of |bytes| it used.
 * Returns 0; AL_E_MORE when it is not complete yet; or AL_E_RPC or an error of the scanner,
 * after which the stream can't be used any more.
 */
AL_MUST_CHECK int al_rpc_first(struct al_rpc *ret, size_t *ret_n, struct al_slice bytes);

/*
 * The same for what a node sends to its client, which may be long: a list of everybody has no
 * pages. Bounded by AL_RPC_ANSWER_MAX.
 */
AL_MUST_CHECK int al_rpc_first_answer(struct al_rpc *ret, size_t *ret_n, struct al_slice bytes);

void al_rpc_request(struct al_buf *b, uint32_t id, const char *method, struct al_slice params);
void al_rpc_response(struct al_buf *b, uint32_t id, struct al_slice result);
void al_rpc_error_response(struct al_buf *b, uint32_t id, const struct al_rpc_error *error);
void al_rpc_notification(struct al_buf *b, const char *method, struct al_slice params);

/* Read the error of a response. Returns 0 or AL_E_RPC. */
AL_MUST_CHECK int al_rpc_error_read(struct al_rpc_error *ret, struct al_slice error);

/*
 * Find |key| in an encoded map that the scanner has passed: the raw value, or n = 0 when absent.
 * Linear; for the few parameters of one call.
 */
struct al_slice al_rpc_param(struct al_slice map, const char *key);

#endif
