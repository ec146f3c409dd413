# What every script here starts with: strict mode, the root of the repository, the environment, messages, root rights.
# shellcheck shell=bash
set -euo pipefail

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source=scripts/environment.sh
. "$ROOT/scripts/environment.sh"
# shellcheck disable=SC2034 # for the scripts that call cargo
read -ra CARGO_SELECTION <<<"$VB_CARGO_SELECTION"

if [[ -t 1 ]]; then
    BOLD=$'\e[1m' DIM=$'\e[2m' PLAIN=$'\e[0m'
else
    BOLD='' DIM='' PLAIN=''
fi

step() {
    printf '%s==>%s %s\n' "$BOLD" "$PLAIN" "$*"
}

detail() {
    printf '    %s%s%s\n' "$DIM" "$*" "$PLAIN"
}

# fail MESSAGE [HINT…]: one line that names what is wrong, then one line for each hint.
fail() {
    printf 'error: %s\n' "$1" >&2
    shift
    (($# == 0)) || printf '       %s\n' "$@" >&2
    exit 1
}

# need_root PURPOSE: ends here, and not in the middle of the work, when there are no root rights to be had.
need_root() {
    ((EUID == 0)) && return 0
    command -v sudo >/dev/null || fail "root rights are needed to $1, and there is no sudo on this machine" \
        "Run the same command as root, or install sudo."
    sudo true || fail "root rights are needed to $1, and sudo refused"
}

# Runs a command with root rights: as it is for root, with sudo for everyone else.
as_root() {
    if ((EUID == 0)); then
        "$@"
    else
        sudo "$@"
    fi
}

# quietly NAME COMMAND…: shows the output of the command only when it fails, and names the command then.
quietly() {
    local name=$1 log
    shift
    log=$(mktemp)
    if ! "$@" >"$log" 2>&1 </dev/null; then
        tail -n 30 "$log" >&2
        rm -f "$log"
        fail "$name failed (the last lines of its output are above)" "The command was: $*"
    fi
    rm -f "$log"
}
