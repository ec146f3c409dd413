-- $3 a name for whichever generation serves; NULL for shared collections. It stays the same from generation to generation,
-- and is made unique where another source has it.
update @extschema@.vb_collection_generations c
set name = $2,
    alias = case when $3::text is null then null else coalesce(
        (select g.alias from @extschema@.vb_collection_generations g
         where g.client_id = c.client_id and g.source = c.source and g.vector_type = c.vector_type and g.alias is not null
         limit 1),
        case when exists (select from @extschema@.vb_collection_generations g where g.alias = $3)
             then $2 || '_serving' else $3 end) end
where c.collection_id = $1
