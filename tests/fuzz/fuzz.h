/*
 * What every fuzz target shares. A target is one file with one function, fed by libFuzzer (clang)
 * or by driver.c with the files of its corpus (any compiler). A target checks more than that
 * nothing crashes: what a decoder accepts must come out of the encoder as the same bytes.
 */
#ifndef FUZZ_H
#define FUZZ_H

#include "bytes.h"
#include "check.h"

/* Look at |n| bytes of input. Always returns 0; what must not be ends in an assertion. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* An empty buffer of a megabyte, the same space at every call. */
struct al_buf fuzz_buf(void);

/* True if msgpack-c reads |bytes| as exactly one value; |same|: and writes them again. */
bool fuzz_msgpack_reads(struct al_slice bytes, bool same);

#endif
