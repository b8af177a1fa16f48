#!/bin/bash
# slurm.sh [RUNS] - RUNS (500) runs of a worker that computes nothing, on a Slurm of this machine's
# own: as one array, as pilots of 25 runs each, and beside them a plain array of sbatch with as many
# empty jobs. Prints how long each took, and how often Slurm's client programs were called.
# Needs build/hrmlab, build/hrmlab-worker and build/fake_worker.
set -eu
cd "$(dirname "$0")/../.."
runs=${1:-500}
here=$PWD
dir=$(mktemp -d /tmp/hrmlab-slurm-bench-XXXXXX)
export MINI_SLURM_DIR=$dir/cluster MINI_SLURM_CPUS=16 MINI_SLURM_TIMEOUT=60
export SLURM_CONF=$dir/cluster/slurm.conf
# So many jobs at once on a few cores: a launch may take longer than the 5 s that are enough for tests.
export MINI_SLURM_CONF_EXTRA=MessageTimeout=60
export FAKE_WORKER_MODE=ok FAKE_WORKER_REAL=$here/build/hrmlab-worker
export HRMLAB_WORKER=$here/build/fake_worker
trap 'tests/support/mini_slurm.sh stop >/dev/null 2>&1; rm -rf "$dir"' EXIT
trap 'exit 1' INT TERM
mkdir "$dir/cluster" "$dir/count"
tests/support/mini_slurm.sh start 4 >/dev/null
for program in sbatch squeue scontrol scancel sacct; do # each call leaves a byte
    printf '#!/bin/sh\nprintf . >>%s/%s.calls\nexec %s "$@"\n' "$dir/count" "$program" \
        "$(command -v "$program")" >"$dir/count/$program"
    chmod +x "$dir/count/$program"
done

spec() { # NAME RUNS_PER_JOB
    printf '{"name": "%s", "seeds": [%s], "set": {"data.canvas": 8}, "slurm": {"runs_per_job": %d, "mem_gb": 0.05}}' \
        "$1" "$(seq -s, 1 "$runs")" "$2" >"$dir/$1.json"
}

counted() { # NAME SECONDS: calls since the last time, and how many each minute
    local name=$1 seconds=$2 program calls total=0 text=
    for program in sbatch squeue scontrol scancel sacct; do
        calls=0
        [ ! -e "$dir/count/$program.calls" ] || calls=$(wc -c <"$dir/count/$program.calls")
        rm -f "$dir/count/$program.calls"
        [ "$calls" = 0 ] || text="$text $calls $program"
        total=$((total + calls))
    done
    awk -v name="$name" -v s="$seconds" -v n="$total" -v text="$text" \
        'BEGIN { printf "%-28s %7.1f s %6d calls (%.0f each minute):%s\n", name, s, n, 60 * n / s, text }'
}

timed() { # NAME COMMAND...
    local name=$1 begin
    shift
    begin=$(date +%s.%N)
    "$@" >"$dir/out" 2>&1 || { tail -n 5 "$dir/out" >&2; exit 1; }
    counted "$name" "$(awk -v a="$begin" -v b="$(date +%s.%N)" 'BEGIN { print b - a }')"
}

plain() { # sbatch --wait looks seldom
    local id PATH=$dir/count:$PATH
    id=$(sbatch --parsable --array=0-$((runs - 1)) --mem=50M --output=/dev/null --wrap true)
    while [ -n "$(squeue --noheader --jobs "$id" 2>/dev/null)" ]; do sleep 1; done
}

echo "$runs runs, 4 nodes of 16 cores, $(nproc) real cores"
spec array 1
spec pilot 25
timed "array" env PATH="$dir/count:$PATH" build/hrmlab --workspace "$dir/a" run "$dir/array.json" --executor slurm
timed "pilots of 25" env PATH="$dir/count:$PATH" build/hrmlab --workspace "$dir/p" run "$dir/pilot.json" --executor slurm
timed "plain array, empty jobs" plain
