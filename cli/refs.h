/* What people type for an entry or a person, and what it means. */
#ifndef AL_REFS_H
#define AL_REFS_H

#include "cli.h"
#include "row.h"

/*
 * Find the one entry that |typed| means: a prefix of an id, last, last~2, @name/last. |ret| is
 * kept as long as |c|. Returns 0, or the exit status after saying what is wrong: several entries
 * are listed, none leads to a suggestion.
 */
AL_MUST_CHECK int al_refs_entry(struct al_cli *c, struct al_row *ret, const char *typed);

/*
 * The same for a command that writes about it, where `last` must not slide to an older entry
 * unseen: one that was retracted is still the last, and nothing is while a post is held.
 */
AL_MUST_CHECK int al_refs_target(struct al_cli *c, struct al_row *ret, const char *typed);

struct al_person {
    const uint8_t *identity; /* 32 bytes */
    struct al_slice name;    /* may be empty */
    bool petname;
    bool me;
};

/* The same for a person: @kai, kai, or a prefix of an id. */
AL_MUST_CHECK int al_refs_person(struct al_cli *c, struct al_person *ret, const char *typed);

/*
 * How a person is called in a sentence: a petname as it is, a name that was only claimed with
 * the beginning of the id: kai~7k2m. Kept as long as |c|.
 */
const char *al_refs_name(
    struct al_cli *c, const uint8_t *identity, struct al_slice name, bool petname);

/*
 * The same for an identity of which only the bytes are at hand: asks the node. Oneself is called
 * "you".
 */
const char *al_refs_who(struct al_cli *c, const uint8_t *identity);

#endif
