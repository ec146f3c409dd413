-- Of the vector types in $2, or of all.
delete from @extschema@.vb_pending_changes
where source = $1 and ($2::text[] is null or vector_type = any($2))
