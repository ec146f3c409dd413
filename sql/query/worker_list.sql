-- $1 the database, $2 the type of worker processes.
select a.pid, case a.state when 'active' then 'running' when 'idle' then 'idle' else 'starting' end, a.backend_start,
       nullif(a.query, '')
from pg_catalog.pg_stat_get_activity(null) a
where a.datid = $1 and a.backend_type = $2
order by a.backend_start
