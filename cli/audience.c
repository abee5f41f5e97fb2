#include "audience.h"

const char *al_audience_words(
    struct al_cli *c, struct al_slice to, uint64_t people, uint64_t devices)
{
    if (al_slice_is(to, "me"))
        return devices == 0   ? "me"
               : devices == 1 ? "me (this device only)"
                              : al_cli_str(c, "me (%llu devices)", (unsigned long long)devices);
    if (al_slice_is(to, "network"))
        return people == 0
                   ? "network (anyone here)"
                   : al_cli_str(c, "network (anyone here; %llu known)", (unsigned long long)people);
    if (al_slice_is(to, "web"))
        return "web (public)";
    return al_cli_dup(c, to);
}

const char *al_audience_circle(struct al_cli *c, struct al_slice name, uint64_t members)
{
    const char *words = al_cli_str(c, "circle:%s", al_cli_dup(c, name));
    return members == 0 ? words : al_cli_str(c, "%s (%llu)", words, (unsigned long long)members);
}
