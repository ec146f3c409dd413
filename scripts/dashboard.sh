#!/usr/bin/env bash
# The live page over the demo's server, which is started when it does not run. Ctrl-C ends the page; the server stays for `make demo-stop`.
#
#   dashboard.sh    LISTEN=address:port   where the page is (127.0.0.1:8088)
# shellcheck source=scripts/prelude.sh
. "$(dirname "${BASH_SOURCE[0]}")/prelude.sh"
# shellcheck source=scripts/demo/cluster.sh
. "$ROOT/scripts/demo/cluster.sh"

readonly LISTEN=${LISTEN:-127.0.0.1:8088}

# So that there is something to watch.
begin_something() {
    run_psql demo --output=/dev/null <<-'SQL'
		select 'create role dashboard login' where not exists (select from pg_roles where rolname = 'dashboard') \gexec
		select vb_grant_access('dashboard', null, 'write');
		select vb_enqueue_backfill(client_id, 'issues', reembed => true)
		from (select distinct client_id from issues order by 1 limit 3) c;
	SQL
}

if ! find_cluster; then
    KEEP=1 "$ROOT/scripts/demo.sh" start
    find_cluster || fail "the demo's server does not run"
fi
begin_something
step "The live page of the demo: http://$LISTEN (Ctrl-C ends it; make demo-stop removes the server)"
exec "$CARGO_TARGET_DIR/release/vb-dashboard" --database "host=$CLUSTER port=$PORT user=dashboard dbname=demo" --listen "$LISTEN" --control
