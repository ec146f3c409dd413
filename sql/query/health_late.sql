-- Sources with changes of records that wait for more than five minutes: since when, and how many.
select c.source::text, to_char(min(c.changed_at), 'YYYY-MM-DD HH24:MI:SS TZ'), count(*)
from (
    select source, changed_at from @extschema@.vb_changes where record_id is not null
    union all
    select source, changed_at from @extschema@.vb_pending_changes where record_id is not null
) c
group by c.source
having min(c.changed_at) < clock_timestamp() - interval '5 minutes'
order by 1
