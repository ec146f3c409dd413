insert into @extschema@.vb_counted_records (client_id, source, vector_type, records) values ($1, $2, $3, $4)
on conflict (client_id, source, vector_type) do update set records = excluded.records, counted_at = excluded.counted_at
