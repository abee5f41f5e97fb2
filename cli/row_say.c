#include "row_say.h"

#include "call.h"
#include "heapbuf.h"
#include "id.h"
#include "size.h"
#include "text.h"

#define PERSON_CHARS 4 /* of an identity, to tell people of one name apart */

void al_row_say_author(struct al_styled *t, const struct al_row *r)
{
    if (r->mine) {
        al_styled_addf(t, AL_STYLE_NAME, "you");
        return;
    }
    struct al_buf safe = al_heapbuf();
    al_text_safe(&safe, r->name, AL_TEXT_NAME);
    bool nameless = safe.n == 0;
    al_styled_add(t, AL_STYLE_NAME, al_buf_slice(&safe));
    if (!r->petname || nameless) {
        char prefix[PERSON_CHARS + 1];
        al_id_text_prefix(prefix, r->identity, PERSON_CHARS);
        al_styled_addf(t, AL_STYLE_DIM, "%s%s", nameless ? "@" : "~", prefix);
    }
    al_heapbuf_free(&safe);
}

void al_row_say_audience(struct al_styled *t, const struct al_row *r)
{
    bool published = al_slice_is(r->to, "web");
    al_styled_add_line(t, published ? AL_STYLE_WARN : AL_STYLE_DIM, r->to);
    if (r->circle.n > 0) {
        al_styled_addf(t, AL_STYLE_DIM, ":");
        al_styled_add_line(t, AL_STYLE_DIM, r->circle);
    }
}

void al_row_say_marks(struct al_styled *t, const struct al_row *r)
{
    if (!al_slice_is(r->kind, "note") && r->kind.n > 0) {
        al_styled_addf(t, AL_STYLE_NONE, "  ");
        al_styled_add_line(t, AL_STYLE_NONE, r->kind);
    }
    if (al_slice_is(r->state, "edited"))
        al_styled_addf(t, AL_STYLE_DIM, "  edited");
    if (al_slice_is(r->state, "disputed"))
        al_styled_addf(t, AL_STYLE_BAD, "  disputed");
    if (al_get_bool(r->fields, "wider"))
        al_styled_addf(t, AL_STYLE_WARN, "  answers something that fewer people can read");
}

static const char *why_no_text(const struct al_row *r)
{
    if (al_slice_is(r->state, "retracted"))
        return "(retracted)";
    if (al_slice_is(r->state, "missing"))
        return "(not here yet)";
    if (al_slice_is(r->state, "unreadable"))
        return "(not readable here)";
    if (al_slice_is(r->state, "revoked"))
        return "(does not count: its device was revoked)";
    return NULL;
}

static struct al_slice field(const struct al_row *r, const char *key)
{
    return al_get_str(r->fields, key);
}

/* A new line with |label| before it, if it says anything. */
static void add_part(
    struct al_styled *t, size_t from, const char *label, enum al_style style, struct al_slice s)
{
    if (s.n == 0)
        return;
    if (t->text.n > from)
        al_styled_addf(t, AL_STYLE_NONE, "\n");
    al_styled_addf(t, AL_STYLE_DIM, "%s", label);
    al_styled_add(t, style, s);
}

static struct al_slice trimmed(struct al_slice s)
{
    while (s.n > 0 && (s.p[s.n - 1] == '\n' || s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\r'))
        s.n--;
    return s;
}

/* "1  notes.pdf  48 KB", as `save` counts them. */
static void add_files(struct al_styled *t, size_t from, const struct al_row *r)
{
    struct al_row_file file;
    for (size_t i = 0; i < AL_ROW_FILES_MAX && al_row_file(&file, r, i); i++) {
        struct al_buf safe = al_heapbuf();
        al_text_safe(&safe, file.name, AL_TEXT_NAME);
        if (t->text.n > from)
            al_styled_addf(t, AL_STYLE_NONE, "\n");
        al_styled_addf(t, AL_STYLE_DIM, "file %zu  ", i + 1);
        al_styled_add(t, AL_STYLE_NONE, al_buf_slice(&safe));
        char size[AL_SIZE_TEXT];
        al_styled_addf(t, AL_STYLE_DIM, "  %s", al_size_words(size, file.size));
        al_heapbuf_free(&safe);
    }
}

void al_row_say_body(struct al_styled *t, const struct al_row *r)
{
    size_t from = t->text.n;
    const char *reason = why_no_text(r);
    if (reason != NULL) {
        al_styled_addf(t, AL_STYLE_DIM, "%s", reason);
        return;
    }
    add_part(t, from, "", AL_STYLE_STRONG, field(r, "title"));
    add_part(t, from, "", AL_STYLE_NONE, field(r, "url"));
    add_part(t, from, "> ", AL_STYLE_NONE, field(r, "quote"));
    add_part(t, from, "", AL_STYLE_NONE, trimmed(r->text));
    add_part(t, from, "name: ", AL_STYLE_NONE, field(r, "name"));
    add_part(t, from, "about: ", AL_STYLE_NONE, field(r, "about"));
    add_part(t, from, "working on: ", AL_STYLE_NONE, field(r, "working"));
    add_part(t, from, "wants to learn: ", AL_STYLE_NONE, field(r, "wants"));
    add_part(t, from, "knows: ", AL_STYLE_NONE, field(r, "knows"));
    add_files(t, from, r);
    if (t->text.n == from)
        al_styled_addf(t, AL_STYLE_DIM, "(no text)");
}

void al_row_say_title(struct al_styled *t, const struct al_row *r, size_t columns)
{
    const char *reason = why_no_text(r);
    struct al_slice s = field(r, "title");
    const struct al_slice others[] = {
        r->text, field(r, "url"), field(r, "about"), field(r, "name")};
    for (size_t i = 0; s.n == 0 && i < sizeof(others) / sizeof(others[0]); i++)
        s = others[i];
    if (reason != NULL || s.n == 0) {
        al_styled_addf(t, AL_STYLE_DIM, "%s", reason != NULL ? reason : "(no text)");
        return;
    }
    struct al_buf title = al_heapbuf();
    al_text_title(&title, s, columns);
    al_styled_add(t, AL_STYLE_NONE, al_buf_slice(&title));
    al_heapbuf_free(&title);
}

/* True if the text has |tag| in the form of a tag. */
static bool shows_tag(struct al_slice text, struct al_slice tag)
{
    for (size_t i = 0; i + 1 + tag.n <= text.n; i++) {
        bool mark = text.p[i] == '#' || text.p[i] == '+';
        if (mark && al_slice_eq(al_slice_of(text.p + i + 1, tag.n), tag))
            return true;
    }
    return false;
}

bool al_row_say_tags(struct al_styled *t, const struct al_row *r)
{
    bool any = false;
    for (size_t i = 0; i < r->tag_count; i++) {
        if (shows_tag(r->text, r->tags[i]))
            continue;
        al_styled_addf(t, AL_STYLE_TAG, "%s#", any ? " " : "");
        al_styled_add_line(t, AL_STYLE_TAG, r->tags[i]);
        any = true;
    }
    return any;
}
