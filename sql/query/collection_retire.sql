update @extschema@.vb_collection_generations
set active = false, retired_at = clock_timestamp()
where client_id = $1 and source = $2 and vector_type = $3 and active
