-- Nothing that the page looks at may hold up the database: looks end after 10 s, wait for no lock, write nothing, and a
-- browser that stops reading a download does not hold its snapshot.
set statement_timeout = '10s';
set lock_timeout = '2s';
set idle_in_transaction_session_timeout = '30s';
set default_transaction_read_only = on;
set timezone = 'UTC';
set search_path = pg_catalog, pg_temp;
