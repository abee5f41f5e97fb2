/* Files on their way into an entry: read, and handed to the node piece by piece. */
#ifndef AL_UPLOAD_H
#define AL_UPLOAD_H

#include "cli.h"

#define AL_UPLOAD_FILES_MAX 8

/*
 * Check that the |count| files at |paths| are there and can be attached. Returns 0, or the exit
 * status after saying what is wrong.
 */
AL_MUST_CHECK int al_upload_check(struct al_cli *c, const char *const *paths, size_t count);

/* Of how many pieces they would be. */
uint64_t al_upload_pieces(const char *const *paths, size_t count);

/*
 * Hand them to the node, with a bar on a terminal; |ret| is the encoded array of their handles, for
 * the field "files", kept as long as |c|. The same file handed over again gets the same handle, so
 * that what is posted with it is never posted twice. Returns 0, or -1 with |ret_trouble| told.
 */
AL_MUST_CHECK int al_upload(struct al_cli *c, struct al_slice *ret, struct al_trouble *ret_trouble,
    const char *const *paths, size_t count);

#endif
