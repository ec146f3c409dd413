-- How many records lost their references, however many chunks each had. One look into the primary key for each record,
-- whatever the planner knows of a table that grows all the time.
with gone as (
    delete from @extschema@.@references@
    where ctid = any(array(
        select r.ctid
        from unnest($4::text[]) as k(record_id)
        cross join lateral (
            select v.ctid
            from @extschema@.@references@ v
            where v.client_id = $1 and v.source = $2 and v.vector_type = $3 and v.record_id = k.record_id
            offset 0
        ) r
    ))
    returning chunk_no
)
select count(*) from gone where chunk_no = 0
