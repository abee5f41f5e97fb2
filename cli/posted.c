#include "posted.h"

#include "audience.h"
#include "rpc.h"

/* Who can read it, as the node says. */
static const char *audience_of(struct al_cli *c, struct al_slice answer, struct al_slice to)
{
    struct al_slice circle = al_get_str(answer, "circle");
    uint64_t people = al_get_uint(answer, "people");
    if (circle.n > 0)
        return al_audience_circle(c, circle, people);
    return al_audience_words(c, to, people, al_get_uint(answer, "devices"));
}

/* Who may still read it, besides those it is for. */
static void warn(struct al_cli *c, struct al_slice answer)
{
    struct al_slice text = al_get_str(answer, "warn");
    if (text.n > 0)
        al_cli_note(c, "aloud: %s.", al_cli_dup(c, text));
}

static void say(struct al_cli *c, struct al_slice answer, const struct al_posted *p,
    const struct al_ref *ref, const char *audience)
{
    uint64_t held = al_get_uint(answer, "held");
    if (held == 0) {
        al_say_id(c->out, ref->id.b, 0);
        al_say(c->out, AL_STYLE_NONE, "  %s  %s\n", p->kind, audience);
        return;
    }
    uint64_t now_ms = al_cli_now_ms();
    uint64_t due_ms = al_get_uint(answer, "due");
    unsigned long long left = due_ms > now_ms ? (due_ms - now_ms + 999) / 1000 : 0;
    al_say(c->out, AL_STYLE_STRONG, "held/%llu", (unsigned long long)held);
    al_say(c->out, AL_STYLE_NONE, "  %s  ", p->kind);
    if (p->of != NULL) {
        al_say(c->out, AL_STYLE_NONE, "of ");
        al_say_id(c->out, p->of, 0);
        al_say(c->out, AL_STYLE_NONE, "  ");
    }
    al_say(c->out, AL_STYLE_NONE, "%s  in %llu s, unless you say: aloud undo\n", audience, left);
}

void al_posted_print(struct al_cli *c, struct al_slice answer, const struct al_posted *p)
{
    struct al_ref ref = {0};
    struct al_slice raw = al_rpc_param(answer, "ref");
    bool held = al_get_uint(answer, "held") != 0;
    if (raw.n > 0) {
        struct al_read r = al_read_init(raw);
        al_read_ref(&r, &ref);
    }
    struct al_slice to = al_get_str(answer, "to");
    if (to.n == 0 && p->to != NULL)
        to = al_slice_str(p->to);
    const char *audience = audience_of(c, answer, to);
    struct al_slice tags[AL_TAGS_MAX];
    size_t count = p->tags == NULL ? 0 : p->tags->count;
    for (size_t i = 0; i < count; i++)
        tags[i] = al_slice_str(p->tags->tag[i]);

    say(c, answer, p, &ref, audience);
    warn(c, answer);
    al_out_row(c->out);
    al_out_id(c->out, "id", held ? NULL : ref.id.b, 0);
    al_out_cstr(c->out, "kind", p->kind);
    al_out_text(c->out, "to", to);
    al_out_cstr(c->out, "audience", audience);
    al_out_texts(c->out, "tags", tags, count);
    al_out_id(c->out, "of", p->of, 0);
    al_out_uint(c->out, "held", al_get_uint(answer, "held"));
    al_out_row_end(c->out);
}
