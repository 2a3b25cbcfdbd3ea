#!/bin/bash
# Proves on a running Slurm of at least three nodes what docs/slurm.md promises: jobs that are cancelled, requeued, suspended, out of time,
# robbed of a worker or badly started. It takes the cluster as `sbatch` does, needs the right to suspend and requeue its own jobs, and built
# executables (BIN names their folder). They and this repository must lie where all nodes see them. Its files and jobs are removed at the
# end. Prints `N passed, N failed`.
set -u
cd "$(dirname "$0")/.." || exit 2
BIN=$(realpath "${BIN:-src/Coordinator/bin/Release/net10.0}")
DOTNET_ROOT=${DOTNET_ROOT:-$(dirname "$(readlink -f "$(command -v dotnet)")")}
export BIN DOTNET_ROOT

# A job that is requeued begins after the lifetime of Slurm's credentials, two minutes by default; the shortest limit of a job is a minute.
readonly patience=300
readonly nodes=3
# Long enough to be disturbed in the middle; and one that does not come to its end.
readonly long_run="--epochs 60 --microbatch 8"
readonly endless_run="--epochs 1000000 --microbatch 8 --checkpoint-every 1000000"
work=$(mktemp --directory --tmpdir="$PWD" prove-slurm-XXXXXX)
script=$PWD/deploy/slurm.sbatch
jobs=()
. deploy/checks.sh

