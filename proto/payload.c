#include "payload.h"

#include "attachment.h"
#include "read.h"
#include "scan.h"
#include "write.h"

enum field_type {
    T_AUDIENCE, /* "network" or "web" */
    T_KIND,
    T_SALT,
    T_TIME,
    T_COUNT, /* a number from 1 */
    T_TEXT,  /* str of min..max bytes */
    T_BIN,   /* bin of min..max bytes */
    T_TAGS,  /* strs of 1..AL_TAG_MAX bytes, ascending, unique */
    T_REF,
    T_REFS,     /* array of min..max references */
    T_BOXES,    /* array of min..max keys, sealed */
    T_BINS,     /* array of min..max bins of any length */
    T_FILES,    /* array of min..max attachments */
    T_ANY,      /* any value */
    T_PROGRESS, /* of a goal */
};

#define CIRCLE_BOX_BYTES 96
#define KEPT(member) offsetof(struct al_payload, member)

/* X(NAME, key, type, min, max, where), in the order of the encoded keys: shorter ones first. */
#define FIELDS(X)                                                                                  \
    X(A, "a", T_AUDIENCE, 0, 0, KEPT(audience))                                                    \
    X(K, "k", T_KIND, 1, AL_KIND_MAX, KEPT(kind_name))                                             \
    X(N, "n", T_COUNT, 0, 0, KEPT(n))                                                              \
    X(S, "s", T_SALT, 0, 0, KEPT(salt))                                                            \
    X(AT, "at", T_TIME, 0, 0, KEPT(at_ms))                                                         \
    X(OF, "of", T_REF, 0, 0, KEPT(of))                                                             \
    X(RE, "re", T_REF, 0, 0, KEPT(re))                                                             \
    X(RT, "rt", T_REF, 0, 0, KEPT(rt))                                                             \
    X(CID, "cid", T_BIN, 16, 16, KEPT(cid))                                                        \
    X(KEY, "key", T_TEXT, 1, AL_STATE_KEY_MAX, KEPT(key))                                          \
    X(OLD, "old", T_BINS, 0, AL_CIRCLE_OLD_MAX, KEPT(old))                                         \
    X(SRC, "src", T_TEXT, 1, AL_SRC_MAX, KEPT(src))                                                \
    X(URL, "url", T_TEXT, 1, AL_URL_MAX, KEPT(url))                                                \
    X(VAL, "val", T_ANY, 0, 0, KEPT(val))                                                          \
    X(WHO, "who", T_BIN, 32, 32, KEPT(who))                                                        \
    X(FROM, "from", T_REFS, 1, AL_REFS_MAX, KEPT(from))                                            \
    X(META, "meta", T_BIN, 1, AL_PAYLOAD_MAX, KEPT(meta))                                          \
    X(NAME, "name", T_TEXT, 1, AL_NAME_MAX, KEPT(name))                                            \
    X(TAGS, "tags", T_TAGS, 1, AL_TAGS_MAX, KEPT(tags))                                            \
    X(TEXT, "text", T_TEXT, 1, AL_TEXT_MAX, KEPT(text))                                            \
    X(ABOUT, "about", T_TEXT, 1, AL_ABOUT_MAX, KEPT(about))                                        \
    X(BOXES, "boxes", T_BOXES, 1, AL_CIRCLE_BOXES_MAX, KEPT(boxes))                                \
    X(FILES, "files", T_FILES, 1, AL_ATTACHMENTS_MAX, KEPT(files))                                 \
    X(KNOWS, "knows", T_TEXT, 1, AL_ABOUT_MAX, KEPT(knows))                                        \
    X(QUOTE, "quote", T_TEXT, 1, AL_QUOTE_MAX, KEPT(quote))                                        \
    X(STATE, "state", T_PROGRESS, 0, 0, KEPT(state))                                               \
    X(TITLE, "title", T_TEXT, 1, AL_TITLE_MAX, KEPT(title))                                        \
    X(WANTS, "wants", T_TEXT, 1, AL_ABOUT_MAX, KEPT(wants))                                        \
    X(PARENTS, "parents", T_REFS, 0, AL_CIRCLE_PARENTS_MAX, KEPT(parents))                         \
    X(WORKING, "working", T_TEXT, 1, AL_ABOUT_MAX, KEPT(working))

enum field_name {
#define AL_X(name, key, type, min, max, at) F_##name,
    FIELDS(AL_X)
#undef AL_X
        FIELD_COUNT
};

