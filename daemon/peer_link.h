/*
 * A plain conversation with one peer, before there is a node: is it there, and what does it know of
 * an identity? It waits for its answers; docs/protocol.md, "Transport", "A session".
 */
#ifndef AL_PEER_LINK_H
#define AL_PEER_LINK_H

#include "bytes.h"
#include "err.h"
#include "identity.h"
#include "init.h"
#include "keyring.h"

/*
 * Read |text|: the ticket of an invite, whose network must be |network|, or DEVICE@HOST:PORT, which
 * leaves |ret|->identity zero. Slices point into |scratch|, which has AL_TICKET_MAX bytes, or into
 * |text|. Returns 0, AL_E_TICKET, AL_E_NETWORK, AL_E_TEXT_FORM (the device), AL_E_ADDRESS, or an
 * error of the reader.
 */
AL_MUST_CHECK int al_peer_link_parse(struct al_restore_peer *ret, uint8_t *scratch,
    const struct al_network *network, const char *text);

/*
 * Does the device of |peer| answer at one of its addresses? Nothing is told to it. Returns 0,
 * AL_E_HOST, AL_E_REFUSED, AL_E_UNREACHABLE, AL_E_TIMEOUT, AL_E_POINT, or AL_E_HANDSHAKE (somebody
 * else is there).
 */
AL_MUST_CHECK int al_peer_link_probe(
    const struct al_restore_peer *peer, const struct al_network *network);

/*
 * Say hello to |peer| as the device of |keyring|, started as |boot|, with its certificate |cert|,
 * and fetch all that it knows of |record|'s identity into |record|. Who the peer is goes into
 * peer->identity, and must be what stands there already. Returns 0, or as above, AL_E_STRANGER and
 * what else the peer says in its goodbye, AL_E_IDENTITY, AL_E_CLOSED, AL_E_NOMEM, or an error of
 * al_statement_open().
 */
AL_MUST_CHECK int al_peer_link_fetch(struct al_restore_peer *peer, struct al_record *record,
    const struct al_network *network, const struct al_keyring *keyring, struct al_slice cert,
    const uint8_t boot[AL_BOOT_BYTES]);

#endif
