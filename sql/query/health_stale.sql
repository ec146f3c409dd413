-- Sources with vectors that nothing keeps in step and that were last looked at a week ago: when, of how many clients, which vector
-- types, and these with those that are kept in step.
select c.source::text, to_char(min(c.counted_at), 'YYYY-MM-DD'), count(distinct c.client_id),
       string_agg(distinct c.vector_type, ', '),
       (select array_agg(distinct t.name) from (
            select unnest(array_agg(c.vector_type)) as name
            union
            select unnest(s.vector_types) from @extschema@.vb_syncs s where s.source = c.source
        ) t)::text
from @extschema@.vb_collection_generations g
join @extschema@.vb_counted_records c
    on c.client_id = g.client_id and c.source = g.source and c.vector_type = g.vector_type
join pg_catalog.pg_class r on r.oid = c.source
where g.active and c.counted_at < clock_timestamp() - interval '7 days'
  and not exists (select from @extschema@.vb_syncs s where s.source = g.source and g.vector_type = any(s.vector_types))
  and not exists (
      select from @extschema@.vb_backfill_schedules s
      where s.source = g.source and s.client_id = g.client_id and s.vector_type = g.vector_type
  )
group by c.source
order by 1
