select pg_catalog.current_setting('transaction_isolation')