clean_up() {
    ((${#jobs[@]} == 0)) || scancel "${jobs[@]}" 2>/dev/null
    for job in "${jobs[@]}"; do within_patience has_ended "$job"; done
    rm -rf "$work"
}
details() { tail -n 8 "$work/$name.out"; }
trap clean_up EXIT
trap 'exit 130' INT TERM

# submit NAME OPTION...: a job that trains in runs/NAME; SBATCH_OPTIONS are for sbatch. The nodes may be one machine: they exchange as hosts do.
submit() {
    name=$1
    # shellcheck disable=SC2086 # options
    job=$(sbatch --parsable --nodes="$nodes" --chdir="$work" --output="$work/$name.out" ${SBATCH_OPTIONS:-} \
        "$script" "runs/$name" --transport tcp "${@:2}") || exit 2
    jobs+=("$job")
}

property() { scontrol --oneliner show job "$1" 2>/dev/null | grep -o " $2=[^ ]*" | cut -d= -f2; }
state() { property "$1" JobState; }
has_state() { [[ $(state "$1") == "$2" ]]; }
has_ended() { [[ ! $(state "$1") =~ ^(PENDING|CONFIGURING|RUNNING|SUSPENDED|COMPLETING|REQUEUED)$ ]]; }
exit_code() { property "$1" ExitCode | cut -d: -f1; }
said() { grep -q -- "$2" "$work/$1.out" 2>/dev/null; }
summary() { sed -n "s/^ *\"$2\": \"\{0,1\}\([^\",]*\).*/\1/p" "$work/runs/$1/summary.json" 2>/dev/null; }
last_step() { sed -n 's/^interrupted after step \([0-9]*\);.*/\1/p' "$work/$1.out" | tail -n 1; }
steps_done() { wc -l <"$work/runs/$1/metrics.jsonl"; }
has_checkpoint() { compgen -G "$work/runs/$1/checkpoints/step-*.safetensors" >/dev/null; }
has_leftovers() { find "$work/runs/$1" -name '*.tmp' | grep .; }
has_no_leftovers() { ! has_leftovers "$1"; }
has_last_checkpoint() { [[ -n $(last_step "$1") ]] && compgen -G "$work/runs/$1/checkpoints/step-*$(last_step "$1").safetensors" >/dev/null; }
has_undisturbed_weights() { [[ -n $(summary "$1" weightsSha256) && $(summary "$1" weightsSha256) == $(summary undisturbed weightsSha256) ]]; }

# goes_on NAME OPTION...: the same command again, until it trains the step after the last one.
goes_on() {
    local next=$(($(last_step "$1") + 1))
    submit "$@"
    check "the same command goes on after it" within_patience said "$1" "^training steps $next to "
}

step_of() { squeue --steps --noheader --jobs="$1" --format='%i %j' | awk -v name="$2" '$2 == name { print $1 }'; }
node_of() { scontrol show hostnames "$(property "$1" NodeList)" | sed -n "$2p"; }

# kill_task JOB STEP NODE: its process on that node, whose id it prints, as a memory killer does.
kill_task() {
    local step
    step=$(step_of "$1" "$2")
    srun --jobid="$1" --overlap --nodes=1 --ntasks=1 --nodelist="$3" \
        bash -c "pid=\$(scontrol listpids $step $3 | awk '\$4 == 0 { print \$1 }'); kill -KILL \$pid && echo \$pid"
}

prove_the_job() {
    # shellcheck disable=SC2086 # options
    (cd "$work" && srun --nodes=1 --ntasks=1 "$BIN/coordinator" train --workers 0 --run runs/undisturbed $long_run >undisturbed.out 2>&1)
    # shellcheck disable=SC2086 # options
    submit job $long_run
    check "a job of $nodes nodes ends" within_patience has_ended "$job"
    check "with exit code 0" [ "$(exit_code "$job")" = 0 ]
    check "as its steps do" said job "^the coordinator ended with 0, the workers with 0$"
    check "it has said what it waited for" said job "^waiting for $nodes workers at http://"
    check "$nodes workers trained" [ "$(summary job workers)" = "$nodes" ]
    check "to the weights of one process" has_undisturbed_weights job
}

prove_refusals() {
    submit refused --epochs -1
    within_patience has_begun "$job"
    check "a bad option ends every step within seconds" within 20 has_ended "$job"
    check "and the job with exit code 2" [ "$(exit_code "$job")" = 2 ]
    check "as its steps do" said refused "^the coordinator ended with 2, the workers with 2$"
}

has_begun() { ! has_state "$1" PENDING; }

prove_cancelling() {
    # shellcheck disable=SC2086 # options
    submit cancelled $endless_run
    check "a job without end trains" within_patience said cancelled "^step "
    scancel "$job"
    check "cancelled it ends" within_patience has_ended "$job"
    check "as cancelled" has_state "$job" CANCELLED
    check "the steps say so: 143, and 0 as workers were asked to leave" said cancelled "^the coordinator ended with 143, the workers with 0$"
    check "there is a last checkpoint" has_last_checkpoint cancelled
    check "and nothing half written" has_no_leftovers cancelled
    # shellcheck disable=SC2086 # options
    goes_on cancelled $endless_run
    scancel "$job"
    within_patience has_ended "$job"
}

# Only the coordinator is asked to end, as by a person who wants the nodes: the workers may be started again.
prove_stopping() {
    # shellcheck disable=SC2086 # options
    submit stopped $endless_run
    check "another job trains" within_patience said stopped "^step "
    scancel --signal=TERM "$(step_of "$job" coordinator)" 2>>"$work/stopped.out"
    check "it ends with its coordinator" within_patience has_ended "$job"
    check "as failed" has_state "$job" FAILED
    check "and exit code 143" [ "$(exit_code "$job")" = 143 ]
    check "the workers say 75" said stopped "^the coordinator ended with 143, the workers with 75$"
    check "there is a last checkpoint of it, too" has_last_checkpoint stopped
}

prove_requeueing() {
    # shellcheck disable=SC2086 # options
    submit requeued $long_run
    check "a job that will be requeued trains" within_patience has_checkpoint requeued
    scontrol requeue "$job"
    check "it begins again" within_patience said requeued "^training steps [1-9][0-9][0-9]* to "
    check "as the same job" [ "$(property "$job" Restarts)" = 1 ]
    check "and ends" within_patience has_ended "$job"
    check "with exit code 0" [ "$(exit_code "$job")" = 0 ]
    check "and the weights of one process" has_undisturbed_weights requeued
}

prove_deaths() {
    # shellcheck disable=SC2086 # options
    submit robbed $long_run
    check "a job that will lose a worker trains" within_patience has_checkpoint robbed
    local process
    process=$(kill_task "$job" workers "$(node_of "$job" 2)")
    check "it says which worker is gone" within_patience said robbed "^worker [1-3] (.*, process $process) was lost at step "
    check "the others go on" within_patience said robbed "^step [0-9]* done with 2 workers, "
    check "to the end" within_patience has_ended "$job"
    check "with exit code 0" [ "$(exit_code "$job")" = 0 ]
    check "and the weights of one process" has_undisturbed_weights robbed

    # shellcheck disable=SC2086 # options
    submit headless $long_run
    check "a job that will lose its coordinator trains" within_patience has_checkpoint headless
    kill_task "$job" coordinator "$(node_of "$job" 1)" >/dev/null
    check "the workers wait for another one" within_patience said headless "this worker keeps its state and waits"
    check "which goes on with them to the end" within_patience has_ended "$job"
    check "with exit code 0" [ "$(exit_code "$job")" = 0 ]
    check "having gone on" said headless "^training steps [1-9][0-9][0-9]* to "
    check "to the weights of one process" has_undisturbed_weights headless
}

prove_a_limit() {
    # shellcheck disable=SC2086 # options
    SBATCH_OPTIONS=--time=1 submit limited $endless_run
    check "a job with a limit of a minute ends" within_patience has_ended "$job"
    check "by it" has_state "$job" TIMEOUT
    check "there is a checkpoint of its last step" has_last_checkpoint limited
    check "and nothing half written, also after SIGKILL" has_no_leftovers limited
    # shellcheck disable=SC2086 # options
    goes_on limited $endless_run
    scancel "$job"
    within_patience has_ended "$job"
}

prove_suspending() {
    # shellcheck disable=SC2086 # options
    submit suspended $long_run
    check "a job that will be suspended trains" within_patience said suspended "^step "
    scontrol suspend "$job"
    check "it is suspended" within_patience has_state "$job" SUSPENDED
    sleep 1
    local before
    before=$(steps_done suspended)
    sleep 10
    check "and does nothing" [ "$(steps_done suspended)" = "$before" ]
    check "in the middle" [ -z "$(summary suspended steps)" ]
    scontrol resume "$job"
    check "resumed it ends" within_patience has_ended "$job"
    check "with exit code 0" [ "$(exit_code "$job")" = 0 ]
    check "and the weights of one process" has_undisturbed_weights suspended
}

prove_the_job
prove_refusals
prove_cancelling
prove_stopping
prove_deaths
prove_suspending
prove_a_limit
prove_requeueing
conclude
