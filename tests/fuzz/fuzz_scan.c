/* The scanner, in both profiles, against msgpack-c and against the cursor. */
#include "fuzz.h"
#include "limit.h"
#include "read.h"
#include "scan.h"

static void reads_to_its_end(struct al_slice bytes)
{
    struct al_read r = al_read_init(bytes);
    AL_ASSERT(al_slice_eq(al_read_raw(&r), bytes));
    AL_ASSERT(al_read_end(&r) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct al_slice bytes = al_slice_of(data, n);
    if (al_scan(bytes, &al_scan_message) == 0) {
        AL_ASSERT(fuzz_msgpack_reads(bytes, true));
        AL_ASSERT(al_scan(bytes, &al_scan_rpc) == 0);
        reads_to_its_end(bytes);
    }
    size_t used = 0;
    int err = al_scan_first(&used, bytes, &al_scan_rpc);
    AL_ASSERT(err != AL_E_TRUNCATED && err != AL_E_TRAILING);
    if (err == 0) {
        AL_ASSERT(used > 0 && used <= n);
        struct al_slice first = al_slice_of(data, used);
        AL_ASSERT(al_scan(first, &al_scan_rpc) == 0);
        AL_ASSERT(al_scan_first(&used, al_slice_of(data, used - 1), &al_scan_rpc) == AL_E_MORE);
        AL_ASSERT(fuzz_msgpack_reads(first, false));
        reads_to_its_end(first);
    }
    return 0;
}
