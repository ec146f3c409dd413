-- Rows with text that a client has, as they are counted.
select records from @extschema@.vb_counted_records where client_id = $1 and source = $2 and vector_type = $3
