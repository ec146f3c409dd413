select name, provider, model, dimensions, chunk_tokens, chunk_overlap, renew_before
from @extschema@.vb_collection_generations
where client_id = $1 and source = $2 and vector_type = $3 and not active and retired_at is null and job_id = $4
