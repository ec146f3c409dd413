update @extschema@.vb_jobs set reembed = false where job_id = $1
