-- Changes that are done, unless they came again meanwhile.
delete from @extschema@.vb_pending_changes
where ctid = any(array(
    select p.ctid
    from rows from (unnest($4::text[]), unnest($5::bigint[])) as k(record_id, change_no)
    cross join lateral (
        select c.ctid
        from @extschema@.vb_pending_changes c
        where c.client_id = $1 and c.source = $2 and c.vector_type = $3 and c.record_id = k.record_id
          and c.change_no = k.change_no
        offset 0
    ) p
))
