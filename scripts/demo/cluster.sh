# A private PostgreSQL server in a temporary directory: no TCP, a socket in the directory itself, nothing shared with any
# other server of this machine. Its directory is remembered in the cache, so that a later call finds and removes it.
# shellcheck shell=bash

readonly PORT=54329 # names the socket's file, nothing listens on it
readonly REMEMBERED="$VB_CACHE/demo-cluster"
readonly MARK=.vector_backfill_demo
CLUSTER='' # the directory, once there is one

# PostgreSQL refuses to run as root; then its own user runs it.
as_server_user() {
    if ((EUID == 0)); then
        (cd / && runuser -u postgres -- "$@")
    else
        (cd / && "$@")
    fi
}

server_program() {
    echo "$("$PG_CONFIG" --bindir)/$1"
}

start_cluster() {
    CLUSTER=$(mktemp -d /tmp/vector_backfill-demo.XXXXXX)
    touch "$CLUSTER/$MARK"
    ((EUID != 0)) || chown -R postgres: "$CLUSTER"
    echo "$CLUSTER" >"$REMEMBERED"

    quietly "Creating a PostgreSQL cluster" as_server_user "$(server_program initdb)" \
        --pgdata="$CLUSTER/data" --username=postgres --auth=trust --encoding=UTF8 --locale=C.UTF-8 --no-sync
    as_server_user tee "$CLUSTER/data/postgresql.auto.conf" >/dev/null <<-SETTINGS
		listen_addresses = ''
		port = $PORT
		unix_socket_directories = '$CLUSTER'
		cluster_name = 'vector_backfill demo'
		shared_preload_libraries = 'vector_backfill'
		max_wal_size = '2GB'
	SETTINGS
    if ! as_server_user "$(server_program pg_ctl)" start --silent --wait --timeout=60 \
        --pgdata="$CLUSTER/data" --log="$CLUSTER/server.log" >/dev/null </dev/null; then
        tail -n 20 "$CLUSTER/server.log" >&2 || true
        fail "the private PostgreSQL server did not start (the end of its log is above)"
    fi
    run_psql postgres -c 'create role demo' -c 'create database demo owner demo'
}

# run_psql DATABASE ARGUMENT…
run_psql() {
    local database=$1
    shift
    "$(server_program psql)" --no-psqlrc --quiet --set=ON_ERROR_STOP=1 --set=VERBOSITY=terse --set=SHOW_CONTEXT=never \
        --pset=pager=off --pset=footer=off --host="$CLUSTER" --port="$PORT" --username=postgres --dbname="$database" "$@"
}

# Sets CLUSTER to the directory of the demo's server, if that runs.
find_cluster() {
    [[ -f $REMEMBERED ]] || return 1
    CLUSTER=$(<"$REMEMBERED")
    [[ -f $CLUSTER/$MARK ]] && run_psql demo --output=/dev/null -c 'select vb_health()' 2>/dev/null
}

# Stops the server of the last demo, if there is one, and removes its directory. Only a directory with our mark is touched.
remove_cluster() {
    local directory
    [[ -f $REMEMBERED ]] || return 0
    directory=$(<"$REMEMBERED")
    if [[ -f $directory/$MARK ]]; then
        if [[ -f $directory/data/postmaster.pid ]]; then
            stop_server "$directory/data" fast 15 || stop_server "$directory/data" immediate 15 || true
        fi
        rm -rf "$directory"
    fi
    rm -f "$REMEMBERED"
}

stop_server() {
    as_server_user "$(server_program pg_ctl)" stop --silent --wait --pgdata="$1" --mode="$2" --timeout="$3" >/dev/null 2>&1
}
