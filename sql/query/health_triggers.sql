-- Sources in step whose triggers are gone or disabled, and which. Views have those that somebody put on their tables.
with recursive parts(source, oid) as (
    select s.source, s.source::oid from @extschema@.vb_syncs s
    union
    select p.source, i.inhrelid from pg_catalog.pg_inherits i join parts p on i.inhparent = p.oid
)
select s.source::text,
       case when t.present = 0 then 'it has no trigger of this extension'
            else format('trigger %s is disabled', t.disabled) end
from @extschema@.vb_syncs s
join pg_catalog.pg_class c on c.oid = s.source and c.relkind in ('r', 'p')
cross join lateral (
    select count(*) filter (where p.oid = s.source) as present,
           string_agg(format('%I on %s', t.tgname, p.oid::regclass), ', ' order by t.oid) filter (where t.tgenabled = 'D') as disabled
    from parts p
    join pg_catalog.pg_trigger t on t.tgrelid = p.oid
    join pg_catalog.pg_proc f on f.oid = t.tgfoid and f.proname = 'vb_sync_trigger'
    where p.source = s.source and not t.tgisinternal
) t
where t.present = 0 or t.disabled is not null
order by 1
