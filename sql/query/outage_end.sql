delete from @extschema@.vb_store_outages where store = $1
