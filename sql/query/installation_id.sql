select id::text from @extschema@.vb_installation
