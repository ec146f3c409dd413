-- Days are those of UTC.
select s.client_id, s.records as records_today, s.tokens as tokens_today, s.cost as cost_today, s.max_tokens_per_day,
       s.max_cost_per_day, s.max_records_per_day
from vb_client_spending s
where s.day = (now() at time zone 'UTC')::date
