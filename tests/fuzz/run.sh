#!/bin/sh
# Fuzz every target for a while, starting from its kept corpus.
#
# usage: run.sh SECONDS BUILDDIR
#
# BUILDDIR is made when it is not there yet: clang, coverage, ASan and UBSan. Nothing in the
# source tree changes; what is found stays in BUILDDIR/fuzz/TARGET, a crash as crash-*, beside what
# the fuzzer said, in BUILDDIR/fuzz/TARGET.log.
set -eu

if [ $# -ne 2 ]; then
    echo "usage: $0 SECONDS BUILDDIR" >&2
    exit 2
fi
seconds=$1
build=$2
here=$(cd "$(dirname "$0")" && pwd)

if [ ! -f "$build/build.ninja" ]; then
    CC=clang meson setup "$build" "$here/../.." -Db_lundef=false \
        -Db_sanitize=address,undefined -Dc_args=-fsanitize=fuzzer-no-link
fi
targets=
for source in "$here"/fuzz_*.c; do
    targets="$targets $(basename "$source" .c)"
done
# shellcheck disable=SC2086 # a list of words
# shellcheck disable=SC2046 # words again
(cd "$build" && ninja $(printf 'tests/fuzz/%s ' $targets))

failed=
for target in $targets; do
    name=${target#fuzz_}
    found="$build/fuzz/$name"
    mkdir -p "$found"
    printf '%-12s ' "$name"
    if ! UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1 "$build/tests/fuzz/$target" \
        -max_total_time="$seconds" -max_len=4096 -timeout=5 -rss_limit_mb=1024 \
        -dict="$here/aloud.dict" -artifact_prefix="$found/" -print_final_stats=1 -verbosity=0 \
        "$found" "$here/corpus/$name" >"$found.log" 2>&1; then
        echo "FAIL"
        tail -n 40 "$found.log"
        failed="$failed $name"
        continue
    fi
    awk '/number_of_executed_units/ { print $2, "inputs" }' "$found.log"
done
if [ -n "$failed" ]; then
    echo "found something:$failed (see $build/fuzz)" >&2
    exit 1
fi
