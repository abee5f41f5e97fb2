/*
 * Open payloads: one canonical map, read into one struct, checked against one table of kinds.
 * docs/protocol.md, "Kinds", prints the same table. Validity never depends on it: a payload that
 * does not fit is data that views show as unreadable.
 */
#ifndef AL_PAYLOAD_H
#define AL_PAYLOAD_H

#include "bytes.h"
#include "err.h"
#include "limit.h"

enum al_kind {
    AL_KIND_UNKNOWN, /* stored, passed on, and shown as such */
    AL_KIND_PROFILE,
    AL_KIND_NOTE,
    AL_KIND_QUESTION,
    AL_KIND_ANSWER,
    AL_KIND_ACCEPT,
    AL_KIND_REPLY,
    AL_KIND_THANKS,
    AL_KIND_LINK,
    AL_KIND_LESSON,
    AL_KIND_GOAL,
    AL_KIND_EDIT,
    AL_KIND_RETRACT,
    AL_KIND_SHARE,
    AL_KIND_CIRCLE,
    AL_KIND_FOLLOW,
    AL_KIND_STATE,
    AL_KIND_LEAVE,
    AL_KIND_COUNT,
};

enum al_audience {
    AL_AUDIENCE_ME,      /* sealed for the devices of the author */
    AL_AUDIENCE_CIRCLE,  /* sealed for a circle */
    AL_AUDIENCE_NETWORK, /* anyone who carries the log */
    AL_AUDIENCE_WEB,     /* network, and the author's exported site */
};

#define AL_SALT_BYTES 16

/*
 * The fields of every kind, borrowed from the payload. A text that is absent has n = 0 (no field
 * may be an empty text); a reference that is absent has seq 0; a number that is absent is 0.
 */
struct al_payload {
    enum al_kind kind;
    struct al_slice kind_name; /* as written, also of an unknown kind */
    enum al_audience audience; /* "a": "network" or "web"; absent inside a sealed payload: ME */
    uint8_t salt[AL_SALT_BYTES];
    uint64_t at_ms;       /* "at": time of the event */
    struct al_slice text; /* "text" */
    struct al_slice tags[AL_TAGS_MAX];
    uint32_t tag_count;      /* "tags": each 1..64 bytes, sorted by bytes, unique */
    struct al_ref re;        /* "re": parent of a reply, answer, accept, thanks */
    struct al_ref rt;        /* "rt": root of the thread */
    struct al_ref of;        /* "of": target of edit, retract, share; sources stand in |from| */
    struct al_slice url;     /* "url" of a link */
    struct al_slice title;   /* "title" of a link */
    struct al_slice quote;   /* "quote" of a link */
    struct al_slice name;    /* "name" of a profile */
    struct al_slice about;   /* "about" of a profile */
    struct al_slice working; /* "working" on, of a profile */
    struct al_slice wants;   /* "wants" to learn, of a profile */
    struct al_slice knows;   /* "knows", of a profile */
    struct al_slice who;     /* "who": bin 32, the identity a thanks or follow is about */
    struct al_slice src;     /* "src": where an import came from, e.g. "git:<commit>" */
    struct al_slice key;     /* "key" of a state */
    struct al_slice val;     /* "val" of a state: one encoded value, raw */
    struct al_slice from;    /* "from" of a lesson: an encoded array of refs, raw */
    struct al_slice state;   /* "state" of a goal: "open", "done" or "dropped" */
    struct al_slice files;   /* "files": an encoded array of attachments, raw; attachment.h */
    struct al_slice cid;     /* "cid" of a circle or leave: 16 bytes */
    uint64_t n;              /* "n" of a circle: its epoch's number */
    struct al_slice parents; /* "parents" of a circle: an encoded array of refs, raw */
    struct al_slice boxes;   /* "boxes" of a circle: an encoded array of bin 96, raw */
    struct al_slice old;     /* "old" of a circle: an encoded array of bin, raw */
    struct al_slice meta;    /* "meta" of a circle: sealed */
    struct al_slice raw;     /* the whole payload */

    const uint8_t *epoch_key; /* not a field: the 32 bytes that al_append() seals CIRCLE with */
};

/*
 * Read an open payload (a map). |sealed| says that it came out of a sealed payload, where "a" and
 * "s" are absent. Unknown keys are kept by the bytes and ignored here.
 *
 * Returns 0 or an error of the scanner or reader; AL_E_MISSING or AL_E_KIND when the fields do
 * not fit the kind (docs/protocol.md, "Kinds"); AL_E_AUDIENCE when the kind can't have its
 * audience (a state outside ME, a retract that is not open). A leave counts in a circle only, which
 * the key that opened it tells.
 */
AL_MUST_CHECK int al_payload_open(struct al_payload *ret, struct al_slice bytes, bool sealed);

/*
 * Append the canonical map of the known fields of |p|; without "a" and "s" when its audience is
 * ME or CIRCLE. Kind and audience are checked as al_payload_open() does.
 */
AL_MUST_CHECK int al_payload_encode(struct al_buf *b, const struct al_payload *p);

/*
 * Read the fields from a map of the local API: any MessagePack that al_scan_rpc passed, keys in
 * any order, tags in any order and with repetitions (they are sorted in place). "files" is taken as
 * any array, raw: what it names the caller puts an array of attachments in place of. Nothing is
 * checked against the kind yet; al_payload_encode() does. Returns 0, AL_E_PARAMS for an unknown
 * key, or an error of the reader.
 */
AL_MUST_CHECK int al_payload_from_api(struct al_payload *ret, struct al_slice map);

/* True if |bytes| can only be a sealed payload (an array), as opposed to an open one (a map). */
bool al_payload_is_sealed(struct al_slice bytes);

/* "note" and so on; "unknown" for AL_KIND_UNKNOWN. */
const char *al_kind_name(enum al_kind kind);
enum al_kind al_kind_of(struct al_slice name);

/* "me", "circle", "network", "web". */
const char *al_audience_name(enum al_audience audience);
/* Returns 0 or AL_E_AUDIENCE. */
AL_MUST_CHECK int al_audience_of(enum al_audience *ret, struct al_slice name);

#endif
