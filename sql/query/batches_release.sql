-- The worker ends in peace: nothing is suspected of anything.
delete from @extschema@.vb_batches where in_flight and not suspect
