-- The time there now, and what $1 stands for: the session's time zone when it is NULL.
select to_char(clock_timestamp() at time zone z.name, 'YYYY-MM-DD"T"HH24:MI:SS'), z.name
from (select coalesce($1, current_setting('TimeZone'))) z(name)
