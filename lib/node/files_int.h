/* Uploads: files on their way into entries. Shared by files.c and api_file.c only. */
#ifndef AL_FILES_INT_H
#define AL_FILES_INT_H

#include "attach.h"
#include "node_int.h"

struct upload {
    uint8_t handle[AL_UPLOAD_HANDLE_BYTES];
    uint64_t created_ms;
    uint32_t generation; /* of the reading key that its own key comes from */
    uint64_t size;
    char mime[AL_MIME_MAX];
    char name[AL_FILE_NAME_MAX];
    size_t mime_n, name_n;
    uint32_t have; /* pieces, in their order */
    uint8_t hashes[AL_PIECES_MAX * 32];
};

uint32_t upload_pieces(const struct upload *u);

/* AL_E_NOT_FOUND, AL_E_CORRUPT, or another store error. */
AL_MUST_CHECK int upload_get(
    struct al_node *n, struct upload *ret, const uint8_t handle[AL_UPLOAD_HANDLE_BYTES]);
AL_MUST_CHECK int upload_put(struct al_node *n, const struct upload *u);

/* AL_E_NOT_FOUND: the reading key is not here. */
AL_MUST_CHECK int upload_key(struct al_node *n, uint8_t out[32], const struct upload *u);

/* Append the attachment that it makes. */
void upload_encode(struct al_buf *b, const struct upload *u, const uint8_t key[32]);

#endif
