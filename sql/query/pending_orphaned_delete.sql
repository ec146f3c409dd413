-- Of sources, and of vector types, that nobody keeps in step.
delete from @extschema@.vb_pending_changes p
where not exists (select from @extschema@.vb_syncs s where s.source = p.source and p.vector_type = any(s.vector_types))
