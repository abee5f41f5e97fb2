/* What the node asks of whoever runs it. Effects come out only after the commit they belong to. */
#ifndef AL_EFFECT_H
#define AL_EFFECT_H

#include "bytes.h"
#include "err.h"

enum al_effect_type {
    AL_EFFECT_SEND,    /* send |bytes|, one message, on |conn| */
    AL_EFFECT_CLOSE,   /* send what is queued, then close |conn|; |err| says why */
    AL_EFFECT_DIAL,    /* connect to |device| at the address in |bytes|; answer with |dial| */
    AL_EFFECT_REPLY,   /* answer |call|: |bytes| is the encoded result, or |err| and |error| */
    AL_EFFECT_CHANGED, /* commits reached position |pos| */
    AL_EFFECT_LISTEN,  /* open the port, if it is not open */
    AL_EFFECT_LOG,     /* a log line in |bytes|, priority |priority| (syslog's numbers) */
    AL_EFFECT_STOP,    /* the store is beyond repair here; stop with |err| */
};

struct al_effect {
    enum al_effect_type type;
    uint64_t conn;
    uint64_t dial;
    uint64_t call;
    uint64_t pos;       /* CHANGED; REPLY of a write: the position that holds it, else 0 */
    int err;
    int priority;
    struct al_device device;
    uint8_t noise_key[32]; /* DIAL: what the responder must show */
    struct al_slice bytes; /* lives until the next al_node_poll() */
    const char *message;   /* REPLY with an error: what and why, or NULL for al_err_words() */
    const char *hint;      /* REPLY with an error: what to try, or NULL */
};

#endif
