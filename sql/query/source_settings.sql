select s.client_column::text, s.key_columns::text[], s.active_column::text, s.order_column::text,
       t.text_columns::text[], t.template, t.chunk_tokens, t.chunk_overlap,
       s.payload_columns::text[]
from @extschema@.vb_source_settings s
left join @extschema@.vb_source_texts t on t.source = s.source and t.vector_type = $2
where s.source = $1
