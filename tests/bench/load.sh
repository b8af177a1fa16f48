#!/bin/bash
# load.sh BUILD [WORKSPACE] - times every command that reads, some that write, and every page of
# hrmlab-serve, on a workspace with 100 000 runs and 1 000 000 metric rows, and prints a table. Limits are of processor
# time, since the machine may be busy: the least of REPEATS (3) runs. Exit 1: one took more than its
# limit. `make bench-load`.
# WORKSPACE (600 MB) is made where there is none, and stays; without it, a new one is removed.
#
# The workspace of results: `whole` has 100 000 runs (100 arms, 1000 seeds); part_1 to part_10 share 10 000 of
# them (10 arms, 100 seeds, two evaluations of each run); `metrics` has 200 runs with 5000 metric
# rows each; `small` 3. All but some are done. Plans are made and queued in a workspace of their own.
set -eu
build=$1
hrmlab=$build/hrmlab
repeats=${REPEATS:-3}
directory=$(mktemp -d "${TMPDIR:-/tmp}/hrmlab-load.XXXXXX")
workspace=${2:-$directory/workspace}
server=
trap '[ -z "$server" ] || kill "$server"; rm -rf "$directory"' EXIT
export TIMEFORMAT='%R %U %S' LC_ALL=C
over=0

fail()
{
    echo "bench-load: $*" >&2
    exit 1
}

# least SECONDS OTHER - the smaller; OTHER may be empty.
least()
{
    awk -v a="$1" -v b="${2:-$1}" 'BEGIN { print(a < b ? a : b) }'
}

# row WHAT LIMIT WALL CPU - a row of the table; LIMIT - : none.
row()
{
    local mark=""
    if [ "$2" != - ] && awk -v a="$4" -v b="$2" 'BEGIN { exit !(a > b) }'; then
        mark="  over"
        over=$((over + 1))
    fi
    printf '%-56s %8.3f %8.3f %8s%s\n' "${1:0:56}" "$3" "$4" "$2" "$mark"
}

# one LIMIT COMMAND...
one()
{
    one_of "$repeats" "$@"
}

# one_of REPEATS LIMIT COMMAND...
one_of()
{
    local times=$1 limit=$2 wall="" cpu="" line status
    shift 2
    for ((i = 0; i < times; i++)); do
        status=0
        line=$({ time "$hrmlab" --quiet --workspace "$workspace" "$@" >"$directory/out" \
            2>"$directory/err"; } 2>&1) || status=$?
        [ "$status" = 0 ] || fail "$* failed ($status): $(cat "$directory/err")"
        read -r real user system <<<"$line"
        wall=$(least "$real" "$wall")
        cpu=$(least "$(awk -v u="$user" -v s="$system" 'BEGIN { print u + s }')" "$cpu")
    done
    row "${*//$directory\//}" "$limit" "$wall" "$cpu"
}

# What hrmlab-serve has taken so far, seconds of processor time.
server_seconds()
{
    awk -v hz="$(getconf CLK_TCK)" '{ print ($14 + $15) / hz }' "/proc/$server/stat"
}

# page LIMIT ADDRESS - a page of hrmlab-serve, made anew.
page()
{
    local wall="" cpu="" line before
    for ((i = 0; i < repeats; i++)); do
        before=$(server_seconds)
        line=$(curl -s -o "$directory/out" -b "$cookie" -w '%{http_code} %{time_total}' \
            "$address$2$([[ $2 == *\?* ]] && echo '&' || echo '?')again=$i")
        [ "${line%% *}" = 200 ] || fail "page $2: $line $(head -c 300 "$directory/out")"
        wall=$(least "${line##* }" "$wall")
        cpu=$(least "$(awk -v a="$before" -v b="$(server_seconds)" 'BEGIN { print b - a }')" "$cpu")
    done
    row "page $2" "$1" "$wall" "$cpu"
}

heading()
{
    printf '\n%s\n%-56s %8s %8s %8s\n' "$1" "" "wall s" "CPU s" "limit s"
}

# spec NAME MAX_STEPS SEEDS OUTER_STEPS
spec()
{
    cat >"$directory/$1.json" <<END
{"name": "$1", "set": {"data.canvas": 8, "arch.hidden_size": 16, "arch.num_heads": 2},
 "grid": {"train.lr": [0.001, 0.002, 0.003, 0.004, 0.005, 0.006, 0.007, 0.008, 0.009, 0.01],
          "train.max_steps": $2},
 "seeds": $3, "evaluate": {"eval.halt_max_steps": $4}}
END
}

