-- Whether no record of a client has a reference, and none was set aside by the job.
select not exists (
    select from @extschema@.@references@ where client_id = $1 and source = $2 and vector_type = $3
) and not exists (
    select from @extschema@.vb_job_errors where job_id = $4
)
