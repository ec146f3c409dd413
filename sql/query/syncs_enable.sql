insert into @extschema@.vb_syncs (source, vector_types, sync_role, layout, columns)
values ($1, $2, $3, $4, $5::text::jsonb)
on conflict (source) do update
set vector_types = excluded.vector_types, sync_role = excluded.sync_role, layout = excluded.layout, columns = excluded.columns