static const struct field {
    const char *key;
    enum field_type type;
    uint32_t min, max; /* bytes, or elements of an array */
    size_t at;         /* of the member of struct al_payload */
} fields[FIELD_COUNT] = {
#define AL_X(name, key, type, min, max, at) {key, type, min, max, at},
    FIELDS(AL_X)
#undef AL_X
};

static_assert(FIELD_COUNT <= 32, "a set of fields is 32 bits");

#define BIT(name) (UINT32_C(1) << F_##name)
#define COMMON (BIT(A) | BIT(K) | BIT(S))
#define CONTENT (BIT(AT) | BIT(SRC) | BIT(TEXT) | BIT(TAGS) | BIT(FILES))

#define ME (1u << AL_AUDIENCE_ME)
#define CIRCLE (1u << AL_AUDIENCE_CIRCLE)
#define NETWORK (1u << AL_AUDIENCE_NETWORK)
#define WEB (1u << AL_AUDIENCE_WEB)
#define OPEN (NETWORK | WEB)
#define ALL (ME | CIRCLE | OPEN)

/* The one table of kinds; docs/protocol.md, "Kinds", prints it. */
static const struct kind {
    const char *name;
    unsigned audiences;
    uint32_t needs;  /* fields that must be there, besides k and, in an open payload, a and s */
    uint32_t either; /* when not 0: at least one of these */
    uint32_t may;    /* further fields that may be there */
} kinds[AL_KIND_COUNT] = {
    [AL_KIND_UNKNOWN] = {"unknown", ALL, 0, 0, UINT32_MAX},
    [AL_KIND_PROFILE] = {"profile", OPEN, BIT(NAME), 0,
        BIT(ABOUT) | BIT(WORKING) | BIT(WANTS) | BIT(KNOWS)},
    [AL_KIND_NOTE] = {"note", ALL, BIT(TEXT), 0, CONTENT},
    [AL_KIND_QUESTION] = {"question", ALL, BIT(TEXT), 0, CONTENT},
    [AL_KIND_ANSWER] = {"answer", ALL, BIT(RE) | BIT(RT) | BIT(TEXT), 0, CONTENT},
    [AL_KIND_ACCEPT] = {"accept", ALL, BIT(RE) | BIT(RT), 0, BIT(TEXT)},
    [AL_KIND_REPLY] = {"reply", ALL, BIT(RE) | BIT(RT) | BIT(TEXT), 0, CONTENT},
    [AL_KIND_THANKS] = {"thanks", ALL, 0, BIT(RE) | BIT(WHO), BIT(RT) | CONTENT},
    [AL_KIND_LINK] = {"link", ALL, BIT(URL), 0, BIT(TITLE) | BIT(QUOTE) | CONTENT},
    [AL_KIND_LESSON] = {"lesson", ALL, BIT(TEXT), 0, BIT(FROM) | CONTENT},
    [AL_KIND_GOAL] = {"goal", ALL, BIT(TEXT), 0, BIT(STATE) | CONTENT},
    [AL_KIND_EDIT] = {"edit", ALL, BIT(OF), 0,
        BIT(URL) | BIT(TITLE) | BIT(QUOTE) | BIT(FROM) | BIT(STATE) | CONTENT},
    [AL_KIND_RETRACT] = {"retract", OPEN, BIT(OF), 0, BIT(TEXT)},
    [AL_KIND_SHARE] = {"share", CIRCLE | OPEN, BIT(OF), 0,
        BIT(URL) | BIT(TITLE) | BIT(QUOTE) | BIT(FROM) | BIT(STATE) | CONTENT},
    [AL_KIND_CIRCLE] = {"circle", NETWORK,
        BIT(CID) | BIT(N) | BIT(PARENTS) | BIT(BOXES) | BIT(OLD) | BIT(META), 0, 0},
    [AL_KIND_FOLLOW] = {"follow", OPEN, BIT(WHO), 0, BIT(TEXT)},
    [AL_KIND_STATE] = {"state", ME, BIT(KEY) | BIT(VAL), 0, 0},
    [AL_KIND_LEAVE] = {"leave", CIRCLE, BIT(CID), 0, BIT(TEXT)},
};

static const char *const audience_names[] = {
    [AL_AUDIENCE_ME] = "me",
    [AL_AUDIENCE_CIRCLE] = "circle",
    [AL_AUDIENCE_NETWORK] = "network",
    [AL_AUDIENCE_WEB] = "web",
};

