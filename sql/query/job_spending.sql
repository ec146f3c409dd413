select job_id, max_tokens, max_cost::float8, tokens, cost::float8 from @extschema@.vb_jobs where job_id = any($1)
