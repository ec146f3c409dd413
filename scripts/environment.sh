# The environment of every build and test of this project, in one place. Scripts and make targets read it; so can you, to
# call cargo by hand without compiling anything twice:  . scripts/environment.sh
# (plain sh, variables only; each can be set beforehand except the flags, which have to be the same for all calls)
# shellcheck shell=sh

# Everything that is fetched or built lives below this folder. Deleting it costs time, never data.
export VB_CACHE="${VB_CACHE:-$HOME/.cache/vector_backfill}"

# One target folder for every clone: the heavy dependencies compile once.
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$VB_CACHE/target}"
export CARGO_BUILD_JOBS="${CARGO_BUILD_JOBS:-2}"

# cargo-pgrx builds with exactly these flags, packages and features. A cargo call with others compiles things again: with
# other flags every dependency, with other packages or features whatever they change.
unset CARGO_ENCODED_RUSTFLAGS
export RUSTFLAGS='-C link-arg=-Wl,--no-gc-sections'
export PGRX_BUILD_FLAGS='--workspace'
export VB_CARGO_SELECTION='--workspace --no-default-features --features pg15'
export PGRX_HOME="$VB_CACHE/pgrx"
export PG_CONFIG="${PG_CONFIG:-/usr/lib/postgresql/15/bin/pg_config}"

# What the tests embed with.
export VB_ONNXRUNTIME_LIBRARY="${VB_ONNXRUNTIME_LIBRARY:-$VB_CACHE/onnxruntime/libonnxruntime.so}"
export VB_MODEL_DIRECTORY="${VB_MODEL_DIRECTORY:-$VB_CACHE/models}"

# Our own cargo-pgrx, if there is one, goes before the user's.
case ":$PATH:" in
*":$VB_CACHE/tools/bin:"*) ;;
*) export PATH="$VB_CACHE/tools/bin:${CARGO_HOME:-$HOME/.cargo}/bin:$PATH" ;;
esac
