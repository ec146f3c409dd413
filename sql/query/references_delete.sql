-- How many records lost their references, however many chunks each had.
with gone as (
    delete from @extschema@.@references@
    where client_id = $1 and source = $2 and vector_type = $3 and record_id = any($4)
    returning chunk_no
)
select count(*) from gone where chunk_no = 0
