/* Calls of the local API, and what they tell. */
#include <stdio.h>
#include <stdlib.h>

#include "check.h"
#include "read.h"
#include "rig.h"
#include "rpc.h"
#include "write.h"

static void put_key(struct al_buf *b, uint64_t number)
{
    uint8_t key[16];
    sample_bytes(key, sizeof(key), 70000 + number);
    al_write_cstr(b, "key");
    al_write_bin(b, key, sizeof(key));
}

uint64_t rig_call_in_turn(struct rig_node *n, const char *method, struct al_slice params)
{
    uint64_t id = ++n->rig->next_call;
    al_node_call(n->node, id, al_slice_str(method), params);
    return id;
}

struct rig_answer *rig_answer(struct rig *r, uint64_t id)
{
    for (int i = 0; i < r->answer_count; i++) {
        if (r->answers[i].call == id)
            return &r->answers[i];
    }
    return NULL;
}

struct rig_answer *rig_last(struct rig *r)
{
    return rig_answer(r, r->next_call);
}

int rig_call(struct rig_node *n, const char *method, struct al_slice params)
{
    rig_begin(n);
    uint64_t id = rig_call_in_turn(n, method, params);
    rig_end(n);
    const struct rig_answer *a = rig_answer(n->rig, id);
    return a == NULL ? RIG_PENDING : a->err;
}

struct al_buf rig_post_params(
    uint64_t key, const char *text, const char *to, const struct al_ref *re)
{
    struct al_buf b = al_heapbuf();
    al_write_map(&b, to == NULL ? 2 : 3);
    put_key(&b, key);
    if (to != NULL) {
        al_write_cstr(&b, "to");
        al_write_cstr(&b, to);
    }
    al_write_cstr(&b, "entry");
    al_write_map(&b, re == NULL ? 2 : 3);
    al_write_cstr(&b, "k");
    al_write_cstr(&b, re == NULL ? "note" : "reply");
    if (re != NULL) {
        al_write_cstr(&b, "re");
        al_write_ref(&b, re);
    }
    al_write_cstr(&b, "text");
    al_write_cstr(&b, text);
    return b;
}

static void read_ref(struct rig *r, struct al_ref *ret)
{
    struct al_read in = al_read_init(al_rpc_param(al_buf_slice(&rig_last(r)->bytes), "ref"));
    al_read_ref(&in, ret);
    AL_ASSERT(al_read_end(&in) == 0);
}

int rig_post(struct rig_node *n, const char *text, const char *to, struct al_ref *ret)
{
    struct al_buf b = rig_post_params(++n->rig->next_call, text, to, NULL);
    int err = rig_call(n, "post", al_buf_slice(&b));
    if (err == 0 && ret != NULL)
        read_ref(n->rig, ret);
    al_heapbuf_free(&b);
    return err;
}

void rig_post_many(struct rig_node *n, uint32_t count, size_t bytes)
{
    struct al_buf b = al_heapbuf();
    char *text = malloc(bytes + 1);
    AL_ASSERT(text != NULL);
    memset(text, 'x', bytes);
    al_write_map(&b, 3);
    put_key(&b, ++n->rig->next_call);
    al_write_cstr(&b, "to");
    al_write_cstr(&b, "network");
    al_write_cstr(&b, "entries");
    al_write_array(&b, count);
    for (uint32_t i = 0; i < count; i++) {
        al_write_map(&b, 2);
        al_write_cstr(&b, "k");
        al_write_cstr(&b, "note");
        al_write_cstr(&b, "text");
        al_write_str(&b, al_slice_of(text, bytes));
    }
    AL_ASSERT(!b.full && rig_call(n, "post_many", al_buf_slice(&b)) == 0);
    al_heapbuf_free(&b);
    free(text);
}

uint64_t rig_status(struct rig_node *n, const char *key)
{
    static const uint8_t empty = 0x80;
    AL_ASSERT(rig_call(n, "status", al_slice_of(&empty, 1)) == 0);
    struct al_read r = al_read_init(al_rpc_param(al_buf_slice(&rig_last(n->rig)->bytes), key));
    uint64_t value = al_read_uint(&r, UINT64_MAX);
    AL_ASSERT(al_read_end(&r) == 0);
    return value;
}

void rig_relate(struct rig_node *n, const struct al_identity *who, const char *relation, bool on)
{
    struct al_buf b = al_heapbuf();
    al_write_map(&b, 4);
    put_key(&b, ++n->rig->next_call);
    al_write_cstr(&b, "identity");
    al_write_bin(&b, who->b, sizeof(who->b));
    al_write_cstr(&b, "relation");
    al_write_cstr(&b, relation);
    al_write_cstr(&b, "value");
    al_write_bool(&b, on);
    AL_ASSERT(rig_call(n, "relate", al_buf_slice(&b)) == 0);
    al_heapbuf_free(&b);
}

const char *rig_invite(struct rig_node *n, uint64_t uses)
{
    static char ticket[AL_TICKET_MAX];
    struct al_buf b = al_heapbuf();
    al_write_map(&b, 2);
    put_key(&b, ++n->rig->next_call);
    al_write_cstr(&b, "uses");
    al_write_uint(&b, uses);
    AL_ASSERT(rig_call(n, "invite", al_buf_slice(&b)) == 0);
    al_heapbuf_free(&b);
    struct al_read r = al_read_init(al_rpc_param(al_buf_slice(&rig_last(n->rig)->bytes), "ticket"));
    struct al_slice text = al_read_str(&r, sizeof(ticket) - 1);
    memcpy(ticket, text.p, text.n);
    ticket[text.n] = '\0';
    return ticket;
}

int rig_join(struct rig_node *n, const char *ticket)
{
    struct al_buf b = al_heapbuf();
    al_write_map(&b, 2);
    put_key(&b, ++n->rig->next_call);
    al_write_cstr(&b, "ticket");
    al_write_cstr(&b, ticket);
    int err = rig_call(n, "join", al_buf_slice(&b));
    al_heapbuf_free(&b);
    return err;
}

/* --- what a node holds ----------------------------------------------------------------------- */

struct look {
    const struct al_device *device;
    struct al_store_log *out;
    uint64_t held;
    bool found;
};

static int look_at(void *arg, const struct al_store_log *log)
{
    struct look *look = arg;
    if (!al_device_eq(&log->device, look->device))
        return 0;
    if (!look->found && look->out != NULL)
        *look->out = *log;
    look->found = true;
    look->held += log->held;
    return 0;
}

uint64_t rig_holds(struct rig_node *n, const struct rig_person *author)
{
    struct look look = {.device = &author->keyring.device};
    AL_ASSERT(al_store_logs(n->store, look_at, &look) == 0);
    return look.held;
}

bool rig_log(struct rig_node *n, struct al_store_log *ret, const struct al_device *device)
{
    struct look look = {.device = device, .out = ret};
    AL_ASSERT(al_store_logs(n->store, look_at, &look) == 0);
    return look.found;
}
