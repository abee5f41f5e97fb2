/* What the tests of gossip messages share. */
#ifndef MESSAGE_FIXTURE_H
#define MESSAGE_FIXTURE_H

#include "message.h"

/* The beginning of a message written by hand. */
struct al_buf message_begin(uint64_t type, size_t fields);

int message_decode(struct al_message *m, const struct al_buf *b);
int message_check(const struct al_buf *b);

/* The encoding of |m| is answered with |err|. */
void message_gives(const struct al_message *m, int err);

/* Encoding |m| gives the bytes it was decoded from. */
void message_is_written_again(const struct al_message *m);

/* A valid message of |type|; its lists stay until the next call. */
struct al_message message_sample(enum al_message_type type);

/* A reconcile message of these ranges. */
struct al_buf message_ranges(const struct al_range *list, size_t count);

#endif
