#include "identity.h"

#include <stdlib.h>

#include "check.h"

/* What the record needs of a statement at hand; the rest stays encoded. */
struct item {
    enum al_statement_kind kind;
    struct al_device device; /* zero for READ */
    uint64_t number;         /* CERT: created_ms; READ: generation; REVOKE: 0 */
    struct al_hash hash;
    struct al_slice name;     /* CERT: inside |bytes| */
    struct al_slice elements; /* REVOKE: the cuts, READ: the boxes; inside |bytes| */
    uint32_t count;           /* of cuts or boxes */
    uint8_t read_pk[32];      /* READ */
    struct al_slice bytes;    /* the encoding: |data| */
    uint8_t data[];
};

struct al_record {
    struct al_identity identity;
    struct item **by_hash;
    struct item **by_group; /* the same, by kind, device, number, hash */
    size_t count;
    size_t cap;
};

static int compare_hash(const struct item *a, const struct item *b)
{
    return memcmp(a->hash.b, b->hash.b, sizeof(a->hash.b));
}

/* Statements that compete for the same places stand together. */
static int compare_group(const struct item *a, const struct item *b)
{
    if (a->kind != b->kind)
        return a->kind < b->kind ? -1 : 1;
    int c = memcmp(a->device.b, b->device.b, sizeof(a->device.b));
    if (c != 0)
        return c;
    if (a->number != b->number)
        return a->number < b->number ? -1 : 1;
    return compare_hash(a, b);
}

/* The order in which certificates are kept. */
static int compare_age(const struct item *a, const struct item *b)
{
    if (a->number != b->number)
        return a->number < b->number ? -1 : 1;
    return compare_group(a, b);
}

