/*
 * Writing to the own log: each payload is salted or sealed at its place, headers are chained, and
 * one signature goes over the end of each block and over the head.
 */
#ifndef AL_APPEND_H
#define AL_APPEND_H

#include "logs.h"
#include "payload.h"
#include "sealed.h"

/*
 * Append |count| entries in the order given, with time |now|. Their audiences are NETWORK, WEB
 * (open), ME (sealed), or CIRCLE (sealed with the |epoch_key| each brings). Salts are made here;
 * |refs|, unless NULL, gets each entry's place. A new log is started when there is no own log, and
 * when the present one forks or is full.
 *
 * Returns 0, an error of al_payload_encode() (then nothing was stored since |refs| [0]; the
 * transaction must be rolled back if count > 1), AL_E_LIMIT (too many logs of this device),
 * AL_E_REVOKED (this device is), AL_E_NOMEM, or a store error.
 */
AL_MUST_CHECK int al_append(struct al_logs *l, struct al_ref *refs,
    const struct al_payload *payloads, uint32_t count, struct al_now now);

/*
 * Where the next entry will stand: for what is sealed to its place before it is appended. Starts a
 * log when there is none. Errors as above.
 */
AL_MUST_CHECK int al_append_place(struct al_logs *l, struct al_place *ret);

#endif
