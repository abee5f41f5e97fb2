/* Getting what is not here from whoever is connected. */
#include "cli.h"
#include "cmds.h"
#include "fetching.h"
#include "refs.h"

static int run_fetch(struct al_cli *c)
{
    struct al_row row;
    struct al_fetched f;
    int status = al_refs_entry(c, &row, c->args[0]);
    if (status != 0)
        return status;
    struct al_slice id = al_cli_keep(c, al_slice_of(row.id, 32));
    status = al_fetch_thread(c, &f, id.p);
    if (status != 0)
        return status;
    if (al_out_is_pretty(c->out))
        al_fetch_note(c, &f);
    al_out_row(c->out);
    al_out_id(c->out, "id", id.p, 0);
    al_out_uint(c->out, "asked", f.asked);
    al_out_uint(c->out, "entries", f.entries);
    al_out_uint(c->out, "replies", f.replies);
    al_out_uint(c->out, "missing", f.missing);
    al_out_row_end(c->out);
    return f.entries + f.replies > 0 ? AL_EXIT_DONE : AL_EXIT_NOTHING;
}

const struct al_cmd al_cmd_fetch = {
    .name = "fetch",
    .group = AL_GROUP_READ,
    .usage = "ID",
    .summary = "get what a conversation lacks, from whoever is connected",
    .about = "What entries of the thread of ID refer to and is not here, and answers to them by "
             "people whom you don't follow. Each comes with the proof of who wrote it, and is kept "
             "for a while. Peers learn that you asked for it. Ends with status 1 when nothing was "
             "found.",
    .fields = "id, asked, entries, replies, missing",
    .examples = {"aloud fetch q7xk", "aloud fetch last --json"},
    .args_min = 1,
    .args_max = 1,
    .run = run_fetch,
};
