/* Shared by the files of lib/log that apply payloads. */
#ifndef AL_APPLY_INT_H
#define AL_APPLY_INT_H

#include "apply.h"

/* A circle entry of anybody's. */
AL_MUST_CHECK int apply_circle(struct al_logs *l, struct al_log *log, uint64_t seq,
    const struct al_hash *id, const struct al_payload *p);

/* The choice |value| under the key `left/...`: not to be in a circle any more. */
AL_MUST_CHECK int choose_left(struct al_logs *l, struct al_slice key, struct al_slice value);

/* Load which logs are to be looked through again. */
AL_MUST_CHECK int load_again(struct al_logs *l);

#endif
