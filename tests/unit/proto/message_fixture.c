#include "message_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sample_wire.h"
#include "write.h"

static uint8_t space[AL_MESSAGE_MAX];
static uint8_t list_space[16384];

struct al_buf message_begin(uint64_t type, size_t fields)
{
    struct al_buf b = al_buf_fixed(space, sizeof(space));
    al_write_array(&b, 1 + fields);
    al_write_uint(&b, type);
    return b;
}

int message_decode(struct al_message *m, const struct al_buf *b)
{
    assert_false(b->full);
    return al_message_decode(m, al_buf_slice(b));
}

int message_check(const struct al_buf *b)
{
    struct al_message m;
    return message_decode(&m, b);
}

void message_gives(const struct al_message *m, int err)
{
    struct al_buf b = al_buf_fixed(space, sizeof(space));
    al_message_encode(&b, m);
    assert_int_equal(message_check(&b), err);
}

void message_is_written_again(const struct al_message *m)
{
    static uint8_t again[AL_MESSAGE_MAX];
    struct al_buf b = al_buf_fixed(again, sizeof(again));
    al_message_encode(&b, m);
    assert_int_equal(b.n, m->raw.n);
    assert_memory_equal(b.p, m->raw.p, b.n);
}

struct al_message message_sample(enum al_message_type type)
{
    struct al_message m;
    struct al_buf lists = al_buf_fixed(list_space, sizeof(list_space));
    assert_true(sample_message(&m, type, &lists));
    assert_false(lists.full);
    return m;
}

struct al_buf message_ranges(const struct al_range *list, size_t count)
{
    struct al_buf b = message_begin(AL_MSG_RECONCILE, 4);
    al_write_uint(&b, 2);
    al_write_uint(&b, 0);
    al_write_bool(&b, false);
    al_write_array(&b, count);
    for (size_t i = 0; i < count; i++)
        al_message_put_range(&b, &list[i]);
    return b;
}
