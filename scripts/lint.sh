#!/usr/bin/env bash
# Checks the formatting, then runs clippy over the whole workspace with warnings as errors, then shellcheck where it is
# installed. The flags are those of the build, so no dependency is compiled for this alone.
# shellcheck source=scripts/prelude.sh
. "$(dirname "${BASH_SOURCE[0]}")/prelude.sh"
cd "$ROOT"

need_component() {
    cargo "$2" --version >/dev/null 2>&1 || fail "$1 is missing" "Install it with: rustup component add $1"
}

need_component rustfmt fmt
need_component clippy clippy

step "Formatting"
cargo fmt --all --check
cargo fmt --manifest-path fuzz/Cargo.toml --check

"$ROOT/scripts/setup.sh"

step "Clippy"
cargo clippy --release "${CARGO_SELECTION[@]}" --all-targets -- -D warnings

if command -v shellcheck >/dev/null; then
    step "Shellcheck"
    shellcheck --external-sources .ci/run scripts/*.sh scripts/*/*.sh
fi
