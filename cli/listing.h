/* Lists of entries, page by page: what timeline, day and log have in common. */
#ifndef AL_LISTING_H
#define AL_LISTING_H

#include "cli.h"
#include "feed.h"

struct al_listing {
    uint64_t limit;              /* entries; 0: all */
    const uint8_t *from;         /* an identity; NULL: own and followed */
    bool mine;                   /* own only */
    const char *tag, *kind, *to; /* NULL: any */
    uint64_t since_ms, until_ms; /* 0: any time */
    bool oldest_first;
    enum al_feed_style style;
};

/*
 * Read --from, --tag, --kind, --to, --since, --until and -n into |l|, as far as the command has
 * them. Returns 0, or the exit status after saying what is wrong.
 */
AL_MUST_CHECK int al_listing_opts(struct al_cli *c, struct al_listing *l);

/* Narrow |l| to the person that |typed| names. Returns as above. */
AL_MUST_CHECK int al_listing_from(struct al_cli *c, struct al_listing *l, const char *typed);

/*
 * Print it. |ret_count| is how many entries there were, |ret_more| whether there are older ones.
 * Returns 0, or the exit status after saying what went wrong.
 */
AL_MUST_CHECK int al_listing_print(
    struct al_cli *c, const struct al_listing *l, uint64_t *ret_count, bool *ret_more);

#endif