const char *al_kind_name(enum al_kind kind)
{
    return kinds[kind].name;
}

enum al_kind al_kind_of(struct al_slice name)
{
    enum al_kind kind = AL_KIND_COUNT;
    while (--kind > AL_KIND_UNKNOWN) {
        if (al_slice_is(name, kinds[kind].name))
            break;
    }
    return kind;
}

const char *al_audience_name(enum al_audience audience)
{
    return audience_names[audience];
}

int al_audience_of(enum al_audience *ret, struct al_slice name)
{
    for (enum al_audience a = AL_AUDIENCE_ME; a <= AL_AUDIENCE_WEB; a++) {
        if (al_slice_is(name, audience_names[a])) {
            *ret = a;
            return 0;
        }
    }
    return AL_E_AUDIENCE;
}

bool al_payload_is_sealed(struct al_slice bytes)
{
    return bytes.n > 0 && al_tag_is_array(bytes.p[0]);
}

static const struct field *field_of(struct al_slice key)
{
    for (size_t i = 0; i < FIELD_COUNT; i++) {
        if (al_slice_is(key, fields[i].key))
            return &fields[i];
    }
    return NULL;
}

static bool is_open(enum al_audience audience)
{
    return audience == AL_AUDIENCE_NETWORK || audience == AL_AUDIENCE_WEB;
}

/* Check that |kind| may have one of |audiences|, all open or all sealed, and the fields |present|.
 */
static int check_kind(const struct kind *kind, unsigned audiences, uint32_t present)
{
    if ((kind->audiences & audiences) == 0)
        return AL_E_AUDIENCE;
    bool sealed = (audiences & OPEN) == 0;
    uint32_t needs = kind->needs | (sealed ? BIT(K) : COMMON);
    if ((present & needs) != needs || (kind->either != 0 && (present & kind->either) == 0))
        return AL_E_MISSING;
    if (sealed && (present & (BIT(A) | BIT(S))) != 0)
        return AL_E_KIND;
    return (present & ~(needs | kind->either | kind->may)) == 0 ? 0 : AL_E_KIND;
}

static struct al_slice read_text(struct al_read *r, size_t min, size_t max)
{
    struct al_slice s = al_read_str(r, max);
    if (s.n < min)
        al_read_fail(r, AL_E_LENGTH);
    return s;
}

static enum al_audience read_open_audience(struct al_read *r)
{
    enum al_audience audience = AL_AUDIENCE_ME;
    struct al_slice name = al_read_str(r, AL_NAME_MAX);
    int err = al_audience_of(&audience, name);
    if (err != 0 || !is_open(audience))
        al_read_fail(r, AL_E_AUDIENCE);
    return audience;
}

static void read_tags(struct al_read *r, struct al_payload *p)
{
    uint32_t count = al_read_array(r, 1, AL_TAGS_MAX);
    for (uint32_t i = 0; i < count; i++) {
        p->tags[i] = read_text(r, 1, AL_TAG_MAX);
        if (i > 0 && al_slice_cmp(p->tags[i - 1], p->tags[i]) >= 0)
            al_read_fail(r, AL_E_ORDER);
    }
    p->tag_count = count;
}

/* An array whose elements are checked here and read by somebody else: its raw bytes. */
static struct al_slice read_list(struct al_read *r, const struct field *f)
{
    const uint8_t *start = r->p;
    for (uint32_t left = al_read_array(r, f->min, f->max); left > 0; left--) {
        struct al_ref ref;
        struct al_attachment attachment;
        if (f->type == T_REFS)
            al_read_ref(r, &ref);
        else if (f->type == T_FILES)
            al_attachment_read(r, &attachment);
        else if (f->type == T_BOXES)
            (void)al_read_bin(r, CIRCLE_BOX_BYTES, CIRCLE_BOX_BYTES);
        else
            (void)al_read_bin(r, 1, AL_PAYLOAD_MAX);
    }
    return al_slice_of(start, (size_t)(r->p - start));
}

static struct al_slice read_progress(struct al_read *r)
{
    struct al_slice s = read_text(r, 1, AL_NAME_MAX);
    if (!al_slice_is(s, "open") && !al_slice_is(s, "done") && !al_slice_is(s, "dropped"))
        al_read_fail(r, AL_E_KIND);
    return s;
}

