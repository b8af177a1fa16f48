#!/bin/bash
# mini_slurm.sh - a private, throw-away Slurm cluster on the loopback interface, for tests.
#
#   mini_slurm.sh start [NODES] [DIR]   start munged, slurmctld and NODES slurmd (default 1)
#   mini_slurm.sh conf  [DIR]           print the lines that a shell evaluates to use it
#   mini_slurm.sh stop  [DIR]           cancel all jobs, stop what start started
#   mini_slurm.sh kill NAME             kill -9 of slurmctld or a nodeN's slurmd; its jobs live on
#   mini_slurm.sh revive NAME           start it again
#
# DIR defaults to $MINI_SLURM_DIR; start without either makes one with mktemp (and stop then
# removes it; a DIR named by the caller is kept, with its logs).  Typical use:
#   eval "$(mini_slurm.sh start 3)"; sbatch --wrap hostname; mini_slurm.sh stop
#
# Settings from the environment (all optional):
#   MINI_SLURM_CPUS=2          CPUs that each virtual node claims (may exceed the real number)
#   MINI_SLURM_MEM=1024        MB that each virtual node claims
#   MINI_SLURM_CONF_EXTRA=...  further slurm.conf lines, appended last
#   MINI_SLURM_TIMEOUT=15      seconds to wait until all nodes are idle
# Needs Debian's slurmctld, slurmd, slurm-client and munge; no systemd, no cgroups, no network.
# Works as root, or as a plain user (jobs then run as that user only).
# shellcheck disable=SC2086,SC2010,SC2015,SC2034,SC2129 # words of /proc and loops, on purpose
set -u
PATH=$PATH:/usr/sbin:/sbin
me=${0##*/}
say() { printf '%s: %s\n' "$me" "$*" >&2; }
die() { say "$*"; exit 1; }

# ---- processes: a pid is only ever trusted together with its start time -----------------
start_time() { # PID -> clock ticks since boot at which it started (empty when gone)
    local s; { s=$(<"/proc/$1/stat"); } 2>/dev/null || return 1
    s=${s##*) }; set -- $s; [ "$1" != Z ] && echo "${20}"
}
record() { # NAME PID
    local t; t=$(start_time "$2") || return 1
    printf '%s %s\n' "$2" "$t" >"$dir/run/$1.proc"
}
alive() { # NAME
    local p t; read -r p t 2>/dev/null <"$dir/run/$1.proc" || return 1
    [ "$(start_time "$p")" = "$t" ]
}
end() { # NAME: TERM, then KILL after 3 seconds
    local p t i; alive "$1" || { rm -f "$dir/run/$1.proc"; return 0; }
    read -r p t <"$dir/run/$1.proc"
    kill -TERM "$p" 2>/dev/null
    for ((i = 0; i < 60; i++)); do alive "$1" || break; sleep 0.05; done
    alive "$1" && { say "$1 (pid $p) ignored TERM, killing it"; kill -KILL "$p"; }
    rm -f "$dir/run/$1.proc"
}
wait_for() { # SECONDS COMMAND...
    local until=$((${EPOCHREALTIME/[^0-9]/} + $1 * 1000000)); shift
    while ! "$@"; do
        [ "${EPOCHREALTIME/[^0-9]/}" -lt "$until" ] || return 1
        sleep 0.05
    done
}
leftovers() { # pids of step daemons and job processes that belong to this cluster
    local p
    for p in /proc/[0-9]*; do
        [ "${p#/proc/}" != $$ ] || continue
        case $(readlink "$p/exe" 2>/dev/null) in
        */slurmstepd*) grep -qzxF "MINI_SLURM_OWNER=$dir" "$p/environ" 2>/dev/null ||
                ls -l "$p/fd" 2>/dev/null | grep -qF " $dir/" || continue ;;
        *) grep -qzxF "SLURM_CONF=$conf" "$p/environ" 2>/dev/null &&
                grep -qzE '^SLURM_JOB_ID=' "$p/environ" 2>/dev/null || continue ;;
        esac
        echo "${p#/proc/}"
    done
}

