#!/usr/bin/env bash
# Provides cargo-pgrx in the one version that fits the pgrx crate, and tells it which PostgreSQL to build for.
# shellcheck source=scripts/prelude.sh
. "$(dirname "${BASH_SOURCE[0]}")/../prelude.sh"

readonly VERSION=0.18.1

provide_cargo_pgrx() {
    [[ $(cargo-pgrx pgrx --version 2>/dev/null || true) == "cargo-pgrx $VERSION" ]] && return 0

    # Into our own folder: a cargo-pgrx of another version may be there for another project. Away from our settings
    # and target folder: it is a tool, not a part of the build.
    step "Installing cargo-pgrx $VERSION (about 6 minutes on two cores)"
    (
        cd "$VB_CACHE"
        unset CARGO_TARGET_DIR RUSTFLAGS
        cargo install cargo-pgrx --version "$VERSION" --locked --root "$VB_CACHE/tools" --force
    ) || fail "cargo-pgrx $VERSION could not be installed (the output of cargo is above)" \
        "The command was: cargo install cargo-pgrx --version $VERSION --locked"
    [[ $(cargo-pgrx pgrx --version) == "cargo-pgrx $VERSION" ]] || fail "cargo-pgrx was installed, but does not run"
}

# Written only when it differs: pgrx compiles its bindings anew whenever this file is newer than they are.
configure_pgrx() {
    local major config
    [[ -x $PG_CONFIG ]] || fail "there is no pg_config at $PG_CONFIG" "Set PG_CONFIG to the one of PostgreSQL 15."
    major=$("$PG_CONFIG" --version | sed -E 's/^PostgreSQL ([0-9]+).*/\1/')
    config=$(printf '[configs]\npg%s = "%s"' "$major" "$PG_CONFIG")
    [[ -f $PGRX_HOME/config.toml && $(<"$PGRX_HOME/config.toml") == "$config" ]] && return 0
    mkdir -p "$PGRX_HOME"
    printf '%s\n' "$config" >"$PGRX_HOME/config.toml.new"
    mv "$PGRX_HOME/config.toml.new" "$PGRX_HOME/config.toml"
}

provide_cargo_pgrx
configure_pgrx
