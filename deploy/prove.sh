#!/bin/bash
# Proves on a real Docker Engine what docs/containers.md promises. It takes the engine from DOCKER_HOST as `docker` does, and
# needs Compose v2 and the two base images of the Dockerfile (SDK_IMAGE and RUNTIME_IMAGE name others). Its containers, volumes
# and images have a project name of their own and are removed at the end. Prints `N passed, N failed`.
set -u
cd "$(dirname "$0")" || exit 2
export COMPOSE_PROJECT_NAME=distributed-prove COMPOSE_ANSI=never COMPOSE_PROGRESS=plain
unset TRAIN MIN_WORKERS THREADS

readonly patience=300
# Long enough to be disturbed in the middle, and with work for five workers: 8 microbatches in a step.
readonly long_run="--epochs 60 --microbatch 8"
log=$(mktemp)
. ./checks.sh

clean_up() {
    docker rm --force "$(container refused)" "$(container cut)" >/dev/null 2>&1
    docker compose down --volumes --rmi local --timeout 5 >/dev/null 2>&1
    rm -f "$log"
}
details() { tail -n 5 "$log"; }
trap clean_up EXIT
trap 'exit 130' INT TERM

container() { echo "$COMPOSE_PROJECT_NAME-$1"; }
containers() { docker compose ps --all --quiet; }
exit_code() { docker inspect --format '{{.State.ExitCode}}' "$(container "$1")"; }
has_ended() { [[ $(docker inspect --format '{{.State.Status}}' "$(container "$1")") == exited ]]; }
is_healthy() { [[ $(docker inspect --format '{{.State.Health.Status}}' "$(container "$1")") == healthy ]]; }
said() { docker logs "$(container "$1")" 2>&1 | grep -q -- "$2"; }
never_said() { ! said "$@"; }
is_confined() { [[ $(docker inspect --format '{{.Config.User}} {{.HostConfig.ReadonlyRootfs}}' "$1") == "1654:1654 true" ]]; }
runs_unprivileged() { ! docker top "$1" -eo pid,uid | awk 'NR > 1 { print $2 }' | grep -qvx 1654; }

# In the volume of the runs; the coordinator's container gives access to it also when it has ended.
stored() { docker compose cp "coordinator:/data/runs/$1" - 2>/dev/null | tar -xO 2>/dev/null; }
summary() { stored "$1/summary.json" | sed -n "s/^ *\"$2\": \"\{0,1\}\([^\",]*\).*/\1/p"; }
runs() { docker compose cp coordinator:/data/runs - 2>/dev/null | tar -t | awk -F/ '$2 != "" { print $2 }' | sort -u; }
files() { docker compose cp "coordinator:/data/runs/$1" - 2>/dev/null | tar -t; }
checkpoints() { files "$1" | grep -c 'checkpoints/step-.*\.safetensors$'; }
has_checkpoint() { (($(checkpoints "$1") > 0)); }

run_coordinator() { docker compose run --rm --no-TTY --no-deps coordinator "$@"; }
train_alone() { run_coordinator train --workers 0 --run "runs/$1" "${@:2}" >/dev/null 2>&1; }

# worker_of_its_own NAME OPTION...: one that differs from those that Compose scales.
worker_of_its_own() {
    docker compose run --detach --no-deps --name "$(container "$1")" worker \
        --coordinator http://coordinator:5000 --listen http://0.0.0.0:5001 --threads 1 "${@:2}" >"$log" 2>&1
}

prove_the_command() {
    docker compose up --build --scale worker=4 >"$log" 2>&1
    check "docker compose up --build --scale worker=4 exits 0" [ $? -eq 0 ]
    check "the coordinator exits 0" [ "$(exit_code coordinator-1)" = 0 ]
    check "and gives no hints that hold outside containers only" never_said coordinator-1 "next:"
    for number in 1 2 3 4; do
        check "worker $number exits 0" [ "$(exit_code "worker-$number")" = 0 ]
    done
    run=$(runs)
    check "four workers trained" [ "$(summary "$run" workers)" = 4 ]
    train_alone alone
    check "the weights are those of one process" [ "$(summary "$run" weightsSha256)" = "$(summary alone weightsSha256)" ]
    docker compose up --scale worker=2 >"$log" 2>&1
    check "a second up exits 0" [ $? -eq 0 ]
    check "and is a new run" [ "$(runs | wc -l)" = 3 ]
}

