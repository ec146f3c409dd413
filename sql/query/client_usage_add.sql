insert into @extschema@.vb_client_usage as u (client_id, day, provider, tokens, cost, records)
select $1, (clock_timestamp() at time zone 'UTC')::date, $2, $3,
       $3 * coalesce((select p.cost_per_million_tokens from @extschema@.vb_providers p where p.name = $2), 0) / 1000000, $4
on conflict (client_id, day, provider) do update
set tokens = u.tokens + excluded.tokens, cost = u.cost + excluded.cost, records = u.records + excluded.records
