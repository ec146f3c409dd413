select collection_id, name, provider, model, dimensions, chunk_tokens, chunk_overlap, renew_before, store, is_shared
from @extschema@.vb_collection_generations
where client_id = $1 and source = $2 and vector_type = $3 and not active and retired_at is null and job_id = $4
