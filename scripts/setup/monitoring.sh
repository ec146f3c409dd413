#!/usr/bin/env bash
# Puts promtool, prometheus and prometheus-postgres-exporter into the cache: the tests scrape with them. The Debian packages are
# unpacked there and not installed, since installing them would start services on this machine. Only what is missing.
# shellcheck source=scripts/prelude.sh
. "$(dirname "${BASH_SOURCE[0]}")/../prelude.sh"

readonly PLACE="$VB_CACHE/tools/monitoring"
readonly PACKAGES=(prometheus prometheus-postgres-exporter)
declare -rA PROGRAMS=([prometheus]='prometheus promtool' [prometheus-postgres-exporter]='prometheus-postgres-exporter')

# The programs of a package are there and run.
is_there() {
    local program
    for program in ${PROGRAMS[$1]}; do
        "$PLACE/$program" --version >/dev/null 2>&1 || return 1
    done
}

# Elsewhere than on Debian, what is on the PATH will do.
link_what_is_installed() {
    local program found
    for program in ${PROGRAMS[$1]}; do
        found=$(command -v "$program" || command -v "${program#prometheus-}") ||
            fail "$program is missing, and this script fetches it on Debian only" "Install it, so that it is on the PATH."
        ln -sfn "$found" "$PLACE/$program"
    done
}

# apt-get writes into the current folder, and checks what it got against the signed lists of packages.
download() {
    (cd "$2" && quietly "Downloading the Debian package $1 (is the network there?)" apt-get -q download "$1")
}

# Lists that are missing, or some weeks old and name versions that the archive has no more. Reading them anew takes root
# rights; downloading does not.
read_lists_if_needed() {
    (cd "$2" && apt-get -q download "$1") >/dev/null 2>&1 </dev/null && return 0
    need_root "read the lists of Debian packages"
    quietly "Reading the lists of Debian packages (is the network there?)" \
        as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=600 update
}

# A program appears under its name only whole.
unpack() {
    local package=$1 folder=$2 program
    dpkg-deb -x "$folder/$package"_*.deb "$folder/unpacked"
    for program in ${PROGRAMS[$package]}; do
        install -m 0755 "$folder/unpacked/usr/bin/$program" "$PLACE/.$program.new"
        mv "$PLACE/.$program.new" "$PLACE/$program"
    done
}

main() {
    local package program folder
    mkdir -p "$PLACE"
    for package in "${PACKAGES[@]}"; do
        is_there "$package" && continue
        if ! command -v apt-get >/dev/null; then
            link_what_is_installed "$package"
            continue
        fi
        step "Fetching $package, not installed but unpacked"
        folder=$(mktemp -d)
        # shellcheck disable=SC2064 # the name of the folder is meant as it is now
        trap "rm -rf '$folder'" EXIT
        # As root, apt-get downloads as a user of its own.
        ((EUID != 0)) || ! getent passwd _apt >/dev/null || chown _apt "$folder"
        read_lists_if_needed "$package" "$folder"
        download "$package" "$folder"
        unpack "$package" "$folder"
        is_there "$package" || fail "the programs of $package were unpacked to $PLACE, but do not run"
        rm -rf "$folder"
        for program in ${PROGRAMS[$package]}; do
            detail "$PLACE/$program"
        done
    done
}

main
