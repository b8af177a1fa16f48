#!/bin/bash
# fake_slurm.sh - sbatch, squeue, scancel, scontrol and sacct (by the name it is called by) for what a real
# Slurm does too seldom. Jobs run here, as processes; $FAKE_SLURM/jobs/ID says which. The file
# $FAKE_SLURM/mode names what goes wrong:
#   oom, preempted   the first job ends so at the first list
#   oom-held         as oom; later jobs last as long as the file hold is there
#   over-memory      the same, in Slurm's own way: the job has failed, and its log says why
#   time-out         the first job ends at its time limit, of which nothing has warned it
#   launch-fails     its node cannot start the first job, which is cancelled for that
#   put-back         the same, when it is in the queue again and has no node any more
#   put-back-later   the same, and the first question how often jobs were put back is not answered
#   cancelled-early  somebody cancels the first job before it has a node
#   begins-late      the first list has the first job waiting, which begins before the list is read
#   requeued         the same, and then somebody puts it back into the queue, where it stays
#   unknown          no list has a job that is over, and there is no accounting
#   number-reused    a controller without memory has given the first job's number to another job
#   accounted        the first job's node fails; only sacct knows
#   accounted-later  the same; the first two questions are not answered
#   accounted-never  the same; no question is answered
#   accounted-array  somebody cancels the array while it waits; only sacct knows, by the array's number
#   fails, garbled   the first two lists are an error, or cut
#   slow             each list takes a while
#   no-answer        sbatch submits the first job, but reports a time-out
#   warned           the same, after a warning of the site's own
#   deaf             scancel is not answered the first two times; jobs last until 40 lists after that
#   waits            no job gets a node
#   held             jobs last as long as the file hold is there
#   aged             likewise; each job has been running for an hour
#   refuses          sbatch refuses every job
#   limited          sbatch refuses more than two jobs at once
#   small-arrays     an array has at most two jobs
# Workers of fake_worker in mode slow last until the second list: $FAKE_SLURM/hold.
set -u
dir=$FAKE_SLURM
mode=$(<"$dir/mode")
jobs=$dir/jobs
mkdir -p "$jobs"

calls() { # how often this program was called before
    local count
    count=$({ wc -c <"$dir/${0##*/}.calls" || echo 0; } 2>/dev/null)
    printf . >>"$dir/${0##*/}.calls"
    echo "$count"
}

alive() { grep -q "^State:.[^Z]" "/proc/$(<"$jobs/$1/pid")/status" 2>/dev/null; }

kill_job() { # the keeper, which its worker does not outlive, and the script
    local script
    script=$(<"$jobs/$1/pid")
    kill -STOP "$script" 2>/dev/null # it starts no other
    pkill -KILL -P "$script"
    kill -KILL "$script" 2>/dev/null
}

