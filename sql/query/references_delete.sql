delete from @extschema@.qdrant_vectors
where client_id = $1 and source = $2 and vector_type = $3 and record_id = any($4)
