#include "feed.h"

#include <stdio.h>
#include <time.h>

#include "fold.h"
#include "row_say.h"
#include "when.h"

#define FOLD_TITLES 3 /* of the entries in a fold */

size_t al_feed_columns(const struct al_out *o)
{
    size_t width = al_out_width(o) - AL_FEED_INDENT;
    return width < AL_FEED_MEASURE ? width : AL_FEED_MEASURE;
}

static struct al_styled_box box_of(const struct al_out *o, const char *lead)
{
    return (struct al_styled_box){
        .lead = lead, .indent = AL_FEED_INDENT, .columns = al_feed_columns(o)};
}

static void say_day(struct al_feed *f, uint64_t day)
{
    char date[48];
    al_when_date(date, sizeof(date), day, f->now_ms);
    uint64_t today = al_when_day(f->now_ms);
    const char *lead = "";
    if (day == today)
        lead = "Today, ";
    else if (day < today && al_when_day(today - 1) == day)
        lead = "Yesterday, ";
    al_say(f->out, AL_STYLE_STRONG, "%s%s%s\n", f->begun ? "\n" : "", lead, date);
    f->begun = true;
    f->day = day;
}

/* "14:03  q7xk2n  kai  network  question" */
static void say_head(struct al_feed *f, const struct al_row *r)
{
    char clock[8];
    char lead[16];
    struct al_styled t;
    al_when_clock(clock, r->time_ms);
    (void)snprintf(lead, sizeof(lead), "%-*s", AL_FEED_INDENT, clock);
    al_styled_init(&t);
    al_styled_add_id(&t, r->id, f->id_chars);
    al_styled_addf(&t, AL_STYLE_NONE, "  ");
    al_row_say_author(&t, r);
    al_styled_addf(&t, AL_STYLE_NONE, "  ");
    al_row_say_audience(&t, r);
    al_row_say_marks(&t, r);
    struct al_styled_box box = box_of(f->out, lead);
    (void)al_styled_say(f->out, &t, &box);
    al_styled_fini(&t);
}

/* "#libuv #c   2 replies" */
static void say_foot(struct al_feed *f, const struct al_row *r)
{
    struct al_styled t;
    al_styled_init(&t);
    bool tags = al_row_say_tags(&t, r);
    if (r->replies > 0)
        al_styled_addf(&t, AL_STYLE_DIM, "%s%llu %s", tags ? "  " : "",
            (unsigned long long)r->replies, r->replies == 1 ? "reply" : "replies");
    if (t.text.n > 0) {
        struct al_styled_box box = box_of(f->out, NULL);
        (void)al_styled_say(f->out, &t, &box);
    }
    al_styled_fini(&t);
}

static void say_entry(struct al_feed *f, const struct al_row *r)
{
    struct al_styled t;
    struct al_styled_box box = box_of(f->out, NULL);
    say_head(f, r);
    al_styled_init(&t);
    if (f->style == AL_FEED_TITLES)
        al_row_say_title(&t, r, box.columns);
    else
        al_row_say_body(&t, r);
    box.lines_max = f->style == AL_FEED_FOLDED ? AL_FEED_LINES : 0;
    if (!al_styled_say(f->out, &t, &box)) {
        al_say(f->out, AL_STYLE_DIM, "%*s… aloud show ", AL_FEED_INDENT, "");
        al_say_id(f->out, r->id, f->id_chars);
        al_say(f->out, AL_STYLE_NONE, "\n");
    }
    al_styled_fini(&t);
    if (f->style != AL_FEED_TITLES)
        say_foot(f, r);
}

static const char *unit_of(const struct al_row *r, bool imported)
{
    if (!imported)
        return "entries";
    return al_slice_is(al_fold_source(r), "git") ? "commits" : "imported entries";
}

/* "14:03  34 commits  you  me  #aloud" (34+ when the day may have more), and the titles of the
 * first of them. */
static void say_fold(
    struct al_feed *f, const struct al_row *rows, const struct al_fold *fold, bool cut)
{
    const struct al_row *r = &rows[fold->first];
    char clock[8];
    char lead[16];
    struct al_styled t;
    al_when_clock(clock, r->time_ms);
    (void)snprintf(lead, sizeof(lead), "%-*s", AL_FEED_INDENT, clock);
    al_styled_init(&t);
    al_styled_addf(
        &t, AL_STYLE_STRONG, "%zu%s %s", fold->count, cut ? "+" : "", unit_of(r, fold->imported));
    al_styled_addf(&t, AL_STYLE_NONE, "  ");
    al_row_say_author(&t, r);
    al_styled_addf(&t, AL_STYLE_NONE, "  ");
    al_row_say_audience(&t, r);
    al_styled_addf(&t, AL_STYLE_NONE, "  ");
    (void)al_row_say_tags(&t, r);
    struct al_styled_box box = box_of(f->out, lead);
    (void)al_styled_say(f->out, &t, &box);
    al_styled_fini(&t);

    box = box_of(f->out, NULL);
    for (size_t i = 0; i < fold->count && i < FOLD_TITLES; i++) {
        al_styled_init(&t);
        al_row_say_title(&t, &rows[fold->member[i]], box.columns);
        (void)al_styled_say(f->out, &t, &box);
        al_styled_fini(&t);
    }
    time_t second = (time_t)(r->time_ms / 1000);
    struct tm tm = {0};
    localtime_r(&second, &tm);
    al_say(f->out, AL_STYLE_DIM, "%*s… aloud day %04d-%02d-%02d\n", AL_FEED_INDENT, "",
        tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday);
}

/* The rows of one day; |cut|: it may have more. */
static int say_rows(struct al_feed *f, const struct al_row *rows, size_t n, bool cut)
{
    struct al_folds folds = {0};
    bool fold = f->style != AL_FEED_FULL;
    int err = fold ? al_fold_rows(&folds, rows, n) : 0;
    if (err != 0)
        return err;
    size_t count = fold ? folds.count : n;
    for (size_t i = 0; i < count; i++) {
        if (i == 0 || f->style != AL_FEED_TITLES)
            al_say(f->out, AL_STYLE_NONE, "\n");
        if (fold && folds.v[i].count > 1)
            say_fold(f, rows, &folds.v[i], cut);
        else
            say_entry(f, &rows[fold ? folds.v[i].first : i]);
    }
    al_folds_free(&folds);
    return 0;
}

int al_feed_rows(struct al_feed *f, const struct al_row *rows, size_t n)
{
    if (!al_out_is_pretty(f->out))
        return 0;
    int err = 0;
    for (size_t i = 0; i < n; i++) {
        if (rows[i].id_chars > f->id_chars)
            f->id_chars = rows[i].id_chars;
    }
    for (size_t i = 0; i < n && err == 0;) {
        uint64_t day = al_when_day(rows[i].time_ms);
        size_t end = i + 1;
        while (end < n && al_when_day(rows[end].time_ms) == day)
            end++;
        if (!f->begun || day != f->day)
            say_day(f, day);
        err = say_rows(f, rows + i, end - i, f->cut && end == n);
        i = end;
    }
    return err;
}
