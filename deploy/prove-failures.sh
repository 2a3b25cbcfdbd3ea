#!/bin/bash
# Lets a worker die, or stop, at every named point of a run: each stage of an exchange, in each of three workers, over each transport, with each
# owner of the reduction, by each signal; and while it sends its state or fetches it. Every run must end in the weights of one process. Takes about
# an hour; with a number N, every Nth case. Needs built executables (BIN names their folder). Prints `N passed, N failed`.
set -u
cd "$(dirname "$0")/.." || exit 2
BIN=${BIN:-src/Coordinator/bin/Release/net10.0}
every=${1:-1}
readonly steps=60 kill=9 stop=19
work=$(mktemp -d)
details() { cat "$work/log"; }
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
. deploy/checks.sh

# train RUN OPTION..: trains digits, which has several buckets, for a few steps.
train() {
    "$BIN/coordinator" train --run "$work/$1" --model mlp --batch-size 64 --microbatch 8 --steps "$steps" --checkpoint-every 10 --eval-every 7 \
        "${@:2}" >"$work/log" 2>&1
}

weights() { sed -n 's/.*"weightsSha256": "\([0-9a-f]*\)".*/\1/p' "$work/$1/summary.json"; }

train alone --workers 0 || exit 2
expected=$(weights alone)
number=0

# survives EXCHANGE TRANSPORT POINT: one run, with the same weights and metrics.
survives() {
    rm -rf "$work/run" "$work/dead"
    DISTRIBUTED_FAIL_AT=$3 DISTRIBUTED_FAIL_FILE=$work/dead train run --workers 3 --exchange "$1" --transport "$2" && [ "$(weights run)" = "$expected" ] &&
        cmp -s "$work/run/metrics.jsonl" "$work/alone/metrics.jsonl" && grep -q " was lost at step " "$work/log"
}

# prove EXCHANGE TRANSPORT POINT: every Nth one.
prove() {
    number=$((number + 1))
    ((number % every != 0)) || check "$*" survives "$@"
}

for signal in "$kill" "$stop"; do
    for exchange in peers coordinator; do
        for transport in shm tcp grpc; do
            for worker in 1 2 3; do
                for stage in Begun NodesPublished Reduced SlicePublished SliceTaken RecordPublished Completed; do
                    [ "$exchange" = coordinator ] && [[ $stage = Reduced || $stage = SlicePublished ]] && continue
                    buckets=0
                    [[ $stage = Begun || $stage = RecordPublished || $stage = Completed ]] || buckets="0 1"
                    for bucket in $buckets; do
                        prove "$exchange" "$transport" "$worker:$stage:$bucket@20=$signal"
                    done
                done
            done
        done
    done
    prove peers shm "0:Snapshot:0@30=$signal"
    for worker in 1 2 3; do
        prove peers tcp "$worker:Fetch:0@0=$signal"
        prove coordinator tcp "$worker:Fetch:0@0=$signal"
    done
done
conclude
