/* The stream of the local API: envelope by envelope, cut anywhere. */
#include "fuzz.h"
#include "limit.h"
#include "methods.h"
#include "rpc.h"
#include "scan.h"

static void write_again(struct al_buf *b, const struct al_rpc *m)
{
    char method[65];
    memcpy(method, m->method.p, m->method.n);
    method[m->method.n] = '\0';
    if (m->type == AL_RPC_REQUEST)
        al_rpc_request(b, m->id, method, m->params);
    else
        al_rpc_notification(b, method, m->params);
}

static void check_request(const struct al_rpc *m)
{
    AL_ASSERT(m->method.n >= 1 && m->method.n <= 64);
    AL_ASSERT(al_scan(m->params, &al_scan_rpc) == 0);
    (void)al_method_find(m->method);
    (void)al_rpc_param(m->params, "key");
    if (memchr(m->method.p, 0, m->method.n) != NULL)
        return; /* the writer takes C strings */
    struct al_buf b = fuzz_buf();
    write_again(&b, m);
    struct al_rpc again;
    size_t n = 0;
    AL_ASSERT(
        b.full || b.n > AL_RPC_REQUEST_MAX || al_rpc_first(&again, &n, al_buf_slice(&b)) == 0);
    if (n > 0) {
        AL_ASSERT(n == b.n && again.type == m->type && again.id == m->id);
        AL_ASSERT(al_slice_eq(again.method, m->method) && al_slice_eq(again.params, m->params));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct al_slice rest = al_slice_of(data, n);
    struct al_rpc m;
    size_t used = 0;
    while (al_rpc_first(&m, &used, rest) == 0) {
        AL_ASSERT(used > 0 && used <= rest.n && used <= AL_RPC_REQUEST_MAX);
        struct al_rpc part;
        size_t ignored = 0;
        AL_ASSERT(al_rpc_first(&part, &ignored, al_slice_of(rest.p, used - 1)) == AL_E_MORE);
        if (m.type == AL_RPC_RESPONSE) {
            struct al_rpc_error error;
            int err = al_rpc_error_read(&error, m.error);
            AL_ASSERT(err == 0 || err == AL_E_RPC);
            AL_ASSERT(al_scan(m.result, &al_scan_rpc) == 0);
        } else {
            check_request(&m);
        }
        rest = al_slice_of(rest.p + used, rest.n - used);
    }
    return 0;
}
