/* Parameters of a call of the local API, and reading the maps that come back. */
#ifndef AL_CALL_H
#define AL_CALL_H

#include "bytes.h"
#include "err.h"
#include "read.h"

/* A map being written. Zero it to begin; al_params_done() ends it. */
struct al_params {
    struct al_buf buf;
    size_t pairs;
};

void al_params_str(struct al_params *p, const char *key, struct al_slice v);
void al_params_cstr(struct al_params *p, const char *key, const char *v);
void al_params_uint(struct al_params *p, const char *key, uint64_t v);
void al_params_bool(struct al_params *p, const char *key, bool v);
void al_params_bin(struct al_params *p, const char *key, const void *v, size_t n);
/* A value that is encoded already. */
void al_params_raw(struct al_params *p, const char *key, struct al_slice v);
/* A fresh random key under "key", which makes a write safe to repeat. */
void al_params_key(struct al_params *p);

/* The encoded map; valid until al_params_free(). Empty slice: no memory. */
struct al_slice al_params_done(struct al_params *p);
void al_params_free(struct al_params *p);

/*
 * Read one field of an encoded map that the scanner has passed. A field that is absent, or of
 * another type, reads as empty, 0 or false: nodes of other versions are met with patience.
 */
struct al_slice al_get_str(struct al_slice map, const char *key);
struct al_slice al_get_bin(struct al_slice map, const char *key);
uint64_t al_get_uint(struct al_slice map, const char *key);
bool al_get_bool(struct al_slice map, const char *key);
/* 32 bytes, or NULL. */
const uint8_t *al_get_b32(struct al_slice map, const char *key);
/* A cursor over the elements of an array; |ret_count| of them. */
struct al_read al_get_array(struct al_slice map, const char *key, uint32_t *ret_count);

#endif
