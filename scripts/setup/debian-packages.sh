#!/usr/bin/env bash
# Installs the Debian packages that the build and the tests need. Only what is missing, and never a running cluster.
# shellcheck source=scripts/prelude.sh
. "$(dirname "${BASH_SOURCE[0]}")/../prelude.sh"

# postgresql-15 and its headers: what the extension is for. clang and libclang: bindgen reads those headers.
# libssl-dev and pkg-config: cargo-pgrx links OpenSSL. chromium, chromium-driver and a font: tests look at the live page.
readonly NEEDED=(
    build-essential ca-certificates chromium chromium-driver clang fonts-dejavu-core libclang-dev libssl-dev pkg-config
    postgresql-15 postgresql-server-dev-15
)
readonly NO_CLUSTER=/etc/postgresql-common/createcluster.d/vector_backfill.conf

missing_packages() {
    local installed package
    installed=" $(dpkg-query --show --showformat '${Package}=${db:Status-Status} ' "${NEEDED[@]}" 2>/dev/null || true)"
    for package in "${NEEDED[@]}"; do
        [[ $installed == *" $package=installed "* ]] || echo "$package"
    done
    python3 -c 'import pip' 2>/dev/null || /usr/bin/python3 -c 'import pip' 2>/dev/null || echo python3-pip
}

# Debian's package makes and starts a cluster on port 5432 when it is installed. This project has no use for it.
forbid_main_cluster() {
    as_root mkdir -p "$(dirname "$NO_CLUSTER")"
    echo "create_main_cluster = false" | as_root tee "$NO_CLUSTER" >/dev/null
    trap 'as_root rm -f "$NO_CLUSTER"; as_root rmdir --ignore-fail-on-non-empty "$(dirname "$NO_CLUSTER")"' EXIT
}

apt_get() {
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=600 "$@"
}

main() {
    local missing
    if ! command -v apt-get >/dev/null; then
        [[ -x $PG_CONFIG ]] || fail "this script installs packages on Debian only, and $PG_CONFIG does not exist" \
            "Install the like of: ${NEEDED[*]}" "and set PG_CONFIG to the pg_config of PostgreSQL 15."
        return
    fi
    mapfile -t missing < <(missing_packages)
    ((${#missing[@]})) || return 0

    need_root "install the Debian packages ${missing[*]}"
    step "Installing Debian packages: ${missing[*]}"
    quietly "Reading the lists of Debian packages (is the network there?)" apt_get update
    if [[ " ${missing[*]} " == *" postgresql-15 "* ]]; then
        forbid_main_cluster
    fi
    quietly "Installing Debian packages" apt_get install --no-install-recommends "${missing[@]}"
}

main
