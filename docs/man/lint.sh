#!/bin/sh
# Goal: the man page is clean for mandoc, but for the empty paragraphs that scdoc leaves.
# usage: lint.sh PAGE
set -eu
if mandoc -T lint -W warning "$1" | grep -v 'skipping paragraph macro: PP'; then
    exit 1
fi
