#!/bin/sh
# Put what the program says of its commands and exit codes into the source of its man page.
# usage: fill.sh ALOUD INPUT OUTPUT
set -eu
commands=$3.commands
exits=$3.exits
tab=$(printf '\t')
"$1" help man-commands | sed "s/^    /$tab/" >"$commands"
"$1" help man-exit-codes | sed "s/^    /$tab/" >"$exits"
sed -e "/^@COMMANDS@\$/{r $commands
d}" -e "/^@EXITS@\$/{r $exits
d}" "$2" >"$3"
rm "$commands" "$exits"
