-- $1 the sources; NULL for all that are registered.
select c.oid,
       coalesce((select s.priority from @extschema@.vb_source_settings s where s.source = c.oid),
                @extschema@.vb_default_priority(c.oid::regclass))
from pg_catalog.pg_class c
where c.oid = any($1)
   or ($1 is null and c.oid in (select s.source from @extschema@.vb_source_settings s))
order by 2 desc, c.relname
