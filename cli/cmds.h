/* The one list of commands. Each is described where it is written; help and man page follow. */
#ifndef AL_CMDS_H
#define AL_CMDS_H

/* X(name), in the order of the help. */
#define AL_CMDS(X)                                                                                 \
    X(init)                                                                                        \
    X(restore)                                                                                     \
    X(status)                                                                                      \
    X(doctor)                                                                                      \
    X(backup)                                                                                      \
    X(device)                                                                                      \
    X(node)                                                                                        \
    X(paths)                                                                                       \
    X(version)                                                                                     \
    X(post)                                                                                        \
    X(reply)                                                                                       \
    X(edit)                                                                                        \
    X(attach)                                                                                      \
    X(retract)                                                                                     \
    X(share)                                                                                       \
    X(undo)                                                                                        \
    X(drafts)                                                                                      \
    X(home)                                                                                        \
    X(held)                                                                                        \
    X(timeline)                                                                                    \
    X(day)                                                                                         \
    X(log)                                                                                         \
    X(show)                                                                                        \
    X(save)                                                                                        \
    X(thread)                                                                                      \
    X(fetch)                                                                                       \
    X(search)                                                                                      \
    X(tags)                                                                                        \
    X(tail)                                                                                        \
    X(invite)                                                                                      \
    X(join)                                                                                        \
    X(follow)                                                                                      \
    X(unfollow)                                                                                    \
    X(admit)                                                                                       \
    X(block)                                                                                       \
    X(people)                                                                                      \
    X(circle)                                                                                      \
    X(peers)                                                                                       \
    X(profile)                                                                                     \
    X(import)

#define AL_X(name) extern const struct al_cmd al_cmd_##name;
AL_CMDS(AL_X)
#undef AL_X

#endif
