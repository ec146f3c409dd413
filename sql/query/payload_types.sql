-- What the values of columns are in the end, in the order of $2, the names; $1 the relation. A domain is what it is over, an
-- array what its elements are. Names of no column are left out.
select n.name, pg_catalog.format_type(a.atttypid, a.atttypmod), e.oid, e.typcategory, e.is_array
from pg_catalog.unnest($2::text[]) with ordinality as n(name, position)
join pg_catalog.pg_attribute a
    on a.attrelid = $1 and a.attname = n.name::name and a.attnum > 0 and not a.attisdropped
cross join lateral (
    with recursive type as (
        select t.oid, t.typtype, t.typcategory, t.typbasetype, t.typelem, false as is_array
        from pg_catalog.pg_type t where t.oid = a.atttypid
        union all
        select t.oid, t.typtype, t.typcategory, t.typbasetype, t.typelem, type.is_array or type.typtype <> 'd'
        from type
        join pg_catalog.pg_type t
            on t.oid = case when type.typtype = 'd' then type.typbasetype when type.typcategory = 'A' then type.typelem end
    )
    select oid, typcategory, is_array from type where typtype <> 'd' and typcategory <> 'A'
) e
order by n.position
