#include "entry.h"

#include "hash.h"
#include "limit.h"
#include "read.h"
#include "write.h"

#define HEADER_FIELDS 8

/* 3 for the array and its version; bins of 32, 8, 32 and 32; numbers of at most 9, 9 and 5. */
static_assert(3 + 3 * 34 + 10 + 9 + 9 + 5 <= AL_HEADER_MAX, "any header fits");

void al_entry_genesis(struct al_hash *out, const struct al_identity *identity,
    const struct al_device *device, const struct al_logname *log)
{
    const struct al_slice parts[] = {
        al_slice_of(identity->b, sizeof(identity->b)),
        al_slice_of(device->b, sizeof(device->b)),
        al_slice_of(log->b, sizeof(log->b)),
    };
    al_hash(out, AL_P_GENESIS, parts, sizeof(parts) / sizeof(parts[0]));
}

void al_entry_payload_hash(struct al_hash *out, struct al_slice payload)
{
    al_hash1(out, AL_P_PAYLOAD, payload.p, payload.n);
}

void al_header_encode(struct al_buf *b, const struct al_header *h)
{
    al_write_array(b, HEADER_FIELDS);
    al_write_uint(b, 1);
    al_write_bin(b, h->device.b, sizeof(h->device.b));
    al_write_bin(b, h->log.b, sizeof(h->log.b));
    al_write_uint(b, h->seq);
    al_write_uint(b, h->time_ms);
    al_write_bin(b, h->prev.b, sizeof(h->prev.b));
    al_write_uint(b, h->plen);
    al_write_bin(b, h->phash.b, sizeof(h->phash.b));
}

int al_header_decode(struct al_header *ret, struct al_slice bytes)
{
    struct al_header h;
    struct al_read r = al_read_message(bytes);
    (void)al_read_array_v1(&r, HEADER_FIELDS, HEADER_FIELDS);
    al_read_bytes(&r, h.device.b, sizeof(h.device.b));
    al_read_bytes(&r, h.log.b, sizeof(h.log.b));
    h.seq = al_read_uint(&r, AL_SEQ_MAX);
    h.time_ms = al_read_uint(&r, AL_TIME_MAX);
    al_read_bytes(&r, h.prev.b, sizeof(h.prev.b));
    h.plen = (uint32_t)al_read_uint(&r, AL_PAYLOAD_MAX);
    al_read_bytes(&r, h.phash.b, sizeof(h.phash.b));
    if (h.seq == 0 || h.plen == 0)
        al_read_fail(&r, AL_E_RANGE);
    int err = al_read_end(&r);
    if (err == 0)
        *ret = h;
    return err;
}

void al_header_id(struct al_hash *out, const struct al_header *h)
{
    uint8_t bytes[AL_HEADER_MAX];
    struct al_buf b = al_buf_fixed(bytes, sizeof(bytes));
    al_header_encode(&b, h);
    al_hash1(out, AL_P_ENTRY, b.p, b.n);
}

void al_entry_sign(struct al_sig *out, const uint8_t secret[64], const struct al_hash *id)
{
    al_sign(out, secret, AL_P_SIG_ENTRY, id->b);
}

int al_entry_verify(
    const struct al_sig *sig, const struct al_device *device, const struct al_hash *id)
{
    return al_verify(sig, device->b, AL_P_SIG_ENTRY, id->b);
}

uint64_t al_block_of(uint64_t seq)
{
    return (seq - 1) / AL_BLOCK_ENTRIES;
}

uint64_t al_block_first(uint64_t block)
{
    return block * AL_BLOCK_ENTRIES + 1;
}

uint64_t al_block_last(uint64_t block)
{
    uint64_t last = (block + 1) * AL_BLOCK_ENTRIES;
    return last < AL_SEQ_MAX ? last : AL_SEQ_MAX;
}
