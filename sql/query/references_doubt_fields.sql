-- The payload columns that these records' points carry are not true any more: no row has this hash, so the next backfill sets
-- them again.
update @extschema@.@references@ set fields_hash = '\x00'
where client_id = $1 and source = $2 and vector_type = $3 and record_id = any($4) and fields_hash <> '\x00'
