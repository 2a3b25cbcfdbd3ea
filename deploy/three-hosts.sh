#!/bin/bash
# Measures on three hosts what the network allows and what training makes of it: the all-reduce at 1 Gbit/s, and a training run at 100 Mbit/s, whose
# weights must be those of one process. The hosts are network namespaces of this machine, made by a script of your own:
#
#   NET=path/to/net.sh deploy/three-hosts.sh
#
# which understands `up`, `rate HOST RATE` (as tc writes rates) and `down`, HOST being 0, 1 or 2, and names the namespaces as HOSTS does; inside they
# find each other by these names. Needs root, python3, and built executables (BIN names their folder). Prints `N passed, N failed`.
set -u
cd "$(dirname "$0")/.." || exit 2
NET=${NET:?names the script that makes the hosts}
BIN=${BIN:-src/Coordinator/bin/Release/net10.0}
read -ra hosts <<<"${HOSTS:-dt0 dt1 dt2}"
DOTNET_ROOT=${DOTNET_ROOT:-$(dirname "$(readlink -f "$(command -v dotnet)")")}
export DOTNET_ROOT

readonly mebibytes=16
readonly least_share=0.85 most_over_bound=1.15
readonly model=(--data fashion-mnist --model "${MODEL:-mlp}" --microbatch 32)
readonly batch_per_worker=128 steps=${STEPS:-40}

work=$(mktemp -d)
. deploy/checks.sh

clean_up() {
    kill $(jobs -p) 2>/dev/null
    wait
    "$NET" down >/dev/null 2>&1
    rm -rf "$work"
}
details() { tail -n 3 "$work"/*.err 2>/dev/null; }
trap clean_up EXIT
trap 'exit 130' INT TERM

# check TEXT COMMAND...: counts whether the command succeeds.
on() { ip netns exec "${hosts[$1]}" "${@:2}"; }
rates() { for i in "${!hosts[@]}"; do "$NET" rate "$i" "$1" || exit 2; done; }
calculate() { python3 -c "print($1)"; }
holds() { python3 -c "raise SystemExit(0 if $1 else 1)"; }
field() { grep -o "\"$2\": *\"\{0,1\}[^,\"}]*" "$1" | head -n 1 | sed 's/.*[:"] *//'; }

# A plain TCP stream from host 1 to host 0, in Mbit/s: what the rate limiter lets through, headers and all.
tcp_rate() {
    on 0 python3 - <<'PYTHON' &
import socket
server = socket.create_server(("", 5099))
peer, _ = server.accept()
while peer.recv(1 << 20):
    pass
peer.send(b"!")
PYTHON
    on 1 timeout 60 python3 - "${hosts[0]}" "$1" <<'PYTHON'
import socket, sys, time
for attempt in range(100):
    try:
        peer = socket.create_connection((sys.argv[1], 5099))
        break
    except ConnectionRefusedError:
        time.sleep(0.05)
size = int(sys.argv[2]) << 20
start = time.perf_counter()
peer.sendall(bytes(size))
peer.shutdown(socket.SHUT_WR)
peer.recv(1)
print(round(size * 8 / (time.perf_counter() - start) / 1e6, 1))
PYTHON
    wait $!
}

all_reduce() {
    rates 1gbit
    local names bound took tcp
    names=$(IFS=,; echo "${hosts[*]}")
    tcp=$(tcp_rate 128)
    timeout 120 "$BIN/coordinator" bench allreduce --json --hosts "$names" --launcher "ip netns exec" --transport tcp --sizes $mebibytes --steps 20 \
        >"$work/allreduce.json" 2>"$work/allreduce.err"
    check "an all-reduce over three hosts" [ $? -eq 0 ]
    took=$(field "$work/allreduce.json" milliseconds)
    # Each worker sends two thirds of the vector to reduce it and two thirds of it reduced, and receives as much.
    bound=$(calculate "round(2 * 2 / 3 * $mebibytes * 2**20 * 8 / 1e9 * 1e3, 1)")
    echo "        plain TCP $tcp Mbit/s of 1000; $mebibytes MiB took $took ms, the line alone $bound ms: $(calculate "round(100 * $bound / ${took:-inf}, 1)") %"
    check "at 1 Gbit/s takes at least $least_share of what the line allows" holds "$bound / ${took:-inf} >= $least_share"
}

# The mean time of a step of the second half of a run, from its events: in the first seconds, the runtime still optimizes.
step_milliseconds() {
    python3 -c '
import json, sys, time
seen = [time.perf_counter() for line in sys.stdin if json.loads(line)["event"] == "stepCompleted"]
half = seen[len(seen) // 2:]
print(round((half[-1] - half[0]) / (len(half) - 1) * 1e3, 1))'
}

# The bytes that the plan predicts for a worker in a step, from a short run on this machine.
planned_bytes() {
    timeout 120 "$BIN/coordinator" bench scaling --json "${model[@]:0:4}" --batch-per-worker $batch_per_worker --workers 3 --rounds 1 --seconds 0.1 --warm-up 0 \
        >"$work/scaling.json" 2>"$work/scaling.err"
    field "$work/scaling.json" bytesPerStep
}

training() {
    local bytes bound took options=("${model[@]}" --batch-size $((3 * batch_per_worker)) --steps "$steps")
    bytes=$(planned_bytes)
    rates 100mbit
    for i in 0 1 2; do
        on $i timeout 300 "$BIN/worker" --coordinator "http://${hosts[0]}:5098" --listen "http://${hosts[$i]}:0" --threads 1 --token-file "$work/token" \
            >"$work/worker-$i.err" 2>&1 &
    done
    on 0 timeout 300 "$BIN/coordinator" train "${options[@]}" --workers 0 --min-workers 3 --transport tcp --listen "http://${hosts[0]}:5098" \
        --token-file "$work/token" --run "$work/hosts" --json 2>"$work/train.err" | step_milliseconds >"$work/step"
    check "a training run over three hosts" [ "${PIPESTATUS[0]}" -eq 0 ]
    wait
    timeout 300 "$BIN/coordinator" train "${options[@]}" --workers 0 --run "$work/alone" --quiet >/dev/null 2>"$work/alone.err"
    check "ends with the weights of one process" same_weights
    took=$(cat "$work/step")
    bound=$(calculate "round(${bytes:-0} * 8 / 100e6 * 1e3, 1)")
    echo "        a step took $took ms; the $bytes bytes that the plan predicts take $bound ms: $(calculate "round($took / $bound, 3)") times"
    check "within $most_over_bound of the transfer at 100 Mbit/s" holds "$took / $bound <= $most_over_bound"
}

same_weights() {
    [[ -n $(field "$work/alone/summary.json" weightsSha256) && $(field "$work/hosts/summary.json" weightsSha256) == $(field "$work/alone/summary.json" weightsSha256) ]]
}

"$NET" down >/dev/null 2>&1
"$NET" up || exit 2
case ${1:-all} in
    allreduce) all_reduce ;;
    training) training ;;
    all) all_reduce; training ;;
    *) sed -n 2,9p "$0"; exit 2 ;;
esac
conclude