# What trainings would have left, with 10 tasks. Of every 1000 runs one failed and one diverged; the
# last 200 of all are still queued.
train_by_hand()
{
    sqlite3 "$1" <<'END'
PRAGMA synchronous = OFF;
BEGIN;
CREATE TEMP TABLE many AS SELECT run_id FROM experiment JOIN arm USING (experiment_id)
    JOIN arm_run USING (arm_id) WHERE name = 'metrics';
UPDATE job SET state = 'done', finished_at = queued_at WHERE run_id IN many
    OR run_id <= (SELECT max(run_id) FROM arm_run JOIN arm USING (arm_id)
                  JOIN experiment USING (experiment_id) WHERE name = 'whole') - 200;
UPDATE job SET state = 'failed', cause = 'crash', message = 'killed by signal 11'
    WHERE state = 'done' AND run_id % 1000 = 7;
UPDATE job SET cause = 'diverged', message = 'loss nan at step 200'
    WHERE state = 'done' AND run_id % 1000 = 8;
INSERT INTO attempt (job_id, run_id, number, directory, executor, state, outcome, user_seconds,
                     system_seconds, train_seconds, evaluation_seconds, provenance, engine_version,
                     kernel_set, host, started_at, ended_at)
    SELECT job_id, run_id, 1, 'none', 'local', 'ended',
           CASE WHEN cause IS NULL THEN 'done' ELSE cause END, 9.5, 0.5, 9.0, 1.0,
           '{"data": {"source": "built-in"}, "text": "' || hex(zeroblob(400)) || '"}', '1', 'avx2',
           'host', '2026-01-01T00:00:00.000Z', '2026-01-01T00:00:10.000Z'
    FROM job WHERE state <> 'queued' AND kind = 'train';
CREATE TEMP TABLE over AS SELECT run_id FROM job GROUP BY run_id
    HAVING min(state) = 'done' AND max(state) = 'done' AND max(cause) IS NULL;
INSERT INTO checkpoint SELECT run_id, attempt_id, 1000, 'none', '' FROM attempt
    JOIN over USING (run_id);
INSERT INTO baseline SELECT run_id, 'copy', 'test', 0.5, 0.0, 0.0, 0.0 FROM over;
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000),
     names(name) AS (VALUES ('train/accuracy'), ('train/exact_accuracy'), ('train/lm_loss'),
                            ('train/lr'), ('train/steps'))
    INSERT INTO metric SELECT run_id, name, i, 1.0 / i + run_id % 7 * 1e-3 FROM many, names, n;
INSERT INTO evaluation_result (evaluation_id, step, checkpoint, tasks, rows_count, seconds)
    SELECT evaluation_id, step, iif(step = 0, 'untrained', 'last'), 10, 10, 1.0
    FROM evaluation JOIN over USING (run_id), (SELECT 0 AS step UNION ALL SELECT 1000);
WITH names(name) AS (VALUES ('exact_rows'), ('lm_loss'), ('mean_outer_steps'), ('pass_at_1'),
                            ('pass_at_10'), ('pass_at_100'), ('pass_at_1000'),
                            ('pass_at_1_strict'), ('pass_at_2'), ('pass_at_2_strict'),
                            ('pass_at_5'), ('per_token_accuracy'),
                            ('per_token_accuracy_original'))
    INSERT INTO measure_value
        SELECT evaluation_id, step, name, 0, (evaluation_id * 7 + step / 100) % 11 / 11.0
        FROM evaluation_result CROSS JOIN names;
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10)
    INSERT INTO task_outcome
        SELECT evaluation_id, printf('task%02d', i), 0,
               iif((evaluation_id * 7 + i * i) % 10 < 4, 1, NULL), 1, 1, 0.5
        FROM evaluation JOIN over USING (run_id), n;
COMMIT;
PRAGMA wal_checkpoint(TRUNCATE);
END
}

make_workspace()
{
    for name in whole part_{1..10} metrics small; do
        "$hrmlab" --quiet --workspace "$workspace" queue "$directory/$name.json" 2>"$directory/err" || fail "queue: $(cat "$directory/err")"
    done
    train_by_hand "$workspace/results.db"
}

