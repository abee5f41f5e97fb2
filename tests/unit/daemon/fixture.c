#include "fixture.h"

#include <setjmp.h>

#include <cmocka.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "check.h"
#include "fake.h"
#include "heapbuf.h"
#include "loop.h"
#include "read.h"
#include "store.h"

#define FDS 256

static struct {
    struct al_buf in;
    size_t used;
} streams[FDS];

static void say_ready(void *arg)
{
    struct fixture *f = arg;
    AL_ASSERT(write(f->ready[1], "ready\n", 6) == 6 && close(f->ready[1]) == 0);
}

static void run(void *arg)
{
    struct fixture *f = arg;
    const struct al_loop_opts opts = {
        .conf = &f->conf,
        .paths = &f->paths,
        .keyring = &f->keyring,
        .node = f->node,
        .on_ready = say_ready,
        .arg = f,
        .agent = "aloudd/test",
        .inherited_socket = -1,
    };
    f->result = al_loop_run(&opts);
}

/* A port that was free a moment ago. */
static uint16_t free_port(void)
{
    struct sockaddr_in sa = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof(sa);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    AL_ASSERT(bind(fd, (const struct sockaddr *)&sa, size) == 0);
    AL_ASSERT(getsockname(fd, (struct sockaddr *)&sa, &size) == 0);
    (void)close(fd);
    return ntohs(sa.sin_port);
}

struct fixture *fixture_start(void)
{
    struct fixture *f = calloc(1, sizeof(*f));
    assert_non_null(f);
    (void)strcpy(f->dir, "/tmp/aloud-loop-XXXXXX");
    assert_non_null(mkdtemp(f->dir));
    assert_int_equal(al_paths_init(&f->paths, f->dir), 0);
    assert_true(mkdir(f->paths.runtime, 0700) == 0 || access(f->paths.runtime, W_OK) == 0);
    al_conf_init(&f->conf);
    char why[AL_CONF_WHY], listen[32];
    (void)snprintf(listen, sizeof(listen), "127.0.0.1:%u", free_port());
    assert_int_equal(al_conf_set(&f->conf, why, "listen", listen), 0);
    const uint8_t seed[32] = {1};
    struct al_root root;
    al_root_derive(&root, seed);
    assert_int_equal(al_keyring_init(&f->keyring, &root.identity, seed, 1, seed), 0);
    struct al_store *store;
    assert_int_equal(al_store_open(&store, f->paths.log_db, AL_STORE_CREATE), 0);
    al_store_close(store);
    f->node = fake_node_new(true);
    assert_int_equal(pipe(f->ready), 0);
    assert_int_equal(uv_thread_create(&f->thread, run, f), 0);
    f->is_running = true;
    char said[16] = "";
    assert_int_equal(read(f->ready[0], said, sizeof(said) - 1), 6);
    assert_string_equal(said, "ready\n");
    (void)close(f->ready[0]);
    return f;
}

void fixture_stop(struct fixture *f)
{
    if (f->is_running) {
        int fd = fixture_connect(f);
        struct al_rpc m;
        fixture_request(fd, 1, "stop", al_slice_of(NULL, 0));
        assert_true(fixture_read(fd, &m));
        assert_int_equal(m.error.n, 0);
        assert_false(fixture_read(fd, &m));
        fixture_close(fd);
    }
    assert_int_equal(uv_thread_join(&f->thread), 0);
    assert_int_equal(f->result, 0);
    assert_int_equal(access(f->paths.socket, F_OK), -1);
    al_node_free(f->node);
    char command[128];
    (void)snprintf(command, sizeof(command), "rm -r %s", f->dir);
    assert_int_equal(system(command), 0);
    free(f);
}

static int with_timeout(int fd)
{
    assert_in_range(fd, 0, FDS - 1);
    const struct timeval limit = {.tv_sec = 10};
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)), 0);
    streams[fd].in = al_heapbuf();
    streams[fd].used = 0;
    return fd;
}

int fixture_connect(const struct fixture *f)
{
    struct sockaddr_un sa = {.sun_family = AF_UNIX};
    (void)strcpy(sa.sun_path, f->paths.socket);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(connect(fd, (const struct sockaddr *)&sa, sizeof(sa)), 0);
    return with_timeout(fd);
}

int fixture_dial(const struct fixture *f)
{
    struct sockaddr_in sa = {.sin_family = AF_INET,
        .sin_port = htons(f->conf.listen.port),
        .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    int err = -1;
    for (int tries = 0; tries < 1000 && err != 0; tries++) { /* the port opens after "ready" */
        err = connect(fd, (const struct sockaddr *)&sa, sizeof(sa));
        if (err != 0)
            uv_sleep(2);
    }
    assert_int_equal(err, 0);
    return with_timeout(fd);
}

void fixture_write(int fd, const void *p, size_t n)
{
    for (size_t done = 0; done < n;) {
        ssize_t put = send(fd, (const uint8_t *)p + done, n - done, MSG_NOSIGNAL);
        assert_true(put > 0);
        done += (size_t)put;
    }
}

void fixture_request(int fd, uint32_t id, const char *method, struct al_slice params)
{
    struct al_buf b = al_heapbuf();
    al_rpc_request(&b, id, method, params);
    fixture_write(fd, b.p, b.n);
    al_heapbuf_free(&b);
}

bool fixture_read(int fd, struct al_rpc *ret)
{
    struct al_buf *in = &streams[fd].in;
    for (;;) {
        size_t n;
        size_t used = streams[fd].used;
        int err = in->n == used ? AL_E_MORE
                                : al_rpc_first(ret, &n, al_slice_of(in->p + used, in->n - used));
        if (err == 0) {
            streams[fd].used += n;
            return true;
        }
        assert_int_equal(err, AL_E_MORE);
        if (used > 0) {
            memmove(in->p, in->p + used, in->n - used);
            in->n -= used;
            streams[fd].used = 0;
        }
        uint8_t bytes[65536];
        ssize_t got = recv(fd, bytes, sizeof(bytes), 0);
        if (got <= 0)
            return false;
        al_buf_put(in, bytes, (size_t)got);
    }
}

void fixture_close(int fd)
{
    al_heapbuf_free(&streams[fd].in);
    (void)close(fd);
}

uint64_t fixture_uint(struct al_slice map, const char *key)
{
    struct al_read r = al_read_init(al_rpc_param(map, key));
    uint64_t v = al_read_uint(&r, UINT64_MAX);
    assert_int_equal(al_read_end(&r), 0);
    return v;
}
