#!/bin/bash
# load.sh HRMLAB - times the commands on a workspace with 100 000 queued runs in one experiment and
# on one with 1 000 000 metric rows, and prints a table: the best of REPEATS (5), since the
# machine may be busy. `make bench-load`. Workspaces are made in a fresh directory below TMPDIR (600
# MB) and removed.
set -eu
hrmlab=$1
repeats=${REPEATS:-5}
directory=$(mktemp -d "${TMPDIR:-/tmp}/hrmlab-load.XXXXXX")
trap 'rm -rf "$directory"' EXIT
export TIMEFORMAT='%R %U %S' LC_ALL=C

fail()
{
    echo "bench-load: $*" >&2
    exit 1
}

# one WORKSPACE GOAL TIMES COMMAND... - a row of the table: wall-clock and CPU seconds of the
# fastest of TIMES. A command may fail when there is nothing to compare (exit code 1), not otherwise.
one()
{
    local workspace=$directory/$1 goal=$2 times=$3 best="" line status
    shift 3
    for ((i = 0; i < times; i++)); do
        status=0
        line=$({ time "$hrmlab" --workspace "$workspace" "$@" >"$directory/out" \
            2>"$directory/err"; } 2>&1) || status=$?
        grep -q 'no finished evaluation' "$directory/err" && status=0
        [ "$status" = 0 ] || fail "$* failed ($status): $(cat "$directory/err")"
        if [ -z "$best" ] || [ "$(printf '%s\n' "$line" "$best" | sort -n | head -n 1)" = "$line" ]; then
            best=$line
        fi
    done
    echo "$best" | awk -v what="${*//$directory\//}" -v goal="$goal" \
        '{ printf "%-40s %8.3f %8.3f %8s%s\n", what, $1, $2 + $3, goal, ($1 > goal ? "  over" : "") }'
}

heading()
{
    printf '\n%s\n%-40s %8s %8s %8s\n' "$1" "" "wall s" "CPU s" "goal s"
}

spec()
{
    cat >"$directory/$1.json" <<END
{"name": "$1", "set": {"data.canvas": 8, "arch.hidden_size": 16, "arch.num_heads": 2},
 "grid": {"train.lr": [0.001, 0.002, 0.003, 0.004, 0.005, 0.006, 0.007, 0.008, 0.009, 0.01],
          "train.max_steps": $2},
 "seeds": $3, "evaluate": {"eval.halt_max_steps": [1, 2]}}
END
}

# What trainings of all runs would have left, with 5000 metric rows each and 20 tasks.
train_by_hand()
{
    sqlite3 "$1" <<'END'
BEGIN;
UPDATE job SET state = 'done', finished_at = queued_at;
INSERT INTO attempt (job_id, run_id, number, directory, executor, state, outcome, user_seconds,
                     system_seconds, started_at, ended_at)
    SELECT job_id, run_id, 1, 'none', 'local', 'ended', 'done', 9.5, 0.5,
           '2026-01-01T00:00:00.000Z', '2026-01-01T00:00:10.000Z' FROM job;
INSERT INTO checkpoint SELECT run_id, attempt_id, 1000, 'none', '' FROM attempt;
INSERT INTO baseline SELECT run_id, 'copy', 'test', 0.5, 0.0, 0.0, 0.0 FROM run;
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000),
     names(name) AS (VALUES ('train/lr'), ('train/loss'), ('train/accuracy'),
                            ('train/exact_accuracy'), ('train/steps'))
    INSERT INTO metric SELECT run_id, name, i, i * 1e-3 FROM run, names, n;
INSERT INTO evaluation_result
    SELECT evaluation_id, step, iif(step = 0, 'untrained', 'last'), 20, 20, 1.0
    FROM evaluation, (SELECT 0 AS step UNION ALL SELECT 1000);
WITH names(name) AS (VALUES ('exact_rows'), ('lm_loss'), ('mean_outer_steps'), ('pass_at_1'),
                            ('pass_at_10'), ('pass_at_100'), ('pass_at_1000'),
                            ('pass_at_1_strict'), ('pass_at_2'), ('pass_at_2_strict'),
                            ('pass_at_5'), ('per_token_accuracy'),
                            ('per_token_accuracy_original'))
    INSERT INTO measure_value SELECT evaluation_id, step, name, 0, 0.1
    FROM evaluation_result CROSS JOIN names;
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20)
    INSERT INTO task_outcome
        SELECT evaluation_id, 'task' || i, 0, iif((evaluation_id * 7 + i * i) % 10 = 0, 1, NULL),
               1, 1, 0.5 FROM evaluation, n;
COMMIT;
END
}

echo '{"name": "small", "set": {"data.canvas": 8, "arch.hidden_size": 16, "arch.num_heads": 2},
       "seeds": 3}' >"$directory/small.json"
spec load '[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]' 1000
spec metrics '[1]' 20
heading "100 000 runs of one experiment: 100 arms, 1000 seeds, 2 evaluations each"
one new 1 "$repeats" plan "$directory/load.json"
one load 1 1 queue "$directory/load.json"
one load 1 "$repeats" plan "$directory/load.json"
one load 1 "$repeats" queue "$directory/load.json"
one load 1 "$repeats" plan "$directory/small.json"
one load 1 1 queue "$directory/small.json"
one load 0.1 "$repeats" status
one load 1 "$repeats" results load
one load 1 "$repeats" results load --where 'train.lr=0.001'
one load 1 "$repeats" compare load --axis train.lr
run=$(sqlite3 "$directory/load/results.db" "SELECT hash FROM run LIMIT 1 OFFSET 50000")
one load 0.1 "$repeats" show "${run:0:12}"
du -m "$directory/load/results.db" | awk '{ printf "the database has %d MiB\n", $1 }'

"$hrmlab" --quiet --workspace "$directory/metrics" queue "$directory/metrics.json" 2>/dev/null
train_by_hand "$directory/metrics/results.db"
heading "1 000 000 metric rows: 10 arms, 20 seeds, 2 evaluations each, all done"
one metrics 1 "$repeats" plan "$directory/metrics.json"
one metrics 0.1 "$repeats" status
one metrics 1 "$repeats" results metrics
one metrics 1 "$repeats" compare metrics --axis train.lr
run=$(sqlite3 "$directory/metrics/results.db" "SELECT hash FROM run LIMIT 1 OFFSET 100")
one metrics 0.1 "$repeats" show "${run:0:12}"
du -m "$directory/metrics/results.db" | awk '{ printf "the database has %d MiB\n", $1 }'
