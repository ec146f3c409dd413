insert into @extschema@.vb_windows (client_id, closed_from, closed_until, days, time_zone) values ($1, $2, $3, $4, $5)
on conflict (client_id) do update
set closed_from = excluded.closed_from, closed_until = excluded.closed_until, days = excluded.days, time_zone = excluded.time_zone
