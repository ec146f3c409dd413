-- Collections in Qdrant.
select count(*) from @extschema@.vb_collection_generations where store = 'qdrant' and name is not null