# ---- ports -------------------------------------------------------------------------------
port_used() { grep -qiE "^ *[0-9]+: [0-9A-F]+:$(printf %04X "$1") " /proc/net/tcp /proc/net/tcp6 2>/dev/null; }
free_ports() { # COUNT -> first port of a run that is free now, below the ephemeral range
    local try p ok
    for try in {1..50}; do
        base=$((12000 + RANDOM % 19000)); ok=1
        for ((p = base; p < base + $1; p++)); do port_used "$p" && ok=0 && break; done
        [ "$ok" = 1 ] && return
    done
    die "no free ports"
}

write_conf() {
    local i
    cat >"$conf" <<EOC
ClusterName=mini
SlurmctldHost=localhost(127.0.0.1)
SlurmctldPort=$base
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
AuthType=auth/munge
AuthInfo=socket=$dir/munge.socket
CredType=cred/munge
SlurmUser=$user
SlurmdUser=$user
StateSaveLocation=$dir/state
SlurmdSpoolDir=$dir/spool/%n
TmpFS=$dir/spool/%n
SlurmctldPidFile=$dir/run/slurmctld.pid
SlurmdPidFile=$dir/run/%n.pid
SlurmctldLogFile=$dir/log/slurmctld.log
SlurmdLogFile=$dir/log/%n.log
PlugStackConfig=$dir/plugstack.conf
MpiDefault=none
SwitchType=switch/none
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
JobCompType=jobcomp/filetxt
JobCompLoc=$dir/jobcomp.txt
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
DefMemPerCPU=64
# make tests snappy
SchedulerType=sched/backfill
SchedulerParameters=batch_sched_delay=0,sched_interval=1,sched_min_interval=0,bf_interval=1,bf_continue
KillWait=2
OverTimeLimit=0
MinJobAge=600
MaxArraySize=10001
MaxJobCount=20000
SlurmctldTimeout=10
SlurmdTimeout=6
MessageTimeout=5
TCPTimeout=2
BatchStartTimeout=10
CompleteWait=0
ReturnToService=2
RebootProgram=/bin/false
SlurmdParameters=config_overrides
SlurmctldDebug=info
SlurmdDebug=info
EOC
    for ((i = 1; i <= nodes; i++)); do
        echo "NodeName=node$i NodeHostname=localhost NodeAddr=127.0.0.1 Port=$((base + i)) CPUs=${MINI_SLURM_CPUS:-2} RealMemory=${MINI_SLURM_MEM:-1024} State=UNKNOWN"
    done >>"$conf"
    echo "PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE DefaultTime=10 State=UP OverSubscribe=NO" >>"$conf"
    printf '%s\n' "${MINI_SLURM_CONF_EXTRA:-}" >>"$conf"
    : >"$dir/plugstack.conf"
}

all_idle() { # a node is listed once for each partition
    [ "$(sinfo -h -N -o '%N %t' 2>/dev/null | sort -u | grep -c ' idle$')" = "$nodes" ]
}

start_slurmd() { # NODE
    env -u SLURM_JOB_ID MINI_SLURM_OWNER="$dir" SLURM_CONF="$conf" slurmd -D -N "$1" \
        </dev/null >"$dir/log/$1.out" 2>&1 &
    record "$1" $!
}

cmd_start() {
    nodes=${1:-1}; dir=${2:-${MINI_SLURM_DIR:-}}
    case $nodes in '' | *[!0-9]* | 0) die "NODES must be a positive number" ;; esac
    local t b made=
    for b in munged slurmctld slurmd sinfo; do
        command -v "$b" >/dev/null || die "$b is not installed (apt-get install slurmctld slurmd slurm-client munge)"
    done
    [ -n "$dir" ] || { dir=$(mktemp -d "${TMPDIR:-/tmp}/mini_slurm.XXXXXX") || exit 1; made=1; }
    mkdir -p "$dir" && dir=$(cd "$dir" && pwd -P) || die "no directory $dir"
    [ ${#dir} -le 60 ] || die "$dir: too long for a Unix socket"
    conf=$dir/slurm.conf
    for t in "$dir"/run/*.proc; do
        [ -e "$t" ] || continue
        t=${t##*/}; alive "${t%.proc}" && die "already running in $dir (stop it first)"
    done
    rm -rf "$dir/run" "$dir/state" "$dir/spool" "$dir/log" "$dir/munge.socket"*
    chmod 755 "$dir"; mkdir -p "$dir/run" "$dir/state" "$dir/spool" "$dir/log"
    [ -n "$made" ] && : >"$dir/run/made"
    user=$(id -un)
    free_ports $((nodes + 1))
    write_conf
    export SLURM_CONF=$conf
    trap 'cmd_stop "$dir"; exit 1' INT TERM

    (umask 077; head -c 128 /dev/urandom >"$dir/munge.key")
    munged --foreground --force --key-file="$dir/munge.key" --socket="$dir/munge.socket" \
        --pid-file="$dir/run/munged.pid" --log-file="$dir/log/munged.log" \
        --seed-file="$dir/run/munge.seed" --origin=127.0.0.1 --num-threads=2 \
        </dev/null >"$dir/log/munged.out" 2>&1 &
    record munged $!
    wait_for 5 test -S "$dir/munge.socket" || fail "munged did not start" munged
    MINI_SLURM_OWNER="$dir" slurmctld -D -i </dev/null >"$dir/log/slurmctld.out" 2>&1 &
    record slurmctld $!
    for ((t = 1; t <= nodes; t++)); do
        mkdir -p "$dir/spool/node$t"; start_slurmd "node$t"
    done
    wait_for "${MINI_SLURM_TIMEOUT:-15}" all_idle || fail "the nodes did not become idle" slurmctld node1
    trap - INT TERM
    disown -a
    print_conf
}

