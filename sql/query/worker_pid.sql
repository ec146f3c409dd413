-- $1 the database, $2 the key of the worker's lock. Unlike pg_stat_activity, what the locks say is not kept for the
-- rest of the transaction.
select l.pid
from pg_catalog.pg_lock_status() l
where l.locktype = 'userlock' and l.database = $1 and l.classid = 0 and l.objid = $2 and l.objsubid = 2
  and l.mode = 'ExclusiveLock' and l.granted
