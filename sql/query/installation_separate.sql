-- A copy that has nothing in any store yet (of a template, say) becomes an installation of its own.
update @extschema@.vb_installation i
set id = gen_random_uuid(), server = c.system_identifier, database = d.oid
from pg_catalog.pg_control_system() c, pg_catalog.pg_database d
where d.datname = current_database() and (i.server <> c.system_identifier or i.database <> d.oid)
  and not exists (select from @extschema@.vb_collection_generations where name is not null)
  and not exists (select from @extschema@.vb_collection_removals)
