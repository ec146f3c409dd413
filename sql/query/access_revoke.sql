-- Takes this level and those above it; what is below stays.
with levels as (
    select l.name, l.n from unnest('{read,write,admin}'::text[]) with ordinality l(name, n)
), lowered as (
    update @extschema@.vb_client_access a
    set level = (select l.name from levels l where l.n = (select w.n from levels w where w.name = $3) - 1),
        granted_by = $4::regrole, granted_at = clock_timestamp()
    where a.role = $1 and a.client_id is not distinct from $2 and $3 <> 'read'
      and (select l.n from levels l where l.name = a.level) >= (select w.n from levels w where w.name = $3)
    returning 1
), taken as (
    delete from @extschema@.vb_client_access a
    where a.role = $1 and a.client_id is not distinct from $2 and $3 = 'read'
    returning 1
)
select (select count(*) from lowered) + (select count(*) from taken)
