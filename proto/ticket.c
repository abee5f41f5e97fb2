#include "ticket.h"

#include <sodium.h>

#include "hash.h"
#include "read.h"
#include "write.h"

#define SCHEME "aloud:"
#define SCHEME_CHARS (sizeof(SCHEME) - 1)
#define CHECK_BYTES 4
#define BASE64 sodium_base64_VARIANT_URLSAFE_NO_PADDING
#define INVITE_FIELDS 7
#define RECORD_FIELDS 4
#define ADDRESSES_BYTES (AL_ADDRESSES_MAX * (2 + AL_ADDRESS_MAX))
#define INVITE_BYTES (ADDRESSES_BYTES + 160)
#define HOST_MAX 255
#define BEACON_MAGIC "ALO1"
#define BEACON_KEYED 16

static_assert(
    SCHEME_CHARS + sodium_base64_ENCODED_LEN(INVITE_BYTES + CHECK_BYTES, BASE64) <= AL_TICKET_MAX,
    "the longest invite fits its text form");
static_assert(ADDRESSES_BYTES + 64 <= AL_ADDRESS_RECORD_MAX, "the longest record fits");

static void write_addresses(struct al_buf *b, const struct al_slice *addresses, uint32_t count)
{
    al_write_array(b, count);
    for (uint32_t i = 0; i < count; i++)
        al_write_str(b, addresses[i]);
}

static uint32_t read_addresses(struct al_read *r, struct al_slice ret[AL_ADDRESSES_MAX])
{
    uint32_t count = al_read_array(r, 0, AL_ADDRESSES_MAX);
    for (uint32_t i = 0; i < count; i++) {
        ret[i] = al_read_str(r, AL_ADDRESS_MAX);
        if (ret[i].n == 0)
            al_read_fail(r, AL_E_LENGTH);
    }
    return count;
}

/* --- invites ------------------------------------------------------------------------------- */

static void checksum(uint8_t out[CHECK_BYTES], struct al_slice body)
{
    struct al_hash h;
    al_hash1(&h, AL_P_INVITE, body.p, body.n);
    memcpy(out, h.b, CHECK_BYTES);
}

int al_invite_text(char *out, size_t cap, const struct al_invite *invite)
{
    uint8_t space[INVITE_BYTES + CHECK_BYTES];
    struct al_buf b = al_buf_fixed(space, sizeof(space));
    al_write_array(&b, INVITE_FIELDS);
    al_write_uint(&b, 1);
    al_write_bin(&b, invite->network.b, sizeof(invite->network.b));
    al_write_bin(&b, invite->identity.b, sizeof(invite->identity.b));
    al_write_bin(&b, invite->device.b, sizeof(invite->device.b));
    write_addresses(&b, invite->addresses, invite->address_count);
    al_write_bin(&b, invite->token, sizeof(invite->token));
    al_write_uint(&b, invite->expires_s);
    uint8_t check[CHECK_BYTES];
    checksum(check, al_buf_slice(&b));
    al_buf_put(&b, check, sizeof(check));
    if (b.full || cap < SCHEME_CHARS + sodium_base64_encoded_len(b.n, BASE64))
        return AL_E_SPACE;
    memcpy(out, SCHEME, SCHEME_CHARS);
    (void)sodium_bin2base64(out + SCHEME_CHARS, cap - SCHEME_CHARS, b.p, b.n, BASE64);
    return 0;
}

static bool is_space(uint8_t c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static struct al_slice trim(struct al_slice s)
{
    while (s.n > 0 && is_space(s.p[s.n - 1]))
        s.n--;
    while (s.n > 0 && is_space(s.p[0])) {
        s.p++;
        s.n--;
    }
    return s;
}

/* libsodium 1.0.18 takes some bytes above 0x7f for characters of the alphabet. */
static bool is_base64(struct al_slice s)
{
    for (size_t i = 0; i < s.n; i++) {
        uint8_t c = s.p[i];
        if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9') &&
            c != '-' && c != '_')
            return false;
    }
    return true;
}