prove_quota() {
    docker run --rm --read-only --cpus 0.5 --volume "${COMPOSE_PROJECT_NAME}_runs:/data/runs" \
        "$(container coordinator)" train --run runs/half --steps 20 >"$log" 2>&1
    check "half a processor trains" [ $? -eq 0 ]
    check "with one worker" grep -q "with 1 worker$" "$log"
    check "as the summary says" [ "$(summary half workers)" = 1 ]
}

prove_refusals() {
    TRAIN="--data nothing" docker compose up --scale worker=2 >"$log" 2>&1
    check "up fails if the coordinator refuses its options" [ $? -ne 0 ]
    check "with its exit code 2" [ "$(exit_code coordinator-1)" = 2 ]
    timeout "$patience" docker compose up --no-deps worker >"$log" 2>&1
    check "a worker that comes after the end does not hold up" [ $? -eq 0 ]
    check "and says why it ends" grep -q "not reached within" "$log"
    worker_of_its_own refused --token-file token/refused.token --connect-timeout 600
    run_coordinator train --epochs -1 --listen http://0.0.0.0:5000 --token-file token/refused.token >"$log" 2>&1
    check "a coordinator refuses a bad option with 2" [ $? -eq 2 ]
    check "and its worker does not wait for it" within_patience has_ended refused
    check "but ends with 2" [ "$(exit_code refused)" = 2 ]
    check "and the reason" said refused "refused its command line: --epochs -1"
    docker rm "$(container refused)" >/dev/null
    run_coordinator train --workers 0 --min-workers 3 --listen http://0.0.0.0:5000 --token-file token/run.token \
        --join-timeout 1 --run runs/lonely >"$log" 2>&1
    check "a coordinator does not wait for workers for ever" [ $? -eq 1 ]
    check "and says how many came" grep -q "0 of 3 workers have joined within 1 seconds" "$log"
    docker compose down >/dev/null 2>&1
}

# The run waits for a fifth worker, so that nothing here depends on how fast it is.
prove_confinement() {
    TRAIN="--run runs/drained $long_run" MIN_WORKERS=5 docker compose up --detach --scale worker=4 >"$log" 2>&1
    check "the coordinator is healthy" is_healthy coordinator-1
    check "and says what it waits for" said coordinator-1 "^waiting for 5 workers at http://"
    for number in 1 2 3 4; do
        check "worker $number becomes healthy" within_patience is_healthy "worker-$number"
    done
    for id in $(containers); do
        check "${id:0:12} has a user and a read-only root" is_confined "$id"
        check "${id:0:12} runs nothing as root" runs_unprivileged "$id"
    done
    docker exec "$(container coordinator-1)" /app/coordinator train --workers 0 --run /app/refused >"$log" 2>&1
    check "nothing can be written outside the volumes" [ $? -eq 2 ]
}

prove_draining() {
    TRAIN="--run runs/drained $long_run" MIN_WORKERS=5 docker compose up --detach --scale worker=5 >"$log" 2>&1
    check "the run begins" within_patience said coordinator-1 "^step "
    docker kill --signal TERM "$(container worker-2)" >/dev/null
    check "a worker leaves on SIGTERM" within_patience has_ended worker-2
    check "with exit code 0" [ "$(exit_code worker-2)" = 0 ]
    check "and the run ends without it" within_patience has_ended coordinator-1
    check "and exit code 0" [ "$(exit_code coordinator-1)" = 0 ]
    check "and four workers" [ "$(summary drained workers)" = 4 ]
    # shellcheck disable=SC2086 # options
    train_alone alone-long $long_run
    check "and the weights of one process" [ "$(summary drained weightsSha256)" = "$(summary alone-long weightsSha256)" ]
}