# commands_of NAME LIMIT SEEDS REPORT - what reads one experiment; LIMIT: of a look at its results,
# SEEDS: so many in `importance`, which refuses gaps, REPORT: the limit of the report.
commands_of()
{
    local a='train.lr=0.001 train.max_steps=1' b='train.lr=0.002 train.max_steps=1'
    one "$2" status "$1"
    one "$2" watch --plain "$1"
    one "$2" results "$1"
    one "$2" results "$1" --where train.lr=0.001
    one "$2" results "$1" --rows train.lr --cols train.max_steps
    one "$2" results "$1" --rows train.lr --cols data.canvas
    one "$2" results "$1" --rows train.seed --cols train.lr
    one 1 compare "$1" --axis train.lr
    one 1 compare "$1" "$a" "$b"
    one 1 tasks "$1"
    one 1 importance "$1" --where "train.seed<$3"
    one 1 diff "$1:$a" "$1:$b"
    one 1 plot "$1" --figure axis --axis train.lr --where 'train.max_steps<=8'
    one "$4" report "$1" -o "$directory/report.html"
}

commands()
{
    heading "The workspace: 100 000 runs, 13 experiments"
    one 1 status
    one 1 watch --plain
    one 1 gc
    one 1 tag
    one 1 note small measured
    one 1 tag small measured
    one 1 queue "$directory/small.json"
    one 1 doctor
    one 1.5 doctor --full
    one 0.1 completions -- hrmlab results ""
    one 0.1 completions -- hrmlab show ""
    one 0.1 show "${run:0:12}"
    one 1 plan "$directory/small.json"

    heading "An experiment of 1000 runs: 10 arms, 100 seeds, 2 evaluations each"
    commands_of part_1 0.1 100 1
    one 0.3 results part_1 --all --format csv
    one 1 export "$directory/export" part_1 --force

    heading "An experiment of 1 000 000 metric rows: 10 arms, 20 seeds"
    one 0.1 results metrics
    one 1 curves metrics
    one 1 plot metrics --figure loss_curves --where 'train.lr<=0.008'
    one 1 report metrics -o "$directory/report.html"

    heading "One experiment of 100 000 runs: 100 arms, 1000 seeds"
    commands_of whole 1 700 1
}

plans()
{
    local results=$workspace
    workspace=$directory/plans
    heading "A spec of 100 000 runs"
    one 1 plan "$directory/whole.json"
    one_of 1 1 queue "$directory/whole.json"
    one 1 plan "$directory/whole.json"
    one 1 queue "$directory/whole.json"
    one 1 status
    workspace=$results
}

pages()
{
    local arm_a='whole:train.lr%3D0.001+train.max_steps%3D1' arm_b='whole:train.lr%3D0.002+train.max_steps%3D1'
    "$build/hrmlab-serve" --quiet --workspace "$workspace" >"$directory/address" 2>"$directory/err" &
    server=$!
    until [ -s "$directory/address" ]; do sleep 0.05; done
    IFS='=' read -r address token <"$directory/address"
    address=${address%%/\?*}
    cookie="hrmlab_${address##*:}=$token"
    heading "Pages of hrmlab-serve"
    page 1 /
    page 1 /queue
    page 0.1 "/run/$run"
    page 1 /experiment/part_1
    page 1 /experiment/metrics
    page 1 /task/part_1/task01
    page 1 /figure/part_1/seeds.svg
    page 1 "/compare?a=${arm_a//whole:/part_1:}&b=${arm_b//whole:/part_1:}"
    page 1 "/compare?a=$arm_a&b=$arm_b"
    page 1.5 /experiment/whole
}

spec whole '[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]' 1000 '[1]'
for i in {1..10}; do spec "part_$i" "[$i]" 100 '[1, 2]'; done
spec metrics '[20]' 20 '[1, 2]'
echo '{"name": "small", "set": {"data.canvas": 8, "arch.hidden_size": 16, "arch.num_heads": 2},
       "seeds": 3}' >"$directory/small.json"
[ -e "$workspace/results.db" ] || make_workspace
run=$(sqlite3 "$workspace/results.db" "SELECT hash FROM run WHERE run_id = 5000")
commands
pages
plans
du -m "$workspace/results.db" | awk '{ printf "\nthe database has %d MiB\n", $1 }'
[ "$over" = 0 ] || fail "$over above their limits"
