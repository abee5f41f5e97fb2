/*
 * How the vectors are written: a list of JSON objects, each with a name, "valid", the name of the
 * expected error of a broken one, the bytes in hex, and what the bytes mean.
 */
#ifndef VEC_H
#define VEC_H

#include <jansson.h>

#include "bytes.h"

/* Add a vector; |err| is 0 for a valid one. The result is borrowed, for more fields. */
json_t *vec_add(json_t *list, const char *name, int err, struct al_slice bytes);

/* Add a vector without "bytes". */
json_t *vec_bare(json_t *list, const char *name, int err);

void vec_hex(json_t *v, const char *key, const void *p, size_t n);
void vec_uint(json_t *v, const char *key, uint64_t n);
void vec_text(json_t *v, const char *key, struct al_slice s);

/* The bytes of a text in hex; spaces are skipped. |cap| bytes of |out| are enough by contract. */
struct al_slice vec_unhex(uint8_t *out, size_t cap, const char *hex);

/* A copy of |bytes| in |out|, with |cut| bytes at |at| replaced by those of |hex|. */
struct al_slice vec_patch(
    uint8_t *out, size_t cap, struct al_slice bytes, size_t at, size_t cut, const char *hex);

/* The topics: each fills the list of its file. */
void make_scan(json_t *list);
void make_hash(json_t *list);
void make_id(json_t *list);
void make_header(json_t *list);
void make_genesis(json_t *list);
void make_segment(json_t *list);
void make_padding(json_t *list);
void make_sealed(json_t *list);
void make_statement(json_t *list);
void make_digest(json_t *list);
void make_fork(json_t *list);
void make_excerpt(json_t *list);
void make_keys(json_t *list);
void make_circle(json_t *list);
void make_box(json_t *list);
void make_meta(json_t *list);
void make_old(json_t *list);
void make_epoch(json_t *list);
void make_attachment(json_t *list);
void make_piece(json_t *list);
void make_boot(json_t *list);
void make_handshake(json_t *list);
void make_frame(json_t *list);
void make_message(json_t *list);
void make_interests(json_t *list);
void make_payload(json_t *list);
void make_invite(json_t *list);
void make_address(json_t *list);
void make_host(json_t *list);
void make_beacon(json_t *list);

#endif
