/* The elements of the lists in gossip messages: between message.c and message_list.c. */
#ifndef AL_MESSAGE_INT_H
#define AL_MESSAGE_INT_H

#include "message.h"
#include "read.h"

/*
 * Reads and checks one element. Returns its key in a list whose elements ascend without
 * repetition, where an empty key is the end and greater than all; or NULL in a list without order.
 */
typedef struct al_slice al_message_check(struct al_read *r);

al_message_check al_message_check_identity;
al_message_check al_message_check_ref;
al_message_check al_message_check_head;
al_message_check al_message_check_seq;
al_message_check al_message_check_item;
al_message_check
    al_message_check_statement; /* form and sizes; al_statement_open() sees to the rest */
al_message_check al_message_check_address;
al_message_check al_message_check_segment; /* only that it is an array of six: al_segment_open()
                                              sees to the rest */
al_message_check al_message_check_range;

/*
 * Reads an array of at most |max| elements, each checked by |check|. Returns all of it, with its
 * head, and stores the number of elements.
 */
struct al_slice al_message_read_list(
    struct al_read *r, uint32_t *ret_count, uint32_t max, al_message_check *check);

#endif
