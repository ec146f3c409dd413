insert into @extschema@.vb_client_limits
    (client_id, max_tokens_per_day, max_cost_per_day, max_records_per_second, max_jobs, max_records_per_day, max_collections)
values ($1, $2, $3, $4, $5, $6, $7)
on conflict (client_id) do update
set max_tokens_per_day = excluded.max_tokens_per_day, max_cost_per_day = excluded.max_cost_per_day,
    max_records_per_second = excluded.max_records_per_second, max_jobs = excluded.max_jobs,
    max_records_per_day = excluded.max_records_per_day, max_collections = excluded.max_collections
