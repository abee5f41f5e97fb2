/* A store of either kind for a test, with made-up entries to put into it. */
#ifndef AL_TEST_WORLD_H
#define AL_TEST_WORLD_H

#include "store.h"

enum kind { MEM, SQLITE };

struct world {
    enum kind kind;
    struct al_store *s;
    struct al_store_disk *disk; /* MEM */
    char dir[64];               /* SQLITE */
    char path[80];
};

void world_open(struct world *w, enum kind kind);
void world_close(struct world *w);

/* True if a file beside log.db, or log.db, holds these bytes. SQLITE only. */
bool world_holds_bytes(const struct world *w, const void *needle, size_t n);

/* Close the store and open it again, as after a crash of the program. */
void world_reopen(struct world *w);

void begin(struct world *w);
void commit(struct world *w);

/* Add log |n|, whose names are made from |n|: its number. */
uint32_t add_log(struct world *w, uint8_t n);
struct al_identity identity_of(uint8_t n);
struct al_device device_of(uint8_t n);
struct al_logname name_of(uint8_t n);

/* Entry |seq| of a made-up chain: what is stored of it, and what a test expects to see again. */
struct al_store_item item_of(uint64_t seq);
struct al_hash id_of(uint64_t seq);
struct al_sig sig_of(uint64_t seq);

/* Put entries first..last of the chain; al_store_put()'s result. |put_all| wants success. */
int try_put(struct world *w, uint32_t log_no, uint64_t first, uint64_t last);
uint64_t put_all(struct world *w, uint32_t log_no, uint64_t first, uint64_t last);

#endif
