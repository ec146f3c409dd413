#!/usr/bin/env bash
# Builds the extension and puts it into PostgreSQL's own folders, with the ONNX Runtime library and the local model where
# the extension looks for them by default; and the live page, vb-dashboard, into /usr/local/bin.
# shellcheck source=scripts/prelude.sh
. "$(dirname "${BASH_SOURCE[0]}")/prelude.sh"

# Into a stage first: only the copying below needs root rights, and a build that fails leaves the installed state as it is.
STAGE=$(mktemp -d)
trap 'rm -rf "$STAGE"' EXIT
umask 022

# First by cargo alone, which shows how far it is, then by cargo-pgrx, for which nothing is left to compile.
build() {
    step "Building the extension"
    [[ -f $CARGO_TARGET_DIR/release/libvector_backfill.so ]] || detail "the first time takes about 20 minutes on two cores"
    cd "$ROOT"
    cargo build --release --lib --bin vb-dashboard "${CARGO_SELECTION[@]}" || fail "the extension did not build"
    quietly "Packaging the extension" cargo pgrx package --pg-config "$PG_CONFIG" --out-dir "$STAGE"
    install -D "$CARGO_TARGET_DIR/release/vb-dashboard" "$STAGE/usr/local/bin/vb-dashboard"
    find "$STAGE" \( -name '*.so' -o -name vb-dashboard \) -exec strip --strip-debug {} + # a fifth of the size; the names of functions stay
}

# Prints "mode, source, target" for every file, each ended by a NUL.
files_to_install() {
    local libraries shared file
    libraries=$("$PG_CONFIG" --pkglibdir)
    shared=$("$PG_CONFIG" --sharedir)
    while IFS= read -r -d '' file; do
        case $file in
        *.so | */bin/*) printf '%s\0' 755 "$file" "/${file#"$STAGE"/}" ;;
        *) printf '%s\0' 644 "$file" "/${file#"$STAGE"/}" ;;
        esac
    done < <(find "$STAGE" -type f -print0)
    printf '%s\0' 755 "$VB_CACHE/onnxruntime/libonnxruntime.so" "$libraries/vector_backfill/libonnxruntime.so"
    for file in model.onnx tokenizer.json; do
        printf '%s\0' 644 "$VB_CACHE/models/all-MiniLM-L6-v2/$file" \
            "$shared/vector_backfill/models/all-MiniLM-L6-v2/$file"
    done
}

# install(1) removes the old file before it writes the new one, so a server that has it loaded goes on undisturbed.
install_changed_files() {
    local mode source target asked=no
    while IFS= read -r -d '' mode && IFS= read -r -d '' source && IFS= read -r -d '' target; do
        cmp -s "$source" "$target" && continue
        if [[ $asked == no ]]; then
            step "Installing into $("$PG_CONFIG" --version)"
            need_root "install into $("$PG_CONFIG" --pkglibdir)"
            asked=yes
        fi
        as_root install -D -m "$mode" "$source" "$target" </dev/null
        detail "$target"
    done < <(files_to_install)
}

build
install_changed_files
