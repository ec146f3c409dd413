insert into @extschema@.qdrant_vectors
select v.*
from @extschema@.vb_next_vectors v
where v.client_id = $1 and v.source = $2 and v.vector_type = $3 and v.collection = $4
