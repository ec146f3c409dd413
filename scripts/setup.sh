#!/usr/bin/env bash
# Makes a machine ready to build, test and run the project. Does only what is missing, so it can run before everything.
# shellcheck source=scripts/prelude.sh
. "$(dirname "${BASH_SOURCE[0]}")/prelude.sh"

readonly RUST_NEEDED=1.95

check_rust() {
    local version
    if ! command -v cargo >/dev/null || ! command -v rustc >/dev/null; then
        fail "Rust is missing (no cargo and rustc on the PATH)" "Install Rust $RUST_NEEDED or newer with rustup."
    fi
    version=$(cd "$ROOT" && rustc --version | cut -d ' ' -f 2) || fail "rustc --version failed"
    [[ $(printf '%s\n' "$RUST_NEEDED" "$version" | sort --version-sort | head -n 1) == "$RUST_NEEDED" ]] ||
        fail "Rust $version is too old: $RUST_NEEDED or newer is needed" "Update it with: rustup update stable"
}

check_python() {
    command -v python3 >/dev/null || fail "python3 is missing" "Install it with: apt-get install python3"
    python3 -c 'import sys; sys.exit(sys.version_info < (3, 10))' ||
        fail "$(python3 --version) is too old: 3.10 or newer is needed"
}

mkdir -p "$VB_CACHE"
check_rust
check_python
"$ROOT/scripts/setup/debian-packages.sh"
"$ROOT/scripts/setup/pgrx.sh"
python3 "$ROOT/scripts/setup/wheels.py"
"$ROOT/scripts/setup/monitoring.sh"
