/* Talking to a person: plain lines on stdout, answers from stdin, the 24 words and their check. */
#ifndef AL_TERMINAL_H
#define AL_TERMINAL_H

#include <stddef.h>

#include "bytes.h"

/* True if both stdin and stdout are a terminal. */
bool al_terminal_is_there(void);

/* True if a line on stdout can be drawn over: a terminal, and one that knows escape codes. */
bool al_terminal_can_redraw(void);

/* Write |text| to stdout, without a buffer that would keep it. */
void al_terminal_say(const char *text);

/*
 * Ask |question| and read a line without its end; what is longer than |cap| is cut off. False at
 * the end of the input.
 */
bool al_terminal_ask(char *out, size_t cap, const char *question);

/* Show the words of |entropy|, four in a row, with their numbers. */
void al_terminal_show_phrase(const uint8_t entropy[32]);

/*
 * Ask for three words at random places until each is right: true. False when one was skipped with
 * Enter.
 */
bool al_terminal_check_phrase(const uint8_t entropy[32]);

#endif