fail() { # MESSAGE LOGNAME...
    say "$1; last log lines:"; shift
    for t in "$@"; do tail -n 15 "$dir/log/$t.log" "$dir/log/$t.out" 2>/dev/null; done >&2
    cmd_stop "$dir"; exit 1
}

print_conf() {
    printf 'export SLURM_CONF=%q MINI_SLURM_DIR=%q\n' "$conf" "$dir"
}

use_dir() {
    dir=${1:-${MINI_SLURM_DIR:-}}
    [ -n "$dir" ] || die "which DIR? (argument or MINI_SLURM_DIR)"
    [ -d "$dir/run" ] || die "$dir: no cluster of mine"
    dir=$(cd "$dir" && pwd -P); conf=$dir/slurm.conf; export SLURM_CONF=$conf
}

no_jobs() { [ -z "$(squeue -h -o %i 2>/dev/null)" ]; }
none_left() { [ -z "$(leftovers)" ]; }

cmd_stop() {
    use_dir "${1:-}"
    local f p rc=0
    if alive slurmctld; then # polite first, then KILL without waiting for KillWait
        jobs() { timeout 5 squeue -h -o %A 2>/dev/null | sort -u; }
        jobs | xargs -r timeout 5 scancel -Q 2>/dev/null
        wait_for 1 no_jobs || {
            jobs | xargs -r timeout 5 scancel -Q -f -s KILL 2>/dev/null
            wait_for 1 no_jobs || true
        }
    fi
    for f in "$dir"/run/node*.proc; do # TERM to all at once, then see that each is gone
        [ -e "$f" ] || continue
        p=${f##*/}; alive "${p%.proc}" && read -r p _ <"$f" && kill -TERM "$p" 2>/dev/null
    done
    for f in "$dir"/run/node*.proc; do [ -e "$f" ] && f=${f##*/} && end "${f%.proc}"; done
    end slurmctld
    if ! wait_for 1 none_left; then
        for p in $(leftovers); do say "killing left-over pid $p"; kill -KILL "$p" 2>/dev/null; done
        wait_for 2 none_left || rc=1
    fi
    end munged
    if [ -e "$dir/run/made" ]; then rm -rf "$dir"; else rm -rf "$dir/run"; fi
    return $rc
}

cmd_kill() { # NAME
    use_dir ''
    local p t
    alive "$1" && read -r p t <"$dir/run/$1.proc" && kill -KILL "$p"
}

cmd_revive() { # NAME
    use_dir ''
    alive "$1" && return
    if [ "$1" = slurmctld ]; then
        MINI_SLURM_OWNER="$dir" slurmctld -D </dev/null >>"$dir/log/slurmctld.out" 2>&1 &
        record slurmctld $!
    else
        start_slurmd "$1"
    fi
    disown -a
}

case ${1:-} in
kill) cmd_kill "$2" ;;
revive) cmd_revive "$2" ;;
start) shift; cmd_start "$@" ;;
stop) shift; cmd_stop "$@" ;;
conf) shift; use_dir "${1:-}"; print_conf ;;
*) sed -n '2,/^set -u/{/^#/s/^# \{0,1\}//p}' "$0" >&2; exit 2 ;;
esac
