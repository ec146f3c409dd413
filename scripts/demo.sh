#!/usr/bin/env bash
# The demo: a private PostgreSQL server with this machine's own Debian package records, embedded and searched in plain words.
#
#   demo.sh start    ROWS=n   how many rows the client has (2500)
#                    KEEP=1|0 whether the server stays for you at the end (1 in a terminal, else 0)
#   demo.sh stop     stops the server and removes its data
# shellcheck source=scripts/prelude.sh
. "$(dirname "${BASH_SOURCE[0]}")/prelude.sh"
# shellcheck source=scripts/demo/cluster.sh
. "$ROOT/scripts/demo/cluster.sh"

readonly SQL="$ROOT/scripts/demo"
readonly CLIENT=1

load_packages() {
    local counts
    python3 "$SQL/packages.py" "$WORK" "$ROWS" "$VB_CACHE/debian-lists" || fail "the package records could not be read"
    run_psql demo --file="$SQL/tables.sql"
    run_psql demo -c '\copy issues from pstdin' <"$WORK/issues.tsv"
    run_psql demo -c '\copy projects from pstdin' <"$WORK/projects.tsv"
    run_psql demo --file="$SQL/index.sql"
    counts=$(run_psql demo --no-align --tuples-only --set=client="$CLIENT" <<-'SQL'
		select format('%s issues and %s projects in all; client %s has %s and %s',
		    (select count(*) from issues), (select count(*) from projects), :'client',
		    (select count(*) from issues where client_id = :client), (select count(*) from projects where client_id = :client));
	SQL
    )
    detail "$counts"
}

# Shows the notices of a backfill: in a terminal as one line that renews itself, elsewhere one every five seconds. The
# last one, with the totals, is shown whole. Anything else that psql says is an error.
show_progress() {
    local line notice='' shown='' shown_at=-5
    while IFS= read -r line; do
        if [[ $line != NOTICE:* ]]; then
            printf '%s\n' "$line" >&2
            continue
        fi
        read -r notice <<<"${line#NOTICE:}"
        if [[ -t 1 ]]; then
            printf '\r\e[K    %s' "${notice:0:$(($(tput cols 2>/dev/null || echo 80) - 5))}"
        elif ((SECONDS - shown_at >= 5)); then
            printf '    %s\n' "$notice"
            shown=$notice
            shown_at=$SECONDS
        fi
    done
    if [[ -t 1 ]]; then
        printf '\r\e[K'
    fi
    [[ $notice == "$shown" ]] || printf '    %s\n' "$notice"
}

backfill() {
    local call="call vb_run_backfill($CLIENT, '$1')"
    step "$call"
    if ! run_psql demo <<<"$call;" 2>&1 | show_progress; then
        tail -n 10 "$CLUSTER/server.log" >&2
        fail "the backfill of $1 failed (the end of the server's log is above)"
    fi
}

search() {
    step "search: $1"
    run_psql demo --set=words="$1" --set=client="$CLIENT" --file="$SQL/search.sql"
}

say_goodbye() {
    cat <<-TEXT
		${BOLD}The server is still running${PLAIN}, with all that in it. Look around:

		    $(server_program psql) -h $CLUSTER -p $PORT -U postgres demo

		    select i.title, i.summary from vb_search($CLIENT, 'issues', 'read the news') s join issues i on i.id = s.record_id::bigint;
		    call vb_run_backfill(2, 'issues');    -- another client's rows; Ctrl-C stops the waiting, not the job
		    select * from vb_progress();

		Stop it and remove everything:  ${BOLD}make demo-stop${PLAIN}
	TEXT
}

clean_up() {
    rm -rf "$WORK"
    if ((!KEPT)); then
        remove_cluster
    fi
}

start() {
    ROWS=${ROWS:-2500}
    [[ $ROWS =~ ^[1-9][0-9]*$ ]] || fail "ROWS has to be a number of rows, not '$ROWS'"
    KEPT=0
    if [[ -t 0 && -t 1 ]]; then
        KEEP=${KEEP:-1}
    fi
    WORK=$(mktemp -d)
    trap clean_up EXIT
    trap 'echo; exit 130' INT
    trap 'exit 143' TERM HUP

    remove_cluster
    step "Starting a private PostgreSQL server"
    start_cluster
    detail "$CLUSTER (a socket there, no network)"

    step "Loading the Debian packages that this machine knows"
    load_packages

    step "create extension vector_backfill"
    run_psql demo --file="$SQL/extension.sql"
    backfill issues
    backfill projects
    echo
    run_psql demo --file="$SQL/progress.sql"

    search "edit photos"
    search "learn to type faster"
    search "convert a video so that it plays on my phone"

    if [[ ${KEEP:-0} == 1 ]]; then
        KEPT=1
        say_goodbye
    fi
}

case ${1:-start} in
start) start ;;
stop) remove_cluster ;;
*) fail "usage: demo.sh start|stop" ;;
esac
