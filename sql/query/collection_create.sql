-- Its name comes later, since it has the number at its end. $9 the job that builds it beside another one; NULL when it
-- serves at once.
insert into @extschema@.vb_collection_generations
    (client_id, source, vector_type, provider, model, dimensions, chunk_tokens, chunk_overlap, active, job_id, store,
     is_shared, generation)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9::bigint is null, $9::bigint, $10, $11,
        coalesce((select max(g.generation) + 1 from @extschema@.vb_collection_generations g
                  where g.client_id = $1 and g.source = $2 and g.vector_type = $3), 1))
returning collection_id
