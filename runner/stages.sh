# Sourced by the scripts that consist of stages: prints the seconds of each on stderr.

stages=()

# Runs a command as a stage; its status is the command's. Inside a stage `set -e` does not hold: a function that is a
# stage has to pass on the status of every command.
stage() { # name command...
    local name=$1 start=$SECONDS status=0 failed=""
    shift
    printf '\n== %s\n' "$name" >&2
    "$@" || status=$?
    if [ "$status" != 0 ]; then failed=", failed"; fi
    stages+=("$(printf '%6d s  %s%s' $((SECONDS - start)) "$name" "$failed")")
    printf '== %s: %d s%s\n' "$name" $((SECONDS - start)) "$failed" >&2
    return "$status"
}

# Prints the seconds of every stage so far, and of all of them.
seconds_per_stage() {
    { printf '\n== seconds\n'; printf '%s\n' "${stages[@]}"; printf '%6d s  in all\n' "$SECONDS"; } >&2
}
