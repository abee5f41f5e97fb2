/*
 * Writes canonical MessagePack into a buffer, over msgpack-c's packer. The caller is responsible
 * for two things the packer can't see: keys of a map come sorted by their encoded bytes (shorter
 * first, then by byte), and as many elements follow as were announced.
 */
#ifndef AL_WRITE_H
#define AL_WRITE_H

#include "bytes.h"

void al_write_uint(struct al_buf *b, uint64_t v);
void al_write_int(struct al_buf *b, int64_t v);
void al_write_bool(struct al_buf *b, bool v);
void al_write_nil(struct al_buf *b); /* only for the local API */
void al_write_bin(struct al_buf *b, const void *p, size_t n);
void al_write_bin_head(struct al_buf *b, size_t n); /* the caller appends the |n| bytes */
void al_write_str(struct al_buf *b, struct al_slice s);
void al_write_cstr(struct al_buf *b, const char *s);
void al_write_array(struct al_buf *b, size_t count);
void al_write_map(struct al_buf *b, size_t pairs);
void al_write_ref(struct al_buf *b, const struct al_ref *ref);

/* Append a value that is encoded already. */
void al_write_raw(struct al_buf *b, struct al_slice encoded);

#endif