/* Read the value of a field whose type is kept as one slice. */
static struct al_slice read_slice(struct al_read *r, const struct field *f)
{
    if (f->type == T_TEXT)
        return read_text(r, f->min, f->max);
    if (f->type == T_BIN)
        return al_read_bin(r, f->min, f->max);
    if (f->type == T_PROGRESS)
        return read_progress(r);
    if (f->type == T_ANY)
        return al_read_raw(r);
    return read_list(r, f);
}

static void read_field(struct al_read *r, struct al_payload *p, const struct field *f)
{
    void *at = (uint8_t *)p + f->at;
    switch (f->type) {
    case T_AUDIENCE:
        p->audience = read_open_audience(r);
        break;
    case T_KIND:
        p->kind_name = read_text(r, f->min, f->max);
        p->kind = al_kind_of(p->kind_name);
        break;
    case T_SALT:
        al_read_bytes(r, p->salt, sizeof(p->salt));
        break;
    case T_TIME:
        p->at_ms = al_read_uint(r, AL_TIME_MAX);
        break;
    case T_COUNT:
        p->n = al_read_uint(r, UINT64_MAX);
        if (p->n == 0)
            al_read_fail(r, AL_E_RANGE);
        break;
    case T_TAGS:
        read_tags(r, p);
        break;
    case T_REF:
        al_read_ref(r, at);
        break;
    case T_TEXT:
    case T_BIN:
    case T_REFS:
    case T_BOXES:
    case T_BINS:
    case T_FILES:
    case T_ANY:
    case T_PROGRESS:
        *(struct al_slice *)at = read_slice(r, f);
        break;
    }
}

/* A field of a kind that is not known: taken when it is of the type that it has elsewhere. */
static void try_field(struct al_read *r, struct al_payload *p, const struct field *f)
{
    struct al_payload trial = *p;
    struct al_read value = al_read_init(al_read_raw(r));
    read_field(&value, &trial, f);
    if (al_read_end(&value) == 0)
        *p = trial;
}

int al_payload_open(struct al_payload *ret, struct al_slice bytes, bool sealed)
{
    if (bytes.n > AL_PAYLOAD_MAX)
        return AL_E_LENGTH;
    struct al_payload p = {.raw = bytes, .audience = sealed ? AL_AUDIENCE_ME : AL_AUDIENCE_NETWORK};
    uint32_t present = 0;
    struct al_read r = al_read_message(bytes);
    for (uint32_t left = al_read_map(&r, UINT32_MAX); left > 0; left--) {
        struct al_slice key = al_read_str(&r, SIZE_MAX);
        const struct field *f = field_of(key);
        if (f == NULL) {
            (void)al_read_raw(&r);
            continue;
        }
        uint32_t bit = UINT32_C(1) << (f - fields);
        present |= bit;
        /* the order of keys puts k before every field that is not common */
        if (p.kind == AL_KIND_UNKNOWN && (bit & COMMON) == 0)
            try_field(&r, &p, f);
        else
            read_field(&r, &p, f);
    }
    int err = al_read_end(&r);
    if (err != 0)
        return err;
    /* whether a sealed payload is for ME or a CIRCLE is known from the key that opened it */
    err = check_kind(&kinds[p.kind], sealed ? ME | CIRCLE : 1u << p.audience, present);
    if (err == 0)
        *ret = p;
    return err;
}

static bool is_present(const struct al_payload *p, const struct field *f)
{
    const void *at = (const uint8_t *)p + f->at;
    switch (f->type) {
    case T_KIND:
        return true;
    case T_AUDIENCE:
    case T_SALT:
        return is_open(p->audience);
    case T_TIME:
        return p->at_ms > 0;
    case T_TAGS:
        return p->tag_count > 0;
    case T_REF:
        return ((const struct al_ref *)at)->seq > 0;
    case T_COUNT:
        return p->n > 0;
    case T_TEXT:
    case T_BIN:
    case T_REFS:
    case T_BOXES:
    case T_BINS:
    case T_FILES:
    case T_ANY:
    case T_PROGRESS:
        return ((const struct al_slice *)at)->n > 0;
    }
    return false;
}