wait_until_begun() { # the first attempt
    until [ ! -e "$dir" ] || grep -q number "$dir"/../ws/runs/*/attempts/1/slurm.begun 2>/dev/null; do
        sleep 0.05
    done
}

end_job() { # ID STATE
    while alive "$1"; do
        if [ "$2" = PREEMPTED ]; then # again where the keeper had not started yet
            pkill -TERM -P "$(<"$jobs/$1/pid")"
        else
            kill_job "$1"
        fi
        sleep 0.05
    done
    echo "$2" >"$jobs/$1/state"
}

start() { # ID ELEMENT NAME OUTPUT SCRIPT ARGUMENT...
    mkdir -p "$jobs/$1"
    echo "$3" >"$jobs/$1/name"
    case "$1 $mode" in
    *\ waits)
        echo 0 >"$jobs/$1/pid"
        echo PENDING >"$jobs/$1/state"
        return
        ;;
    *\ accounted-array | 1*\ launch-fails | 1*\ put-back* | 1*\ cancelled-early)
        echo 0 >"$jobs/$1/pid"
        echo CANCELLED >"$jobs/$1/state"
        return
        ;;
    esac
    if [ -n "$2" ]; then # otherwise that of sbatch's caller stays
        export SLURM_ARRAY_TASK_ID=$2
    fi
    echo "$4" >"$jobs/$1/log"
    export SLURM_JOB_ID=${1/_/}
    setsid bash "${@:5}" >>"$4" 2>&1 </dev/null &
    echo $! >"$jobs/$1/pid"
}

submit() { # OPTION... SCRIPT ARGUMENT...
    local id=1 element name='' output='' array=${SBATCH_ARRAY_INX:-} # as the real one
    array=${array#0-}
    while [ "${1#--}" != "$1" ]; do
        case $1 in
        --job-name=*) name=${1#*=} ;;
        --output=*) output=${1#*=} ;;
        --array=*) array=${1#*=0-} array=${array%%%*} ;;
        esac
        shift
    done
    calls >/dev/null
    case $mode in
    refuses)
        echo "sbatch: error: Batch job submission failed: Invalid partition name specified" >&2
        exit 1
        ;;
    limited) # no more than two jobs at a time
        [ "${array:-0}" -lt 2 ] || {
            echo "sbatch: error: QOSMaxSubmitJobPerUserLimit" >&2
            exit 1
        } ;;
    esac
    while ! mkdir "$jobs/$id" 2>/dev/null; do id=$((id + 1)); done
    if [ -z "$array" ]; then
        start "$id" '' "$name" "$output" "$@"
    else
        for ((element = 0; element <= array; element++)); do
            start "${id}_$element" "$element" "$name" "$output" "$@"
        done
    fi
    [ "$mode" != warned ] || echo "sbatch: warning: the time limit is set to 60 minutes" >&2
    if [[ $mode = no-answer || $mode = warned ]] && [ "$id" = 1 ]; then
        echo "sbatch: error: Batch job submission failed: Socket timed out" >&2
        exit 1
    fi
    echo "$id"
}

list() {
    local before id state node=node1 age=0:01
    case "$mode $*" in
    put-back-later*--Format=*)
        [ -e "$dir/asked" ] || {
            touch "$dir/asked"
            echo "slurm_load_jobs error: Unable to contact slurm controller" >&2
            exit 1
        }
        echo "1    1   "
        return
        ;;
    put-back*--Format=*) echo "1    1   "; return ;;
    *--Format=*) echo "1    0   "; return ;;
    cancelled-early* | put-back* | waits*) node= ;;
    esac
    before=$(calls)
    [ -z "${SQUEUE_PARTITION:-}" ] || exit 0 # as the real one, of that partition
    case $mode in
    fails) [ "$before" -ge 2 ] || { echo "slurm_load_jobs error: Unable to contact" >&2; exit 1; } ;;
    slow) sleep 1.5 ;;
    garbled) [ "$before" -ge 2 ] || { printf '1|RUNN'; exit 0; } ;;
    oom*) [ "$before" != 0 ] || end_job 1 OUT_OF_MEMORY ;;
    accounted*) [ "$before" != 0 ] || end_job 1 NODE_FAIL ;;
    over-memory)
        [ "$before" != 0 ] || {
            wait_until_begun
            end_job 1 FAILED
            echo "slurmstepd-n7: error: StepId=1.batch exceeded memory limit (9 > 8), being killed" \
                >>"$(<"$jobs/1/log")"
        }
        ;;
    preempted) [ "$before" != 0 ] || end_job 1 PREEMPTED ;;
    time-out) [ "$before" != 0 ] || end_job 1 TIMEOUT ;;
    aged) age=1:00:00 ;;
    begins-late | requeued) [ "$before" != 0 ] || echo PENDING >"$jobs/1/state" ;;
    esac
    case $mode in
    deaf) # should it not be cancelled
        [ ! -e "$dir/scancel.calls" ] || printf . >>"$dir/lists"
        [ "$({ wc -c <"$dir/lists" || echo 0; } 2>/dev/null)" -lt 40 ] || rm -f "$dir/hold"
        ;;
    held | aged | oom-held) ;;
    begins-late) [ "$before" -lt 2 ] || rm -f "$dir/hold" ;; # the second list has it running
    *) [ "$before" = 0 ] || rm -f "$dir/hold" ;;
    esac
    for id in "$jobs"/*; do
        id=${id##*/}
        state=COMPLETED
        [ -e "$jobs/$id/pid" ] || continue
        if alive "$id"; then state=RUNNING; fi
        [ ! -e "$jobs/$id/state" ] || state=$(<"$jobs/$id/state")
        case "$mode $state" in
        "unknown COMPLETED" | accounted*" NODE_FAIL" | "accounted-array CANCELLED") continue ;;
        number-reused*) echo "$id|PENDING|0:00||wrap|"; continue ;;
        esac
        echo "$id|$state|$age|$node|$(<"$jobs/$id/name")|"
    done
    case "$mode $before" in
    begins-late\ 0) wait_until_begun && rm "$jobs/1/state" ;;
    requeued\ 0) wait_until_begun && end_job 1 PENDING ;;
    esac
}

cancel() {
    local word before
    before=$(calls)
    [ "$mode" != deaf ] || [ "$before" -ge 2 ] || {
        echo "scancel: error: Kill job error on job id $*: Socket timed out on send/recv operation" >&2
        exit 1
    }
    for word in "$@"; do
        case $word in
        --*) ;;
        *)
            if [ "${1:-}" = --batch ]; then
                kill -TERM "$(<"$jobs/$word/pid")"
            else
                end_job "$word" CANCELLED
            fi
            ;;
        esac
    done
}

case ${0##*/} in
sbatch) submit "$@" ;;
squeue) list "$@" ;;
scancel) cancel "$@" ;;
scontrol)
    size=1001
    [ "$mode" != small-arrays ] || size=2
    echo "MaxArraySize            = $size"
    ;;
sacct)
    before=$(calls)
    case "$mode $before" in
    accounted-never* | accounted-later\ [01])
        echo "sacct: error: Problem talking to the database: Connection refused" >&2
        exit 1
        ;;
    esac
    [[ $mode != accounted-array ]] || {
        [[ " $* " != *" --jobs=1 "* ]] || echo "1_[0-3]|CANCELLED by 0|None assigned|$(<"$jobs/1_0/name")"
        exit 0
    }
    [[ $mode != accounted* ]] || { echo "1|NODE_FAIL|node1|$(<"$jobs/1/name")"; exit 0; }
    echo "Slurm accounting storage is disabled" >&2
    exit 1
    ;;
esac
