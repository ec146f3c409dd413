insert into @extschema@.vb_source_texts (source, vector_type) values ($1::regclass, $2)
on conflict (source, vector_type) do nothing
