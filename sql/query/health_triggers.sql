-- Sources in step of whose rows no trigger tells, or only some, and their vector types. Views have those that somebody put on their
-- tables. Bits of tgtype: 4 insert, 8 delete, 16 update, 32 truncate.
with recursive parts(source, oid) as (
    select s.source, s.source::oid from @extschema@.vb_syncs s
    union
    select p.source, i.inhrelid from pg_catalog.pg_inherits i join parts p on i.inhparent = p.oid
)
select s.source::text,
       case when t.disabled is not null then format('trigger %s is disabled', t.disabled)
            when t.events = 0 then 'it has no trigger of this extension'
            else 'its triggers do not tell of all changes' end,
       s.vector_types::text
from @extschema@.vb_syncs s
join pg_catalog.pg_class c on c.oid = s.source and c.relkind in ('r', 'p')
cross join lateral (
    select coalesce(bit_or(t.tgtype::int) filter (where p.oid = s.source), 0) & 60 as events,
           string_agg(format('%I on %s', t.tgname, p.oid::regclass), ', ' order by t.oid) filter (where t.tgenabled in ('D', 'R'))
               as disabled
    from parts p
    join pg_catalog.pg_trigger t on t.tgrelid = p.oid
    join pg_catalog.pg_proc f on f.oid = t.tgfoid and f.proname = 'vb_sync_trigger'
    where p.source = s.source and not t.tgisinternal
) t
where t.events <> 60 or t.disabled is not null
order by 1
