-- $4 more, or less, since they were counted.
update @extschema@.vb_counted_records set records = greatest(records + $4, 0)
where client_id = $1 and source = $2 and vector_type = $3
