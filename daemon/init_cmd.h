/* `aloudd init`: makes a person and this device, before there is a node. */
#ifndef AL_INIT_CMD_H
#define AL_INIT_CMD_H

/* Run it with the rest of the command line; |argv[0]| is "init". Returns the exit status. */
int al_init_command(int argc, char **argv);

#endif
