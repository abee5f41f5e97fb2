#include "fuzz.h"

#include <msgpack.h>

struct al_buf fuzz_buf(void)
{
    static uint8_t space[1024 * 1024];
    return al_buf_fixed(space, sizeof(space));
}

static int append(void *to, const char *p, size_t n)
{
    al_buf_put(to, p, n);
    return 0;
}

bool fuzz_msgpack_reads(struct al_slice bytes, bool same)
{
    struct al_buf again = fuzz_buf();
    msgpack_unpacked value;
    msgpack_packer packer;
    size_t used = 0;
    msgpack_unpacked_init(&value);
    msgpack_packer_init(&packer, &again, append);
    bool good = msgpack_unpack_next(&value, (const char *)bytes.p, bytes.n, &used) ==
                    MSGPACK_UNPACK_SUCCESS &&
                used == bytes.n;
    if (good && same)
        good = msgpack_pack_object(&packer, value.data) == 0 &&
               al_slice_eq(al_buf_slice(&again), bytes);
    msgpack_unpacked_destroy(&value);
    return good;
}
