-- An error, 55P03, when somebody else has it locked.
select from @extschema@.vb_jobs where job_id = $1 for update nowait
