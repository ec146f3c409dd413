#!/usr/bin/env bash
# Runs every test of the workspace and ends with one line that counts them: "N passed, N failed". Arguments go to cargo
# test (after "--", to the tests themselves).
# shellcheck source=scripts/prelude.sh
. "$(dirname "${BASH_SOURCE[0]}")/prelude.sh"

# The tests that run a second time with vectors in a Qdrant server: one of our own, or the one at VB_TEST_QDRANT_URL. All of
# them can: VB_TEST_STORE=qdrant scripts/test.sh --test promises.
ON_QDRANT=(bad_records:: chunking:: crash_recovery:: filter:: main_job:: new_models:: odd_names:: payload_changes:: second_run:: tenancy:: verify::)

# Adds up the "test result:" lines of all test binaries. A run that failed without a failed test (it did not compile, a
# test binary crashed) counts as one failure, so that the line never says less than the truth.
count_tests() {
    awk -v status="$1" '
        { gsub(/\033\[[0-9;]*m/, "") }
        /^test result: / {
            for (i = 1; i < NF; i++) {
                if ($(i + 1) ~ /^passed/) passed += $i
                if ($(i + 1) ~ /^failed/) failed += $i
                if ($(i + 1) ~ /^ignored/) skipped += $i
            }
        }
        END {
            if (status != 0 && failed == 0) failed = 1
            printf "%d passed, %d failed%s\n", passed, failed, skipped ? ", " skipped " skipped" : ""
            exit !(status == 0 && failed == 0 && passed > 0)
        }' "$2"
}

main() {
    local log status=0
    log=$(mktemp)
    # shellcheck disable=SC2064 # the name of the log is meant as it is now
    trap "rm -f '$log'" EXIT
    (cd "$ROOT" && cargo test --release "${CARGO_SELECTION[@]}" --no-fail-fast "$@") 2>&1 | tee "$log" || status=$?
    if [[ $# -eq 0 ]]; then
        step "What a backfill promises, with vectors in a Qdrant server"
        (cd "$ROOT" && VB_TEST_STORE=qdrant cargo test --release "${CARGO_SELECTION[@]}" --no-fail-fast \
            --test promises -- "${ON_QDRANT[@]}") 2>&1 | tee -a "$log" || status=$?
    fi
    echo
    count_tests "$status" "$log"
}

main "$@"
