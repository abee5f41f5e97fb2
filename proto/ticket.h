/* Invites, address records and LAN beacons. docs/protocol.md, "Invites", "Addresses". */
#ifndef AL_TICKET_H
#define AL_TICKET_H

#include "bytes.h"
#include "err.h"
#include "limit.h"

struct al_invite {
    struct al_network network;
    struct al_identity identity; /* who invites */
    struct al_device device;     /* whom to dial */
    struct al_slice addresses[AL_ADDRESSES_MAX];
    uint32_t address_count;
    uint8_t token[AL_TOKEN_BYTES];
    uint64_t expires_s; /* since 1970 */
};

/* Write the text form ("aloud:" and base64url) and a NUL. Returns 0 or AL_E_SPACE. */
AL_MUST_CHECK int al_invite_text(char *out, size_t cap, const struct al_invite *invite);

/*
 * Read a text form; surrounding white space is ignored. Slices point into |scratch|, which has
 * AL_TICKET_MAX bytes. Returns 0, AL_E_TICKET (form or checksum), or an error of the reader.
 */
AL_MUST_CHECK int al_invite_parse(
    struct al_invite *ret, uint8_t scratch[AL_TICKET_MAX], struct al_slice text);

/* Where a device can be reached: [body, sig]. The larger counter wins. */
struct al_address_record {
    struct al_device device;
    uint64_t counter;
    struct al_slice addresses[AL_ADDRESSES_MAX];
    uint32_t address_count;
};

/*
 * Decode and verify; slices point into |bytes|. Returns 0 or an error of the scanner or reader,
 * AL_E_VERSION, AL_E_POINT, AL_E_SIG.
 */
AL_MUST_CHECK int al_address_record_open(struct al_address_record *ret, struct al_slice bytes);

/* Append the record, signed with the 64-byte device secret. */
void al_address_record_encode(
    struct al_buf *b, const struct al_address_record *record, const uint8_t secret[64]);

/*
 * Split "host:port", "[v6]:port", or "host", "[v6]", "v6" (port AL_PORT). Host: 1..255 bytes of
 * letters, digits, '.', '-', ':' (v6). Returns 0 or AL_E_ADDRESS. |host| has 256 bytes.
 */
AL_MUST_CHECK int al_address_split(char *host, uint16_t *ret_port, struct al_slice address);

#define AL_BEACON_BYTES 22

/* "ALO1", 16 bytes keyed by (device, network, hour), port big-endian. */
void al_beacon_encode(uint8_t out[AL_BEACON_BYTES], const struct al_device *device,
    const struct al_network *network, uint64_t hour, uint16_t port);
/* True if |bytes| is the beacon of |device| in |hour|; stores the port. */
bool al_beacon_match(uint16_t *ret_port, struct al_slice bytes, const struct al_device *device,
    const struct al_network *network, uint64_t hour);

/* The public network: H("aloud1-net", "public"). */
void al_network_public(struct al_network *out);

#endif
