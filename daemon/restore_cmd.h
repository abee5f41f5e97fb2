/* `aloudd restore`: a further device of a person who has the 24 words. */
#ifndef AL_RESTORE_CMD_H
#define AL_RESTORE_CMD_H

/* Run it with the rest of the command line; |argv[0]| is "restore". Returns the exit status. */
int al_restore_command(int argc, char **argv);

#endif
