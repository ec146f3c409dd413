insert into @extschema@.vb_client_limits (client_id, max_tokens_per_day, max_cost_per_day) values ($1, $2, $3)
on conflict (client_id) do update
set max_tokens_per_day = excluded.max_tokens_per_day, max_cost_per_day = excluded.max_cost_per_day
