-- Whatever is in flight when a worker starts was in flight when the last one died.
update @extschema@.vb_batches set in_flight = false, crashes = crashes + 1, attempt = attempt + 1 where in_flight
