-- A table and those it is a part of, and the one that the trigger names; with the vector types that are kept in step.
with recursive ancestors(relation) as (
    select $1::oid
    union
    select i.inhparent from pg_catalog.pg_inherits i join ancestors a on i.inhrelid = a.relation
), related as (
    select relation from ancestors
    union
    select pg_catalog.to_regclass($2)::oid where $2 is not null
)
select r.relation, s.vector_types
from related r
left join @extschema@.vb_syncs s on s.source = r.relation
where r.relation is not null
