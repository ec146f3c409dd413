select count(*) from @extschema@.@references@
where client_id = $1 and source = $2 and vector_type = $3 and chunk_no = 0