# Engines and people send SIGTERM more than once. Nothing but the last checkpoint is written in this run.
prove_resuming() {
    docker compose down >/dev/null 2>&1
    TRAIN="--run runs/resumed $long_run --checkpoint-every 1000000" docker compose up --detach --scale worker=3 >"$log" 2>&1
    check "another run begins" within_patience said coordinator-1 "^step "
    for _ in 1 2 3; do
        docker kill --signal TERM "$(container coordinator-1)" >/dev/null 2>&1 &
    done
    wait
    check "the coordinator leaves on several SIGTERMs" within_patience has_ended coordinator-1
    check "with exit code 143" [ "$(exit_code coordinator-1)" = 143 ]
    check "and one checkpoint" [ "$(checkpoints resumed)" = 1 ]
    check "of the step that it names" is_of_last_step resumed
    check "and nothing half written" has_no_leftovers resumed
    check "the run is not complete" [ -z "$(summary resumed steps)" ]
    for number in 1 2 3; do
        check "worker $number leaves" within_patience has_ended "worker-$number"
        check "with exit code 75: start it again later" [ "$(exit_code "worker-$number")" = 75 ]
    done
    docker compose down >/dev/null 2>&1
    TRAIN="--resume --run runs/resumed" docker compose up --scale worker=2 >"$log" 2>&1
    check "new containers go on with it" [ "$(summary resumed workers)" = 2 ]
    check "to the weights of one process" [ "$(summary resumed weightsSha256)" = "$(summary alone-long weightsSha256)" ]
}

is_of_last_step() {
    local step
    step=$(docker logs "$(container coordinator-1)" 2>&1 | sed -n 's/^interrupted after step \([0-9]*\);.*/\1/p')
    [[ -n $step ]] && files "$1" | grep -q "checkpoints/step-0*$step\.safetensors$"
}

has_no_leftovers() { ! files "$1" | grep '\.tmp$'; }

prove_restarting() {
    docker compose down >/dev/null 2>&1
    export TRAIN="--resume auto --run runs/restarted $long_run"
    docker compose up --detach --scale worker=2 >"$log" 2>&1
    check "a run that may be restarted begins" within_patience has_checkpoint restarted
    docker kill --signal KILL "$(container coordinator-1)" >/dev/null
    check "without its coordinator" within_patience has_ended coordinator-1
    for number in 1 2; do
        check "worker $number keeps its state" within_patience said "worker-$number" "keeps its state and waits"
    done
    docker compose up --scale worker=2 >"$log" 2>&1
    check "the same command goes on" [ $? -eq 0 ]
    check "where the run was" said coordinator-1 "^training steps [1-9][0-9][0-9]* to "
    check "to the weights of one process" [ "$(summary restarted weightsSha256)" = "$(summary alone-long weightsSha256)" ]
    # shellcheck disable=SC2086 # options
    run_coordinator train --workers 0 $TRAIN >"$log" 2>&1
    check "a third start finds the run complete" [ $? -eq 0 ]
    check "and says its result" grep -q "weights $(summary restarted weightsSha256)" "$log"
    unset TRAIN
}

prove_partition() {
    docker compose down >/dev/null 2>&1
    TRAIN="--run runs/cut --epochs 600" MIN_WORKERS=2 docker compose up --detach --scale worker=1 >"$log" 2>&1
    worker_of_its_own cut --token-file token/run.token --coordinator-timeout 5
    check "a run with a worker that will be cut off begins" within_patience said coordinator-1 "^step "
    docker network disconnect "${COMPOSE_PROJECT_NAME}_default" "$(container cut)"
    check "cut off from the coordinator it ends" within_patience has_ended cut
    check "with exit code 75" [ "$(exit_code cut)" = 75 ]
    check "the coordinator says so" within_patience said coordinator-1 "^worker [12] (.* was lost at step .*: silent for 3 seconds"
    check "the other worker goes on" within_patience said coordinator-1 "^step [0-9]* done with 1 worker, "
    check "to the end of the run" within_patience has_ended coordinator-1
    check "with exit code 0" [ "$(exit_code coordinator-1)" = 0 ]
    check "as the other worker does" within_patience has_ended worker-1
    check "with exit code 0" [ "$(exit_code worker-1)" = 0 ]
}

clean_up
prove_the_command
prove_quota
prove_refusals
prove_confinement
prove_draining
prove_resuming
prove_restarting
prove_partition
conclude
