-- The references of these collections name vectors that their store has lost: they are to be made again, unless all of them are
-- to be made again already. $3 whether only
-- those that do not serve are meant, $4 the client, if only its own are.
update @extschema@.vb_collection_generations g
set renew_before = clock_timestamp()
where g.store = $1 and g.name = any($2) and not (g.active and $3) and ($4::bigint is null or g.client_id = $4)
  and case when g.active
           then exists (select from @extschema@.qdrant_vectors v
                        where v.client_id = g.client_id and v.source = g.source and v.vector_type = g.vector_type
                          and v.collection = g.name and (g.renew_before is null or v.embedded_at >= g.renew_before))
           else exists (select from @extschema@.vb_next_vectors v
                        where v.client_id = g.client_id and v.source = g.source and v.vector_type = g.vector_type
                          and v.collection = g.name and (g.renew_before is null or v.embedded_at >= g.renew_before))
      end
returning g.collection_id, g.job_id
