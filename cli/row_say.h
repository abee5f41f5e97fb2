/* How a row reads for people: its author, how far it goes, its words and tags. */
#ifndef AL_ROW_SAY_H
#define AL_ROW_SAY_H

#include "row.h"
#include "styled.h"

/* Who wrote it: "you", a petname, or "name~prefix" for people who have no petname here. */
void al_row_say_author(struct al_styled *t, const struct al_row *r);

/* How far it goes: "me", "circle", "network", "web". */
void al_row_say_audience(struct al_styled *t, const struct al_row *r);

/* What the others do not tell: its kind unless it is a note, and what is odd about it. */
void al_row_say_marks(struct al_styled *t, const struct al_row *r);

/*
 * What it says: the text, or what stands for it (a link, a profile), or why there is none.
 */
void al_row_say_body(struct al_styled *t, const struct al_row *r);

/* The same on one line of at most |columns| columns. */
void al_row_say_title(struct al_styled *t, const struct al_row *r, size_t columns);

/* The tags that the text does not show already; true if there were any. */
bool al_row_say_tags(struct al_styled *t, const struct al_row *r);

#endif
