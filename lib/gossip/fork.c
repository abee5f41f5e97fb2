/* Proofs that a log forks, from peer to peer. docs/protocol.md, "Forks". */
#include "gossip_int.h"
#include "proof.h"
#include "read.h"
#include "write.h"

static int fork_send(struct al_gossip *g, struct peer *p, const struct al_log *log)
{
    struct al_message m = {.type = AL_MSG_FORK};
    struct al_slice proof;
    int err = al_ingest_proof(g->logs, &proof, log);
    if (err != 0)
        return err;
    struct al_read r = al_read_message(proof);
    (void)al_read_array(&r, 2, 2);
    m.u.fork.a = al_read_raw(&r);
    m.u.fork.b = al_read_raw(&r);
    if (al_read_end(&r) != 0)
        return AL_E_CORRUPT;
    peer_send_message(g, p, &m);
    return 0;
}

int fork_owed(struct al_gossip *g, struct peer *p, const struct al_log *log)
{
    struct peer_head *theirs;
    int err = head_note(g, p, &theirs, &log->device, &log->name, 0);
    if (err != 0 || theirs == NULL || theirs->fork_told)
        return err;
    theirs->fork_told = true;
    return fork_send(g, p, log);
}

int fork_tell(struct al_gossip *g, const struct al_log *log, const struct peer *source)
{
    struct peer *p;
    int err = 0;
    TAILQ_FOREACH (p, &g->peers, link) {
        if (err == 0 && p != source && p->state == PEER_READY &&
            peer_wants(p, &log->person->identity))
            err = fork_send(g, p, log);
    }
    return err;
}

int fork_receive(struct al_gossip *g, struct peer *p, const struct al_message *m)
{
    uint8_t bytes[AL_FORK_MAX];
    struct al_buf b = al_buf_fixed(bytes, sizeof(bytes));
    struct al_fork fork;
    bool is_new = false;
    al_write_array(&b, 2);
    al_write_raw(&b, m->u.fork.a);
    al_write_raw(&b, m->u.fork.b);
    int err = b.full ? AL_E_LENGTH : al_fork_open(&fork, al_buf_slice(&b));
    if (err != 0) {
        peer_close(g, p, err);
        return 0;
    }
    struct al_log *log = al_logs_find(g->logs, &fork.device, &fork.log);
    if (log == NULL || !wanted(g, log->person))
        return 0; /* whoever gives us entries of it will tell us again */
    err = al_ingest_fork(g->logs, &is_new, log, fork.seq, al_buf_slice(&b));
    return err == 0 && is_new ? fork_tell(g, log, p) : err;
}
