select @extschema@.vb_apply_access($1::regrole)
