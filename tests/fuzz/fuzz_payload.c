/*
 * Payloads of entries. The first byte says what the rest is: 0 an open payload, 1 what came out
 * of a sealed one, 2 the map of the local API for a new entry.
 */
#include "fuzz.h"
#include "payload.h"
#include "scan.h"

/* What is written of |p| can be read, says the same, and is written the same again. */
static void survives(const struct al_payload *p, size_t size)
{
    static uint8_t first[AL_PAYLOAD_MAX];
    struct al_buf b = al_buf_fixed(first, sizeof(first));
    int err = al_payload_encode(&b, p);
    AL_ASSERT(err == 0);
    AL_ASSERT(b.n <= size); /* keys of later versions are left out, nothing is added */
    struct al_payload again;
    bool sealed = p->audience == AL_AUDIENCE_ME || p->audience == AL_AUDIENCE_CIRCLE;
    AL_ASSERT(al_payload_open(&again, al_buf_slice(&b), sealed) == 0);
    AL_ASSERT(again.kind == p->kind && again.tag_count == p->tag_count);
    AL_ASSERT(al_slice_eq(again.text, p->text) && again.at_ms == p->at_ms);
    AL_ASSERT(al_slice_eq(again.files, p->files) && al_slice_eq(again.boxes, p->boxes));
    again.audience = p->audience;
    struct al_buf second = fuzz_buf();
    AL_ASSERT(al_payload_encode(&second, &again) == 0);
    AL_ASSERT(al_slice_eq(al_buf_slice(&b), al_buf_slice(&second)));
}

static void open_and_check(struct al_slice bytes, bool sealed)
{
    struct al_payload p;
    if (al_payload_open(&p, bytes, sealed) != 0)
        return;
    AL_ASSERT(!al_payload_is_sealed(bytes));
    AL_ASSERT(p.kind == al_kind_of(p.kind_name));
    if (sealed && (p.kind == AL_KIND_SHARE || p.kind == AL_KIND_LEAVE))
        p.audience = AL_AUDIENCE_CIRCLE; /* the kinds that are sealed, but never for ME */
    if (p.kind != AL_KIND_UNKNOWN)
        survives(&p, bytes.n);
}

static void take_from_api(struct al_slice map)
{
    struct al_payload p;
    if (al_scan(map, &al_scan_rpc) != 0 || al_payload_from_api(&p, map) != 0)
        return;
    for (enum al_audience a = AL_AUDIENCE_ME; a <= AL_AUDIENCE_WEB; a++) {
        struct al_buf b = fuzz_buf();
        p.audience = a;
        if (al_payload_encode(&b, &p) == 0) {
            struct al_payload again;
            bool sealed = a == AL_AUDIENCE_ME || a == AL_AUDIENCE_CIRCLE;
            AL_ASSERT(al_payload_open(&again, al_buf_slice(&b), sealed) == 0);
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    if (n == 0)
        return 0;
    struct al_slice rest = al_slice_of(data + 1, n - 1);
    if (data[0] == 2)
        take_from_api(rest);
    else
        open_and_check(rest, data[0] == 1);
    return 0;
}
