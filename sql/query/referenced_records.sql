select record_id from @extschema@.@references@
where client_id = $1 and source = $2 and vector_type = $3 and chunk_no = 0
  and ($4::text is null or record_id > $4::text)
order by record_id
limit $5