/* The first place in |items| that does not come before |item|. */
static size_t place_of(struct item *const *items, size_t count, const struct item *item,
    int (*compare)(const struct item *a, const struct item *b))
{
    size_t low = 0, high = count;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (compare(items[mid], item) < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

static void insert_at(struct item **items, size_t count, size_t place, struct item *item)
{
    memmove(&items[place + 1], &items[place], (count - place) * sizeof(items[0]));
    items[place] = item;
}

static void remove_at(struct item **items, size_t count, size_t place)
{
    memmove(&items[place], &items[place + 1], (count - place - 1) * sizeof(items[0]));
}

static void evict(struct al_record *r, struct item *item)
{
    remove_at(r->by_hash, r->count, place_of(r->by_hash, r->count, item, compare_hash));
    remove_at(r->by_group, r->count, place_of(r->by_group, r->count, item, compare_group));
    r->count--;
    free(item);
}

/* The items of a kind: a run in by_group. */
static size_t first_of(const struct al_record *r, enum al_statement_kind kind)
{
    size_t i = 0;
    while (i < r->count && r->by_group[i]->kind < kind)
        i++;
    return i;
}

/* The first item about |device| of a kind, or where it would be. */
static size_t first_about(
    const struct al_record *r, enum al_statement_kind kind, const struct al_device *device)
{
    const struct item least = {.kind = kind, .device = *device};
    return place_of(r->by_group, r->count, &least, compare_group);
}

static bool is_about(const struct al_record *r, size_t i, enum al_statement_kind kind,
    const struct al_device *device)
{
    return i < r->count && r->by_group[i]->kind == kind &&
           al_device_eq(&r->by_group[i]->device, device);
}

/* The newest certificate, if there are too many. */
static struct item *surplus_cert(const struct al_record *r)
{
    size_t i = 0;
    struct item *newest = NULL;
    for (; i < r->count && r->by_group[i]->kind == AL_STATEMENT_CERT; i++) {
        if (newest == NULL || compare_age(r->by_group[i], newest) > 0)
            newest = r->by_group[i];
    }
    return i > AL_CERTS_MAX ? newest : NULL;
}

/* The last revocation of a device that has too many, or of the last of too many devices. */
static struct item *surplus_revocation(const struct al_record *r)
{
    size_t devices = 0, of_device = 0;
    for (size_t i = first_of(r, AL_STATEMENT_REVOKE);
         i < r->count && r->by_group[i]->kind == AL_STATEMENT_REVOKE; i++) {
        struct item *item = r->by_group[i];
        if (of_device > 0 && al_device_eq(&item->device, &r->by_group[i - 1]->device)) {
            of_device++;
        } else {
            devices++;
            of_device = 1;
        }
        if (of_device > AL_REVOCATIONS_PER_DEVICE_MAX || devices > AL_CERTS_MAX)
            return item;
    }
    return NULL;
}

/* The last statement of a generation that has too many. */
static struct item *surplus_read(const struct al_record *r)
{
    size_t of_generation = 0;
    for (size_t i = first_of(r, AL_STATEMENT_READ); i < r->count; i++) {
        bool same = of_generation > 0 && r->by_group[i]->number == r->by_group[i - 1]->number;
        of_generation = same ? of_generation + 1 : 1;
        if (of_generation > AL_READ_PER_GENERATION_MAX)
            return r->by_group[i];
    }
    return NULL;
}

static struct item *surplus(const struct al_record *r, enum al_statement_kind kind)
{
    switch (kind) {
    case AL_STATEMENT_CERT:
        return surplus_cert(r);
    case AL_STATEMENT_REVOKE:
        return surplus_revocation(r);
    case AL_STATEMENT_READ:
        return surplus_read(r);
    }
    return NULL;
}

static int make_room(struct al_record *r)
{
    if (r->count < r->cap)
        return 0;
    size_t cap = r->cap == 0 ? 4 : r->cap * 2;
    struct item **by_hash = reallocarray(r->by_hash, cap, sizeof(struct item *));
    if (by_hash == NULL)
        return AL_E_NOMEM;
    r->by_hash = by_hash;
    struct item **by_group = reallocarray(r->by_group, cap, sizeof(struct item *));
    if (by_group == NULL)
        return AL_E_NOMEM;
    r->by_group = by_group;
    r->cap = cap;
    return 0;
}

/* The part |s| of |from| at the same place in |to|. */
static struct al_slice moved(struct al_slice s, struct al_slice from, const uint8_t *to)
{
    if (s.n == 0)
        return al_slice_of(to, 0);
    AL_ASSERT(s.p >= from.p && s.p + s.n <= from.p + from.n);
    return al_slice_of(to + (s.p - from.p), s.n);
}

static struct item *new_item(const struct al_statement *s, struct al_slice bytes)
{
    struct item *item = malloc(sizeof(*item) + bytes.n);
    if (item == NULL)
        return NULL;
    *item = (struct item){.kind = s->kind, .hash = s->hash};
    memcpy(item->data, bytes.p, bytes.n);
    item->bytes = al_slice_of(item->data, bytes.n);
    switch (s->kind) {
    case AL_STATEMENT_CERT:
        item->device = s->device;
        item->number = s->created_ms;
        item->name = moved(s->name, bytes, item->data);
        break;
    case AL_STATEMENT_REVOKE:
        item->device = s->device;
        item->elements = moved(s->elements, bytes, item->data);
        item->count = s->count;
        break;
    case AL_STATEMENT_READ:
        item->number = s->generation;
        item->elements = moved(s->elements, bytes, item->data);
        item->count = s->count;
        memcpy(item->read_pk, s->read_pk, sizeof(item->read_pk));
        break;
    }
    return item;
}

struct al_record *al_record_new(const struct al_identity *identity)
{
    struct al_record *r = calloc(1, sizeof(*r));
    if (r != NULL)
        r->identity = *identity;
    return r;
}

void al_record_free(struct al_record *r)
{
    if (r == NULL)
        return;
    for (size_t i = 0; i < r->count; i++)
        free(r->by_hash[i]);
    free(r->by_hash);
    free(r->by_group);
    free(r);
}

const struct al_identity *al_record_identity(const struct al_record *r)
{
    return &r->identity;
}

int al_record_add(
    struct al_record *r, bool *ret_new, const struct al_statement *s, struct al_slice bytes)
{
    if (!al_identity_eq(&s->identity, &r->identity))
        return AL_E_IDENTITY;
    const struct item sought = {.hash = s->hash};
    size_t place = place_of(r->by_hash, r->count, &sought, compare_hash);
    if (place < r->count && al_hash_eq(&r->by_hash[place]->hash, &s->hash)) {
        *ret_new = false;
        return 0;
    }
    int err = make_room(r);
    if (err != 0)
        return err;
    struct item *item = new_item(s, bytes);
    if (item == NULL)
        return AL_E_NOMEM;
    insert_at(r->by_hash, r->count, place, item);
    insert_at(r->by_group, r->count, place_of(r->by_group, r->count, item, compare_group), item);
    r->count++;

    bool kept = true;
    struct item *out;
    while ((out = surplus(r, s->kind)) != NULL) {
        kept = kept && out != item;
        evict(r, out);
    }
    *ret_new = kept;
    return 0;
}

size_t al_record_count(const struct al_record *r)
{
    return r->count;
}

void al_record_digest(const struct al_record *r, struct al_hash *out)
{
    struct al_hash hashes[AL_RECORD_STATEMENTS_MAX];
    AL_ASSERT(r->count <= AL_RECORD_STATEMENTS_MAX);
    for (size_t i = 0; i < r->count; i++)
        hashes[i] = r->by_hash[i]->hash;
    al_statement_digest(out, hashes, r->count);
}

struct al_slice al_record_statement(const struct al_record *r, size_t i, struct al_hash *ret_hash)
{
    AL_ASSERT(i < r->count);
    if (ret_hash != NULL)
        *ret_hash = r->by_hash[i]->hash;
    return r->by_hash[i]->bytes;
}

/* Up to where a revocation lets |log| count: seq 0 when it does not name it. */
static void find_cut(struct al_cut *out, const struct item *item, const struct al_logname *log)
{
    const struct al_statement s = {
        .kind = AL_STATEMENT_REVOKE, .elements = item->elements, .count = item->count};
    for (uint32_t i = 0; i < item->count; i++) {
        al_statement_cut(out, &s, i);
        if (al_logname_eq(&out->log, log))
            return;
    }
    *out = (struct al_cut){.log = *log};
}

static bool smaller_cut(const struct al_cut *a, const struct al_cut *b)
{
    return a->seq != b->seq ? a->seq < b->seq : memcmp(a->id.b, b->id.b, sizeof(a->id.b)) < 0;
}

enum al_standing al_record_standing(const struct al_record *r, struct al_cut *ret_cut,
    const struct al_device *device, const struct al_logname *log)
{
    if (!is_about(r, first_about(r, AL_STATEMENT_CERT, device), AL_STATEMENT_CERT, device))
        return AL_STANDING_UNKNOWN;
    size_t first = first_about(r, AL_STATEMENT_REVOKE, device);
    if (!is_about(r, first, AL_STATEMENT_REVOKE, device))
        return AL_STANDING_CERTIFIED;
    if (log == NULL)
        return AL_STANDING_REVOKED;
    find_cut(ret_cut, r->by_group[first], log);
    for (size_t i = first + 1; is_about(r, i, AL_STATEMENT_REVOKE, device); i++) {
        struct al_cut cut;
        find_cut(&cut, r->by_group[i], log);
        if (smaller_cut(&cut, ret_cut))
            *ret_cut = cut;
    }
    return AL_STANDING_REVOKED;
}

/* True if the |i|th of by_group is the first certificate of a device. */
static bool begins_device(const struct al_record *r, size_t i)
{
    return i == 0 || !al_device_eq(&r->by_group[i]->device, &r->by_group[i - 1]->device);
}

size_t al_record_devices(const struct al_record *r)
{
    size_t n = 0;
    for (size_t i = 0; i < r->count && r->by_group[i]->kind == AL_STATEMENT_CERT; i++)
        n += begins_device(r, i);
    return n;
}

void al_record_device(
    const struct al_record *r, size_t i, struct al_device *ret, struct al_slice *ret_name)
{
    size_t at = 0;
    for (;; at++) {
        AL_ASSERT(at < r->count && r->by_group[at]->kind == AL_STATEMENT_CERT);
        if (begins_device(r, at) && i-- == 0)
            break;
    }
    *ret = r->by_group[at]->device;
    *ret_name = r->by_group[at]->name;
}

struct al_slice al_record_cert(const struct al_record *r, const struct al_device *device)
{
    size_t i = first_about(r, AL_STATEMENT_CERT, device);
    return is_about(r, i, AL_STATEMENT_CERT, device) ? r->by_group[i]->bytes : al_slice_of(NULL, 0);
}

uint32_t al_record_read_generation(const struct al_record *r)
{
    if (r->count == 0 || r->by_group[r->count - 1]->kind != AL_STATEMENT_READ)
        return 0;
    return (uint32_t)r->by_group[r->count - 1]->number;
}

/* The statements of a generation are a run in by_group, the smallest hash first. */
static size_t first_reading(const struct al_record *r, uint32_t generation)
{
    const struct item least = {.kind = AL_STATEMENT_READ, .number = generation};
    return place_of(r->by_group, r->count, &least, compare_group);
}

static bool is_reading(const struct al_record *r, size_t i, uint32_t generation)
{
    return i < r->count && r->by_group[i]->number == generation;
}

static bool is_revoked(const struct al_record *r, const struct al_device *device)
{
    return is_about(r, first_about(r, AL_STATEMENT_REVOKE, device), AL_STATEMENT_REVOKE, device);
}

static void box_of(struct al_read_box *out, const struct item *item, uint32_t i)
{
    const struct al_statement s = {
        .kind = AL_STATEMENT_READ, .elements = item->elements, .count = item->count};
    al_statement_box(out, &s, i);
}

static bool has_revoked_box(const struct al_record *r, const struct item *item)
{
    struct al_read_box box;
    for (uint32_t i = 0; i < item->count; i++) {
        box_of(&box, item, i);
        if (is_revoked(r, &box.device))
            return true;
    }
    return false;
}

void al_record_reading(const struct al_record *r, struct al_reading *ret)
{
    *ret = (struct al_reading){.generation = al_record_read_generation(r)};
    if (ret->generation == 0)
        return;
    size_t i = first_reading(r, ret->generation);
    memcpy(ret->read_pk, r->by_group[i]->read_pk, sizeof(ret->read_pk));
    for (; is_reading(r, i, ret->generation) && !ret->unsafe; i++)
        ret->unsafe = has_revoked_box(r, r->by_group[i]);
}

int al_record_read_box(const struct al_record *r, uint8_t ret_box[AL_READ_BOX_BYTES],
    uint8_t ret_pk[32], uint32_t generation, const struct al_device *device)
{
    for (size_t i = first_reading(r, generation); is_reading(r, i, generation); i++) {
        const struct item *item = r->by_group[i];
        for (uint32_t at = 0; at < item->count; at++) {
            struct al_read_box box;
            box_of(&box, item, at);
            if (!al_device_eq(&box.device, device))
                continue;
            memcpy(ret_box, box.box, sizeof(box.box));
            memcpy(ret_pk, item->read_pk, sizeof(item->read_pk));
            return 0;
        }
    }
    return AL_E_NOT_FOUND;
}
