/* Gossip messages: an accepted one encodes to its bytes, and every list can be walked. */
#include "fuzz.h"
#include "message.h"

static void walk_ranges(const struct al_message *m)
{
    struct al_slice list = al_message_list(m->u.reconcile.ranges);
    for (uint32_t i = 0; i < m->u.reconcile.count; i++) {
        struct al_range range;
        al_message_next_range(&range, &list);
        AL_ASSERT(range.upper.n > 0 || i + 1 == m->u.reconcile.count);
        struct al_slice items = al_message_list(range.items);
        for (uint32_t k = 0; k < range.item_count; k++) {
            struct al_item item;
            al_message_next_item(&item, &items);
            AL_ASSERT(item.seq <= AL_SEQ_FROZEN);
        }
        AL_ASSERT(range.item_count == 0 || items.n == 0);
    }
    AL_ASSERT(list.n == 0);
}

static void walk_raw(struct al_slice array, uint32_t count)
{
    struct al_slice list = al_message_list(array);
    for (uint32_t i = 0; i < count; i++)
        AL_ASSERT(al_message_next_raw(&list).n > 0);
    AL_ASSERT(list.n == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct al_message m;
    if (al_message_decode(&m, al_slice_of(data, n)) != 0)
        return 0;
    struct al_buf b = fuzz_buf();
    al_message_encode(&b, &m);
    AL_ASSERT(al_slice_eq(al_buf_slice(&b), al_slice_of(data, n)));
    AL_ASSERT(fuzz_msgpack_reads(al_slice_of(data, n), true));
    if (m.type == AL_MSG_RECONCILE)
        walk_ranges(&m);
    if (m.type == AL_MSG_STATEMENTS)
        walk_raw(m.u.statements.list, m.u.statements.count);
    if (m.type == AL_MSG_HEADS)
        walk_raw(m.u.heads.list, m.u.heads.count);
    if (m.type == AL_MSG_WANT_PAYLOAD)
        walk_raw(m.u.want_payload.seqs, m.u.want_payload.count);
    if (m.type == AL_MSG_WANT)
        AL_ASSERT(m.u.want.last - m.u.want.first < AL_BLOCK_ENTRIES);
    return 0;
}
