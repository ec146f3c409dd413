-- Half of a batch that was in flight at crashes; a single record gets a clean slate.
insert into @extschema@.vb_batches (job_id, record_ids, attempt, crashes, suspect, in_flight)
values ($1, $2, $3, case when cardinality($2::text[]) = 1 then 0 else 1 end, true, false)
returning batch_id, crashes
