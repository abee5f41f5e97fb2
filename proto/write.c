#include "write.h"

#include <msgpack.h>

static int put(void *data, const char *p, size_t n)
{
    al_buf_put(data, p, n);
    return 0; /* a full buffer says so itself */
}

static msgpack_packer packer(struct al_buf *b)
{
    msgpack_packer pk;
    msgpack_packer_init(&pk, b, put);
    return pk;
}

void al_write_uint(struct al_buf *b, uint64_t v)
{
    msgpack_packer pk = packer(b);
    (void)msgpack_pack_uint64(&pk, v);
}

void al_write_int(struct al_buf *b, int64_t v)
{
    msgpack_packer pk = packer(b);
    (void)msgpack_pack_int64(&pk, v);
}

void al_write_bool(struct al_buf *b, bool v)
{
    msgpack_packer pk = packer(b);
    (void)(v ? msgpack_pack_true(&pk) : msgpack_pack_false(&pk));
}

void al_write_nil(struct al_buf *b)
{
    msgpack_packer pk = packer(b);
    (void)msgpack_pack_nil(&pk);
}

void al_write_bin_head(struct al_buf *b, size_t n)
{
    msgpack_packer pk = packer(b);
    (void)msgpack_pack_bin(&pk, n);
}

void al_write_bin(struct al_buf *b, const void *p, size_t n)
{
    al_write_bin_head(b, n);
    al_buf_put(b, p, n);
}

void al_write_str(struct al_buf *b, struct al_slice s)
{
    msgpack_packer pk = packer(b);
    (void)msgpack_pack_str(&pk, s.n);
    al_buf_put(b, s.p, s.n);
}

void al_write_cstr(struct al_buf *b, const char *s)
{
    al_write_str(b, al_slice_str(s));
}

void al_write_array(struct al_buf *b, size_t count)
{
    msgpack_packer pk = packer(b);
    (void)msgpack_pack_array(&pk, count);
}

void al_write_map(struct al_buf *b, size_t pairs)
{
    msgpack_packer pk = packer(b);
    (void)msgpack_pack_map(&pk, pairs);
}

void al_write_ref(struct al_buf *b, const struct al_ref *ref)
{
    al_write_array(b, 4);
    al_write_bin(b, ref->device.b, sizeof(ref->device.b));
    al_write_bin(b, ref->log.b, sizeof(ref->log.b));
    al_write_uint(b, ref->seq);
    al_write_bin(b, ref->id.b, sizeof(ref->id.b));
}

void al_write_raw(struct al_buf *b, struct al_slice encoded)
{
    al_buf_put(b, encoded.p, encoded.n);
}
