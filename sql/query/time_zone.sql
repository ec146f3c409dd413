-- The time there now, and what $1 stands for: the session's time zone when it is NULL. Only what has a name everywhere.
select to_char(clock_timestamp() at time zone z.name, 'YYYY-MM-DD"T"HH24:MI:SS'), z.name,
       exists (select from pg_catalog.pg_timezone_names n where lower(n.name) = lower(z.name))
from (select coalesce($1, current_setting('TimeZone'))) z(name)
