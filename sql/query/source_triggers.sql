-- The triggers that were put on a source itself.
select t.tgname::text
from pg_catalog.pg_trigger t
join pg_catalog.pg_proc p on p.oid = t.tgfoid
where t.tgrelid = $1 and not t.tgisinternal and t.tgparentid = 0
  and t.tgname like 'vector\_backfill\_sync\_%' and p.proname = 'vb_sync_trigger'