/* Undo the text form: the encoded array, in |scratch|, without its checksum. */
static int decode_text(
    struct al_slice *ret_body, uint8_t scratch[AL_TICKET_MAX], struct al_slice text)
{
    text = trim(text);
    if (text.n < SCHEME_CHARS || memcmp(text.p, SCHEME, SCHEME_CHARS) != 0)
        return AL_E_TICKET;
    struct al_slice code = al_slice_of(text.p + SCHEME_CHARS, text.n - SCHEME_CHARS);
    size_t n = 0;
    if (!is_base64(code) || sodium_base642bin(scratch, AL_TICKET_MAX, (const char *)code.p, code.n,
                                NULL, &n, NULL, BASE64) != 0)
        return AL_E_TICKET;
    if (n < CHECK_BYTES)
        return AL_E_TICKET;
    struct al_slice body = al_slice_of(scratch, n - CHECK_BYTES);
    uint8_t check[CHECK_BYTES];
    checksum(check, body);
    if (memcmp(check, body.p + body.n, CHECK_BYTES) != 0)
        return AL_E_TICKET;
    *ret_body = body;
    return 0;
}

int al_invite_parse(struct al_invite *ret, uint8_t scratch[AL_TICKET_MAX], struct al_slice text)
{
    struct al_slice body;
    int err = decode_text(&body, scratch, text);
    if (err != 0)
        return err;
    struct al_invite invite;
    struct al_read r = al_read_message(body);
    (void)al_read_array_v1(&r, INVITE_FIELDS, INVITE_FIELDS);
    al_read_bytes(&r, invite.network.b, sizeof(invite.network.b));
    al_read_bytes(&r, invite.identity.b, sizeof(invite.identity.b));
    al_read_bytes(&r, invite.device.b, sizeof(invite.device.b));
    invite.address_count = read_addresses(&r, invite.addresses);
    al_read_bytes(&r, invite.token, sizeof(invite.token));
    invite.expires_s = al_read_uint(&r, AL_TIME_MAX);
    err = al_read_end(&r);
    if (err == 0)
        *ret = invite;
    return err;
}

/* --- address records ----------------------------------------------------------------------- */

int al_address_record_open(struct al_address_record *ret, struct al_slice bytes)
{
    struct al_sig sig;
    struct al_read r = al_read_message(bytes);
    (void)al_read_array(&r, 2, 2);
    struct al_slice body = al_read_bin(&r, 1, AL_ADDRESS_RECORD_MAX);
    al_read_bytes(&r, sig.b, sizeof(sig.b));
    int err = al_read_end(&r);
    if (err != 0)
        return err;

    struct al_address_record record;
    r = al_read_message(body);
    (void)al_read_array_v1(&r, RECORD_FIELDS, RECORD_FIELDS);
    al_read_bytes(&r, record.device.b, sizeof(record.device.b));
    record.counter = al_read_uint(&r, UINT64_MAX);
    record.address_count = read_addresses(&r, record.addresses);
    err = al_read_end(&r);
    if (err == 0)
        err = al_check_point(record.device.b);
    if (err == 0) {
        struct al_hash h;
        al_hash1(&h, AL_P_ADDRESS, body.p, body.n);
        err = al_verify(&sig, record.device.b, AL_P_SIG_ADDRESS, h.b);
    }
    if (err == 0)
        *ret = record;
    return err;
}

void al_address_record_encode(
    struct al_buf *b, const struct al_address_record *record, const uint8_t secret[64])
{
    uint8_t space[AL_ADDRESS_RECORD_MAX];
    struct al_buf body = al_buf_fixed(space, sizeof(space));
    al_write_array(&body, RECORD_FIELDS);
    al_write_uint(&body, 1);
    al_write_bin(&body, record->device.b, sizeof(record->device.b));
    al_write_uint(&body, record->counter);
    write_addresses(&body, record->addresses, record->address_count);

    struct al_hash h;
    struct al_sig sig;
    al_hash1(&h, AL_P_ADDRESS, body.p, body.n);
    al_sign(&sig, secret, AL_P_SIG_ADDRESS, h.b);
    al_write_array(b, 2);
    al_write_bin(b, body.p, body.n);
    al_write_bin(b, sig.b, sizeof(sig.b));
}

/* --- addresses ----------------------------------------------------------------------------- */

