/*
 * limits: what this machine can do at best. Prints the median of one act in microseconds:
 *
 *     limits verify                      check an Ed25519 signature of 32 bytes
 *     limits fdatasync FILE              write 4 KiB into a file that has them, and make it durable
 *     limits exec COUNT PROGRAM [ARG...] start a program, and wait until it has ended
 */
#include <fcntl.h>
#include <sodium.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define COUNT_MAX 10000
#define VERIFY_COUNT 1000
#define SYNC_COUNT 200
#define SYNC_PAGES 256
#define PAGE_BYTES 4096

static double samples[COUNT_MAX];

static double now_us(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static int by_size(const void *x, const void *y)
{
    double a = *(const double *)x;
    double b = *(const double *)y;
    return (a > b) - (a < b);
}

static void print_median(size_t count)
{
    qsort(samples, count, sizeof(samples[0]), by_size);
    printf("%.2f\n", samples[count / 2]);
}

static void verify(void)
{
    uint8_t pk[crypto_sign_PUBLICKEYBYTES];
    uint8_t sk[crypto_sign_SECRETKEYBYTES];
    uint8_t sig[crypto_sign_BYTES];
    uint8_t id[32] = {1};
    if (sodium_init() < 0 || crypto_sign_keypair(pk, sk) != 0)
        die("libsodium");
    (void)crypto_sign_detached(sig, NULL, id, sizeof(id), sk);
    for (size_t i = 0; i < VERIFY_COUNT; i++) {
        double start = now_us();
        if (crypto_sign_verify_detached(sig, id, sizeof(id), pk) != 0)
            die("verify");
        samples[i] = now_us() - start;
    }
    print_median(VERIFY_COUNT);
}

/* As the log of SQLite in its steady state: the file does not grow. */
static void sync_pages(const char *path)
{
    static uint8_t page[PAGE_BYTES];
    int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    if (fd < 0)
        die(path);
    for (off_t i = 0; i < SYNC_PAGES; i++) {
        if (pwrite(fd, page, sizeof(page), i * PAGE_BYTES) != PAGE_BYTES)
            die(path);
    }
    if (fsync(fd) != 0)
        die(path);
    for (size_t i = 0; i < SYNC_COUNT; i++) {
        memset(page, (int)(i & 0xff), sizeof(page));
        double start = now_us();
        if (pwrite(fd, page, sizeof(page), (off_t)(i % SYNC_PAGES) * PAGE_BYTES) != PAGE_BYTES ||
            fdatasync(fd) != 0)
            die(path);
        samples[i] = now_us() - start;
    }
    (void)close(fd);
    print_median(SYNC_COUNT);
}

static void run(size_t count, char **argv)
{
    posix_spawn_file_actions_t quiet;
    if (posix_spawn_file_actions_init(&quiet) != 0 ||
        posix_spawn_file_actions_addopen(&quiet, 1, "/dev/null", O_WRONLY, 0) != 0)
        die("posix_spawn");
    for (size_t i = 0; i < count; i++) {
        pid_t pid;
        int status = 0;
        double start = now_us();
        if (posix_spawn(&pid, argv[0], &quiet, NULL, argv, environ) != 0 ||
            waitpid(pid, &status, 0) != pid)
            die(argv[0]);
        samples[i] = now_us() - start;
        if (status != 0) {
            (void)fprintf(stderr, "limits: %s failed\n", argv[0]);
            exit(1);
        }
    }
    (void)posix_spawn_file_actions_destroy(&quiet);
    print_median(count);
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "verify") == 0) {
        verify();
        return 0;
    }
    if (argc == 3 && strcmp(argv[1], "fdatasync") == 0) {
        sync_pages(argv[2]);
        return 0;
    }
    size_t count = argc < 4 || strcmp(argv[1], "exec") != 0 ? 0 : strtoul(argv[2], NULL, 10);
    if (count == 0 || count > COUNT_MAX) {
        (void)fprintf(stderr, "limits: see the head of limits.c for its use\n");
        return 2;
    }
    run(count, argv + 3);
    return 0;
}
