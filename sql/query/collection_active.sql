select name, provider, model, dimensions
from @extschema@.vb_collection_generations
where client_id = $1 and source = $2 and vector_type = $3 and active
