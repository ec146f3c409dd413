-- Takes what was committed since a former snapshot: by transactions that it saw under way ($2), or that began since ($1, the
-- first of these). $3 at most so many. Gives how many were found with each, since somebody may have deleted some meanwhile.
with found as materialized (
    select c.ctid from @extschema@.vb_changes c where c.changed_by >= $1::text::xid8
    union all
    select c.ctid from @extschema@.vb_changes c where c.changed_by = any($2::text[]::xid8[])
    limit $3
), taken as (
    delete from @extschema@.vb_changes where ctid = any(array(select ctid from found))
    returning source::oid, client_id, record_id, changed_at
)
select n.found, t.*
from (select count(*) as found from found) n
left join taken t on true
