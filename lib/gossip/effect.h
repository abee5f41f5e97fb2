/*
 * What the node asks of whoever runs it. Effects come out only after the commit they belong to.
 */
#ifndef AL_EFFECT_H
#define AL_EFFECT_H

#include "bytes.h"
#include "err.h"

/* A channel is open: the runner's answer to a dial, or a peer that dialled. */
struct al_node_link {
    uint64_t conn;      /* named by the runner, never reused */
    uint64_t dial;      /* of the AL_EFFECT_DIAL it answers, or 0 when the peer dialled */
    uint8_t remote[32]; /* static Noise key */
    uint8_t handshake_hash[64];
    struct al_slice address; /* where the peer is seen, "host:port" */
};

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
    uint64_t pos; /* CHANGED; REPLY of a write: the position that holds it, else 0 */
    int err;
    int priority;
    struct al_device device;
    uint8_t noise_key[32]; /* DIAL: what the responder must show */
    struct al_slice bytes; /* lives until the next al_node_poll() */
    const char *message;   /* REPLY with an error: what and why, or NULL for al_err_words() */
    const char *hint;      /* REPLY with an error: what to try, or NULL */
};

/*
 * The queue of effects. What a turn asks for is pending until its transaction has committed;
 * al_effects_release() lets it out, al_effects_discard() forgets it.
 */
struct al_effects;

struct al_effects *al_effects_new(void);
void al_effects_free(struct al_effects *q);

/*
 * Add a copy of |e| as pending; its bytes are copied, or taken with al_effects_take() when they
 * are on the heap already. |message| and |hint| are copied.
 */
void al_effects_add(struct al_effects *q, const struct al_effect *e);
void al_effects_take(struct al_effects *q, const struct al_effect *e, uint8_t *bytes);

/* A log line made like printf, at |priority|. */
void al_effects_log(struct al_effects *q, int priority, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

void al_effects_release(struct al_effects *q);

/* Forget what is pending, but for log lines and closes, which come out. */
void al_effects_discard(struct al_effects *q);

/* The oldest released effect; its slices and texts live until the next call. */
bool al_effects_poll(struct al_effects *q, struct al_effect *ret);

#endif
