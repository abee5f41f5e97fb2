/*
 * A cursor over MessagePack that al_scan() has passed. It borrows the bytes; what it hands out
 * points into them. Errors stick: the first one is kept in |err|, later reads return zero or
 * empty values, so a decoder reads all its fields and looks once, with al_read_end().
 */
#ifndef AL_READ_H
#define AL_READ_H

#include "bytes.h"
#include "err.h"

struct al_read {
    const uint8_t *p;
    const uint8_t *end;
    int err;
};

enum al_type {
    AL_TYPE_END, /* nothing left, or an error */
    AL_TYPE_UINT,
    AL_TYPE_NEGATIVE,
    AL_TYPE_BOOL,
    AL_TYPE_NIL,
    AL_TYPE_FLOAT,
    AL_TYPE_BIN,
    AL_TYPE_STR,
    AL_TYPE_ARRAY,
    AL_TYPE_MAP,
    AL_TYPE_EXT,
};

/* A cursor at the start of |bytes|, which al_scan() or al_scan_first() has passed. */
struct al_read al_read_init(struct al_slice bytes);

/* Scan |bytes| with the limits of messages and start at them; a scan error sticks at once. */
struct al_read al_read_message(struct al_slice bytes);

/* The type of the next value; reads nothing. */
enum al_type al_read_peek(const struct al_read *r);

/* A number in 0..max; AL_E_TYPE, AL_E_RANGE. */
uint64_t al_read_uint(struct al_read *r, uint64_t max);

/* A number in min..max, of either sign. */
int64_t al_read_int(struct al_read *r, int64_t min, int64_t max);

bool al_read_bool(struct al_read *r);
void al_read_nil(struct al_read *r);

/* The number of elements, which are then read one by one; AL_E_COUNT unless in min..max. */
uint32_t al_read_array(struct al_read *r, uint32_t min, uint32_t max);

/*
 * The same for an array whose first element is the format version, read here and counted: only
 * version 1 is known. AL_E_VERSION comes before AL_E_COUNT, so a later form is called by its name.
 */
uint32_t al_read_array_v1(struct al_read *r, uint32_t min, uint32_t max);

/* The number of pairs; AL_E_COUNT above |max|. */
uint32_t al_read_map(struct al_read *r, uint32_t max);

/* A bin of min..max bytes; AL_E_TYPE, AL_E_LENGTH. */
struct al_slice al_read_bin(struct al_read *r, size_t min, size_t max);

/* A bin of exactly |n| bytes, copied to |out|, which is zeroed on an error. */
void al_read_bytes(struct al_read *r, uint8_t *out, size_t n);

/* A str of at most |max| bytes. */
struct al_slice al_read_str(struct al_read *r, size_t max);

/* The whole next value, whatever it is, as raw bytes. */
struct al_slice al_read_raw(struct al_read *r);

/* A reference: [device, log, seq, id]. */
void al_read_ref(struct al_read *r, struct al_ref *out);

/* Make |err| stick unless another stuck before. */
void al_read_fail(struct al_read *r, int err);

/* The error that stuck, or AL_E_COUNT if values are left, or 0. */
AL_MUST_CHECK int al_read_end(const struct al_read *r);

#endif
