-- What these records have is not true any more: no text has this hash, so the next backfill makes their vectors again.
update @extschema@.@references@ set content_hash = ''
where client_id = $1 and source = $2 and vector_type = $3 and record_id = any($4) and content_hash <> ''
