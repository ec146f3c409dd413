-- $2 at most so many.
delete from @extschema@.@references@
where ctid = any(array(
    select v.ctid
    from @extschema@.vb_collection_generations g
    join @extschema@.@references@ v
        on v.client_id = g.client_id and v.source = g.source and v.vector_type = g.vector_type
    where g.collection_id = $1 and v.collection = g.name
    limit $2
))