static int read_port(uint16_t *ret, struct al_slice digits)
{
    uint32_t v = 0;
    if (digits.n == 0 || digits.n > 5)
        return AL_E_ADDRESS;
    for (size_t i = 0; i < digits.n; i++) {
        if (digits.p[i] < '0' || digits.p[i] > '9')
            return AL_E_ADDRESS;
        v = v * 10 + (uint32_t)(digits.p[i] - '0');
    }
    if (v == 0 || v > UINT16_MAX)
        return AL_E_ADDRESS;
    *ret = (uint16_t)v;
    return 0;
}

static bool is_host_char(uint8_t c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' ||
           c == '-' || c == ':';
}

int al_address_split(char *host, uint16_t *ret_port, struct al_slice address)
{
    struct al_slice name = address;
    struct al_slice digits = al_slice_of(NULL, 0);
    const uint8_t *colon = address.n == 0 ? NULL : memrchr(address.p, ':', address.n);
    const uint8_t *bracket = address.n == 0 ? NULL : memchr(address.p, ']', address.n);
    if (address.n > 0 && address.p[0] == '[') {
        if (bracket == NULL)
            return AL_E_ADDRESS;
        name = al_slice_of(address.p + 1, (size_t)(bracket - address.p) - 1);
        colon = bracket + 1 < al_slice_end(address) && bracket[1] == ':' ? bracket + 1 : NULL;
        if (colon == NULL && bracket + 1 != al_slice_end(address))
            return AL_E_ADDRESS;
    } else if (colon != NULL && memchr(address.p, ':', (size_t)(colon - address.p)) != NULL) {
        colon = NULL; /* two colons without brackets: an IPv6 address and no port */
    } else if (colon != NULL) {
        name.n = (size_t)(colon - address.p);
    }
    uint16_t port = AL_PORT;
    if (colon != NULL) {
        digits = al_slice_of(colon + 1, (size_t)(al_slice_end(address) - colon) - 1);
        int err = read_port(&port, digits);
        if (err != 0)
            return err;
    }
    if (name.n == 0 || name.n > HOST_MAX)
        return AL_E_ADDRESS;
    for (size_t i = 0; i < name.n; i++) {
        if (!is_host_char(name.p[i]))
            return AL_E_ADDRESS;
    }
    memcpy(host, name.p, name.n);
    host[name.n] = '\0';
    *ret_port = port;
    return 0;
}

/* --- beacons ------------------------------------------------------------------------------- */

static void beacon_mark(uint8_t out[BEACON_KEYED], const struct al_device *device,
    const struct al_network *network, uint64_t hour)
{
    uint8_t m[sizeof(network->b) + 8];
    uint8_t h[32];
    memcpy(m, network->b, sizeof(network->b));
    al_u64be(m + sizeof(network->b), hour);
    al_keyed_hash(h, device->b, AL_P_BEACON, m, sizeof(m));
    memcpy(out, h, BEACON_KEYED);
}

void al_beacon_encode(uint8_t out[AL_BEACON_BYTES], const struct al_device *device,
    const struct al_network *network, uint64_t hour, uint16_t port)
{
    memcpy(out, BEACON_MAGIC, 4);
    beacon_mark(out + 4, device, network, hour);
    out[AL_BEACON_BYTES - 2] = (uint8_t)(port >> 8);
    out[AL_BEACON_BYTES - 1] = (uint8_t)port;
}

bool al_beacon_match(uint16_t *ret_port, struct al_slice bytes, const struct al_device *device,
    const struct al_network *network, uint64_t hour)
{
    if (bytes.n != AL_BEACON_BYTES || memcmp(bytes.p, BEACON_MAGIC, 4) != 0)
        return false;
    uint8_t mark[BEACON_KEYED];
    beacon_mark(mark, device, network, hour);
    if (memcmp(bytes.p + 4, mark, BEACON_KEYED) != 0)
        return false;
    *ret_port = (uint16_t)(bytes.p[AL_BEACON_BYTES - 2] << 8 | bytes.p[AL_BEACON_BYTES - 1]);
    return true;
}

void al_network_public(struct al_network *out)
{
    struct al_hash h;
    al_hash1(&h, AL_P_NETWORK, "public", 6);
    memcpy(out->b, h.b, sizeof(out->b));
}
