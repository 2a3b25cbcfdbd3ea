# Sourced by the scripts that prove something. They set `patience`, in seconds, and may define `details`, which prints what explains a failure.
passed=0
failed=0

# check TEXT COMMAND...: counts whether the command succeeds.
check() {
    local text=$1
    shift
    if "$@"; then
        passed=$((passed + 1))
        echo "ok      $text"
    else
        failed=$((failed + 1))
        echo "FAILED  $text: $*"
        ! declare -F details >/dev/null || details | sed 's/^/        /'
    fi
}

# within SECONDS COMMAND...: repeats a command until it succeeds.
within() {
    local deadline=$((SECONDS + $1))
    shift
    until "$@"; do
        ((SECONDS < deadline)) || return 1
        sleep 0.2
    done
}
within_patience() { within "$patience" "$@"; }

# Prints the sums; fails if a check has.
conclude() {
    echo "$passed passed, $failed failed"
    ((failed == 0))
}
