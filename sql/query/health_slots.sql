-- Background workers that are there, those of extensions and parallel queries included, and how many there may be.
select count(*), pg_catalog.current_setting('max_worker_processes')::int8
from pg_catalog.pg_stat_get_activity(null) a
where a.backend_type not in ('client backend', 'walsender', 'autovacuum launcher', 'autovacuum worker', 'checkpointer',
                             'background writer', 'walwriter', 'archiver', 'startup', 'walreceiver',
                             'standalone backend', 'logger', 'slotsync worker', 'walsummarizer', 'io worker')
