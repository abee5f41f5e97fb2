/*
 * The one bounded scanner over raw MessagePack. Nothing reads bytes from outside before they
 * passed here: after it, every length is inside the buffer, every text is UTF-8, and depth and
 * number of elements are bounded, so the cursor of read.h needs no further care.
 */
#ifndef AL_SCAN_H
#define AL_SCAN_H

#include "bytes.h"
#include "err.h"

enum al_scan_profile {
    /*
     * What is signed, stored or sent between nodes: one encoding only. Types uint, int, bool,
     * bin, str, array, map; shortest forms; str keys, sorted by their encoded bytes, unique.
     */
    AL_SCAN_CANONICAL,
    /* The local API, where clients of any language speak: any MessagePack, keys in any order. */
    AL_SCAN_ANY,
};

struct al_scan_limits {
    enum al_scan_profile profile;
    uint32_t depth_max;    /* 1: a scalar or an empty container; at most 32 */
    uint32_t elements_max; /* all values, keys included, the outermost too */
};

/* The limits of everything signed, stored or sent between nodes. */
extern const struct al_scan_limits al_scan_message;
/* The limits of the local API. */
extern const struct al_scan_limits al_scan_rpc;
/* The same for what a node answers its client. */
extern const struct al_scan_limits al_scan_answer;

/*
 * Check that |bytes| is exactly one value within |limits|.
 *
 * Returns 0, or AL_E_TRUNCATED, AL_E_TRAILING, AL_E_LONG_FORM, AL_E_TYPE, AL_E_UTF8,
 * AL_E_KEY_ORDER, AL_E_KEY_TYPE, AL_E_DEPTH, AL_E_ELEMENTS.
 */
AL_MUST_CHECK int al_scan(struct al_slice bytes, const struct al_scan_limits *limits);

/*
 * The same for a stream: check that |bytes| begins with one value and store its size in |ret_n|.
 * Returns AL_E_MORE where al_scan() says AL_E_TRUNCATED, and never AL_E_TRAILING.
 */
AL_MUST_CHECK int al_scan_first(
    size_t *ret_n, struct al_slice bytes, const struct al_scan_limits *limits);

/* True if a value that begins with |tag| is an array. */
static inline bool al_tag_is_array(uint8_t tag)
{
    return tag >> 4 == 0x9 || tag == 0xdc || tag == 0xdd;
}

/* True if |s| is valid UTF-8 (Unicode 15, table 3-7: no surrogates, no overlong forms). */
bool al_utf8_valid(struct al_slice s);

#endif
