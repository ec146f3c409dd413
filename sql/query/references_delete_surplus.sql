-- Chunks that a record no longer has. One look into the primary key for each record, whatever the planner knows of a table
-- that grows all the time.
delete from @extschema@.@references@
where ctid = any(array(
    select r.ctid
    from rows from (unnest($4::text[]), unnest($5::int[])) as k(record_id, chunks)
    cross join lateral (
        select v.ctid
        from @extschema@.@references@ v
        where v.client_id = $1 and v.source = $2 and v.vector_type = $3 and v.record_id = k.record_id
          and v.chunk_no >= k.chunks
        offset 0
    ) r
))
