update @extschema@.vb_collection_generations
set chunk_tokens = $2, chunk_overlap = $3, renew_before = clock_timestamp()
where collection_id = $1
returning renew_before
