update @extschema@.vb_batches set in_flight = false where in_flight
