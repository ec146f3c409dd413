update @extschema@.vb_jobs set max_tokens = $2, max_cost = $3 where job_id = $1
