/* Invites, address records, addresses and beacons. */
#include "ticket.h"

#include <sodium.h>
#include <stdio.h>

#include "form.h"
#include "hash.h"
#include "sample.h"
#include "vec.h"

#define TEXT_MAX 4096

static uint8_t space[4096];

/* The text of an invite with this body: checksum and base64url. */
static void text_of(char out[TEXT_MAX], const char *form)
{
    struct al_hash h;
    struct al_buf b = al_buf_fixed(space, sizeof(space));
    form_put(&b, form);
    al_hash1(&h, AL_P_INVITE, b.p, b.n);
    al_buf_put(&b, h.b, 4);
    memcpy(out, "aloud:", 6);
    (void)sodium_bin2base64(
        out + 6, TEXT_MAX - 6, b.p, b.n, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}

static json_t *add_text(json_t *list, const char *name, int err, const char *text)
{
    json_t *v = vec_bare(list, name, err);
    vec_text(v, "text", al_slice_str(text));
    return v;
}

static void add_form(json_t *list, const char *name, int err, const char *form)
{
    char text[TEXT_MAX];
    text_of(text, form);
    (void)add_text(list, name, err, text);
}

static struct al_invite sample_invite(uint32_t addresses)
{
    struct sample_person p = sample_person(1);
    struct al_invite invite = {.identity = p.identity,
        .device = p.device,
        .addresses = {al_slice_str("192.0.2.1:4747"), al_slice_str("[2001:db8::1]:4747"),
            al_slice_str("node.example")},
        .address_count = addresses,
        .expires_s = 1800000000};
    al_network_public(&invite.network);
    sample_bytes(invite.token, sizeof(invite.token), 5000);
    return invite;
}

static void add_invite(
    json_t *list, const char *name, const struct al_invite *invite, const char *text)
{
    json_t *v = add_text(list, name, 0, text);
    vec_hex(v, "network", invite->network.b, 32);
    vec_hex(v, "identity", invite->identity.b, 32);
    vec_hex(v, "device", invite->device.b, 32);
    vec_uint(v, "addresses", invite->address_count);
    vec_hex(v, "token", invite->token, sizeof(invite->token));
    vec_uint(v, "expires_s", invite->expires_s);
}

static void add_mistyped(json_t *list, char *good)
{
    char text[TEXT_MAX + 8];
    (void)snprintf(text, sizeof(text), "%s=", good);
    (void)add_text(list, "with base64 padding", AL_E_TICKET, text);
    (void)snprintf(text, sizeof(text), "loud:%s", good + 6);
    (void)add_text(list, "another scheme", AL_E_TICKET, text);
    (void)snprintf(text, sizeof(text), "%s", good);
    text[20] = text[20] == 'A' ? 'B' : 'A';
    (void)add_text(list, "one letter mistyped", AL_E_TICKET, text);
    text[20] = '+';
    (void)add_text(list, "a letter of the other alphabet", AL_E_TICKET, text);
    good[strlen(good) - 4] = '\0';
    (void)add_text(list, "cut short", AL_E_TICKET, good);
    (void)add_text(list, "nothing", AL_E_TICKET, "");
    (void)add_text(list, "only the scheme", AL_E_TICKET, "aloud:");
}

/* The last letter has bits that stand for no byte: one of them set, where many decoders look away.
 */
static void add_loose_bit(json_t *list)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    for (uint32_t addresses = 0; addresses < 4; addresses++) {
        char text[TEXT_MAX];
        struct al_invite invite = sample_invite(addresses);
        if (al_invite_text(text, sizeof(text), &invite) != 0 || (strlen(text) - 6) % 4 == 0)
            continue;
        char *last = &text[strlen(text) - 1];
        *last = strchr(alphabet, *last)[1];
        (void)add_text(list, "a bit after the last byte", AL_E_TICKET, text);
        return;
    }
}

#define HEAD "<32> <32> <32> "

void make_invite(json_t *list)
{
    char text[TEXT_MAX];
    char spaced[TEXT_MAX + 8];
    for (uint32_t addresses = 0; addresses < 4; addresses += 3) {
        struct al_invite invite = sample_invite(addresses);
        if (al_invite_text(text, sizeof(text), &invite) != 0)
            return;
        add_invite(list, "an invite", &invite, text);
        (void)snprintf(spaced, sizeof(spaced), " \t%s\r\n", text);
        add_invite(list, "with white space around it", &invite, spaced);
    }
    add_mistyped(list, text);
    add_loose_bit(list);
    add_form(list, "version 2", AL_E_VERSION, "97 02 " HEAD "90 <16> 05");
    add_form(list, "a field more", AL_E_COUNT, "98 01 " HEAD "90 <16> 05 00");
    add_form(list, "trailing byte", AL_E_TRAILING, "97 01 " HEAD "90 <16> 05 00");
    add_form(list, "token of 15 bytes", AL_E_LENGTH, "97 01 " HEAD "90 <15> 05");
    add_form(list, "nine addresses", AL_E_COUNT, "97 01 " HEAD "99 {9:'a'} <16> 05");
    add_form(list, "an empty address", AL_E_LENGTH, "97 01 " HEAD "91 '' <16> 05");
    add_form(list, "an address of 129 bytes", AL_E_LENGTH, "97 01 " HEAD "91 [129=61] <16> 05");
    add_form(list, "a device of 31 bytes", AL_E_LENGTH, "97 01 <32> <32> <31> 90 <16> 05");
    add_form(list, "expiry over its cap", AL_E_RANGE, "97 01 " HEAD "90 <16> cf0001000000000000");
}

