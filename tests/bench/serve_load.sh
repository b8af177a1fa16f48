#!/bin/bash
# serve_load.sh BUILD - the runner's rate with 64 workers, alone and while 50 pages poll
# hrmlab-serve every 2 s, in turn, and what the server and the poller took. `make bench-serve`, on a
# machine that does nothing else: two to three minutes. Needs python3. Exit 1: the database was
# locked. Workers are fake ones that live a second and report every 20 ms. RUNS (64) runs for each
# of ROUNDS (20) measurements of both kinds; one server looks at all of them.
# The workspace is in memory, or in TMPDIR: the time that 64 workers wait for a disk varies more than
# what is measured.
set -eu
build=$1
runs=${RUNS:-64} rounds=${ROUNDS:-20} pages=50
[ -w /dev/shm ] && : "${TMPDIR:=/dev/shm}"
directory=$(mktemp -d "${TMPDIR:-/tmp}/hrmlab-serve.XXXXXX")
server='' poller=''
trap '[ -z "$poller$server" ] || kill $poller $server; rm -rf "$directory"' EXIT
export HRMLAB_WORKER=$build/fake_worker FAKE_WORKER_REAL=$build/hrmlab-worker
export FAKE_WORKER_MODE=slow LC_ALL=C
unset HRMLAB_WORKSPACE
cat >"$directory/poll.py" <<'POLL'
# One thread and no library for HTTP, so that the poller takes little of the machine itself.
import collections, heapq, socket, sys, threading, time
address, token, pages, experiment = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]
host = address.split("/")[2]
paths = ["/", "/experiment/" + experiment, "/queue", "/compare", "/run/last"]
seen, slowest, tags = collections.Counter(), 0.0, [""] * pages
def receive(line):
    reply = b""
    while b"\r\n\r\n" not in reply:
        reply += line.recv(65536)
    head, body = reply.split(b"\r\n\r\n", 1)
    lines = head.decode().split("\r\n")
    fields = dict(field.lower().split(": ", 1) for field in lines[1:])
    status, left = int(lines[0].split()[1]), int(fields.get("content-length", 0)) - len(body)
    while status != 304 and left > 0:
        left -= len(line.recv(65536))
    return status, fields.get("etag", "")
lines = []
for number in range(pages):
    lines.append(socket.create_connection((host.split(":")[0], int(host.split(":")[1]))))
ended = threading.Event()
threading.Thread(target=lambda: (sys.stdin.read(), ended.set()), daemon=True).start()
due = [(time.monotonic() + 2.0 * number / pages, number) for number in range(pages)]
while not ended.wait(max(0.0, due[0][0] - time.monotonic())):
    number = due[0][1]
    began = time.monotonic()
    lines[number].sendall(("GET %s HTTP/1.1\r\nHost: %s\r\nCookie: hrmlab_%s=%s\r\n"
                           "If-None-Match: %s\r\n\r\n"
                           % (paths[number % len(paths)], host, host.split(":")[1], token,
                              tags[number])).encode())
    status, tag = receive(lines[number])
    tags[number] = tag or tags[number]
    seen[status] += 1
    slowest = max(slowest, time.monotonic() - began)
    heapq.heapreplace(due, (began + 2.0, number))
print("answers", dict(seen), "slowest %.2f s" % slowest)
POLL

hrmlab()
{
    "$build/hrmlab" --quiet --workspace "$directory/ws" "$@" 2>>"$directory/err"
}

# queue NAME NUMBER - an experiment of runs that no other has.
queue()
{
    cat >"$directory/spec.json" <<SPEC
{"name": "$1", "set": {"data.canvas": 8, "arch.hidden_size": 16, "arch.num_heads": 2,
 "train.max_steps": 2, "train.lr": 0.001$2}, "seeds": $runs}
SPEC
    hrmlab queue "$directory/spec.json"
}

# rate NAME NUMBER - prints the runs per second.
rate()
{
    queue "$1" "$2"
    local began=$EPOCHREALTIME
    hrmlab work --jobs 64
    awk -v a="$began" -v b="$EPOCHREALTIME" -v n="$runs" 'BEGIN { printf "%.2f\n", n / (b - a) }'
}

memory() { awk '/^VmRSS/ { print $2 }' "/proc/$server/status"; }
processor() { awk -v hz="$(getconf CLK_TCK)" '{ print ($14 + $15) / hz }' "/proc/$1/stat"; }
median() { sort -n | awk '{ v[NR] = $1 } END { print (v[int((NR + 1) / 2)] + v[int(NR / 2) + 1]) / 2 }'; }

# beside NAME NUMBER - the same while the pages poll.
beside()
{
    local before polled value began
    began=$EPOCHREALTIME
    before=$(processor "$server")
    mkfifo "$directory/end"
    python3 "$directory/poll.py" "$address" "$token" "$pages" "$1" <"$directory/end" \
        >"$directory/polls" &
    poller=$!
    exec 3>"$directory/end"
    sleep 1 # it has begun by then
    polled=$(processor "$poller")
    value=$(rate "$1" "$2" 3>&-)
    awk -v a="$before" -v b="$(processor "$server")" -v c="$polled" \
        -v d="$(processor "$poller")" \
        'BEGIN { printf "server %.2f s, poller %.2f s of CPU; ", b - a, d - c }' >"$directory/cost"
    awk -v a="$before" -v b="$(processor "$server")" -v c="$began" -v d="$EPOCHREALTIME" \
        -v n="$(nproc)" 'BEGIN { print b - a, (d - c) * n }' >>"$directory/shares"
    exec 3>&-
    wait "$poller"
    poller=
    rm "$directory/end"
    echo "$value"
}

echo "load $(cut -d' ' -f1-3 /proc/loadavg), $(nproc) cores, workspace in ${directory%/*}"
rate first 00 >/dev/null # the first run of all is slower
"$build/hrmlab-serve" --quiet --workspace "$directory/ws" >"$directory/address" 2>>"$directory/err" &
server=$!
until [ -s "$directory/address" ]; do sleep 0.05; done
IFS='=' read -r address token <"$directory/address"
first=
for ((i = 1; i <= rounds; i++)); do
    # in turn, so that a drift of the machine's speed cancels out
    if ((i % 2)); then alone=$(rate "alone$i" "${i}1"); fi
    beside "beside$i" "${i}2" >"$directory/value"
    with=$(cat "$directory/value")
    if ((i % 2 == 0)); then alone=$(rate "alone$i" "${i}1"); fi
    first=${first:-$(memory)}
    echo "round $i: $alone runs/s, beside $pages pages $with; $(cat "$directory/cost" "$directory/polls")"
    awk -v a="$alone" -v b="$with" 'BEGIN { print 100 * (b / a - 1) }' >>"$directory/changes"
done
printf 'median change of the rate %+.1f %% (' "$(median <"$directory/changes")"
sort -n "$directory/changes" | awk '{ printf "%s%+.1f", (NR > 1 ? ", " : ""), $1 } END { print ")" }'
awk '{ a += $1; b += $2 } END { printf "hrmlab-serve took %.1f %% of the machine\n", 100 * a / b }' \
    "$directory/shares"
echo "hrmlab-serve: $first KiB after the first round, $(memory) KiB after the last"
if grep -i "locked\|busy" "$directory/err"; then echo "the database was locked"; exit 1; fi
