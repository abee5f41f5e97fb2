#include "input.h"

#include <sodium.h>
#include <stdlib.h>

#include "check.h"
#include "limit.h"

static_assert(AL_ADDRESSES_MAX == 8, "an input holds all addresses");

/* A zeroed input with room for |n| bytes. Without memory a node can't go on. */
static struct al_input *new_input(enum al_input_type type, uint64_t id, size_t n)
{
    struct al_input *in = malloc(sizeof(*in) + n);
    AL_ASSERT(in != NULL);
    memset(in, 0, sizeof(*in));
    in->item.bytes = sizeof(*in) + n;
    in->type = type;
    in->id = id;
    return in;
}

static struct al_slice put(struct al_input *in, struct al_slice s)
{
    uint8_t *at = in->bytes + in->n;
    if (s.n > 0)
        memcpy(at, s.p, s.n);
    in->n += s.n;
    return al_slice_of(at, s.n);
}

void al_input_connected(struct al_queue *q, const struct al_node_link *link)
{
    struct al_input *in = new_input(AL_INPUT_CONNECTED, link->conn, link->address.n);
    in->link = *link;
    in->link.address = put(in, link->address);
    al_queue_push(q, AL_LANE_NET, &in->item);
}

void al_input_dial_failed(struct al_queue *q, uint64_t dial, int err)
{
    struct al_input *in = new_input(AL_INPUT_DIAL_FAILED, dial, 0);
    in->err = err;
    al_queue_push(q, AL_LANE_NET, &in->item);
}

void al_input_message(struct al_queue *q, uint64_t conn, struct al_slice message)
{
    struct al_input *in = new_input(AL_INPUT_MESSAGE, conn, message.n);
    in->body = put(in, message);
    al_queue_push(q, AL_LANE_NET, &in->item);
}

void al_input_sent(struct al_queue *q, uint64_t conn, size_t bytes)
{
    struct al_input *in = new_input(AL_INPUT_SENT, conn, 0);
    in->count = bytes;
    al_queue_push(q, AL_LANE_NET, &in->item);
}

void al_input_closed(struct al_queue *q, uint64_t conn, int err)
{
    struct al_input *in = new_input(AL_INPUT_CLOSED, conn, 0);
    in->err = err;
    al_queue_push(q, AL_LANE_NET, &in->item);
}

void al_input_network_changed(struct al_queue *q)
{
    al_queue_push(q, AL_LANE_NET, &new_input(AL_INPUT_NETWORK_CHANGED, 0, 0)->item);
}

void al_input_listening(
    struct al_queue *q, const struct al_slice *addresses, size_t count, const char *error)
{
    AL_ASSERT(count <= AL_ADDRESSES_MAX);
    size_t n = error == NULL ? 0 : strlen(error) + 1;
    for (size_t i = 0; i < count; i++)
        n += addresses[i].n;
    struct al_input *in = new_input(AL_INPUT_LISTENING, 0, n);
    in->count = count;
    for (size_t i = 0; i < count; i++)
        in->addresses[i] = put(in, addresses[i]);
    if (error != NULL)
        in->error = (const char *)put(in, al_slice_of(error, strlen(error) + 1)).p;
    al_queue_push(q, AL_LANE_NET, &in->item);
}

void al_input_call(
    struct al_queue *q, uint64_t call, struct al_slice method, struct al_slice params)
{
    struct al_input *in = new_input(AL_INPUT_CALL, call, method.n + params.n);
    in->method = put(in, method);
    in->body = put(in, params);
    al_queue_push(q, AL_LANE_LOCAL, &in->item);
}

void al_input_call_gone(struct al_queue *q, uint64_t call)
{
    al_queue_push(q, AL_LANE_LOCAL, &new_input(AL_INPUT_CALL_GONE, call, 0)->item);
}

void al_input_apply(const struct al_input *in, struct al_node *node)
{
    switch (in->type) {
    case AL_INPUT_CONNECTED:
        al_node_connected(node, &in->link);
        break;
    case AL_INPUT_DIAL_FAILED:
        al_node_dial_failed(node, in->id, in->err);
        break;
    case AL_INPUT_MESSAGE:
        al_node_message(node, in->id, in->body);
        break;
    case AL_INPUT_SENT:
        al_node_sent(node, in->id, in->count);
        break;
    case AL_INPUT_CLOSED:
        al_node_closed(node, in->id, in->err);
        break;
    case AL_INPUT_LISTENING:
        al_node_listening(node, in->addresses, in->count, in->error);
        break;
    case AL_INPUT_NETWORK_CHANGED:
        al_node_network_changed(node);
        break;
    case AL_INPUT_CALL:
        al_node_call(node, in->id, in->method, in->body);
        break;
    case AL_INPUT_CALL_GONE:
        al_node_call_gone(node, in->id);
        break;
    }
}

void al_input_free_item(struct al_item *item)
{
    const struct al_input *in = (const struct al_input *)item;
    if (in->type == AL_INPUT_CALL) /* it may hold the 24 words */
        sodium_memzero(item, item->bytes);
    free(item); /* an input is one block that begins with its item */
}
