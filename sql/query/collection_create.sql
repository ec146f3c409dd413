-- The number at the end makes the name unique, whatever the letters before it were shortened to.
insert into @extschema@.vb_collection_generations
    (client_id, source, vector_type, provider, model, dimensions, chunk_tokens, chunk_overlap, store)
values ($1, $2, $3, $4, $5, $6, $7, $8, 'embedded')
returning collection_id
