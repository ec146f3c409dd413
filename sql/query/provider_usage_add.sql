-- $2 requests, $3 errors, $4 throttled, $5 texts, $6 tokens, $7 seconds in which calls were under way, $8 and $9 latencies in
-- seconds. Speeds follow what was seen in the last minutes: the more of it, the more it counts.
insert into @extschema@.vb_provider_usage as u
    (name, requests, errors, throttled, texts, tokens, cost, records_per_second, tokens_per_second,
     latency_p50, latency_p95, concurrency, breaker, trouble, throttled_at)
select $1, $2, $3, $4, $5, $6,
       $6 * coalesce((select p.cost_per_million_tokens from @extschema@.vb_providers p where p.name = $1), 0) / 1000000,
       case when $5 > 0 and $7 > 0 then $5 / $7 end, case when $5 > 0 and $7 > 0 then $6 / $7 end,
       make_interval(secs => $8), make_interval(secs => $9), $10, $11, $12, case when $4 > 0 then clock_timestamp() end
on conflict (name) do update
set requests = u.requests + excluded.requests, errors = u.errors + excluded.errors,
    throttled = u.throttled + excluded.throttled, texts = u.texts + excluded.texts,
    tokens = u.tokens + excluded.tokens, cost = u.cost + excluded.cost,
    records_per_second = coalesce(u.records_per_second
        + (excluded.records_per_second - u.records_per_second) * ($7 / ($7 + 30)), excluded.records_per_second,
        u.records_per_second),
    tokens_per_second = coalesce(u.tokens_per_second
        + (excluded.tokens_per_second - u.tokens_per_second) * ($7 / ($7 + 30)), excluded.tokens_per_second,
        u.tokens_per_second),
    latency_p50 = coalesce(excluded.latency_p50, u.latency_p50),
    latency_p95 = coalesce(excluded.latency_p95, u.latency_p95),
    concurrency = excluded.concurrency, breaker = excluded.breaker, trouble = excluded.trouble,
    throttled_at = coalesce(excluded.throttled_at, u.throttled_at),
    updated_at = clock_timestamp()
