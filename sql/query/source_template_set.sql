update @extschema@.vb_source_texts set template = $3 where source = $1 and vector_type = $2
