update @extschema@.vb_syncs set layout = $2, columns = $3::text::jsonb where source = $1
