-- Of sources that nobody keeps in step.
delete from @extschema@.vb_changes c
where not exists (select from @extschema@.vb_syncs s where s.source = c.source)
