-- Of a client that has something: nothing is to come back of one that was removed meanwhile.
insert into @extschema@.vb_client_usage as u (client_id, day, provider, tokens, cost)
select $1, (clock_timestamp() at time zone 'UTC')::date, $2, $3, $4::float8::numeric
where exists (select from @extschema@.vb_collection_generations g where g.client_id = $1)
on conflict (client_id, day, provider) do update
set tokens = u.tokens + excluded.tokens, cost = u.cost + excluded.cost
