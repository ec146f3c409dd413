-- Names resolve to pg_catalog only, and values turn into text in one way, whatever the server's defaults are: keys and
-- texts must look the same in every run. $1 is what the process is, $2 its
-- isolation level.
select set_config('search_path', 'pg_catalog, pg_temp', false),
       set_config('datestyle', 'ISO, YMD', false),
       set_config('intervalstyle', 'postgres', false),
       set_config('timezone', 'UTC', false),
       set_config('bytea_output', 'hex', false),
       set_config('extra_float_digits', '1', false),
       set_config('quote_all_identifiers', 'off', false),
       set_config('default_transaction_isolation', $2, false),
       set_config('default_transaction_read_only', 'off', false),
       set_config('row_security', 'on', false),
       set_config('statement_timeout', '0', false),
       -- One transaction that locks a job or a table must not hold up the work of all others.
       set_config('lock_timeout', '1s', false),
       set_config('standard_conforming_strings', 'on', false),
       set_config('application_name', $1, false)