static void write_field(struct al_buf *b, const struct al_payload *p, const struct field *f)
{
    const void *at = (const uint8_t *)p + f->at;
    const struct al_slice *s = at;
    al_write_cstr(b, f->key);
    switch (f->type) {
    case T_AUDIENCE:
        al_write_cstr(b, al_audience_name(p->audience));
        break;
    case T_SALT:
        al_write_bin(b, p->salt, sizeof(p->salt));
        break;
    case T_TIME:
        al_write_uint(b, p->at_ms);
        break;
    case T_TAGS:
        al_write_array(b, p->tag_count);
        for (uint32_t i = 0; i < p->tag_count; i++)
            al_write_str(b, p->tags[i]);
        break;
    case T_REF:
        al_write_ref(b, at);
        break;
    case T_KIND:
        al_write_cstr(b, al_kind_name(p->kind));
        break;
    case T_TEXT:
    case T_PROGRESS:
        al_write_str(b, *s);
        break;
    case T_BIN:
        al_write_bin(b, s->p, s->n);
        break;
    case T_REFS:
    case T_BOXES:
    case T_BINS:
    case T_FILES:
    case T_ANY:
        al_write_raw(b, *s);
        break;
    case T_COUNT:
        al_write_uint(b, p->n);
        break;
    }
}

int al_payload_encode(struct al_buf *b, const struct al_payload *p)
{
    size_t start = b->n;
    size_t count = 0;
    uint32_t present = 0;
    for (size_t i = 0; i < FIELD_COUNT; i++) {
        if (is_present(p, &fields[i])) {
            present |= UINT32_C(1) << i;
            count++;
        }
    }
    if (p->kind == AL_KIND_UNKNOWN)
        return AL_E_KIND;
    if (p->tag_count > AL_TAGS_MAX)
        return AL_E_COUNT;
    int err = check_kind(&kinds[p->kind], 1u << p->audience, present);
    if (err != 0)
        return err;
    al_write_map(b, count);
    for (size_t i = 0; i < FIELD_COUNT; i++) {
        if ((present & UINT32_C(1) << i) != 0)
            write_field(b, p, &fields[i]);
    }
    if (b->full)
        return AL_E_SPACE;
    /* What a reader would refuse is not written: its own check is the one of limits and forms. */
    struct al_payload check;
    err = al_payload_open(&check, al_slice_of(b->p + start, b->n - start), !is_open(p->audience));
    if (err != 0)
        b->n = start;
    return err;
}

/* What only the node itself fills in: a client can't set it. */
static bool is_own(const struct field *f)
{
    return f->type == T_AUDIENCE || f->type == T_SALT || f->type == T_COUNT || f->type == T_BOXES ||
           f->type == T_BINS || f->at == KEPT(cid) || f->at == KEPT(meta) || f->at == KEPT(parents);
}

/* Tags as people give them: in any order, some twice. */
static void collect_tags(struct al_read *r, struct al_payload *p)
{
    p->tag_count = 0;
    for (uint32_t left = al_read_array(r, 0, UINT32_MAX); left > 0; left--) {
        struct al_slice tag = read_text(r, 1, AL_TAG_MAX);
        uint32_t at = 0;
        while (at < p->tag_count && al_slice_cmp(p->tags[at], tag) < 0)
            at++;
        if (at < p->tag_count && al_slice_eq(p->tags[at], tag))
            continue;
        if (p->tag_count == AL_TAGS_MAX)
            al_read_fail(r, AL_E_COUNT);
        if (r->err != 0)
            return;
        memmove(&p->tags[at + 1], &p->tags[at], (p->tag_count - at) * sizeof(p->tags[0]));
        p->tags[at] = tag;
        p->tag_count++;
    }
}

static struct al_slice read_array_raw(struct al_read *r)
{
    if (al_read_peek(r) != AL_TYPE_ARRAY)
        al_read_fail(r, AL_E_TYPE);
    return al_read_raw(r);
}

int al_payload_from_api(struct al_payload *ret, struct al_slice map)
{
    struct al_payload p = {.raw = map};
    struct al_read r = al_read_init(map);
    for (uint32_t left = al_read_map(&r, UINT32_MAX); left > 0; left--) {
        const struct field *f = field_of(al_read_str(&r, SIZE_MAX));
        if (f == NULL || is_own(f))
            return r.err != 0 ? r.err : AL_E_PARAMS;
        if (f->type == T_TAGS)
            collect_tags(&r, &p);
        else if (f->type == T_FILES)
            p.files = read_array_raw(&r);
        else
            read_field(&r, &p, f);
    }
    int err = al_read_end(&r);
    if (err == 0)
        *ret = p;
    return err;
}
