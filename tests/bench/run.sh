#!/usr/bin/env bash
# tests/bench/run.sh BUILD [--json]: run every program here that measures, one after the other.
# bench_NAME is a program of BUILD, bench_NAME.py a script; both take --json, and scripts find the
# programs in ALOUD_BUILD.
set -euo pipefail
build=$(realpath "$1")
shift
here=$(dirname "${BASH_SOURCE[0]}")
export ALOUD_BUILD=$build
for program in "$build"/tests/bench/bench_* "$here"/bench_*.py; do
    [[ -f $program && -x $program ]] || continue
    [[ ${1-} == --json ]] || printf '\n== %s\n' "${program##*/bench_}"
    "$program" "$@"
done
