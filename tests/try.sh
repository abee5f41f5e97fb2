#!/usr/bin/env bash
# Two nodes at work, as two people would use them, in a scratch directory: the first takes in a real
# git history, the second is invited, catches up, and both write live. Every answer is looked at;
# nothing is left running, whatever happens.
#
#     try.sh BUILD_DIR [--git PATH]
set -euo pipefail
umask 077

build=$(cd "${1:?usage: try.sh BUILD_DIR [--git PATH]}" && pwd)
shift
repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
if [[ ${1:-} == --git ]]; then
    repository=$(cd "${2:?--git needs a path}" && pwd)
fi

scratch=$(mktemp -d "${TMPDIR:-/tmp}/aloud-try.XXXXXX")
aloud=$build/cli/aloud
export PATH=$build/daemon:$PATH

as() { # as NAME COMMAND...: run aloud as that person
    local who=$1
    shift
    "$aloud" --home "$scratch/$who" --no-input "$@"
}

cleanup() {
    local status=$?
    as kai node stop >/dev/null 2>&1 || true
    as noor node stop >/dev/null 2>&1 || true
    if ((status == 0)); then
        rm -rf "$scratch"
    else
        printf '\ntry: FAILED. What the nodes left is in %s\n' "$scratch" >&2
    fi
}
trap cleanup EXIT

step() { printf '\n\033[1m%s\033[0m\n' "$*"; }
fail() {
    printf 'try: %s\n' "$*" >&2
    exit 1
}
expect() { # expect TEXT FILE: the text must be in the file
    grep -qF -- "$1" "$2" || {
        cat "$2" >&2
        fail "expected to see: $1"
    }
}
# field NAME: of one JSON object on stdin
field() { /usr/bin/python3 -c 'import json, sys; print(json.load(sys.stdin)[sys.argv[1]])' "$1"; }

step "Two people, kai and noor, each with a node of their own"
for who in kai noor; do
    mkdir -p "$scratch/$who"
    printf 'listen = 127.0.0.1:0\n' >"$scratch/$who/config"
    as "$who" init --quiet --name "$who" --phrase-out "$scratch/$who.words" >/dev/null
    [[ $(wc -w <"$scratch/$who.words") -eq 24 ]] || fail "the phrase of $who has not 24 words"
done
as kai post "Hello from kai" +first >/dev/null
as kai status --pretty

step "kai takes in the history of $repository"
as kai import git "$repository" --all --to network --yes --json >"$scratch/import"
added=$(field added <"$scratch/import")
((added > 0)) || fail "no commit was imported"
as kai import git "$repository" --all --to network --yes --quiet --json >"$scratch/again"
[[ $(field added <"$scratch/again") -eq 0 ]] || fail "a second import added entries again"
printf '%s commits, each an entry; run again: 0 new\n' "$added"

step "kai invites noor, who joins and catches up"
ticket=$(as kai invite --json | field ticket)
started=$(date +%s%N)
as noor join "$ticket" --pretty
for _ in $(seq 600); do
    entries=$(as noor status --json | field entries)
    ((entries >= added)) && break
    sleep 0.1
done
((entries >= added)) || fail "noor has $entries entries, expected at least $added"
printf 'noor holds %s entries after %s ms\n' "$entries" "$((($(date +%s%N) - started) / 1000000))"

step "both write, live"
as noor post "Reading your history now, kai" +first >/dev/null
question=$(as kai post "Why do sequence numbers begin at one?" -k question --json | field id)
for _ in $(seq 100); do
    as noor show "$question" >"$scratch/question" 2>/dev/null && break
    sleep 0.05
done
expect "sequence numbers" "$scratch/question"
as noor reply "$question" "So that zero can mean: none yet." >/dev/null
for _ in $(seq 100); do
    as kai thread "$question" >"$scratch/thread" 2>/dev/null
    grep -q "none yet" "$scratch/thread" && break
    sleep 0.05
done
expect "none yet" "$scratch/thread"
as kai timeline >"$scratch/timeline.kai"
expect "Reading your history now" "$scratch/timeline.kai"

step "noor's timeline"
as noor timeline -n 8 --pretty | tee "$scratch/timeline"
expect "Why do sequence numbers begin at one?" "$scratch/timeline"

step "noor searches: \"sequence numbers\""
as noor search '"sequence numbers"' -n 3 --pretty | tee "$scratch/search"
expect "sequence numbers" "$scratch/search"

step "the thread, as noor sees it"
as noor thread "$question" --pretty | tee "$scratch/thread.noor"
expect "So that zero can mean" "$scratch/thread.noor"

step "every chain checked"
as noor doctor --pretty

step "All is well: $added commits imported, carried to a second node, searched, answered."
