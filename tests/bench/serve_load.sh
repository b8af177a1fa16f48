#!/bin/bash
# serve_load.sh BUILD - the runner's rate with 64 workers, alone and while 50 pages poll
# hrmlab-serve every 2 s, in turn; then what the server took. `make bench-serve`. Needs
# python3. Workers are fake ones that live a second and report every 20 ms. RUNS (640) runs a
# round, ROUNDS (3) of both kinds.
set -eu
build=$1
runs=${RUNS:-640} rounds=${ROUNDS:-3} pages=50
directory=$(mktemp -d "${TMPDIR:-/tmp}/hrmlab-serve.XXXXXX")
trap 'rm -rf "$directory"' EXIT
export HRMLAB_WORKER=$build/fake_worker FAKE_WORKER_REAL=$build/hrmlab-worker
export FAKE_WORKER_MODE=slow LC_ALL=C
unset HRMLAB_WORKSPACE
cat >"$directory/null.json" <<SPEC
{"name": "null", "set": {"data.canvas": 8, "arch.hidden_size": 16, "arch.num_heads": 2,
 "train.max_steps": 2}, "seeds": $runs}
SPEC
cat >"$directory/poll.py" <<'POLL'
import collections, http.client, sys, threading, time
address, token, pages = sys.argv[1], sys.argv[2], int(sys.argv[3])
paths = ["/", "/experiment/null", "/queue", "/compare", "/run/last"]
seen, slowest = collections.Counter(), [0.0]
def poll(number):
    host, tag = address.split("/")[2], ""
    line = http.client.HTTPConnection(host)
    cookie = "hrmlab_%s=%s" % (host.split(":")[1], token)
    time.sleep(2.0 * number / pages)
    while True:
        began = time.monotonic()
        try:
            line.request("GET", paths[number % len(paths)],
                         headers={"Cookie": cookie, "If-None-Match": tag})
            reply = line.getresponse()
            reply.read()
        except OSError:
            return
        seen[reply.status] += 1
        slowest[0] = max(slowest[0], time.monotonic() - began)
        tag = reply.getheader("ETag") or tag
        time.sleep(2.0)
for number in range(pages):
    threading.Thread(target=poll, args=(number,), daemon=True).start()
sys.stdin.read()
print("answers", dict(seen), "slowest %.2f s" % slowest[0])
POLL

queue() # a workspace with all runs in the queue
{
    rm -rf "$directory/ws"
    "$build/hrmlab" --quiet --workspace "$directory/ws" queue "$directory/null.json" 2>>"$directory/err"
}
work() # prints the seconds that all runs take
{
    local began=$EPOCHREALTIME
    "$build/hrmlab" --quiet --workspace "$directory/ws" work --jobs 64 2>>"$directory/err"
    awk -v a="$began" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.2f\n", b - a }'
}
memory() { awk '/^VmRSS/ { print $2 }' "/proc/$1/status"; }
processor() { awk -v hz="$(getconf CLK_TCK)" '{ print ($14 + $15) / hz }' "/proc/$1/stat"; }

for ((i = 1; i <= rounds; i++)); do
    queue
    alone=$(work)
    queue
    rm -f "$directory/address"
    "$build/hrmlab-serve" --quiet --workspace "$directory/ws" >"$directory/address" 2>>"$directory/err" &
    server=$!
    until [ -s "$directory/address" ]; do sleep 0.05; done
    IFS='=' read -r address token <"$directory/address"
    mkfifo "$directory/end.$i"
    python3 "$directory/poll.py" "$address" "$token" "$pages" <"$directory/end.$i" >"$directory/polls" &
    poller=$!
    exec 3>"$directory/end.$i"
    sleep 3
    first=$(memory "$server")
    beside=$(work)
    last=$(memory "$server") seconds=$(processor "$server")
    exec 3>&-
    wait "$poller"
    kill "$server"
    wait "$server" || true
    echo "round $i: alone $alone s, beside $pages pages $beside s;" \
        "server: $seconds s of CPU, $first to $last KiB; $(cat "$directory/polls")"
    echo "$alone $beside" >>"$directory/rates"
done
awk -v runs="$runs" '{ a += $1; b += $2 }
    END { printf "runs/s: alone %.1f, beside the pages %.1f (%+.1f %%)\n",
          runs * NR / a, runs * NR / b, 100 * (a / b - 1) }' "$directory/rates"
if grep -i "locked\|busy" "$directory/err"; then echo "the database was locked"; exit 1; fi
