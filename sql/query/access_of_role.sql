-- What a role may do with a client ($2; NULL: what it may do with all): whether it administers, and its best level.
select pg_catalog.pg_has_role($1, e.extowner, 'usage') or coalesce(bool_or(a.level = 'admin'), false),
       coalesce(bool_or(a.level in ('write', 'admin')), false), count(a.level) > 0
from pg_catalog.pg_extension e
left join @extschema@.vb_client_access a
    on (a.client_id is null or a.client_id = $2) and pg_catalog.pg_has_role($1, a.role, 'usage')
where e.extname = 'vector_backfill'
group by e.extowner
