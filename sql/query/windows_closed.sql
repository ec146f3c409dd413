-- Whether the hours of $1 are closed now, and until when; without a client those of all.
select (select to_char(min(n.t), 'YYYY-MM-DD HH24:MI')
                     from (values (l.now::date + w.closed_until), (l.now::date + 1 + w.closed_until)) n(t) where n.t > l.now)
from @extschema@.vb_windows w
cross join lateral (select clock_timestamp() at time zone w.time_zone) l(now)
where w.client_id is not distinct from $1 and case when w.closed_from < w.closed_until
      then l.now::time >= w.closed_from and l.now::time < w.closed_until and extract(isodow from l.now)::int = any(w.days)
      else (l.now::time >= w.closed_from and extract(isodow from l.now)::int = any(w.days))
        or (l.now::time < w.closed_until and extract(isodow from l.now - interval '1 day')::int = any(w.days)) end
