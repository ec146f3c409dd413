insert into @extschema@.vb_source_texts
    (source, vector_type, text_columns, template, chunk_tokens, chunk_overlap)
values ($1::regclass, $2, $3::name[], $4, $5, $6)
on conflict (source, vector_type) do update
set text_columns = excluded.text_columns, template = excluded.template,
    chunk_tokens = excluded.chunk_tokens, chunk_overlap = excluded.chunk_overlap