/* A record with a body from its own parts, signed by the device of |p|. */
static void add_record(json_t *list, const char *name, int err, const struct sample_person *p,
    const char *head, const struct al_device *device, const char *tail)
{
    uint8_t body_space[2048];
    struct al_buf body = al_buf_fixed(body_space, sizeof(body_space));
    struct al_buf b = al_buf_fixed(space, sizeof(space));
    struct al_hash h;
    struct al_sig sig;
    form_put(&body, head);
    form_put(&body, "c420");
    al_buf_put(&body, device->b, 32);
    form_put(&body, tail);
    al_hash1(&h, AL_P_ADDRESS, body.p, body.n);
    al_sign(&sig, p->device_secret, AL_P_SIG_ADDRESS, h.b);
    form_put(&b, body.n < 256 ? "92 c4" : "92 c5");
    uint8_t n[2] = {(uint8_t)(body.n >> 8), (uint8_t)body.n};
    al_buf_put(&b, body.n < 256 ? n + 1 : n, body.n < 256 ? 1 : 2);
    al_buf_put(&b, body.p, body.n);
    form_put(&b, "c440");
    al_buf_put(&b, sig.b, 64);
    json_t *v = vec_add(list, name, err, al_buf_slice(&b));
    struct al_address_record record;
    if (err == 0 && al_address_record_open(&record, al_buf_slice(&b)) == 0) {
        vec_hex(v, "device", record.device.b, 32);
        vec_uint(v, "counter", record.counter);
        vec_uint(v, "addresses", record.address_count);
    }
}

void make_address(json_t *list)
{
    struct sample_person p = sample_person(1);
    struct sample_person q = sample_person(2);
    const struct al_device small = {{0}};
    add_record(list, "no addresses", 0, &p, "94 01", &p.device, "00 90");
    add_record(
        list, "two addresses", 0, &p, "94 01", &p.device, "05 92 '192.0.2.1:4747' 'node.example'");
    add_record(list, "the longest addresses", 0, &p, "94 01", &p.device, "05 98 {8:[128=61]}");
    add_record(list, "version 2", AL_E_VERSION, &p, "94 02", &p.device, "05 90");
    add_record(list, "a field more", AL_E_COUNT, &p, "95 01", &p.device, "05 90 00");
    add_record(
        list, "trailing byte in the body", AL_E_TRAILING, &p, "94 01", &p.device, "05 90 00");
    add_record(list, "nine addresses", AL_E_COUNT, &p, "94 01", &p.device, "05 99 {9:'a'}");
    add_record(list, "an empty address", AL_E_LENGTH, &p, "94 01", &p.device, "05 91 ''");
    add_record(
        list, "an address of 129 bytes", AL_E_LENGTH, &p, "94 01", &p.device, "05 91 [129=61]");
    add_record(list, "signed by another device", AL_E_SIG, &q, "94 01", &p.device, "05 90");
    add_record(list, "device key of small order", AL_E_POINT, &p, "94 01", &small, "05 90");
}

void make_host(json_t *list)
{
    static const struct {
        const char *text;
        int err;
    } table[] = {{"192.0.2.1:80", 0}, {"192.0.2.1", 0}, {"node.example:65535", 0},
        {"[2001:db8::1]:1", 0}, {"[2001:db8::1]", 0}, {"2001:db8::1", 0}, {"a", 0},
        {"", AL_E_ADDRESS}, {":80", AL_E_ADDRESS}, {"a:", AL_E_ADDRESS}, {"a:0", AL_E_ADDRESS},
        {"a:65536", AL_E_ADDRESS}, {"a:123456", AL_E_ADDRESS}, {"a:8x", AL_E_ADDRESS},
        {"a b", AL_E_ADDRESS}, {"a_b", AL_E_ADDRESS}, {"[::1", AL_E_ADDRESS},
        {"[::1]80", AL_E_ADDRESS}, {"[]:80", AL_E_ADDRESS}, {"a/b", AL_E_ADDRESS}};
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        char host[256];
        uint16_t port;
        json_t *v = add_text(list, "host and port", table[i].err, table[i].text);
        if (al_address_split(host, &port, al_slice_str(table[i].text)) != 0)
            continue;
        vec_text(v, "host", al_slice_str(host));
        vec_uint(v, "port", port);
    }
}

void make_beacon(json_t *list)
{
    for (uint64_t i = 0; i < 3; i++) {
        uint8_t bytes[AL_BEACON_BYTES];
        struct sample_person p = sample_person(i);
        struct al_network network;
        al_network_public(&network);
        al_beacon_encode(bytes, &p.device, &network, 480000 + i, (uint16_t)(4747 + i * 1000));
        json_t *v = vec_add(list, "a beacon", 0, al_slice_of(bytes, sizeof(bytes)));
        vec_hex(v, "device", p.device.b, 32);
        vec_hex(v, "network", network.b, 32);
        vec_uint(v, "hour", 480000 + i);
        vec_uint(v, "port", 4747 + i * 1000);
    }
}
