select vector_type, template from @extschema@.vb_source_texts where source = $1 and template is not null
