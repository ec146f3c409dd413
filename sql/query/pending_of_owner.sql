-- Records of a client that are to be looked at, in the order of their latest changes; NULL stands for all of them. $4 at most so many.
select p.record_id, p.change_no
from @extschema@.vb_pending_changes p
where p.client_id = $1 and p.source = $2 and p.vector_type = $3
order by p.record_id is null desc, p.change_no
limit $4
