# Sourced by the scripts: runs what they do as stages, each with its seconds on stderr.

# Runs a command as a stage: its name, the command, and at its end the seconds. A stage that fails ends the script.
stage() { # name command...
    local name=$1 status=0
    local start=$SECONDS
    shift
    printf '\n== %s\n' "$name" >&2
    "$@" || status=$?
    printf '== %s: %d s%s\n' "$name" $((SECONDS - start)) "$( ((status)) && echo ", failed" )" >&2
    stages+=("$(printf '%6d s  %s' $((SECONDS - start)) "$name")")
    return "$status"
}

# Prints the seconds of every stage so far, and of all of them.
seconds_per_stage() {
    printf '\nseconds per stage\n' >&2
    printf '%s\n' "${stages[@]}" "$(printf '%6d s  in all' $SECONDS)" >&2
}

stages=()
