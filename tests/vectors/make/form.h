/*
 * Encoded values from a readable form, for vectors that break one rule. Bytes stand in hex;
 *   <32>      a bin of 32 bytes 11       <32=ab>   of bytes ab
 *   [40=61]   a str of 40 bytes 61       'note'    a str
 *   {65:90}   what follows the colon, 65 times
 *   @         a reference                spaces are skipped
 * The head of a container, its count included, is written in hex by hand.
 */
#ifndef FORM_H
#define FORM_H

#include "bytes.h"

/* Append what |form| says. */
void form_put(struct al_buf *b, const char *form);

#endif
