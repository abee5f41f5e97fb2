#!/usr/bin/env bash
# tests/tools/check_symbols.sh BUILD: the rooms that must not reach the world don't. The undefined
# symbols of their libraries show no clock, no socket, no file, no entropy, no libuv; SQLite is
# reached by the store alone (the views have a database of their own). And aloudd starts no program.
set -euo pipefail
build=$1

names=(
    # clock
    time gettimeofday 'clock(_gettime)?' 'nano?sleep' usleep 'localtime(_r)?' 'gmtime(_r)?' mktime
    # socket
    socket connect bind listen 'accept4?' 'send(to|msg|mmsg)?' 'recv(from|msg|mmsg)?' getaddrinfo
    poll select 'epoll_.*'
    # file, environment, process
    'open(at|dir)?(64)?' 'f?open(64)?' fdopen creat 'p?(read|write)v?(64)?' 'unlink(at)?'
    'rename(at)?' '[fl]?stat(at)?(64)?' mkdir 'mkstemp(64)?' 'f(data)?sync' 'ftruncate(64)?' flock
    '(secure_)?getenv' '_?exit' system fork 'exec.*' popen
    # entropy that a seed does not replay
    's?rand(om)?' drand48 getrandom getentropy 'arc4random.*' 'randombytes.*'
    'crypto_(sign|box|kx)(_ed25519)?_keypair'
    # libraries that do all this
    'uv_.*' 'sqlite3_.*' 'pthread_.*'
)
world="^($(IFS='|' && echo "${names[*]}"))(@.*)?\$"

# These objects are how a room meets the world; each says so in its header.
declare -A excused=(
    [base]='paths.c.o|when.c.o'
)

# undefined ARCHIVE EXCUSED: "object symbol" for each undefined symbol of the objects not excused.
undefined() {
    nm -A -u "$1" | awk -v excused="^($2)\$" '{
        object = $1; sub(/:$/, "", object); sub(/.*\//, "", object)
        if (object !~ excused) print object, $NF
    }'
}

failed=0
for room in proto base keys noise circle log gossip node; do
    archive=$(find "$build" -name "lib$room.a")
    if [[ -z $archive ]]; then
        echo "check_symbols: lib$room.a is missing" >&2
        exit 1
    fi
    while read -r object symbol; do
        if [[ $symbol =~ $world ]]; then
            echo "$room: $object reaches $symbol"
            failed=1
        fi
    done < <(undefined "$archive" "${excused[$room]:-none}")
done

starts='^(exec(v|l|ve|vp|vpe|lp|le|veat)|fexecve|system|popen|posix_spawnp?|uv_spawn|dlopen)(@.*)?$'
while read -r symbol; do
    if [[ $symbol =~ $starts ]]; then
        echo "aloudd: reaches $symbol"
        failed=1
    fi
done < <(nm -D -u "$build/daemon/aloudd" | awk '{ print $NF }')
exit "$failed"
