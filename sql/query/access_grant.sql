-- A level that is there already is raised, never lowered.
insert into @extschema@.vb_client_access as a (role, client_id, level, granted_by)
values ($1::regrole, $2, $3, $4::regrole)
on conflict (role, client_id) do update set level = excluded.level, granted_by = excluded.granted_by, granted_at = clock_timestamp()
where array_position('{read,write,admin}'::text[], excluded.level) > array_position('{read,write,admin}'::text[], a.level)
