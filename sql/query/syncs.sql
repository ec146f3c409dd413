select source::oid, vector_types, layout, columns::text from @extschema@.vb_syncs
