#!/bin/bash
# valgrind.sh BUILD - runner and workers under valgrind (memory errors and leaks) on the demo, cut
# down to a few steps, and on what is asked of its results afterwards. `make test-valgrind`.
# Any error or leak in any process fails it; the last line says how many processes there were.
set -u
build=$PWD/$1
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
mkdir "$place/log"
# The sandbox would forbid valgrind's own files. With this BLAS environment, and none inherited, a
# worker need not start itself again, which /proc/self/exe would not let it do here.
for variable in $(compgen -e | grep -E '^(OPENBLAS|OMP|GOTO|MKL|VECLIB)_'); do
    unset "$variable"
done
export HRMLAB_SANDBOX=off OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1
export HRMLAB_WORKER=$build/hrmlab-worker
failed=0

run()
{
    valgrind -q --trace-children=yes --child-silent-after-fork=no --leak-check=full \
        --errors-for-leak-kinds=definite,possible --error-exitcode=99 \
        --log-file="$place/log/%p" \
        "$build/hrmlab" --workspace "$place/ws" "$@" >"$place/out" 2>&1
    local status=$?
    if [ $status != 0 ]; then
        echo "FAILED hrmlab $*: exit $status"
        tail -n 5 "$place/out"
        failed=$((failed + 1))
    fi
}

run plan tests/data/valgrind.json
run run tests/data/valgrind.json --jobs 2
# Without doctor, whose question to a worker is answered too slowly here.
for command in status axes "results demo" "compare demo --axis arch.name" \
    "compare demo --matrix" rebuild; do
    # shellcheck disable=SC2086 # words on purpose
    run $command
done
hash=$(sqlite3 "$place/ws/results.db" 'SELECT hash FROM run LIMIT 1')
run show "$hash"
run verify "$hash"

# Findings begin with ==PID==; a system call that valgrind does not know (landlock's) is none.
for log in "$place"/log/*; do
    grep -q '^==' "$log" || continue
    echo "FAILED: valgrind says of process ${log##*/}"
    head -n 30 "$log"
    failed=$((failed + 1))
done
echo "$(find "$place/log" -type f | wc -l) processes under valgrind, $failed failures"
[ "$failed" = 0 ]
