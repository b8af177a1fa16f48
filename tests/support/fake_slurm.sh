#!/bin/bash
# fake_slurm.sh - sbatch, squeue, scancel and sacct (by the name it is called by) for what a real
# Slurm does too seldom. Jobs run here, as processes; $FAKE_SLURM/jobs/ID says which. The file
# $FAKE_SLURM/mode names what goes wrong:
#   oom, preempted   the first job ends so at the first list
#   unknown          no list has a job that is over, and there is no accounting
#   fails, garbled   the first two lists are an error, or cut
#   no-answer        sbatch submits the first job, but reports a time-out
#   refuses          sbatch refuses every job
set -u
dir=$FAKE_SLURM
mode=$(<"$dir/mode")
jobs=$dir/jobs
mkdir -p "$jobs"

option() { sed -n "s/^#SBATCH --$1=//p" "$2"; }

calls() { # how often this program was called before
    local count
    count=$(wc -c <"$dir/${0##*/}.calls" 2>/dev/null || echo 0)
    printf . >>"$dir/${0##*/}.calls"
    echo "$count"
}

alive() { grep -q "^State:.[^Z]" "/proc/$(<"$jobs/$1/pid")/status" 2>/dev/null; }

kill_job() { # the keeper, which its worker does not outlive, and the script
    local script
    script=$(<"$jobs/$1/pid")
    pkill -KILL -P "$script"
    kill -KILL "$script" 2>/dev/null
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

submit() { # SCRIPT
    local id=1
    if [ "$mode" = refuses ]; then
        echo "sbatch: error: Batch job submission failed: Invalid partition name specified" >&2
        exit 1
    fi
    while ! mkdir "$jobs/$id" 2>/dev/null; do id=$((id + 1)); done
    option job-name "$1" >"$jobs/$id/name"
    setsid bash "$1" >>"$(option output "$1")" 2>&1 </dev/null &
    echo $! >"$jobs/$id/pid"
    if [ "$mode" = no-answer ] && [ "$id" = 1 ]; then
        echo "sbatch: error: Batch job submission failed: Socket timed out" >&2
        exit 1
    fi
    echo "$id"
}

list() {
    local before id state
    before=$(calls)
    case $mode in
    fails) [ "$before" -ge 2 ] || { echo "slurm_load_jobs error: Unable to contact" >&2; exit 1; } ;;
    garbled) [ "$before" -ge 2 ] || { printf '1|RUNN'; exit 0; } ;;
    oom) [ "$before" != 0 ] || end_job 1 OUT_OF_MEMORY ;;
    preempted) [ "$before" != 0 ] || end_job 1 PREEMPTED ;;
    esac
    for id in "$jobs"/*; do
        id=${id##*/}
        state=COMPLETED
        [ -e "$jobs/$id/pid" ] || continue
        if alive "$id"; then state=RUNNING; fi
        [ ! -e "$jobs/$id/state" ] || state=$(<"$jobs/$id/state")
        [ "$mode $state" = "unknown COMPLETED" ] || echo "$id|$state|0:01|node1|$(<"$jobs/$id/name")"
    done
}

cancel() {
    local word
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
sbatch) submit "$2" ;;
squeue) list ;;
scancel) cancel "$@" ;;
sacct)
    echo "Slurm accounting storage is disabled" >&2
    exit 1
    ;;
esac
