/* What git prints: however it is cut into pieces, the same commits come out. */
#include "fuzz.h"
#include "gitlog.h"

struct seen {
    size_t commits;
    uint64_t sum; /* of what they are */
    int err;
};

static void add(struct seen *s, struct al_slice bytes)
{
    for (size_t i = 0; i < bytes.n; i++)
        s->sum = s->sum * 31 + bytes.p[i];
    s->sum = s->sum * 31 + bytes.n;
}

static struct seen read_all(struct al_slice bytes, size_t piece)
{
    static struct al_gitlog g;
    struct seen s = {0};
    memset(&g, 0, sizeof(g));
    while (bytes.n > 0 && s.err == 0) {
        struct al_commit commit;
        size_t used = 0;
        size_t n = bytes.n < piece ? bytes.n : piece;
        int err = al_gitlog_feed(&g, &commit, &used, al_slice_of(bytes.p, n));
        AL_ASSERT(used >= 1 && used <= n);
        AL_ASSERT(err != AL_E_MORE || used == n);
        bytes = al_slice_of(bytes.p + used, bytes.n - used);
        if (err == 0) {
            AL_ASSERT(commit.hash.n == 40 || commit.hash.n == 64);
            AL_ASSERT(commit.at_ms >= 1 && commit.at_ms <= AL_TIME_MAX);
            AL_ASSERT(commit.message.n <= AL_TEXT_MAX);
            s.commits++;
            add(&s, commit.hash);
            add(&s, commit.email);
            add(&s, commit.message);
            s.sum = s.sum * 31 + commit.at_ms;
        } else if (err != AL_E_MORE) {
            s.err = err;
        }
    }
    return s;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    if (n < 2)
        return 0;
    struct al_slice in = al_slice_of(data + 1, n - 1);
    struct seen whole = read_all(in, in.n);
    struct seen pieces = read_all(in, data[0] % 61 + 1u);
    AL_ASSERT(whole.commits == pieces.commits && whole.sum == pieces.sum);
    AL_ASSERT(whole.err == pieces.err);
    return 0;
}
