/* Text forms of ids: lower-case Crockford base32 (no i, l, o, u), most significant bit first. */
#ifndef AL_ID_H
#define AL_ID_H

#include "bytes.h"
#include "err.h"

#define AL_ID_CHARS 52 /* of 32 bytes: 256 bits in 5-bit characters, the last padded with zeros */
#define AL_ID_TEXT (AL_ID_CHARS + 1)

/* A prefix of an id as a range of bits. */
struct al_id_prefix {
    uint8_t b[32]; /* zero beyond |bits| */
    unsigned bits; /* 5 for each character, at most 256 */
};

/* Write the text of 32 bytes and a NUL. */
void al_id_text(char out[AL_ID_TEXT], const uint8_t b[32]);

/* Write the first |chars| characters (at most 52) and a NUL; |out| has chars + 1 bytes. */
void al_id_text_prefix(char *out, const uint8_t b[32], size_t chars);

/*
 * Read 1 to 52 characters, upper or lower case, as a prefix. Crockford's confusables are read as
 * what they look like: o as 0, i and l as 1. Returns 0 or AL_E_TEXT_FORM.
 */
AL_MUST_CHECK int al_id_parse(struct al_id_prefix *ret, struct al_slice text);

/* Read exactly 52 characters as 32 bytes. Returns 0 or AL_E_TEXT_FORM. */
AL_MUST_CHECK int al_id_parse_full(uint8_t ret[32], struct al_slice text);

/* True if the 32 bytes at |b| begin with |prefix|. */
bool al_id_has_prefix(const uint8_t b[32], const struct al_id_prefix *prefix);

/* The number of leading characters that the texts of |a| and |b| share: 0 to 52. */
size_t al_id_common(const uint8_t a[32], const uint8_t b[32]);

#endif
