/* Shared by the files of tests/sim only. */
#ifndef AL_WORLD_INT_H
#define AL_WORLD_INT_H

#include <sys/queue.h>

#include "heap.h"
#include "heapbuf.h"
#include "init.h"
#include "logs.h"
#include "map.h"
#include "node.h"
#include "rng.h"
#include "world.h"

struct sim_node {
    uint32_t no;
    uint8_t entropy[32]; /* of its root */
    struct al_keyring keyring;
    struct al_store_disk *disk;
    struct al_store_disk *older; /* as it was at an earlier stop; NULL: not kept */
    bool new_log;                /* the disk is older than the key files say */
    struct al_node *node;        /* NULL while it is down */
    struct al_store *store;      /* that the node has open; NULL while it is down */
    struct event *wake;
    uint64_t boots;
    struct al_buf boot_list; /* of its device, joined */
    char address[32];
    char ticket[2048];    /* of an invite without end of uses, once it is made */
    struct al_map *acked; /* device || log || seq of own acknowledged entries -> struct acked * */
    uint64_t acked_count;
    int64_t clock_ms;       /* how far its wall clock is off */
    uint64_t full_until_ms; /* its disk is full until then */
};

struct acked {
    struct al_hash id;
    bool lost; /* with a disk that was replaced by an older one: it may come back from others */
};

enum event_type {
    EVENT_WAKE,    /* a node's deadline */
    EVENT_DIAL,    /* a dial arrives */
    EVENT_MESSAGE, /* bytes arrive */
    EVENT_CLOSED,  /* a close arrives */
    EVENT_POST,    /* somebody writes */
    EVENT_JOIN,    /* somebody accepts an invite */
    EVENT_CUT,     /* a connection breaks */
    EVENT_CRASH,   /* a node stops */
    EVENT_START,   /* it comes back */
    EVENT_BAD_COMMIT,
    EVENT_FULL,   /* a disk is full for a while */
    EVENT_CLOCK,  /* a wall clock jumps */
    EVENT_REVOKE, /* the owner of a stolen device revokes it */
};

struct event {
    struct al_heap_node timer; /* first: the heap hands it back */
    enum event_type type;
    uint32_t node;
    uint64_t conn;
    uint64_t dial;
    uint32_t other;
    int err;
    uint8_t *bytes;
    size_t n;
};

/* One connection: two ends. */
struct conn {
    uint64_t id;
    uint32_t ends[2];
    bool open[2];        /* the end has not closed it yet */
    uint64_t free_ms[2]; /* when the direction towards an end is free again: keeps order */
};

struct world {
    struct world_opts opts;
    struct al_rng rng;
    uint64_t now_ms;
    struct al_heap heap;
    struct sim_node *nodes;
    struct al_map *conns; /* id -> struct conn * */
    uint64_t next_conn, next_call;
    struct al_map *calls; /* id -> what it was, see world_call() */
    struct world_report report;
    bool revoked;       /* the stolen device */
    uint32_t behind[2]; /* who lacks something, of whom */
    char broken[512];   /* the first broken invariant */
};

/* --- world.c ------------------------------------------------------------------------------- */

struct event *event_new(struct world *w, enum event_type type, uint32_t node, uint64_t at_ms);
void break_invariant(struct world *w, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
struct al_now world_now(const struct world *w, const struct sim_node *s);

/* True if |s| lies, in this world. */
bool is_liar(const struct world *w, const struct sim_node *s);

/* True if |s| is a stolen device, in this world; its person is the node before it. */
bool is_thief(const struct world *w, const struct sim_node *s);

/* The call to revoke it was answered. */
void revoke_answered(struct world *w, int err);

/* --- turn.c: one turn of one node, and what becomes of its effects ---------------------------- */

void turn_begin(struct world *w, struct sim_node *s);
void turn_end(struct world *w, struct sim_node *s);
void turn_call(
    struct world *w, struct sim_node *s, const char *method, const struct al_buf *params);
void conn_close_end(struct world *w, struct conn *c, uint32_t node, int err);

/* --- judge.c: what must hold ------------------------------------------------------------------ */

/* Entry |ref| of |s| was acknowledged to its owner. */
void judge_acked(struct world *w, struct sim_node *s, const struct al_ref *ref);

/* The disk of |s|, on which no store is open, is an older one now: what it lacks is lost. */
void judge_rolled_back(struct sim_node *s);

/* After a turn of |s|, or after its restart: everything acknowledged is there. */
void judge_owner(struct world *w, struct sim_node *s);

/* |s| ended its connection to |other|: an honest node never blames an honest one. */
void judge_close(struct world *w, const struct sim_node *s, const struct sim_node *other, int err);

/* True when every node holds everything of everybody it follows. */
bool judge_converged(struct world *w);

/* True when the stolen device is revoked, and the same of its logs counts everywhere. */
bool judge_revoked(struct world *w);

/* Walk every log of every node. */
void judge_chains(struct world *w);

#endif
