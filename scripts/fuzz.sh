#!/usr/bin/env bash
# Fuzzes everything that is read from outside: each target in fuzz/ for so many seconds (15). Starts from the seeds in
# fuzz/corpus and from what earlier runs found, which is kept in the cache. Fails with the path of the input that a target
# does not bear; a good fix adds that to the seeds.
#
#   fuzz.sh [SECONDS] [TARGET…]
# shellcheck source=scripts/prelude.sh
. "$(dirname "${BASH_SOURCE[0]}")/prelude.sh"

readonly VERSION=0.13.2
readonly TRIPLE=x86_64-unknown-linux-gnu
readonly FOUND="$VB_CACHE/fuzz-corpus"
readonly CRASHES="$VB_CACHE/fuzz-crashes"

provide_cargo_fuzz() {
    [[ $(cargo-fuzz --version 2>/dev/null || true) == "cargo-fuzz $VERSION" ]] && return 0
    step "Installing cargo-fuzz $VERSION (about a minute)"
    (
        cd "$VB_CACHE"
        unset CARGO_TARGET_DIR RUSTFLAGS
        cargo install cargo-fuzz --version "$VERSION" --locked --root "$VB_CACHE/tools" --force
    ) || fail "cargo-fuzz $VERSION could not be installed (the output of cargo is above)"
}

# Without a sanitizer: stable compilers offer none, with one a run tries a tenth of the inputs, and this is safe code. Overflows
# and assertions are checked.
build() {
    step "Building the fuzz targets"
    unset RUSTFLAGS
    export CARGO_TARGET_DIR="$VB_CACHE/fuzz-target"
    cd "$ROOT/fuzz"
    cargo fuzz build --sanitizer none --target "$TRIPLE" || fail "the fuzz targets did not build"
}

# run TARGET: what it finds goes to the first of the two corpora.
run() {
    local target=$1 log status=0
    [[ -f fuzz_targets/$target.rs ]] || fail "there is no target $target" "There are: $(cargo fuzz list | xargs)"
    log=$CRASHES/$target.log
    mkdir -p "$FOUND/$target" "$CRASHES/$target"
    "$CARGO_TARGET_DIR/$TRIPLE/release/$target" -max_total_time="$SECONDS_EACH" -timeout=10 -rss_limit_mb=1024 \
        -artifact_prefix="$CRASHES/$target/" -print_final_stats=1 "$FOUND/$target" "corpus/$target" >"$log" 2>&1 || status=$?
    if ((status != 0)); then
        grep -v '^#' "$log" | tail -n 30 >&2
        fail "$target does not bear $(sed -n 's/.*Test unit written to //p' "$log" | tail -n 1)" "All that it said: $log"
    fi
    detail "$target: $(sed -n 's/^stat::number_of_executed_units: *//p' "$log") inputs tried"
}

SECONDS_EACH=${1:-15}
[[ $SECONDS_EACH =~ ^[1-9][0-9]*$ ]] || fail "usage: fuzz.sh [SECONDS] [TARGET…]"
provide_cargo_fuzz
build
if (($# > 1)); then
    TARGETS=("${@:2}")
else
    mapfile -t TARGETS < <(cargo fuzz list)
fi
step "Fuzzing, $SECONDS_EACH s each"
for target in "${TARGETS[@]}"; do
    run "$target"
done
