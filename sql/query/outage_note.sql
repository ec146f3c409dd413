-- A store that has not answered for $2 seconds.
insert into @extschema@.vb_store_outages (store, since, message)
values ($1, clock_timestamp() - make_interval(secs => $2), $3)
on conflict (store) do update set since = excluded.since, message = excluded.message, noted_at = clock_timestamp()
