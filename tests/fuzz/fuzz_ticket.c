/*
 * Invites, address records and addresses. The first byte says what the rest is: 0 the text of an
 * invite, 1 the array inside one (the checksum is added), 2 an address record, 3 the body of one
 * (the sample's device signs it), 4 an address, else a beacon.
 */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

#include "fuzz.h"
#include "hash.h"
#include "sample.h"
#include "ticket.h"
#include "write.h"

#define DEVICE_AT 4 /* in the body of an address record */

static void read_invite(struct al_slice text)
{
    static uint8_t scratch[AL_TICKET_MAX];
    struct al_invite invite;
    if (al_invite_parse(&invite, scratch, text) != 0)
        return;
    char again[AL_TICKET_MAX];
    AL_ASSERT(al_invite_text(again, sizeof(again), &invite) == 0);
    AL_ASSERT(memmem(text.p, text.n, again, strlen(again)) != NULL);
}

static void read_invite_array(struct al_slice body)
{
    uint8_t bytes[1400 + 4];
    struct al_hash check;
    if (body.n > sizeof(bytes) - 4)
        return;
    al_hash1(&check, AL_P_INVITE, body.p, body.n);
    if (body.n > 0)
        memcpy(bytes, body.p, body.n);
    memcpy(bytes + body.n, check.b, 4);
    char text[AL_TICKET_MAX] = "aloud:";
    (void)sodium_bin2base64(
        text + 6, sizeof(text) - 6, bytes, body.n + 4, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    read_invite(al_slice_str(text));
}

static void read_record(struct al_slice bytes)
{
    struct al_address_record record;
    if (al_address_record_open(&record, bytes) != 0)
        return;
    AL_ASSERT(al_check_point(record.device.b) == 0);
    AL_ASSERT(record.address_count <= AL_ADDRESSES_MAX);
    for (uint32_t i = 0; i < record.address_count; i++)
        AL_ASSERT(record.addresses[i].n >= 1 && record.addresses[i].n <= AL_ADDRESS_MAX);
    struct sample_person p = sample_person(1);
    if (!al_device_eq(&record.device, &p.device))
        return;
    uint8_t space[AL_ADDRESS_RECORD_MAX + 128];
    struct al_buf b = al_buf_fixed(space, sizeof(space));
    al_address_record_encode(&b, &record, p.device_secret); /* Ed25519 signs deterministically */
    AL_ASSERT(al_slice_eq(al_buf_slice(&b), bytes));
}

static void sign_record(struct al_slice body)
{
    uint8_t bytes[AL_ADDRESS_RECORD_MAX];
    struct sample_person p = sample_person(1);
    struct al_hash hash;
    struct al_sig sig;
    if (body.n < DEVICE_AT + sizeof(p.device.b) || body.n > sizeof(bytes))
        return;
    memcpy(bytes, body.p, body.n);
    memcpy(bytes + DEVICE_AT, p.device.b, sizeof(p.device.b));
    al_hash1(&hash, AL_P_ADDRESS, bytes, body.n);
    al_sign(&sig, p.device_secret, AL_P_SIG_ADDRESS, hash.b);
    struct al_buf b = fuzz_buf();
    al_write_array(&b, 2);
    al_write_bin(&b, bytes, body.n);
    al_write_bin(&b, sig.b, sizeof(sig.b));
    read_record(al_buf_slice(&b));
}

static void split_address(struct al_slice address)
{
    char host[256];
    char again[300];
    char host_again[256];
    uint16_t port = 0;
    uint16_t port_again = 0;
    if (al_address_split(host, &port, address) != 0)
        return;
    AL_ASSERT(strlen(host) > 0 && port > 0 && strpbrk(host, " []/%@") == NULL);
    (void)snprintf(again, sizeof(again), "[%s]:%u", host, port);
    AL_ASSERT(al_address_split(host_again, &port_again, al_slice_str(again)) == 0);
    AL_ASSERT(strcmp(host, host_again) == 0 && port == port_again);
}

static void match_beacon(struct al_slice bytes)
{
    static const struct al_device device = {{1}};
    static const struct al_network network = {{2}};
    uint16_t port;
    if (!al_beacon_match(&port, bytes, &device, &network, 3))
        return;
    uint8_t again[AL_BEACON_BYTES];
    al_beacon_encode(again, &device, &network, 3, port);
    AL_ASSERT(al_slice_eq(bytes, al_slice_of(again, sizeof(again))));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    if (n == 0)
        return 0;
    struct al_slice rest = al_slice_of(data + 1, n - 1);
    if (data[0] == 0)
        read_invite(rest);
    else if (data[0] == 1)
        read_invite_array(rest);
    else if (data[0] == 2)
        read_record(rest);
    else if (data[0] == 3)
        sign_record(rest);
    else if (data[0] == 4)
        split_address(rest);
    else
        match_beacon(rest);
    return 0;
}
